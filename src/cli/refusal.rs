//! What there is to do when the contract refuses, where its error has no code of its own.

use crate::contract::Revert;
use crate::contract::bindings::IImageRegistry::IImageRegistryErrors as Errors;
use crate::contract::bindings::IOpenZeppelin::IOpenZeppelinErrors as Standard;
use crate::contract::bindings::Role;

/// What to do about it, where there is more to say than that the image's record may tell.
pub(super) fn hint(revert: &Revert) -> Option<String> {
    let hint = match revert {
        Revert::Registry(error) => of_registry(error)?,
        Revert::Standard(Standard::AccessControlUnauthorizedAccount(error)) => {
            let role = Role::ALL.into_iter().find(|role| role.id() == error.neededRole);
            return Some(match role {
                Some(role) => format!("the administrator gives {}: medseal role give", role.name()),
                None => "only the administrator may do that: medseal role list names it".to_owned(),
            });
        }
        Revert::Standard(Standard::AccessControlEnforcedDefaultAdminDelay(_)) => {
            "a hand-over takes a day: medseal role list says when it may be accepted"
        }
        Revert::Standard(Standard::AccessControlInvalidDefaultAdmin(_)) => {
            "medseal role list names the administrator, and the wallet that takes over"
        }
        Revert::Standard(_) => "the administration is handed over with medseal role hand-over",
        Revert::Unknown(_) => return None,
    };
    Some(hint.to_owned())
}

fn of_registry(error: &Errors) -> Option<&'static str> {
    Some(match error {
        Errors::NotSender(_) => "only the image's sender or its operator may do that: medseal operator allow WALLET",
        Errors::NotArbiter(_) => {
            "a flag is confirmed by an arbiter, and dismissed by an arbiter or the image's sender: medseal role list"
        }
        Errors::NotPublisher(_) => {
            "one wallet publishes all keys of a KGC: use that wallet, or have its role taken away: medseal role take kgc WALLET"
        }
        Errors::EpochOutOfOrder(_) => "medseal kgc status says which epoch is on chain",
        Errors::FlagNotOpen(_) => "it was decided before, or a newer one was raised: medseal flag show ID",
        Errors::NotPaused(_) => "medseal registry show says whether it is paused",
        Errors::PausedLately(_) => {
            "a pause uses up time that must be given back before the next one: the error says when it can begin"
        }
        Errors::InvalidSuccessor(_) => "name another deployed contract",
        Errors::AlreadySuperseded(_) => "medseal registry show names the successor",
        Errors::StaleCapsules(_) => {
            "somebody replaced the capsules in the meantime: look at medseal capsules show ID, then try again"
        }
        Errors::StaleAccess(_) | Errors::StaleOperator(_) | Errors::InvalidNonce(_) => {
            "something else was changed in the meantime: run the same command again to sign anew"
        }
        Errors::SignatureExpired(_) | Errors::DeadlineTooFar(_) => {
            "run the same command again to sign anew; check that this machine's clock is right"
        }
        Errors::ExpiryInPast(_) => "--until is in the past",
        Errors::ObservedAtOutOfRange(_) => "check that this machine's clock is right",
        Errors::LogSeqNotRising(_) => "a newer head of this log was anchored before",
        _ => return None,
    })
}
