//! Whether what a signed request asks for is still to be done, is on chain already, or can't happen
//! any more.

use super::error::ChainError;
use super::registry::Registry;
use crate::contract::bindings::IImageRegistry::{
    FlagDecision, Grant, IImageRegistryCalls as Calls, IImageRegistryEvents as Events, Revocation, Verification,
    anchorOfCall,
};
use crate::contract::{Request, seq_parts};
use crate::envelope::image_id;
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolInterface;

/// What the chain says about a signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestState {
    /// It may still act.
    Open,
    /// What it asks for is on chain, whoever submitted it.
    Done,
    /// Another change came first, or followed: the request can't act any more.
    Overtaken {
        /// What the request changes: `flag`, or what it counts, as `access change`.
        what: &'static str,
        /// The number that the request names.
        named: U256,
        /// The number that the registry is at now.
        current: U256,
    },
}

impl Registry {
    /// The state of a request. Neither its signature nor its deadline is checked.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn request_state(&self, request: &Request) -> Result<RequestState, ChainError> {
        let data = request.call(&Bytes::new()).encode();
        let call =
            Calls::abi_decode(&data).expect("the ABI and the bindings are of one contract: a test compares them");
        match call {
            Calls::register(call) => {
                let image = &call.registration;
                self.recorded(image.sender, &[(image.salt, image.contentHash)]).await
            }
            Calls::registerBatch(call) => {
                let items: Vec<_> = call.batch.items.iter().map(|item| (item.salt, item.contentHash)).collect();
                self.recorded(call.batch.sender, &items).await
            }
            Calls::anchor(call) => {
                let (sender, root) = (call.anchor.sender, call.anchor.root);
                let anchored = self.view(anchorOfCall { sender, root }).await?;
                Ok(done_if(anchored.count != 0 && anchored.count == call.anchor.count))
            }
            Calls::recordVerification(call) => self.of_verification(&call.verification).await,
            Calls::decideFlagFor(call) => self.of_decision(&call.decision).await,
            Calls::grantFor(call) => {
                let Grant { imageId, wallet, expiry, accessSeq, .. } = call.grant;
                self.of_access(imageId, wallet, accessSeq, expiry).await
            }
            Calls::revokeFor(call) => {
                let Revocation { imageId, wallet, accessSeq, .. } = call.revocation;
                self.of_access(imageId, wallet, accessSeq, 0).await
            }
            Calls::setOperatorFor(call) => {
                let change = call.change;
                let now = self.operator(change.sender, change.operator).await?;
                let next = Next::of(!change.allowed);
                Ok(counted("operator change", change.operatorSeq, now.seq, now.allowed == change.allowed, next))
            }
            Calls::updateCapsulesFor(call) => {
                let update = call.update;
                let now = self.capsules(update.imageId).await?;
                let (named, current) = (update.version.into(), now.version.into());
                Ok(counted("capsules version", named, current, now.hash == update.capsulesHash, Next::Counted))
            }
            _ => Ok(RequestState::Open),
        }
    }

    /// Done if every one of these images is registered.
    async fn recorded(&self, sender: Address, images: &[(B256, B256)]) -> Result<RequestState, ChainError> {
        for (salt, content_hash) in images {
            match self.record(image_id(self.chain_id(), self.address(), sender, *salt)).await {
                Ok(record) if record.contentHash == *content_hash => {}
                // A record that differs is a conflict, which the contract reports when the request
                // is simulated.
                Ok(_) | Err(ChainError::UnknownImage { .. }) => return Ok(RequestState::Open),
                Err(error) => return Err(error),
            }
        }
        Ok(done_if(!images.is_empty()))
    }

    async fn of_verification(&self, asked: &Verification) -> Result<RequestState, ChainError> {
        let current = self.nonce(asked.verifier).await?;
        if current <= asked.nonce {
            return Ok(RequestState::Open);
        }
        let logged = self.events(asked.imageId).await?.into_iter().any(|event| match event.event {
            Events::Verified(found) => {
                (found.verifier, found.nonce, found.observedHash, found.observedAt, found.deadline)
                    == (asked.verifier, asked.nonce, asked.observedHash, asked.observedAt, asked.deadline)
            }
            _ => false,
        });
        let (what, named) = ("nonce", asked.nonce);
        Ok(if logged { RequestState::Done } else { RequestState::Overtaken { what, named, current } })
    }

    async fn of_decision(&self, asked: &FlagDecision) -> Result<RequestState, ChainError> {
        for event in self.events(asked.imageId).await? {
            let confirmed = match event.event {
                Events::FlagConfirmed(found) if found.flagId == asked.flagId => true,
                Events::FlagDismissed(found) if found.flagId == asked.flagId => false,
                _ => continue,
            };
            let (what, named) = ("flag", U256::from(asked.flagId));
            return Ok(match confirmed == asked.confirmed {
                true => RequestState::Done,
                false => RequestState::Overtaken { what, named, current: named },
            });
        }
        Ok(RequestState::Open)
    }

    async fn of_access(&self, id: B256, wallet: Address, named: u128, expiry: u64) -> Result<RequestState, ChainError> {
        let now = self.access(id, wallet).await?;
        Ok(counted("access change", named, now.seq, now.expiry == expiry, Next::of(expiry == 0)))
    }
}

