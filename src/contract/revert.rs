//! The contract's reverts, each by its name and with its values.

use super::bindings::{
    IImageRegistry::IImageRegistryErrors as RegistryErrors, IOpenZeppelin::IOpenZeppelinErrors as StandardErrors,
};
use super::kind::ErrorKind;
use alloy::primitives::Bytes;
use alloy::sol_types::SolInterface;
use std::fmt;

/// Bytes that are shown of data that we have no name for: a node may have made them up.
const MOST_SHOWN: usize = 100;

/// Why the contract refused.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revert {
    /// One of the interface's errors.
    Registry(RegistryErrors),
    /// One of the errors of the contract's OpenZeppelin parts.
    Standard(StandardErrors),
    /// Revert data of an unknown error; empty where the contract gave none.
    Unknown(Bytes),
}

impl Revert {
    /// Names the data of a revert.
    pub fn decode(data: Bytes) -> Self {
        if let Ok(error) = RegistryErrors::abi_decode_validate(&data) {
            Self::Registry(error)
        } else if let Ok(error) = StandardErrors::abi_decode_validate(&data) {
            Self::Standard(error)
        } else {
            Self::Unknown(data)
        }
    }

    /// The kind of failure, which decides the exit code.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Registry(error) => of_registry(error),
            Self::Standard(error) => of_standard(error),
            Self::Unknown(_) => ErrorKind::Failure,
        }
    }
}

/// Every error of the interface is listed, so that a new one does not compile until it is.
fn of_registry(error: &RegistryErrors) -> ErrorKind {
    use RegistryErrors as E;
    match error {
        E::NotSender(_) | E::NotArbiter(_) | E::NotPublisher(_) | E::InvalidSignature(_) => ErrorKind::NotAuthorized,
        E::UnknownImage(_) | E::UnknownKgcKey(_) | E::UnknownAnchor(_) | E::NoSuchFlag(_) => ErrorKind::NotFound,
        // The input is not valid.
        E::ZeroHash(_) | E::ZeroSize(_) | E::ZeroCount(_) | E::WeakKey(_) | E::ZeroAddress(_) => ErrorKind::Failure,
        E::CidLength(_) | E::BatchLength(_) | E::NotOneBlock(_) | E::ProofLength(_) | E::SignatureLength(_) => {
            ErrorKind::Failure
        }
        E::InvalidProof(_) | E::InvalidSuccessor(_) => ErrorKind::Failure,
        // It came too late, too early, or after another change.
        E::SignatureExpired(_) | E::DeadlineTooFar(_) | E::ObservedAtOutOfRange(_) | E::ExpiryInPast(_) => {
            ErrorKind::Failure
        }
        E::InvalidNonce(_) | E::StaleAccess(_) | E::StaleOperator(_) | E::StaleCapsules(_) => ErrorKind::Failure,
        E::RecordConflict(_) | E::AnchorConflict(_) | E::FlagNotOpen(_) | E::AlreadyRetired(_) => ErrorKind::Failure,
        E::EpochOutOfOrder(_) | E::LogSeqNotRising(_) | E::AlreadySuperseded(_) => ErrorKind::Failure,
        E::RegistryPaused(_) | E::NotPaused(_) | E::PausedLately(_) => ErrorKind::Failure,
    }
}

fn of_standard(error: &StandardErrors) -> ErrorKind {
    match error {
        StandardErrors::AccessControlUnauthorizedAccount(_) | StandardErrors::AccessControlInvalidDefaultAdmin(_) => {
            ErrorKind::NotAuthorized
        }
        StandardErrors::AccessControlBadConfirmation(_)
        | StandardErrors::AccessControlEnforcedDefaultAdminRules(_)
        | StandardErrors::AccessControlEnforcedDefaultAdminDelay(_) => ErrorKind::Failure,
    }
}

