//! Transactions that are signed and not mined.

use super::values::{Checksummed, Decimal};
use crate::chain::outbox::{Job, Offer};
use alloy::primitives::{Address, B256, U256};
use serde::Serialize;

/// The jobs of a wallet's outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboxView {
    wallet: Checksummed,
    chain_id: u64,
    jobs: Vec<JobView>,
}

impl OutboxView {
    /// The jobs of `wallet` with what each signed last.
    pub fn new(wallet: Address, chain_id: u64, jobs: &[(Job, Option<Offer>)]) -> Self {
        let jobs = jobs.iter().map(|(job, offer)| JobView::new(job, offer.as_ref())).collect();
        Self { wallet: wallet.into(), chain_id, jobs }
    }
}

/// A job, and what was signed last for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct JobView {
    job: String,
    /// `prepared`, `signed`, `broadcast`, `mined`, `final` or `failed`.
    state: &'static str,
    /// Why it failed; null where it did not.
    reason: Option<String>,
    /// How often it was signed.
    signings: usize,
    /// Null where nothing is signed.
    offer: Option<OfferView>,
    /// Null where it is in no block.
    block: Option<u64>,
}

impl JobView {
    fn new(job: &Job, offer: Option<&Offer>) -> Self {
        Self {
            job: job.id.clone(),
            state: job.state.name(),
            reason: job.reason.clone(),
            signings: job.signed.len(),
            offer: offer.map(OfferView::new),
            block: job.receipt.map(|receipt| receipt.block_number),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct OfferView {
    transaction: B256,
    /// The wallet's number of it.
    number: u64,
    gas: Decimal<u64>,
    /// Most wei for a unit of gas.
    max_fee: Decimal<u128>,
    /// Of that to whoever makes the block.
    tip: Decimal<u128>,
    /// Most wei that it may cost.
    cost: Decimal<U256>,
    /// Whether it only takes the number back.
    cancels: bool,
}

impl OfferView {
    fn new(offer: &Offer) -> Self {
        Self {
            transaction: offer.transaction,
            number: offer.nonce,
            gas: Decimal(offer.gas_limit),
            max_fee: Decimal(offer.max_fee),
            tip: Decimal(offer.tip),
            cost: Decimal(offer.cost),
            cancels: offer.cancels,
        }
    }
}

/// What became of a job whose price was changed, or that was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobEndView {
    pub(crate) job: String,
    pub(crate) cancelled: bool,
    /// Null where a job was cancelled that had no number, or none that could be taken back.
    pub(crate) transaction: Option<B256>,
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;
    use crate::chain::outbox::State;
    use crate::contract::Transaction;
    use alloy::primitives::Bytes;

    #[test]
    fn a_job_is_shown_with_what_it_offers() {
        let transaction = Transaction { to: None, data: Bytes::new() };
        let (id, reason, signed) = ("job".to_owned(), None, vec![]);
        let job = Job { id, transaction, state: State::Broadcast, reason, signed, receipt: None };
        let offer = Offer {
            transaction: B256::repeat_byte(1),
            nonce: 7,
            gas_limit: 50_000,
            max_fee: 30,
            tip: 2,
            cost: U256::from(1_500_000),
            cancels: false,
        };
        assert_eq!(
            json(OutboxView::new(Address::repeat_byte(0xa1), 5, &[(job, Some(offer))])).to_string(),
            concat!(
                r#"{"chainId":5,"jobs":[{"block":null,"job":"job","offer":{"cancels":false,"cost":"1500000","#,
                r#""gas":"50000","maxFee":"30","number":7,"tip":"2","transaction":"#,
                r#""0x0101010101010101010101010101010101010101010101010101010101010101"},"reason":null,"#,
                r#""signings":0,"state":"broadcast"}],"wallet":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1"}"#,
            )
        );
    }
}
