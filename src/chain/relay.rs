//! Checks other wallets' signed requests before gas is spent on them.

use super::error::ChainError;
use super::outbox::{Outbox, OutboxError};
use super::registry::Registry;
use crate::clock::{Clock, SystemClock};
use crate::contract::bindings::IImageRegistry::IImageRegistryErrors;
use crate::contract::{
    Call, Request, RequestError, Revert, Transaction, ask_wallet, check_length, check_signature, is_yes,
};
use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes, Signature};
use alloy::rpc::types::TransactionRequest;

/// Most gas with which the own wallet is asked, where it is a contract.
const OWN_WALLET_GAS: u64 = 1 << 24;
/// How far ahead a deadline may be: 7 days.
const MAX_DEADLINE_SECS: u64 = 7 * 86_400;

/// Why a request is not relayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// The request or its signature is not valid.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The node did not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The signer's wallet is a contract that takes more gas to answer than its relayer allows.
    #[error("wallet {signer} is a contract that does not answer within {cap} gas")]
    TooMuchGas {
        /// The wallet.
        signer: Address,
        /// Most gas that is allowed.
        cap: u64,
    },
}

/// Who submits a request that somebody else signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payer {
    /// The wallet that pays.
    pub address: Address,
    /// Most gas of the transaction where the signer's wallet is a contract, whose code runs in it.
    pub gas_cap: u64,
}

/// A signature as the contract takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedSignature {
    /// Its bytes.
    pub signature: Bytes,
    /// Whether the signer's wallet is a contract, which decides itself.
    pub by_contract: bool,
}

