//! Other people's signed requests, checked before any gas is spent on them.

use super::error::ChainError;
use super::registry::Registry;
use super::request::{self, Request, RequestError};
use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes, Signature};
use alloy::rpc::types::TransactionRequest;
use alloy::sol;
use alloy::sol_types::SolCall;

/// How far ahead a deadline may be: 7 days.
const MAX_DEADLINE_SECS: u64 = 7 * 86_400;

sol! {
    /// Asks a wallet that is a contract (ERC-1271); the answer is the function's selector for yes.
    function isValidSignature(bytes32 digest, bytes signature) external view returns (bytes4 magic);
}

/// Why a request is not relayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// The request itself is at fault.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The node did not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl Registry {
    /// Checks deadline, number and signature of a request; its domain is looked at by [`check_domain`](super::check_domain), and the
    /// rest by the simulation that goes before every transaction. `now` is this machine's time.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn check_request(&self, request: &Request, signature: &Bytes, now: u64) -> Result<(), RelayError> {
        request::check_length(signature)?;
        let (deadline, signer) = (request.deadline(), request.signer());
        let now = now.max(self.rpc().latest().await?.timestamp);
        let latest = now.saturating_add(MAX_DEADLINE_SECS);
        if deadline < now {
            return Err(RequestError::Expired { deadline, now }.into());
        }
        if deadline > latest {
            return Err(RequestError::TooFar { deadline, latest }.into());
        }
        if let Some(found) = request.nonce() {
            let expected = self.nonce(signer).await?;
            if found != expected {
                return Err(RequestError::Nonce { signer, expected, found }.into());
            }
        }
        let digest = request.digest(&self.domain());
        match is_of(signer, digest, signature) || self.is_taken_by(signer, digest, signature).await? {
            true => Ok(()),
            false => Err(RequestError::Signature { signer, digest }.into()),
        }
    }

    /// Whether a wallet that is a contract calls the signature its own.
    async fn is_taken_by(&self, wallet: Address, digest: B256, signature: &Bytes) -> Result<bool, ChainError> {
        if self.rpc().code(wallet).await?.is_empty() {
            return Ok(false);
        }
        let call = isValidSignatureCall { digest, signature: signature.clone() };
        let request = TransactionRequest::default().to(wallet).input(call.abi_encode().into());
        match self.rpc().call(request, BlockId::latest()).await {
            Ok(answer) => {
                Ok(answer.len() >= 32 && answer[..4] == isValidSignatureCall::SELECTOR && answer[4..32] == [0; 28])
            }
            // The wallet's own code refused.
            Err(ChainError::Revert(_) | ChainError::UnknownImage { .. } | ChainError::Refused { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Whether a plain wallet made the signature, as the contract sees it: 65 bytes, v 27 or 28, the lower s.
pub(super) fn is_of(signer: Address, digest: B256, signature: &Bytes) -> bool {
    if signature.len() != 65 || !matches!(signature[64], 27 | 28) {
        return false;
    }
    let Ok(signature) = Signature::from_raw(signature) else { return false };
    signature.normalize_s().is_none()
        && signature.recover_address_from_prehash(&digest).is_ok_and(|found| found == signer)
}
