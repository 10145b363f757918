//! What wallets sign: the EIP-712 structs of `IImageRegistry.sol`.

use super::bindings::IImageRegistry::{
    Anchor, Batch, CapsulesUpdate, FlagDecision, Grant, Item, OperatorChange, Registration, Revocation, Verification,
};
use alloy::primitives::B256;
use alloy::sol_types::{Eip712Domain, SolStruct};

/// How long a request that is signed for a relayer may be submitted, in seconds; the contract
/// accepts at most 7 days.
pub const RELAY_SECS: u64 = 86_400;

/// A struct of the interface that wallets sign: one with an EIP-712 type string. An [`Item`] is
/// signed as part of its [`Batch`].
pub trait Signable: SolStruct {}
impl Signable for Registration {}
impl Signable for Item {}
impl Signable for Batch {}
impl Signable for Anchor {}
impl Signable for Verification {}
impl Signable for FlagDecision {}
impl Signable for Grant {}
impl Signable for Revocation {}
impl Signable for OperatorChange {}
impl Signable for CapsulesUpdate {}

/// The EIP-712 digest of `message` in `domain`.
pub fn digest(message: &impl Signable, domain: &Eip712Domain) -> B256 {
    message.eip712_signing_hash(domain)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::envelope::signing_domain;
    use alloy::primitives::Address;
    use alloy::primitives::{U256, address, b256, keccak256};

    const REGISTRY: Address = Address::repeat_byte(0x11);

    /// The type strings in the interface's text: in backquotes after `EIP-712: `, a line break for
    /// a space.
    pub(in crate::contract) fn stated_types() -> Vec<String> {
        let text = include_str!("../../contracts/src/IImageRegistry.sol");
        let strings = text.split("/// @dev EIP-712: `").skip(1).filter_map(|rest| rest.split_once('`'));
        let mut strings: Vec<String> = strings.map(|(string, _)| string.replace("\n    /// ", " ")).collect();
        strings.sort();
        strings
    }

    #[test]
    fn type_strings_are_those_of_the_interface_and_none_is_missing() {
        fn of<T: Signable>() -> String {
            T::eip712_encode_type().into_owned()
        }
        let mut ours = vec![
            of::<Registration>(),
            of::<Item>(),
            of::<Batch>(),
            of::<Anchor>(),
            of::<Verification>(),
            of::<FlagDecision>(),
            of::<Grant>(),
            of::<Revocation>(),
            of::<OperatorChange>(),
            of::<CapsulesUpdate>(),
        ];
        ours.sort();
        assert_eq!(ours, stated_types());
    }

    #[test]
    fn domain_is_built_by_the_standard() {
        let mut encoded = Vec::new();
        encoded.extend(keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"));
        encoded.extend(keccak256("MedSeal"));
        encoded.extend(keccak256("1"));
        encoded.extend(B256::with_last_byte(5));
        encoded.extend(REGISTRY.into_word());
        assert_eq!(signing_domain(5, REGISTRY).separator(), keccak256(encoded));
    }

    /// The values were computed by eth-account 0.14.0.
    #[test]
    fn digests_are_those_of_an_independent_implementation() {
        let cid = |byte| [&[0x01, 0x55, 0x12, 0x20], [byte; 32].as_slice()].concat().into();
        let domain = signing_domain(31337, address!("5FbDB2315678afecb367f032d93F642f64180aa3"));
        let registration = Registration {
            sender: address!("19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"),
            salt: std::array::from_fn::<u8, 32, _>(|at| u8::try_from(at).expect("below 32")).into(),
            contentHash: B256::repeat_byte(0xc0),
            headerHash: B256::repeat_byte(0x4e),
            size: 135512,
            cid: cid(0xc0),
            capsulesHash: B256::repeat_byte(0xca),
            capsulesCid: cid(0xca),
            deadline: 1800003600,
        };
        let expected = b256!("ec154660bd1b54e71517fcc7bcb3e63cd35362ec9b2a935813ca3924ecbfc203");
        assert_eq!(digest(&registration, &domain), expected);
        let verification = Verification {
            imageId: b256!("c72d61feb61ad3c8797be54d867b68c3b4ed349d8c5e23efdd5a080d710ab36b"),
            verifier: address!("1563915e194D8CfBA1943570603F7606A3115508"),
            observedHash: B256::repeat_byte(0xbd),
            observedAt: 1800000010,
            nonce: U256::ZERO,
            deadline: 1800003601,
        };
        let expected = b256!("bd16c8830870e39a3ca3cd51f2625e0504292a842b76fd7c2130051028ee6ff0");
        assert_eq!(digest(&verification, &domain), expected);
    }
}