impl Registry {
    /// Checks deadline, number and signature of a request; its domain is looked at by
    /// [`check_domain`](crate::contract::check_domain), and the rest by the simulation that goes
    /// before every transaction. `now` is this machine's time. Returns the signature as the
    /// contract takes it: some wallets write the parity of a plain signature as 0 and 1 where the
    /// contract wants 27 and 28. A wallet that is a contract is asked as the registry will ask it:
    /// in `payer`'s transaction, at the price that will be paid.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn check_request(
        &self,
        request: &Request,
        signature: &Bytes,
        now: u64,
        payer: &Payer,
    ) -> Result<CheckedSignature, RelayError> {
        check_length(signature)?;
        let now = self.checked_time(now).await?;
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
        let plain = with_usual_parity(signature);
        if check_signature(&plain, &digest, signer).is_ok() {
            return Ok(CheckedSignature { signature: plain, by_contract: false });
        }
        // A contract wallet decides itself which bytes it accepts: they are passed on unchanged.
        if self.is_taken_by_contract(request, digest, signature, payer).await? {
            return Ok(CheckedSignature { signature: signature.clone(), by_contract: true });
        }
        Err(match is_upper_of(signer, digest, &plain) {
            true => RequestError::UpperS { signer }.into(),
            false => RequestError::Signature { signer, digest }.into(),
        })
    }

    /// Returns `made`; or, if the wallet's signature was supplied, the transaction that was printed
    /// for this job with that signature in it, after it was checked.
    ///
    /// # Errors
    /// [`OutboxError::NotSignable`], [`OutboxError::NotPrinted`], [`OutboxError::Request`], or the
    /// node does not answer.
    pub async fn counter_signed(
        &self,
        outbox: &mut Outbox,
        job: &str,
        made: Transaction,
    ) -> Result<Transaction, OutboxError> {
        let Some(signature) = outbox.signature().cloned() else { return Ok(made) };
        let request = |data: &[u8]| Some(Request::of_call(&Call::decode(data).ok()?)?.0);
        let now = request(&made.data).ok_or_else(|| OutboxError::NotSignable { job: job.to_owned() })?;
        let printed = outbox.printed(job).and_then(|data| request(&data));
        let printed = printed.filter(|printed| printed.is_same_but_for_times(&now));
        let printed = printed.ok_or_else(|| OutboxError::NotPrinted { job: job.to_owned() })?;
        // It is the own wallet that is asked: what it takes is its owner's affair.
        let payer = Payer { address: outbox.sender(), gas_cap: OWN_WALLET_GAS };
        let checked = self.check_request(&printed, &signature, SystemClock.unix_secs(), &payer).await;
        let checked = checked.map_err(|error| match error {
            RelayError::Chain(error) => OutboxError::Chain(error),
            RelayError::Request(error) => OutboxError::Request(Box::new(error)),
            RelayError::TooMuchGas { cap, .. } => OutboxError::TooMuchGas { job: job.to_owned(), gas: cap, cap },
        })?;
        Ok(Transaction { data: printed.call(&checked.signature).encode(), ..made })
    }

    /// Whether a wallet that is a contract accepts the signature (ERC-1271).
    async fn is_taken_by_contract(
        &self,
        request: &Request,
        digest: B256,
        signature: &Bytes,
        payer: &Payer,
    ) -> Result<bool, RelayError> {
        let (rpc, signer) = (self.rpc(), request.signer());
        if rpc.code(signer).await?.is_empty() {
            return Ok(false);
        }
        let fees = rpc.fees().await?;
        let whole = |gas| {
            let whole = TransactionRequest::default().from(payer.address).to(self.address()).gas_limit(gas);
            let whole = whole.max_fee_per_gas(fees.offer.max_fee_per_gas);
            let whole = whole.max_priority_fee_per_gas(fees.offer.max_priority_fee_per_gas);
            rpc.call(whole.input(request.call(signature).encode().into()), BlockId::latest())
        };
        match whole(payer.gas_cap).await {
            Ok(_) => return Ok(true),
            // It says no, or it ran out of gas, which the registry takes for a no.
            Err(ChainError::Revert(revert)) if is_about_the_signature(&revert) => {
                return match whole(fees.block_gas).await {
                    Ok(_) => Err(RelayError::TooMuchGas { signer, cap: payer.gas_cap }),
                    Err(error) if error.is_revert() || error.is_about_gas() => Ok(false),
                    Err(error) => Err(error.into()),
                };
            }
            // The payer has too little, or all that gas was not enough: the wallet alone is asked.
            Err(ChainError::Refused { .. }) => {}
            // The registry has another reason, which the transaction's own trial tells.
            Err(error) if error.is_revert() => {}
            Err(error) => return Err(error.into()),
        }
        let call = ask_wallet(digest, signature.clone());
        let alone = TransactionRequest::default().from(self.address()).to(signer).gas_limit(payer.gas_cap);
        match rpc.call(alone.input(call.into()), BlockId::latest()).await {
            Ok(answer) => Ok(is_yes(&answer)),
            // The wallet's own code refused.
            Err(error) if error.is_revert() => Ok(false),
            Err(error) if error.is_about_gas() => Err(RelayError::TooMuchGas { signer, cap: payer.gas_cap }),
            Err(ChainError::Refused { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn is_about_the_signature(revert: &Revert) -> bool {
    matches!(revert, Revert::Registry(IImageRegistryErrors::InvalidSignature(_)))
}

/// The same signature with v 27 or 28 for a parity of 0 or 1.
fn with_usual_parity(signature: &Bytes) -> Bytes {
    match signature.last() {
        Some(v @ (0 | 1)) if signature.len() == 65 => [&signature[..64], &[v + 27]].concat().into(),
        _ => signature.clone(),
    }
}

/// Whether the signature is a plain wallet's with the upper s, which the contract refuses.
fn is_upper_of(signer: Address, digest: B256, signature: &Bytes) -> bool {
    let lower = Signature::from_raw(signature).ok().and_then(|signature| signature.normalize_s());
    lower.is_some_and(|lower| check_signature(&lower.as_bytes(), &digest, signer).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Wallet;
    use alloy::primitives::U256;

    fn is_of(signer: Address, digest: B256, signature: &Bytes) -> bool {
        check_signature(signature, &digest, signer).is_ok()
    }

    #[test]
    fn a_plain_signature_counts_with_its_usual_parity_and_the_lower_s_alone() {
        let wallet = Wallet::development(0, 31337).expect("a key");
        let signer = wallet.address();
        for seed in 0..8 {
            let digest = B256::repeat_byte(seed);
            let signature = wallet.sign_digest(digest);
            let at = |v: u8| Bytes::from([&signature[..64], &[v]].concat());
            let v = signature[64];
            assert!(is_of(signer, digest, &signature));
            assert!(!is_of(signer, digest, &at(v - 27)), "the contract does not take it as it is");
            assert_eq!(with_usual_parity(&at(v - 27)), signature);
            assert_eq!(with_usual_parity(&signature), signature);
            assert!(!is_of(signer, digest, &with_usual_parity(&at(28 - v))), "the other parity is another signer's");
            assert!(!is_of(signer, digest, &at(v + 8)), "EIP-155");

            // n - s with the other parity is a signature of the same key.
            let order = U256::from_str_radix("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16);
            let s = order.expect("the order") - U256::from_be_slice(&signature[32..64]);
            let upper = [&signature[..32], &s.to_be_bytes::<32>(), &[27 + 28 - v]].concat().into();
            assert!(!is_of(signer, digest, &upper) && is_upper_of(signer, digest, &upper));
            assert!(!is_upper_of(signer, digest, &signature));
            assert!(!is_upper_of(Address::ZERO, digest, &upper));
        }
        // A contract's signature of 65 bytes and any other length stays as it is.
        for other in [vec![0; 64], vec![1; 66], vec![], [&[7; 64][..], &[2]].concat()] {
            assert_eq!(with_usual_parity(&other.clone().into()), Bytes::from(other));
        }
    }
}
