//! What a contract wallet says of a signature, in one block.

use super::Registry;
use crate::chain::error::ChainError;
use crate::contract::{MAX_SIGNATURE_BYTES, ask_wallet, is_yes};
use alloy::eips::BlockId;
use alloy::primitives::{Address, B256};
use alloy::rpc::types::TransactionRequest;

/// The most gas that a wallet's answer may take.
const GAS: u64 = 1_000_000;

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
        if signature.len() > MAX_SIGNATURE_BYTES {
            return Ok(false);
        }
        let call = ask_wallet(digest, signature.to_vec().into());
        let mut request = TransactionRequest::default().to(wallet).input(call.into());
        request.gas = Some(GAS);
        match self.rpc.call(request, BlockId::hash_canonical(block)).await {
            Ok(answer) => Ok(is_yes(&answer)),
            // The wallet's own code refused, or takes more gas than its answer may.
            Err(error) if error.is_revert() || error.is_about_gas() => Ok(false),
            Err(error) => Err(error),
        }
    }
}
