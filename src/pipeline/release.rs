//! Signed requests from a wallet to the KGC, and the KGC's view of the chain.

use super::PipelineError;
use crate::chain::{ChainError, Head, Registry, Wallet};
use crate::cipher::ImageKey;
use crate::clock::Clock;
use crate::envelope::PublicHeader;
use crate::envelope::capsules::X25519Secret;
use crate::keygen::Partial;
use crate::kgc::{
    self, AccessState, BlockSeen, ChainView, ChainViewError, ContractSignature, Home, IssueRequest, KeyCenter,
    KeyRequest, KgcIdentity, LogHead, REQUEST_SECS, RegisteredImage, SignedRequest, UnsignedRequest, os_random,
};
use alloy::primitives::{Address, B256};
use std::sync::{Arc, OnceLock};

/// A KGC's view of the registry, by the rules of the registry's chain profile.
#[derive(Debug, Clone)]
pub struct RegistryView<C> {
    registry: Registry,
    clock: C,
    /// Who published the KGC's newest key: while this process has that key, it is that one.
    publisher: Arc<OnceLock<Address>>,
}

impl<C: Clock> RegistryView<C> {
    /// The view through this registry client.
    pub fn new(registry: Registry, clock: C) -> Self {
        Self { registry, clock, publisher: Arc::default() }
    }

    async fn fresh_head(&self) -> Result<Head, ChainError> {
        let head = self.registry.head(&self.clock).await?;
        head.check_fresh(self.registry.profile(), self.clock.unix_secs())?;
        Ok(head)
    }

    /// Whether the wallet's contract takes the signature in this block; where there is none to ask
    /// about, a plain wallet made it.
    async fn takes(
        &self,
        head: &Head,
        wallet: Address,
        signature: Option<ContractSignature<'_>>,
    ) -> Result<bool, ChainError> {
        match signature {
            None => Ok(true),
            Some(ContractSignature { digest, signature }) => {
                self.registry.contract_takes(head.hash, wallet, digest, signature).await
            }
        }
    }

    async fn anchored(&self, kgc_id: B256, log_id: B256) -> Result<LogHead, ChainError> {
        let publisher = match self.publisher.get() {
            Some(publisher) => *publisher,
            None => match self.registry.kgc_publisher(kgc_id).await? {
                Some(publisher) => *self.publisher.get_or_init(|| publisher),
                // Nobody seals to a key that is not published, and nobody may anchor for it.
                None => return Ok(LogHead::EMPTY),
            },
        };
        let anchored = self.registry.log_head(publisher, log_id).await?;
        Ok(LogHead { seq: anchored.seq, head: anchored.head })
    }

