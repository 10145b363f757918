//! What a transaction may cost: gas and fees as the chain bears them out, and the owner's ceiling.

use super::Outbox;
use super::error::OutboxError;
use super::job::Job;
use super::signing::sign;
use crate::chain::error::ChainError;
use crate::chain::rpc::{Fees, Rpc};
use crate::chain::wallet::Wallet;
use crate::contract::Transaction;
use alloy::consensus::TxEip1559;
use alloy::primitives::{TxKind, U256};
use alloy::rpc::types::TransactionRequest;

/// Most wei that a transaction may cost where nothing else is said: 1 ETH, as Geth's own
/// `rpc.txfeecap`.
pub const FEE_CEILING: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);
/// Gas that a transaction may have at most from Osaka's rules on (EIP-7825).
const MOST_GAS: u64 = 1 << 24;
/// What signed bytes may offer more than today's before they count as too dear for a poor wallet.
const TIMES_TODAY: u32 = 2;

/// Gas and fees of a transaction by the chain's word of now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Price {
    /// What it used when it was tried.
    used: u64,
    /// What it is given.
    pub(super) gas_limit: u64,
    pub(super) fees: Fees,
}

/// The most that a transaction may cost.
pub(super) fn cost(transaction: &TxEip1559) -> U256 {
    U256::from(transaction.gas_limit) * U256::from(transaction.max_fee_per_gas) + transaction.value
}

impl Outbox {
    pub(super) fn request(&self, transaction: &Transaction) -> TransactionRequest {
        let to = transaction.to.map_or(TxKind::Create, TxKind::Call);
        TransactionRequest { to: Some(to), ..Default::default() }
            .from(self.sender)
            .input(transaction.data.clone().into())
    }

    /// Tries a transaction out, and asks what it takes.
    ///
    /// # Errors
    /// The revert, where the contract would refuse; [`ChainError::Fees`] and
    /// [`ChainError::BadAnswer`] where the node's words do not fit each other.
    pub(super) async fn price(&mut self, rpc: &Rpc, job: &str, transaction: &Transaction) -> Result<Price, ChainError> {
        let (fees, cap) = (rpc.fees().await?, self.cap_of(job));
        let mut request = self.request(transaction);
        // A wallet contract that is asked for its signature can see the price: it is tried as it
        // will be paid.
        if cap.is_some() {
            request = request.max_fee_per_gas(fees.offer.max_fee_per_gas);
            request = request.max_priority_fee_per_gas(fees.offer.max_priority_fee_per_gas);
        }
        let used = rpc.estimate_gas(request).await?;
        let (least, most) = (intrinsic_gas(transaction), fees.block_gas);
        if used < least || used > most {
            let reason = format!("{used} gas: this transaction takes {least} at least, and a block has {most}");
            return Err(ChainError::BadAnswer { method: "eth_estimateGas", reason });
        }
        // A quarter more than was needed when it was tried: transactions that get in before ours
        // may make it dearer. But not more than a block or a transaction (EIP-7825) may have, if it
        // could do with that.
        let most = most.min(MOST_GAS).min(cap.unwrap_or(u64::MAX)).max(used);
        Ok(Price { used, gas_limit: used.saturating_add(used / 4).min(most), fees })
    }

    /// Most gas that a job may take, where it runs other people's code.
    fn cap_of(&self, job: &str) -> Option<u64> {
        self.gas_cap.as_ref().filter(|(capped, _)| capped == job).map(|(_, cap)| *cap)
    }

    /// What a job's transaction may take: gas, and wei.
    ///
    /// # Errors
    /// The revert, where the contract would refuse; or the node does not answer.
    pub async fn quote(&mut self, rpc: &Rpc, job: &str, transaction: &Transaction) -> Result<(u64, U256), ChainError> {
        let price = self.price(rpc, job, transaction).await?;
        Ok((price.gas_limit, U256::from(price.gas_limit) * U256::from(price.fees.offer.max_fee_per_gas)))
    }

    /// The job's transaction, not signed yet.
    pub(super) fn unsigned(&self, job: &Job, nonce: u64, price: &Price) -> TxEip1559 {
        TxEip1559 {
            chain_id: self.chain_id,
            nonce,
            gas_limit: price.gas_limit,
            max_fee_per_gas: price.fees.offer.max_fee_per_gas,
            max_priority_fee_per_gas: price.fees.offer.max_priority_fee_per_gas,
            to: job.transaction.to.map_or(TxKind::Create, TxKind::Call),
            value: U256::ZERO,
            access_list: Default::default(),
            input: job.transaction.data.clone(),
        }
    }

