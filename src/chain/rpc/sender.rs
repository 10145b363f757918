//! What the chain, and the pool of a node, know of one sender's transactions.

use super::Rpc;
use crate::chain::error::ChainError;
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, B256, U64};
use alloy::rpc::types::Block;
use serde_json::{Value, json};

impl Rpc {
    /// How many transactions of `address` are in the chain.
    pub(crate) async fn transaction_count(&self, address: Address) -> Result<u64, ChainError> {
        self.count(address, BlockNumberOrTag::Latest).await
    }

    /// How many are in the chain as it was at `block`; nodes keep that for the last blocks alone.
    pub(in crate::chain) async fn transaction_count_at(&self, address: Address, block: u64) -> Result<u64, ChainError> {
        self.count(address, BlockNumberOrTag::Number(block)).await
    }

    /// The same with those that wait in the node's pool without a gap. The chain's own where a node
    /// does not say.
    pub(in crate::chain) async fn pending_count(&self, address: Address) -> Result<u64, ChainError> {
        match self.count(address, BlockNumberOrTag::Pending).await {
            Err(ChainError::Refused { .. }) => self.transaction_count(address).await,
            count => count,
        }
    }

    async fn count(&self, address: Address, block: BlockNumberOrTag) -> Result<u64, ChainError> {
        let method = "eth_getTransactionCount";
        let count: u64 = self.ask::<_, U64>(method, (address, block)).await?.to();
        // No account comes so far, and the number is written down as a signed one.
        if i64::try_from(count).is_err() {
            return Err(ChainError::BadAnswer { method, reason: format!("{count} transactions of {address}") });
        }
        Ok(count)
    }

    /// Whether the node knows the transaction, in a block or in its pool.
    pub(in crate::chain) async fn knows(&self, hash: B256) -> Result<bool, ChainError> {
        let found: Option<Value> = self.ask("eth_getTransactionByHash", (hash,)).await?;
        Ok(found.is_some_and(|found| !found.is_null()))
    }

    /// Hashes of the transactions in a block.
    pub(in crate::chain) async fn hashes_in(&self, number: u64) -> Result<Vec<B256>, ChainError> {
        let block: Block = self.block(BlockNumberOrTag::Number(number)).await?;
        Ok(block.transactions.hashes().collect())
    }

    /// The transaction with this number that waits in the node's pool, as far as the node shows its
    /// pending block.
    pub(in crate::chain) async fn pending_with(&self, sender: Address, nonce: u64) -> Option<B256> {
        let block = self.raw("eth_getBlockByNumber", vec![json!("pending"), json!(true)]).await.ok()?;
        let is_it = |transaction: &&Value| {
            let from = transaction["from"].as_str().and_then(|from| from.parse().ok());
            let number = transaction["nonce"].as_str().and_then(|number| number.parse::<U64>().ok());
            from == Some(sender) && number == Some(U64::from(nonce))
        };
        block["transactions"].as_array()?.iter().find(is_it)?["hash"].as_str()?.parse().ok()
    }

    /// The time of the block that the node would make now, unix seconds; none where it shows none.
    pub(in crate::chain) async fn pending_time(&self) -> Option<u64> {
        let block = self.raw("eth_getBlockByNumber", vec![json!("pending"), json!(false)]).await.ok()?;
        block["timestamp"].as_str()?.parse::<U64>().ok().map(|time| time.to())
    }
}
