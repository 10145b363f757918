//! The one form of a plain wallet's signature, as the contract takes it; and how a wallet that is a
//! contract is asked about its own (ERC-1271).

use alloy::primitives::{Address, B256, Bytes, Signature};
use alloy::sol;
use alloy::sol_types::SolCall;

/// Longest signature that the registry asks a contract about, in bytes.
pub const MAX_SIGNATURE_BYTES: usize = 4096;

sol! {
    /// Asks a wallet that is a contract (ERC-1271); it answers yes with the function's selector.
    function isValidSignature(bytes32 digest, bytes signature) external view returns (bytes4 magic);
}

/// The call that asks a wallet whether it takes this signature.
pub fn ask_wallet(digest: B256, signature: Bytes) -> Bytes {
    isValidSignatureCall { digest, signature }.abi_encode().into()
}

/// Whether a wallet's answer is a yes: the selector, and nothing after it. An address without code
/// gives no bytes at all.
pub fn is_yes(answer: &[u8]) -> bool {
    answer.first_chunk::<32>().is_some_and(|word| word[..4] == isValidSignatureCall::SELECTOR && word[4..] == [0; 28])
}

/// What is wrong with a signature.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureFault {
    /// Not 65 bytes.
    #[error("expected 65 bytes, found {found}")]
    Length {
        /// Number of bytes.
        found: usize,
    },
    /// The last byte is neither 27 nor 28.
    #[error("expected a last byte of 27 or 28, found {found}")]
    RecoveryByte {
        /// The last byte.
        found: u8,
    },
    /// `s` is in the upper half: a second form of the same signature.
    #[error("s is in the upper half of the curve's order")]
    HighS,
    /// No key has made it.
    #[error("no key gives this signature")]
    NotRecoverable,
    /// Another wallet has made it, or it signs something else.
    #[error("it is the signature of {recovered}")]
    OtherSigner {
        /// The address that it recovers to.
        recovered: Address,
    },
}

/// Checks that `wallet` signed `digest`: 65 bytes, `v` 27 or 28, `s` in the lower half, so that a
/// signature has one form.
///
/// # Errors
/// Each [`SignatureFault`].
pub fn check_signature(signature: &[u8], digest: &B256, wallet: Address) -> Result<(), SignatureFault> {
    let bytes: &[u8; 65] = signature.try_into().map_err(|_| SignatureFault::Length { found: signature.len() })?;
    let found = bytes[64];
    if !matches!(found, 27 | 28) {
        return Err(SignatureFault::RecoveryByte { found });
    }
    let signature = Signature::from_bytes_and_parity(bytes, found == 28);
    if signature.normalize_s().is_some() {
        return Err(SignatureFault::HighS);
    }
    let recovered = signature.recover_address_from_prehash(digest).map_err(|_| SignatureFault::NotRecoverable)?;
    if recovered == wallet { Ok(()) } else { Err(SignatureFault::OtherSigner { recovered }) }
}
