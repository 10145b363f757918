//! Whether node and wallet are those of the outbox, before anything is done.

use super::Outbox;
use super::error::OutboxError;
use crate::chain::rpc::Rpc;
use crate::chain::wallet::Wallet;

impl Outbox {
    pub(super) fn check_sender(&self, wallet: &Wallet) -> Result<(), OutboxError> {
        let (expected, found) = (self.sender, wallet.address());
        if found != expected {
            return Err(OutboxError::WrongSender { expected, found });
        }
        if wallet.prints_only() { Err(OutboxError::PrintsOnly { wallet: found }) } else { Ok(()) }
    }

    /// Is it still our chain, and our wallet?
    pub(super) async fn check(&mut self, rpc: &Rpc, wallet: &Wallet) -> Result<(), OutboxError> {
        self.check_sender(wallet)?;
        rpc.check_chain_id(self.chain_id).await?;
        let found = rpc.genesis().await?;
        if found != self.genesis {
            return Err(OutboxError::ChainReset { expected: self.genesis, found });
        }
        let found = rpc.transaction_count(self.sender).await?;
        if found < self.table.mined_count()? {
            self.reopen(rpc, found).await?;
        }
        Ok(())
    }

    /// Jobs that were done are in no block any more: an older state of the chain was restored, or a
    /// node had made up their receipts. They are sent again.
    async fn reopen(&mut self, rpc: &Rpc, found: u64) -> Result<(), OutboxError> {
        for id in self.table.done_from(found)? {
            let job = self.known(&id)?;
            let Some(receipt) = job.receipt else { continue };
            let again = rpc.receipt(receipt.transaction).await?;
            if again.is_some_and(|again| again.block_hash == Some(receipt.block_hash)) {
                let number = job.signed.iter().find(|signed| signed.hash == receipt.transaction);
                let nonce = number.map_or(found, |signed| signed.nonce);
                return Err(OutboxError::Contradiction { sender: self.sender, found, nonce });
            }
            self.table.not_mined(&id)?;
        }
        Ok(())
    }
}