/// The number after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// One more.
    Counted,
    /// Drawn when access or an operator is taken away: one more in the upper 32 bits, and zero in
    /// the lower 32.
    Drawn,
}

impl Next {
    fn of(takes_away: bool) -> Self {
        if takes_away { Self::Drawn } else { Self::Counted }
    }

    fn follows(self, named: u128, current: u128) -> bool {
        match self {
            Self::Counted => current == named.saturating_add(1),
            Self::Drawn => {
                let ([before, ..], [revocations, _, changes]) = (seq_parts(named), seq_parts(current));
                revocations == before + 1 && changes == 0
            }
        }
    }
}

/// The state of a request that names the number which it replaces: done if the number is the next
/// and the values are those that it asks for.
fn counted(what: &'static str, named: u128, current: u128, as_asked: bool, next: Next) -> RequestState {
    if current <= named {
        return RequestState::Open;
    }
    match next.follows(named, current) && as_asked {
        true => RequestState::Done,
        false => RequestState::Overtaken { what, named: U256::from(named), current: U256::from(current) },
    }
}

fn done_if(done: bool) -> RequestState {
    if done { RequestState::Done } else { RequestState::Open }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_is_done_where_its_number_is_the_last_and_all_is_as_it_asks() {
        let overtaken = |named: u128, current: u128| {
            let (named, current) = (U256::from(named), U256::from(current));
            RequestState::Overtaken { what: "", named, current }
        };
        // After the first and the second time that it was taken away.
        let (first, second) = (1 << 96 | 77 << 32, 2 << 96 | 5 << 32);
        for (named, current, as_asked, next, expected) in [
            (3, 2, true, Next::Counted, RequestState::Open),
            (3, 3, true, Next::Counted, RequestState::Open),
            (3, 4, true, Next::Counted, RequestState::Done),
            (3, 4, false, Next::Counted, overtaken(3, 4)),
            (3, 5, true, Next::Counted, overtaken(3, 5)),
            (3, first, true, Next::Counted, overtaken(3, first)),
            (3, 3, true, Next::Drawn, RequestState::Open),
            (3, first, true, Next::Drawn, RequestState::Done),
            (first + 3, second, true, Next::Drawn, RequestState::Done),
            (3, first, false, Next::Drawn, overtaken(3, first)),
            (3, first + 1, true, Next::Drawn, overtaken(3, first + 1)),
            (3, second, true, Next::Drawn, overtaken(3, second)),
        ] {
            assert_eq!(counted("", named, current, as_asked, next), expected, "{named}, {current}, {as_asked}");
        }
    }
}
