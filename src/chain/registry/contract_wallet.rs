//! What a contract wallet says of a signature, in one block.

use super::Registry;
use crate::chain::error::ChainError;
use crate::chain::relay::isValidSignatureCall;
use alloy::eips::BlockId;
use alloy::primitives::{Address, B256};
use alloy::rpc::types::TransactionRequest;
use alloy::sol_types::SolCall;

/// The most gas that a wallet's answer may take.
const GAS: u64 = 1_000_000;
/// Longest signature that a wallet is asked about, as in the contract.
const SIGNATURE_BYTES: usize = 4_096;

impl Registry {
    /// Whether the contract at `wallet` takes the signature (ERC-1271), in the block with this
    /// hash. A wallet without code takes none.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer, or no longer has the block.
    pub async fn contract_takes(
        &self,
        block: B256,
        wallet: Address,
        digest: B256,
        signature: &[u8],
    ) -> Result<bool, ChainError> {
        if signature.len() > SIGNATURE_BYTES {
            return Ok(false);
        }
        let call = isValidSignatureCall { digest, signature: signature.to_vec().into() };
        let mut request = TransactionRequest::default().to(wallet).input(call.abi_encode().into());
        request.gas = Some(GAS);
        match self.rpc.call(request, BlockId::hash_canonical(block)).await {
            // The selector, and nothing after it: an address without code gives no bytes at all.
            Ok(answer) => Ok(answer
                .first_chunk::<32>()
                .is_some_and(|word| word[..4] == isValidSignatureCall::SELECTOR && word[4..] == [0; 28])),
            // The wallet's own code refused.
            Err(ChainError::Revert(_) | ChainError::UnknownImage { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
