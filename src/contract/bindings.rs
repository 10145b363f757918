//! The contract's interface in Rust, made from the text that forge compiles.
#![allow(missing_docs, unreachable_pub)] // generated; the docs are those of the interface
#![allow(clippy::too_many_arguments)]

use alloy::primitives::{B256, keccak256};
use alloy::sol;
use serde::{Deserialize, Serialize};

// Without `#[sol(rpc)]`: its methods would bypass `Rpc` with its deadlines, typed reverts and check
// for empty answers.
sol! {
    #![sol(all_derives)]
    "contracts/src/IImageRegistry.sol"
}

sol! {
    /// What we use of the contract's OpenZeppelin part, `AccessControlDefaultAdminRules`.
    #[derive(Debug, PartialEq, Eq)]
    interface IOpenZeppelin {
        error AccessControlUnauthorizedAccount(address account, bytes32 neededRole);
        error AccessControlBadConfirmation();
        error AccessControlInvalidDefaultAdmin(address defaultAdmin);
        error AccessControlEnforcedDefaultAdminRules();
        error AccessControlEnforcedDefaultAdminDelay(uint48 schedule);

        function hasRole(bytes32 role, address account) external view returns (bool);
        function grantRole(bytes32 role, address account) external;
        function revokeRole(bytes32 role, address account) external;
        function defaultAdmin() external view returns (address);
        function pendingDefaultAdmin() external view returns (address newAdmin, uint48 schedule);
        function beginDefaultAdminTransfer(address newAdmin) external;
        function cancelDefaultAdminTransfer() external;
        function acceptDefaultAdminTransfer() external;
    }

    /// How the contract is made.
    #[derive(Debug, PartialEq, Eq)]
    interface IConstructor {
        struct InitialRole {
            bytes32 role;
            address account;
        }

        constructor(address admin, InitialRole[] grants);
    }
}

/// What a wallet may do beyond its own images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// An invalid verification by it raises a flag.
    #[serde(rename = "VERIFIER_ROLE")]
    Verifier,
    /// It confirms and dismisses flags.
    #[serde(rename = "ARBITER_ROLE")]
    Arbiter,
    /// It pauses and ends a pause.
    #[serde(rename = "PAUSER_ROLE")]
    Pauser,
    /// It publishes and retires keys of Key Generation Centers, and anchors their logs.
    #[serde(rename = "KGC_ROLE")]
    Kgc,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Verifier, Self::Arbiter, Self::Pauser, Self::Kgc];

    /// The role's id on chain: keccak256 of its name in the contract.
    pub fn id(self) -> B256 {
        keccak256(self.name())
    }

    /// Its name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Verifier => "VERIFIER_ROLE",
            Self::Arbiter => "ARBITER_ROLE",
            Self::Pauser => "PAUSER_ROLE",
            Self::Kgc => "KGC_ROLE",
        }
    }
}
