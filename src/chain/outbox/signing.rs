//! Signed bytes of a job: made, read back, and made anew at a higher price.

use super::error::OutboxError;
use super::job::{Job, SignedTransaction};
use crate::chain::wallet::Wallet;
use alloy::consensus::{Transaction as _, TxEip1559, TxEnvelope};
use alloy::eips::eip1559::Eip1559Estimation;
use alloy::eips::eip2718::{Decodable2718, Encodable2718};
use alloy::primitives::Bytes;

/// The signed bytes of a transaction.
pub(super) fn sign(wallet: &Wallet, transaction: TxEip1559) -> SignedTransaction {
    let nonce = transaction.nonce;
    let envelope = wallet.sign_transaction(transaction);
    SignedTransaction { hash: *envelope.tx_hash(), nonce, raw: Bytes::from(envelope.encoded_2718()) }
}

/// The transaction that was signed last.
pub(super) fn last_signed(job: &Job) -> Result<TxEip1559, OutboxError> {
    decode(job, job.newest()?)
}

/// The transaction that was signed.
pub(super) fn decode(job: &Job, signed: &SignedTransaction) -> Result<TxEip1559, OutboxError> {
    let damaged = || OutboxError::Damaged { what: format!("job {} has bytes that are no transaction of it", job.id) };
    let envelope = TxEnvelope::decode_2718_exact(&signed.raw).map_err(|_| damaged())?;
    let transaction = envelope.as_eip1559().ok_or_else(damaged)?.tx();
    if transaction.nonce() == signed.nonce { Ok(transaction.clone()) } else { Err(damaged()) }
}

/// The same transaction at the price of today, and dearer than before by what nodes ask of a
/// replacement: 12.5 % of both fees.
pub(super) fn raised(older: TxEip1559, fresh: Eip1559Estimation) -> TxEip1559 {
    let raise = |fee: u128| fee.saturating_add(fee / 8).saturating_add(1);
    TxEip1559 {
        max_fee_per_gas: fresh.max_fee_per_gas.max(raise(older.max_fee_per_gas)),
        max_priority_fee_per_gas: fresh.max_priority_fee_per_gas.max(raise(older.max_priority_fee_per_gas)),
        ..older
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_fees_rise_by_an_eighth_at_least_and_to_the_price_of_today() {
        let older = |max_fee_per_gas, max_priority_fee_per_gas| TxEip1559 {
            nonce: 3,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            ..Default::default()
        };
        let fees = |transaction: TxEip1559| (transaction.max_fee_per_gas, transaction.max_priority_fee_per_gas);
        let fresh =
            |max_fee_per_gas, max_priority_fee_per_gas| Eip1559Estimation { max_fee_per_gas, max_priority_fee_per_gas };
        assert_eq!(fees(raised(older(800, 80), fresh(5, 1))), (901, 91));
        assert_eq!(fees(raised(older(800, 80), fresh(5000, 1))), (5000, 91));
        assert_eq!(fees(raised(older(800, 80), fresh(5000, 92))), (5000, 92));
        assert_eq!(fees(raised(older(1, 0), fresh(0, 0))), (2, 1));
        assert_eq!(fees(raised(older(u128::MAX, u128::MAX), fresh(0, 0))), (u128::MAX, u128::MAX));
        assert_eq!(raised(older(1, 0), fresh(9, 9)).nonce, 3);
    }
}
