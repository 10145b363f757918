//! The contract's calls by their bytes, read and written by the ABI that other programs are given.

use alloy::dyn_abi::{DynSolValue, JsonAbiExt};
use alloy::json_abi::{Function, JsonAbi, Param, StateMutability};
use alloy::primitives::{Address, Bytes, FixedBytes, U256};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// `contracts/abi/ImageRegistry.json`: functions, events and errors of the contract, its
/// OpenZeppelin parts included.
pub const ABI_JSON: &str = include_str!("../../contracts/abi/ImageRegistry.json");

static ABI: LazyLock<JsonAbi> =
    LazyLock::new(|| serde_json::from_str(ABI_JSON).expect("scripts/artifact wrote the ABI, and the tests read it"));

/// Largest number that every JSON reader keeps exactly: 2^53 - 1.
const EXACT: U256 = U256::from_limbs([(1 << 53) - 1, 0, 0, 0]);

/// What is to be sent: no value, ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The contract; `None` makes one.
    pub to: Option<Address>,
    /// Call data, or init code and arguments.
    pub data: Bytes,
}

/// Why bytes are no call of the contract.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Fewer than 4 bytes.
    #[error("expected a call that begins with a selector of 4 bytes, found {length} bytes")]
    TooShort {
        /// How many there are.
        length: usize,
    },
    /// The contract has no such function.
    #[error("the registry has no function with selector {selector}")]
    UnknownSelector {
        /// The first 4 bytes.
        selector: FixedBytes<4>,
    },
    /// The function is known, and the rest are not its arguments, or not in the one encoding that
    /// we write.
    #[error("the bytes after the selector are not arguments of {function}: {reason}")]
    Arguments {
        /// Its signature.
        function: String,
        /// What is wrong with them.
        reason: String,
    },
}

/// A call of one of the contract's functions.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    function: &'static Function,
    values: Vec<DynSolValue>,
}

impl Call {
    /// Returns the call that these bytes are. One encoding only: bytes left over or out of place
    /// are refused.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn decode(data: &[u8]) -> Result<Self, CallError> {
        let (selector, arguments) = data.split_first_chunk::<4>().ok_or(CallError::TooShort { length: data.len() })?;
        let selector = FixedBytes(*selector);
        let function = ABI.functions().find(|function| function.selector() == selector);
        let function = function.ok_or(CallError::UnknownSelector { selector })?;
        let wrong = |reason: String| CallError::Arguments { function: function.signature(), reason };
        let values = function.abi_decode_input(arguments).map_err(|error| wrong(error.to_string()))?;
        let call = Self { function, values };
        match *call.encode() == *data {
            true => Ok(call),
            false => Err(wrong("bytes are left over or out of place".to_owned())),
        }
    }

    /// The call of `function` with these values, which are of its types.
    pub(super) fn new(function: &'static Function, values: Vec<DynSolValue>) -> Self {
        Self { function, values }
    }

    /// What a transaction carries to make it.
    pub fn encode(&self) -> Bytes {
        self.function.abi_encode_input(&self.values).expect("the values are of the function's types").into()
    }

    /// Its function's name.
    pub fn name(&self) -> &'static str {
        &self.function.name
    }

    /// Its function's name and types.
    pub fn signature(&self) -> String {
        self.function.signature()
    }

    /// Whether it only reads.
    pub fn is_view(&self) -> bool {
        matches!(self.function.state_mutability, StateMutability::View | StateMutability::Pure)
    }

    /// Its arguments by name: numbers up to 2^53 as such, larger ones and all of 256 bits as
    /// decimal text, bytes as 0x-hex.
    pub fn arguments(&self) -> Value {
        object(&self.function.inputs, &self.values)
    }

    pub(super) fn function(&self) -> &'static Function {
        self.function
    }

    pub(super) fn values(&self) -> &[DynSolValue] {
        &self.values
    }
}

/// The contract's functions.
pub(super) fn functions() -> impl Iterator<Item = &'static Function> {
    ABI.functions()
}

/// Named values as a JSON object.
pub(super) fn object(names: &[Param], values: &[DynSolValue]) -> Value {
    let fields = names.iter().zip(values).enumerate().map(|(at, (param, value))| {
        let name = if param.name.is_empty() { at.to_string() } else { param.name.clone() };
        (name, json(param, value))
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

fn json(param: &Param, value: &DynSolValue) -> Value {
    match value {
        DynSolValue::Bool(value) => (*value).into(),
        DynSolValue::Uint(value, bits) if *bits < 256 && *value <= EXACT => value.to::<u64>().into(),
        DynSolValue::Uint(value, _) => value.to_string().into(),
        DynSolValue::Int(value, _) => value.to_string().into(),
        DynSolValue::FixedBytes(word, length) => alloy::hex::encode_prefixed(&word[..*length]).into(),
        DynSolValue::Bytes(bytes) => alloy::hex::encode_prefixed(bytes).into(),
        DynSolValue::Address(address) => address.to_checksum(None).into(),
        DynSolValue::String(text) => text.clone().into(),
        DynSolValue::Array(items) | DynSolValue::FixedArray(items) => {
            items.iter().map(|item| json(param, item)).collect()
        }
        DynSolValue::Tuple(fields) | DynSolValue::CustomStruct { tuple: fields, .. } => {
            object(&param.components, fields)
        }
        // The contract takes none.
        DynSolValue::Function(function) => function.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::bindings::IImageRegistry::{IImageRegistryCalls, grantCall};
    use crate::contract::bindings::IOpenZeppelin::IOpenZeppelinCalls;
    use alloy::primitives::B256;
    use alloy::sol_types::{SolCall, SolInterface};

    #[test]
    fn a_call_is_read_as_it_was_written() {
        let grant = grantCall { imageId: B256::repeat_byte(1), wallet: Address::repeat_byte(2), expiry: u64::MAX };
        let data = grant.abi_encode();
        let call = Call::decode(&data).expect("ours");
        assert_eq!((call.name(), call.is_view()), ("grant", false));
        assert_eq!(call.encode(), data);
        assert_eq!(call.arguments()["expiry"], "18446744073709551615", "too large for a double");
        assert_eq!(call.arguments()["imageId"], format!("0x{}", "01".repeat(32)));
    }

    #[test]
    fn the_abi_has_every_function_of_the_bindings() {
        for selector in IImageRegistryCalls::selectors().chain(IOpenZeppelinCalls::selectors()) {
            assert!(functions().any(|function| function.selector() == selector), "{selector:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_call_are_refused_by_kind() {
        let data = grantCall { imageId: B256::repeat_byte(1), ..Default::default() }.abi_encode();
        assert!(matches!(Call::decode(&data[..3]), Err(CallError::TooShort { length: 3 })));
        let transfer = [&[0xa9, 0x05, 0x9c, 0xbb], &data[4..]].concat();
        let refused = Call::decode(&transfer).expect_err("another contract's");
        assert!(matches!(refused, CallError::UnknownSelector { selector } if selector == [0xa9, 0x05, 0x9c, 0xbb]));
        let dirty = {
            let mut data = data.clone();
            data[4 + 32] = 1;
            data
        };
        for bad in [data[..data.len() - 1].to_vec(), [&data[..], &[0]].concat(), dirty] {
            assert!(matches!(Call::decode(&bad), Err(CallError::Arguments { .. })), "{}", alloy::hex::encode(&bad));
        }
    }
}