    /// Whether the KGC's key was retired, or is not known on chain.
    async fn is_retired(&self, head: &Head, kgc: &KgcIdentity) -> Result<bool, ChainError> {
        match self.registry.kgc_key_in(head.hash, kgc.id, kgc.epoch).await {
            Ok(key) => Ok(key.retired),
            Err(error) if error.revert().is_some() => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// What cannot change is read first, however long that takes; then the newest block, and what
    /// may change from that very block. Its age is judged last, when the decision is made.
    async fn look(
        &self,
        image_id: B256,
        wallet: Address,
        kgc: &KgcIdentity,
        signature: Option<ContractSignature<'_>>,
    ) -> Result<Option<AccessState>, ChainError> {
        let logged = match self.registry.registration(image_id).await {
            Ok(logged) => Some(logged),
            Err(ChainError::UnknownImage { .. }) => None,
            Err(error) => return Err(error),
        };
        let head = self.fresh_head().await?;
        if !self.takes(&head, wallet, signature).await? {
            return Ok(None);
        }
        let access_expiry = self.registry.confirmed_expiry(&head, image_id, wallet).await?;
        let registration = match logged {
            Some(logged) => {
                let newest = self.registry.capsules_in(head.hash, image_id).await?;
                let (sender, header_hash, registered) = (logged.sender, logged.header_hash, logged.capsules_hash);
                let (capsules_hash, registered_capsules) = match newest.version {
                    0 => (registered, None),
                    _ if self.is_retired(&head, kgc).await? => (newest.hash, None),
                    _ => (newest.hash, Some(registered)),
                };
                Some(RegisteredImage { sender, header_hash, capsules_hash, registered_capsules })
            }
            None => None,
        };
        head.check_fresh(self.registry.profile(), self.clock.unix_secs())?;
        Ok(Some(AccessState { block: seen(&head), registration, access_expiry }))
    }
}

impl<C: Clock> ChainView for RegistryView<C> {
    async fn block(
        &self,
        wallet: Address,
        signature: Option<ContractSignature<'_>>,
    ) -> Result<Option<BlockSeen>, ChainViewError> {
        let look = async {
            let head = self.fresh_head().await?;
            Ok(self.takes(&head, wallet, signature).await?.then(|| seen(&head)))
        };
        look.await.map_err(view_error)
    }

    async fn anchored_log(&self, kgc_id: B256, log_id: B256) -> Result<LogHead, ChainViewError> {
        self.anchored(kgc_id, log_id).await.map_err(view_error)
    }

    async fn access_state(
        &self,
        image_id: B256,
        wallet: Address,
        kgc: &KgcIdentity,
        signature: Option<ContractSignature<'_>>,
    ) -> Result<Option<AccessState>, ChainViewError> {
        self.look(image_id, wallet, kgc, signature).await.map_err(view_error)
    }
}

fn seen(head: &Head) -> BlockSeen {
    BlockSeen { number: head.number, hash: head.hash, time: head.timestamp }
}

fn view_error(error: ChainError) -> ChainViewError {
    match error {
        ChainError::Stale { age_secs, allowed_secs } => ChainViewError::Stale { age_secs, limit_secs: allowed_secs },
        other => ChainViewError::Unreachable { source: Box::new(other) },
    }
}

/// The registry's chain and address, to which every request is bound.
pub fn home(registry: &Registry) -> Home {
    Home { chain_id: registry.chain_id(), registry: registry.address() }
}

/// Fetches a challenge and signs a request with it, for a fresh X25519 key.
async fn sign<R: kgc::KgcRequest + Clone>(
    center: &impl KeyCenter,
    wallet: &Wallet,
    home: &Home,
    image_id: B256,
    now: u64,
) -> Result<(SignedRequest<R>, X25519Secret), PipelineError> {
    let secret = X25519Secret::generate(&mut os_random());
    let ask = UnsignedRequest {
        image_id,
        challenges: vec![(center.identity().id, center.challenge().await?)],
        recipient: secret.public(),
        issued_at: now,
        deadline: now + REQUEST_SECS,
    };
    let request = ask.sign(home, wallet.signer()).await?.pop().expect("one for each challenge");
    Ok((request, secret))
}

/// Returns the KGC's partial for an image that `wallet` is about to seal.
pub(super) async fn request_partial(
    center: &impl KeyCenter,
    wallet: &Wallet,
    home: &Home,
    image_id: B256,
    now: u64,
) -> Result<Partial, PipelineError> {
    let (request, secret) = sign::<IssueRequest>(center, wallet, home, image_id, now).await?;
    let partial = center.issue(&request).await?.sealed.open_partial(&secret, &request.digest(home))?;
    Ok(Partial::from_bytes(*partial))
}

/// Returns the key of a sealed image, released to `wallet`.
pub(super) async fn request_key(
    center: &impl KeyCenter,
    wallet: &Wallet,
    home: &Home,
    header: &PublicHeader,
    capsules: &[u8],
    now: u64,
) -> Result<ImageKey, PipelineError> {
    let (request, secret) = sign::<KeyRequest>(center, wallet, home, header.image_id, now).await?;
    let answer = center.release(&request, &header.encode(), capsules).await?;
    Ok(answer.sealed.open_image_key(&secret, &request.digest(home), &header.context(), &header.key_commitment)?)
}
