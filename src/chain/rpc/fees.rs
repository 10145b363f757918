//! What a transaction has to pay: the node's word, compared with what its own blocks say.

use super::Rpc;
use crate::chain::error::ChainError;
use alloy::eips::BlockNumberOrTag;
use alloy::eips::eip1559::Eip1559Estimation;
use alloy::primitives::{U64, U128};
use alloy::providers::utils::{EIP1559_FEE_ESTIMATION_PAST_BLOCKS, EIP1559_FEE_ESTIMATION_REWARD_PERCENTILE};
use alloy::rpc::types::{FeeHistory, Header};

const GWEI: u128 = 1_000_000_000;
/// A tip that is believed although no block shows one: a fifth of the most that Geth suggests.
const UNSEEN_TIP: u128 = 100 * GWEI;
/// A tip may be this many times the highest of the last blocks, or [`LEAST_MOST_TIP`].
const TIMES_SEEN: u128 = 10;
const LEAST_MOST_TIP: u128 = 10 * GWEI;

/// What a transaction has to pay for the next block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chain) struct Fees {
    /// The block's base fee in wei: no transaction that offers less is included.
    pub(in crate::chain) base: u128,
    /// What to offer: twice the base fee, and the usual tip.
    pub(in crate::chain) offer: Eip1559Estimation,
    /// The highest tip that the last blocks bear out.
    pub(in crate::chain) most_tip: u128,
    /// Most gas of a block.
    pub(in crate::chain) block_gas: u64,
}

impl Rpc {
    /// Fees for the next block. alloy's own go by the *last* block's base fee; and where blocks are
    /// empty nobody gives a tip, so that it says 1 wei, which nodes take into their pools and,
    /// below their own least tip, never into a block.
    ///
    /// # Errors
    /// [`ChainError::Fees`] for a base fee that does not follow from the newest block, and for a
    /// tip that the last blocks do not bear out.
    pub(in crate::chain) async fn fees(&self) -> Result<Fees, ChainError> {
        let (method, latest) = ("eth_feeHistory", BlockNumberOrTag::Latest);
        let percentile = [EIP1559_FEE_ESTIMATION_REWARD_PERCENTILE];
        let history: FeeHistory =
            self.ask(method, (U64::from(EIP1559_FEE_ESTIMATION_PAST_BLOCKS), latest, percentile)).await?;
        let asked = match self.ask::<_, U128>("eth_maxPriorityFeePerGas", ()).await {
            Ok(tip) => tip.to::<u128>(),
            // Not every node answers this method.
            Err(ChainError::Refused { .. }) => 0,
            Err(error) => return Err(error),
        };
        judged(&history, asked, &self.latest().await?)
    }

    /// The most that a transaction of ours offers for a unit of gas in the next block, in wei.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn gas_price(&self) -> Result<u128, ChainError> {
        Ok(self.fees().await?.offer.max_fee_per_gas)
    }
}

/// Fees by what the node says, if its blocks bear it out.
fn judged(history: &FeeHistory, asked: u128, newest: &Header) -> Result<Fees, ChainError> {
    let bad = |reason: &str| ChainError::BadAnswer { method: "eth_feeHistory", reason: reason.to_owned() };
    let base = history.next_block_base_fee().ok_or_else(|| bad("no base fee"))?;
    // A block changes the base fee by an eighth at most; some may come between two questions.
    let last = newest.base_fee_per_gas.ok_or_else(|| bad("the newest block has no base fee"))?;
    let most_base = 2 * u128::from(last) + GWEI;
    if base > most_base {
        return Err(ChainError::Fees { what: "base fee", found: base, most: most_base });
    }
    let rewards = history.reward.iter().flatten().filter_map(|block| block.first().copied());
    let mut rewards: Vec<u128> = rewards.filter(|reward| *reward > 0).collect();
    rewards.sort_unstable();
    let most_tip = match rewards.last() {
        Some(highest) => highest.saturating_mul(TIMES_SEEN).max(LEAST_MOST_TIP).max(2 * base),
        None => UNSEEN_TIP,
    };
    if asked > most_tip {
        return Err(ChainError::Fees { what: "tip", found: asked, most: most_tip });
    }
    let usual = match rewards.len() {
        0 => 1,
        count => rewards[(count - 1) / 2].midpoint(rewards[count / 2]),
    };
    let tip = usual.max(asked);
    let offer = Eip1559Estimation { max_fee_per_gas: (2 * base).saturating_add(tip), max_priority_fee_per_gas: tip };
    Ok(Fees { base, offer, most_tip, block_gas: newest.gas_limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Judges fees in a chain whose newest block has a base fee of 8 gwei.
    fn fees(base: u128, rewards: &[u128], asked: u128) -> Result<Fees, ChainError> {
        let mut newest: Header = Header::default();
        (newest.inner.base_fee_per_gas, newest.inner.gas_limit) = (Some(8_000_000_000), 30_000_000);
        let reward = Some(rewards.iter().map(|reward| vec![*reward]).collect());
        judged(&FeeHistory { base_fee_per_gas: vec![1, base], reward, ..Default::default() }, asked, &newest)
    }

    #[test]
    fn the_offer_is_twice_the_base_fee_and_the_usual_tip() {
        for (base, rewards, asked, offered) in [
            (9 * GWEI, &[][..], 0, (18 * GWEI + 1, 1)),
            (9 * GWEI, &[], GWEI, (19 * GWEI, GWEI)),
            (9 * GWEI, &[0, 4, 2, 0, 9], 0, (18 * GWEI + 4, 4)),
            (9 * GWEI, &[4, 2], 1, (18 * GWEI + 3, 3)),
            (0, &[u128::MAX, u128::MAX], 0, (u128::MAX, u128::MAX)),
        ] {
            let offer = fees(base, rewards, asked).expect("borne out").offer;
            assert_eq!((offer.max_fee_per_gas, offer.max_priority_fee_per_gas), offered, "{base} {rewards:?} {asked}");
        }
    }

    #[test]
    fn a_base_fee_follows_from_the_newest_block() {
        assert_eq!(fees(17 * GWEI, &[], 0).expect("borne out").base, 17 * GWEI);
        for base in [17 * GWEI + 1, 1_000_000_000 * GWEI, u128::MAX] {
            let refused = fees(base, &[], 0).expect_err("not borne out");
            assert!(
                matches!(refused, ChainError::Fees { what: "base fee", found, most } if (found, most) == (base, 17 * GWEI)),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_tip_is_borne_out_by_the_last_blocks() {
        for (rewards, most) in
            [(&[][..], 100 * GWEI), (&[1], 16 * GWEI), (&[1, 5 * GWEI], 50 * GWEI), (&[0], 100 * GWEI)]
        {
            assert_eq!(fees(8 * GWEI, rewards, most).expect("borne out").most_tip, most);
            for tip in [most + 1, 100_000_000 * GWEI, u128::MAX] {
                let refused = fees(8 * GWEI, rewards, tip).expect_err("not borne out");
                assert!(matches!(refused, ChainError::Fees { what: "tip", most: at, .. } if at == most), "{refused}");
            }
        }
    }
}
