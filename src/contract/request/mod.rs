//! Requests: structs that a wallet signs (`eth_signTypedData_v4`) and somebody else submits, and
//! the calls that submit them.

use super::calls::{self, Call};
use super::kind::ErrorKind;
use super::signature::MAX_SIGNATURE_BYTES;
use crate::envelope::signing_domain;
use alloy::dyn_abi::eip712::TypedData;
use alloy::dyn_abi::{DynSolValue, Eip712Domain};
use alloy::json_abi::{Function, Param};
use alloy::primitives::{Address, B256, Bytes, U256};
use serde_json::{Map, Value, json};

/// Fields that name the signer, one of which every signed struct has.
const SIGNERS: [&str; 3] = ["sender", "verifier", "by"];

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// It is not EIP-712 typed data.
    #[error("expected EIP-712 typed data as wallets sign it: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// The contract accepts no such struct.
    #[error("the registry accepts no signed {primary_type} with these fields: {found}")]
    OtherType {
        /// The struct's name.
        primary_type: String,
        /// The type string that its fields give.
        found: String,
    },
    /// It is for another chain, contract or program.
    #[error("the request is not for this registry: {what} is {found}, expected {expected}")]
    OtherDomain {
        /// Which part of the domain.
        what: &'static str,
        /// This registry's.
        expected: String,
        /// The request's.
        found: String,
    },
    /// Its deadline has passed.
    #[error("the request expired at {deadline}, it is {now} now (unix seconds)")]
    Expired {
        /// Its last second.
        deadline: u64,
        /// The later of the chain's time and this machine's.
        now: u64,
    },
    /// Its deadline is further ahead than the contract accepts.
    #[error("expected a deadline at most 7 days ahead ({latest}), found {deadline} (unix seconds)")]
    TooFar {
        /// Its last second.
        deadline: u64,
        /// The latest that is taken.
        latest: u64,
    },
    /// Its nonce was used by another request of the signer, or cancelled.
    #[error("expected nonce {expected} of {signer}, the request has {found}")]
    Nonce {
        /// Whose nonce it is.
        signer: Address,
        /// What the contract expects.
        expected: U256,
        /// What the request has.
        found: U256,
    },
    /// Another change of the same thing came first: the request can't act any more.
    #[error("{}", overtaken(what, *named, *current))]
    Overtaken {
        /// What it changes: `flag`, or what it counts, as `access change`.
        what: &'static str,
        /// The number that the request names.
        named: U256,
        /// The number that the registry is at now; that of the request itself for a flag that was
        /// decided otherwise.
        current: U256,
    },
    /// The signature has the upper s. For each signature there is a second, valid one; the contract
    /// accepts the lower s alone.
    #[error("the signature of {signer} has the upper value of s, the registry accepts the lower one alone")]
    UpperS {
        /// Who signed.
        signer: Address,
    },
    /// No signature, or a longer one than the contract takes.
    #[error("expected a signature of 1 to 4096 bytes, found {found}")]
    SignatureLength {
        /// Its bytes.
        found: usize,
    },
    /// The signature is another wallet's, or over another request.
    #[error("the signature is not of {signer} over this request (digest {digest})")]
    Signature {
        /// Who was to sign.
        signer: Address,
        /// What was to be signed.
        digest: B256,
    },
}

impl RequestError {
    /// What it means to whoever called.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Signature { .. } | Self::UpperS { .. } => ErrorKind::NotAuthorized,
            Self::OtherDomain { .. } => ErrorKind::WrongChain,
            _ => ErrorKind::Failure,
        }
    }
}

fn overtaken(what: &str, named: U256, current: U256) -> String {
    match named == current {
        true => format!("the request comes too late: {what} {named} was decided otherwise"),
        false => {
            format!("the request comes too late: it is for {what} {named}, and the registry is at {what} {current} now")
        }
    }
}

/// A struct that the contract takes with a signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    function: &'static Function,
    fields: Vec<DynSolValue>,
}

impl Request {
    /// The request in a call and its signature (empty where the transaction is the signer's own);
    /// none if the call takes no signature.
    pub fn of_call(call: &Call) -> Option<(Self, Bytes)> {
        let function = call.function();
        is_signed(function).then_some(())?;
        let [message, DynSolValue::Bytes(signature)] = call.values() else { return None };
        Some((Self { function, fields: fields_of(message)?.to_vec() }, signature.clone().into()))
    }