impl fmt::Display for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = match self {
            Self::Registry(error) => format!("{error:?}"),
            Self::Standard(error) => format!("{error:?}"),
            Self::Unknown(data) if data.is_empty() => return f.write_str("no reason given"),
            Self::Unknown(data) if data.len() > MOST_SHOWN => {
                return write!(f, "unknown reason {}... ({} bytes)", data.slice(..MOST_SHOWN), data.len());
            }
            Self::Unknown(data) => return write!(f, "unknown reason {data}"),
        };
        // `Name(Name { field: .. })`, an enum around a struct: the inner part says it all.
        let inner = named.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
        f.write_str(inner.unwrap_or(&named))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::bindings::IImageRegistry::{IImageRegistryEvents, RecordConflict};
    use alloy::primitives::{B256, keccak256};
    use alloy::sol_types::SolError;

    #[test]
    fn reverts_are_named_with_their_values() {
        let conflict = RecordConflict { imageId: B256::repeat_byte(0xab) };
        let revert = Revert::decode(conflict.abi_encode().into());
        assert_eq!(revert, Revert::Registry(RegistryErrors::RecordConflict(conflict)));
        assert_eq!(revert.to_string(), format!("RecordConflict {{ imageId: 0x{} }}", "ab".repeat(32)));
    }

    #[test]
    fn unknown_reverts_keep_their_data() {
        for data in [Bytes::new(), Bytes::from_static(&[1]), Bytes::from_static(&[0xde, 0xad, 0xbe, 0xef, 0])] {
            assert_eq!(Revert::decode(data.clone()), Revert::Unknown(data));
        }
        // The right selector with half an argument is not that error.
        let short = Bytes::from(RecordConflict { imageId: B256::ZERO }.abi_encode()[..20].to_vec());
        assert_eq!(Revert::decode(short.clone()), Revert::Unknown(short));
    }

    #[test]
    fn data_of_any_length_is_shown_in_a_line() {
        let shown = |length| Revert::Unknown(vec![7; length].into()).to_string();
        assert_eq!(shown(100), format!("unknown reason 0x{}", "07".repeat(100)));
        assert_eq!(shown(2 << 20), format!("unknown reason 0x{}... (2097152 bytes)", "07".repeat(100)));
    }

    /// The declarations of `word` in the interface's text, as `Name(type,type)`.
    fn declared(word: &str) -> Vec<String> {
        let text = include_str!("../../contracts/src/IImageRegistry.sol");
        let start = format!("\n    {word} ");
        let mut found: Vec<String> = text
            .split(start.as_str())
            .skip(1)
            .map(|rest| {
                let (name, rest) = rest.split_once('(').expect("arguments");
                let (arguments, _) = rest.split_once(");").expect("an end");
                let first = |argument: &str| argument.split_whitespace().next().expect("a type").to_owned();
                let types: Vec<String> = arguments.split(',').filter(|a| !a.trim().is_empty()).map(first).collect();
                // An enum is a uint8 to the ABI.
                format!("{name}({})", types.join(",").replace("AdminPlan", "uint8"))
            })
            .collect();
        found.sort();
        found
    }

    fn sorted(signatures: &[&str]) -> Vec<String> {
        let mut signatures: Vec<String> = signatures.iter().map(|&signature| signature.to_owned()).collect();
        signatures.sort();
        signatures
    }

    #[test]
    fn errors_and_events_are_those_of_the_interface_and_none_is_missing() {
        let (errors, events) = (declared("error"), declared("event"));
        assert_eq!((errors.len(), events.len()), (38, 24));
        assert_eq!(errors, sorted(RegistryErrors::SIGNATURES));
        assert_eq!(events, sorted(IImageRegistryEvents::SIGNATURES));
        for error in errors {
            let selector: [u8; 4] = keccak256(&error)[..4].try_into().expect("4 bytes");
            assert!(RegistryErrors::SELECTORS.contains(&selector), "{error}");
        }
        for event in events {
            assert!(IImageRegistryEvents::SELECTORS.contains(&keccak256(&event).0), "{event}");
        }
    }
}