    /// Signs a transaction of a job and writes it down. The only place where anything is signed.
    ///
    /// # Errors
    /// As [`Outbox::check_price`]: nothing was signed then.
    pub(super) fn put(&mut self, wallet: &Wallet, job: &Job, transaction: TxEip1559) -> Result<(), OutboxError> {
        self.check_price(&job.id, &transaction)?;
        self.table.signed(&job.id, &sign(wallet, transaction))
    }

    /// Checks a transaction against what its owner is ready to pay.
    ///
    /// # Errors
    /// [`OutboxError::TooDear`], [`OutboxError::TooMuchGas`].
    pub(super) fn check_price(&self, job: &str, transaction: &TxEip1559) -> Result<(), OutboxError> {
        let (cost, ceiling, gas) = (cost(transaction), self.fee_ceiling, transaction.gas_limit);
        if let Some(cap) = self.cap_of(job).filter(|cap| gas > *cap) {
            return Err(OutboxError::TooMuchGas { job: job.to_owned(), gas, cap });
        }
        if cost > ceiling {
            return Err(OutboxError::TooDear { job: job.to_owned(), cost, ceiling, gas });
        }
        Ok(())
    }
}

impl Price {
    /// Whether the chain bears out what was signed: it can be mined, and does not give away more
    /// than others do.
    pub(super) fn bears_out(&self, signed: &TxEip1559, ceiling: U256) -> bool {
        (self.used..=self.fees.block_gas).contains(&signed.gas_limit)
            && signed.max_priority_fee_per_gas <= self.fees.most_tip
            && cost(signed) <= ceiling
    }

    /// Whether the same transaction is much cheaper today.
    pub(super) fn is_much_less_than(&self, signed: &TxEip1559) -> bool {
        let today = U256::from(self.gas_limit) * U256::from(self.fees.offer.max_fee_per_gas);
        today * U256::from(TIMES_TODAY) <= cost(signed)
    }
}

/// What a transaction takes before its first instruction (yellow paper, 6.2; EIP-2028).
fn intrinsic_gas(transaction: &Transaction) -> u64 {
    let bytes: u64 = transaction.data.iter().map(|byte| if *byte == 0 { 4 } else { 16 }).sum();
    let create = if transaction.to.is_none() { 32_000 } else { 0 };
    21_000 + create + bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::eips::eip1559::Eip1559Estimation;
    use alloy::primitives::{Address, Bytes};

    fn price() -> Price {
        let offer = Eip1559Estimation { max_fee_per_gas: 20, max_priority_fee_per_gas: 2 };
        Price { used: 80, gas_limit: 100, fees: Fees { base: 9, offer, most_tip: 90, block_gas: 1000 } }
    }

    #[test]
    fn bytes_are_borne_out_if_they_can_be_mined_and_give_nothing_away() {
        let ceiling = U256::from(20_000);
        let is_borne_out = |gas_limit, max_fee_per_gas, max_priority_fee_per_gas| {
            let signed = TxEip1559 { gas_limit, max_fee_per_gas, max_priority_fee_per_gas, ..Default::default() };
            price().bears_out(&signed, ceiling)
        };
        assert!(is_borne_out(80, 20, 90) && is_borne_out(1000, 20, 0));
        for (gas, fee, tip) in [(79, 20, 2), (0, 20, 2), (1001, 2, 2), (80, 20, 91), (80, 251, 2), (80, u128::MAX, 2)] {
            assert!(!is_borne_out(gas, fee, tip), "{gas} {fee} {tip}");
        }
    }

    #[test]
    fn half_the_price_is_much_less() {
        let signed = |max_fee_per_gas| TxEip1559 { gas_limit: 100, max_fee_per_gas, ..Default::default() };
        assert!(price().is_much_less_than(&signed(40)) && !price().is_much_less_than(&signed(39)));
    }

    #[test]
    fn no_transaction_takes_less_than_its_bytes() {
        let of = |to, data: &'static [u8]| intrinsic_gas(&Transaction { to, data: Bytes::from_static(data) });
        assert_eq!(of(Some(Address::ZERO), &[]), 21_000);
        assert_eq!(of(Some(Address::ZERO), &[0, 1, 0]), 21_024);
        assert_eq!(of(None, &[7]), 53_016);
    }
}