    /// Returns the request that this typed data is, and its domain.
    ///
    /// # Errors
    /// [`RequestError::Malformed`], [`RequestError::OtherType`].
    pub fn of_typed_data(value: &Value) -> Result<(Self, Eip712Domain), RequestError> {
        let malformed = |reason: String| RequestError::Malformed { reason };
        let typed: TypedData = serde_json::from_value(value.clone()).map_err(|error| malformed(error.to_string()))?;
        let found = typed.encode_type().map_err(|error| malformed(error.to_string()))?;
        let other = || RequestError::OtherType { primary_type: typed.primary_type.clone(), found: found.clone() };
        let function =
            calls::functions().find(|function| is_signed(function) && encode_type(&function.inputs[0]) == found);
        let function = function.ok_or_else(other)?;
        let message = typed.coerce().map_err(|error| malformed(error.to_string()))?;
        let fields = fields_of(&message).ok_or_else(other)?.to_vec();
        let request = Self { function, fields };
        // What a wallet shows and what it hashes must be the same.
        let digest = typed.eip712_signing_hash().map_err(|error| malformed(error.to_string()))?;
        match request.digest(&typed.domain) == digest {
            true => Ok((request, typed.domain)),
            false => Err(malformed("its hash does not match its message".to_owned())),
        }
    }

    /// Name of the struct.
    pub fn primary_type(&self) -> String {
        struct_name(&self.function.inputs[0])
    }

    /// The function that takes it.
    pub fn function_name(&self) -> &'static str {
        &self.function.name
    }

    /// Who signs it.
    pub fn signer(&self) -> Address {
        let signer = SIGNERS.iter().find_map(|name| self.field(name)?.as_address());
        signer.expect("every signed struct names its signer: a test looks at each")
    }

    /// Last second in which it may be submitted.
    pub fn deadline(&self) -> u64 {
        self.number("deadline").map(|deadline| deadline.saturating_to()).expect("every signed struct has one")
    }

    /// The nonce that it uses up, where it has one.
    pub fn nonce(&self) -> Option<U256> {
        self.number("nonce")
    }

    /// Its fields by name.
    pub fn message(&self) -> Value {
        calls::object(&self.function.inputs[0].components, &self.fields)
    }

    /// What `eth_signTypedData_v4` takes.
    pub fn typed_data(&self, domain: &Eip712Domain) -> Value {
        let mut types = Map::new();
        types.insert("EIP712Domain".to_owned(), domain_type());
        add_types(&self.function.inputs[0], &mut types);
        json!({
            "types": types,
            "primaryType": self.primary_type(),
            "domain": {
                "name": domain.name,
                "version": domain.version,
                "chainId": domain.chain_id.map(|id| id.saturating_to::<u64>()),
                "verifyingContract": domain.verifying_contract.map(|address| address.to_checksum(None)),
            },
            "message": self.message(),
        })
    }

    /// What is signed: its EIP-712 digest.
    pub fn digest(&self, domain: &Eip712Domain) -> B256 {
        let typed: TypedData = serde_json::from_value(self.typed_data(domain)).expect("it is typed data");
        // The domain as given: one with more fields than ours must give another hash.
        TypedData { domain: domain.clone(), ..typed }.eip712_signing_hash().expect("the fields are of their types")
    }

    /// The call that submits it with a signature.
    pub fn call(&self, signature: &Bytes) -> Call {
        let message = DynSolValue::Tuple(self.fields.clone());
        Call::new(self.function, vec![message, DynSolValue::Bytes(signature.to_vec())])
    }

    /// Whether both are equal but for their times: deadline, time of observation, end of access.
    pub fn is_same_but_for_times(&self, other: &Self) -> bool {
        let times = ["deadline", "observedAt", "expiry"];
        let names = self.function.inputs[0].components.iter().map(|param| param.name.as_str());
        self.function == other.function
            && names
                .zip(self.fields.iter().zip(&other.fields))
                .all(|(name, (a, b))| times.contains(&name) || flat(a) == flat(b))
    }

    fn field(&self, name: &str) -> Option<&DynSolValue> {
        self.function.inputs[0].components.iter().position(|param| param.name == name).map(|at| &self.fields[at])
    }

    fn number(&self, name: &str) -> Option<U256> {
        self.field(name)?.as_uint().map(|(number, _)| number)
    }
}

