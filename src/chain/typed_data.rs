//! What senders and verifiers sign: the EIP-712 structs of `IImageRegistry.sol`.

use super::bindings::IImageRegistry::{Registration, Verification};
use super::wallet::Wallet;
use alloy::primitives::{B256, Bytes};
use alloy::sol_types::{Eip712Domain, SolStruct};

/// What is signed: [`Registration`] or [`Verification`].
pub trait Signable: SolStruct {}
impl Signable for Registration {}
impl Signable for Verification {}

/// The EIP-712 digest of `message` in `domain`.
pub fn digest(message: &impl Signable, domain: &Eip712Domain) -> B256 {
    message.eip712_signing_hash(domain)
}

/// The wallet's signature of [`digest`]: `r || s || v`, 65 bytes, v 27 or 28.
pub fn sign(message: &impl Signable, domain: &Eip712Domain, wallet: &Wallet) -> Bytes {
    wallet.sign_digest(digest(message, domain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::signing_domain;
    use alloy::primitives::Address;
    use alloy::primitives::{Signature, U256, address, b256, keccak256};

    const REGISTRY: Address = Address::repeat_byte(0x11);

    fn verification() -> Verification {
        Verification { imageId: B256::repeat_byte(1), observedAt: 7, deadline: 9, ..Default::default() }
    }

    #[test]
    fn type_strings_are_those_of_the_interface() {
        assert_eq!(
            Registration::eip712_encode_type(),
            "Registration(address sender,bytes32 salt,bytes32 contentHash,bytes32 headerHash,uint64 size,bytes cid,\
             bytes32 capsulesHash,bytes capsulesCid,uint64 deadline)"
        );
        assert_eq!(
            Verification::eip712_encode_type(),
            "Verification(bytes32 imageId,address verifier,bytes32 observedHash,uint64 observedAt,uint256 nonce,uint64 deadline)"
        );
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

    #[test]
    fn a_signature_is_of_one_message_chain_and_contract() {
        let wallet = Wallet::development(0, 31337).expect("a development key");
        let signature = sign(&verification(), &signing_domain(5, REGISTRY), &wallet);
        assert_eq!(signature.len(), 65);
        let signature = Signature::from_raw(&signature).expect("65 bytes");
        let signer_of = |message: &Verification, domain: &Eip712Domain| {
            signature.recover_address_from_prehash(&digest(message, domain)).ok()
        };
        assert_eq!(signer_of(&verification(), &signing_domain(5, REGISTRY)), Some(wallet.address()));
        assert_ne!(signer_of(&verification(), &signing_domain(6, REGISTRY)), Some(wallet.address()));
        assert_ne!(signer_of(&verification(), &signing_domain(5, Address::ZERO)), Some(wallet.address()));
        let later = Verification { deadline: 10, ..verification() };
        assert_ne!(signer_of(&later, &signing_domain(5, REGISTRY)), Some(wallet.address()));
    }
}