/// Checks that a domain is exactly the registry's: every field of it, and no further field.
///
/// # Errors
/// [`RequestError::OtherDomain`].
pub fn check_domain(found: &Eip712Domain, chain_id: u64, registry: Address) -> Result<(), RequestError> {
    let expected = signing_domain(chain_id, registry);
    let text = |value: Option<String>| value.unwrap_or_else(|| "absent".to_owned());
    let parts = |domain: &Eip712Domain| {
        [
            ("chain id", text(domain.chain_id.map(|id| id.to_string()))),
            ("contract", text(domain.verifying_contract.map(|address| address.to_checksum(None)))),
            ("name", text(domain.name.as_deref().map(str::to_owned))),
            ("version", text(domain.version.as_deref().map(str::to_owned))),
            ("salt", text(domain.salt.map(|salt| salt.to_string()))),
        ]
    };
    for ((what, expected), (_, found)) in parts(&expected).into_iter().zip(parts(found)) {
        if expected != found {
            return Err(RequestError::OtherDomain { what, expected, found });
        }
    }
    Ok(())
}

/// Checks the length of a signature.
pub fn check_length(signature: &Bytes) -> Result<(), RequestError> {
    match signature.len() {
        1..=MAX_SIGNATURE_BYTES => Ok(()),
        found => Err(RequestError::SignatureLength { found }),
    }
}

fn is_signed(function: &Function) -> bool {
    matches!(&function.inputs[..], [message, signature]
        if message.ty == "tuple" && signature.ty == "bytes" && signature.name == "signature")
}

fn fields_of(value: &DynSolValue) -> Option<&[DynSolValue]> {
    match value {
        DynSolValue::Tuple(fields) | DynSolValue::CustomStruct { tuple: fields, .. } => Some(fields),
        _ => None,
    }
}

/// The value without the names that typed data gives it and calldata does not.
fn flat(value: &DynSolValue) -> DynSolValue {
    match value {
        DynSolValue::Tuple(fields) | DynSolValue::CustomStruct { tuple: fields, .. } => {
            DynSolValue::Tuple(fields.iter().map(flat).collect())
        }
        DynSolValue::Array(items) => DynSolValue::Array(items.iter().map(flat).collect()),
        other => other.clone(),
    }
}

/// `Grant` of a parameter whose internal type is `struct IImageRegistry.Grant`.
fn struct_name(param: &Param) -> String {
    let internal = param.internal_type().map(|internal| internal.to_string()).unwrap_or_default();
    let name = internal.rsplit(['.', ' ']).next().unwrap_or_default();
    name.trim_end_matches("[]").to_owned()
}

/// A field's type as EIP-712 writes it.
fn field_type(param: &Param) -> String {
    match param.components.is_empty() {
        true => param.ty.clone(),
        false => param.ty.replacen("tuple", &struct_name(param), 1),
    }
}

fn add_types(param: &Param, types: &mut Map<String, Value>) {
    let field = |field: &Param| json!({ "name": field.name, "type": field_type(field) });
    types.insert(struct_name(param), param.components.iter().map(field).collect());
    for inner in param.components.iter().filter(|inner| !inner.components.is_empty()) {
        add_types(inner, types);
    }
}

/// The type string of a struct: itself, then those in it by name.
fn encode_type(param: &Param) -> String {
    let mut types = Map::new();
    add_types(param, &mut types);
    let own = struct_name(param);
    let text = |name: &str| {
        let fields = types[name].as_array().into_iter().flatten();
        let fields = fields.map(|field| format!("{} {}", word(&field["type"]), word(&field["name"])));
        format!("{name}({})", fields.collect::<Vec<_>>().join(","))
    };
    let mut others: Vec<&String> = types.keys().filter(|name| **name != own).collect();
    others.sort();
    others.into_iter().fold(text(&own), |all, name| all + &text(name))
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn domain_type() -> Value {
    json!([
        { "name": "name", "type": "string" },
        { "name": "version", "type": "string" },
        { "name": "chainId", "type": "uint256" },
        { "name": "verifyingContract", "type": "address" },
    ])
}

#[cfg(test)]
mod tests;
