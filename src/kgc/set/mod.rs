//! Several KGCs that hold an image's key together: sealing needs partials of as many as open it,
//! opening needs as many shares, and each that is absent, slow or wrong is named.
//!
//! Who is in the set of an image, and how many it takes, stands in its capsules; their keys and the
//! signers of their receipts stand on chain; an address says only where to ask.

mod gather;
mod outcome;

use alloy::primitives::B256;
use alloy::signers::Signer;
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

pub use outcome::{How, KgcOutcome, KgcSetError, SetNote};

use super::requests::{Home, IssueRequest, KeyRequest};
use super::{KeyCenter, KgcError, KgcIdentity};
use crate::cipher::ImageKey;
use crate::envelope::PublicHeader;
use crate::envelope::capsules::shamir::Share;
use crate::envelope::capsules::{CapsuleError, Capsules, Holder, check_commitment, combine_shares};
use gather::{Gathered, Round};

type Reach<K> = Box<dyn Fn() -> BoxFuture<'static, Result<K, KgcError>> + Send + Sync>;
type Tell = Box<dyn Fn(&SetNote<'_>) + Send + Sync>;

/// A KGC that may be asked.
pub struct Member<K> {
    place: String,
    door: Door<K>,
}

enum Door<K> {
    Here(K),
    At(Reach<K>, OnceCell<K>),
}

impl<K: KeyCenter> Member<K> {
    /// A KGC at hand.
    pub fn here(place: &str, center: K) -> Self {
        Self { place: place.to_owned(), door: Door::Here(center) }
    }

    /// A KGC that is yet to be reached: who it is shows then.
    pub fn at(
        place: &str,
        reach: impl Fn() -> BoxFuture<'static, Result<K, KgcError>> + Send + Sync + 'static,
    ) -> Self {
        Self { place: place.to_owned(), door: Door::At(Box::new(reach), OnceCell::new()) }
    }

    /// The KGC, reached if it was not before.
    async fn center(&self) -> Result<&K, KgcError> {
        match &self.door {
            Door::Here(center) => Ok(center),
            Door::At(reach, center) => center.get_or_try_init(reach).await,
        }
    }

    fn id(&self) -> Option<B256> {
        let center = match &self.door {
            Door::Here(center) => Some(center),
            Door::At(_, center) => center.get(),
        };
        center.map(|center| center.identity().id)
    }
}

/// What is asked, and when.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// Chain and registry.
    pub home: &'a Home,
    /// The image.
    pub image_id: B256,
    /// Unix seconds.
    pub now: u64,
}

/// A partial, and who gave it.
#[derive(Debug)]
pub struct Given {
    /// The KGC.
    pub identity: KgcIdentity,
    /// What it gave.
    pub partial: Zeroizing<[u8; 32]>,
}

/// The KGCs that may be asked.
pub struct KeyCenters<K> {
    members: Vec<Member<K>>,
    threshold: Option<u8>,
    tell: Tell,
}

impl<K: KeyCenter> KeyCenters<K> {
    /// One alone.
    pub fn one(center: K) -> Self {
        Self { members: vec![Member::here("this machine", center)], threshold: None, tell: Box::new(|_| {}) }
    }

    /// Several. `threshold` of those that an image is sealed to open it; `tell` hears what is worth
    /// saying where all goes well.
    ///
    /// # Errors
    /// [`KgcSetError::Threshold`].
    pub fn several(
        members: Vec<Member<K>>,
        threshold: Option<u8>,
        tell: impl Fn(&SetNote<'_>) + Send + Sync + 'static,
    ) -> Result<Self, KgcSetError> {
        let number = members.len();
        match threshold {
            Some(threshold) if threshold == 0 || usize::from(threshold) > number => {
                Err(KgcSetError::Threshold { threshold, number })
            }
            _ => Ok(Self { members, threshold, tell: Box::new(tell) }),
        }
    }

    /// The only one, where there are not several.
    pub fn only(&self) -> Option<&K> {
        match &self.members[..] {
            [Member { door: Door::Here(center), .. }] => Some(center),
            _ => None,
        }
    }

    /// How many open an image that is sealed now.
    ///
    /// # Errors
    /// [`KgcSetError::NoThreshold`].
    pub fn threshold(&self) -> Result<u8, KgcSetError> {
        match (self.threshold, self.members.len()) {
            (Some(threshold), _) => Ok(threshold),
            (None, 0 | 1) => Ok(1),
            (None, number) => Err(KgcSetError::NoThreshold { number }),
        }
    }

    /// Returns the partials of those that answer, at least as many as the threshold, in ascending
    /// order of id.
    ///
    /// # Errors
    /// [`KgcSetError::TooFew`]; the wallet cannot sign.
    pub async fn issue(&self, asking: Asking<'_>, signer: &(impl Signer + Sync)) -> Result<Vec<Given>, KgcSetError> {
        let (needed, named) = (usize::from(self.threshold()?), self.members.len());
        let round = Round { members: &self.members, asking, whole: &[], only: None, needed, more: true };
        let judge = |center: &K, partial: &[u8; 32]| {
            Ok(Given { identity: center.identity(), partial: Zeroizing::new(*partial) })
        };
        let gathered = round
            .run::<IssueRequest, _>(
                signer,
                |center, request, _| Box::pin(async move { center.issue(&request).await }),
                (&[], &[]),
                judge,
            )
            .await?;
        let mut given: Vec<Given> = self.enough(gathered, needed, Vec::new())?;
        given.sort_unstable_by_key(|given| given.identity.id);
        let sealed = given.len();
        if sealed < named {
            (self.tell)(&SetNote::Fewer { threshold: self.threshold()?, sealed, named });
        }
        if sealed == needed && needed > 1 {
            (self.tell)(&SetNote::NoneToSpare { sealed });
        }
        Ok(given)
    }

    /// Returns the key of a sealed image, put together from as many shares as it takes.
    ///
    /// # Errors
    /// [`KgcSetError`]; the capsules cannot be read, or the wallet cannot sign.
    pub async fn release(
        &self,
        asking: Asking<'_>,
        signer: &(impl Signer + Sync),
        header: &PublicHeader,
        capsules: &[u8],
    ) -> Result<ImageKey, KgcSetError> {
        let parsed = Capsules::decode(capsules)?;
        let (context, commitment) = (header.context(), header.key_commitment);
        let mut ids: Vec<B256> = parsed.kgcs().map(|(id, _)| id).collect();
        ids.sort_unstable();
        ids.dedup();
        let (needed, whole) = match parsed.shares() {
            Some(set) => (usize::from(set.threshold()), &ids[..]),
            None => (1, &[][..]),
        };
        let encoded = header.encode();
        let round = Round { members: &self.members, asking, whole, only: Some(&ids), needed, more: false };
        let judge = |center: &K, secret: &[u8; 32]| {
            let bytes = Zeroizing::new(secret.to_vec());
            let Some(set) = parsed.shares() else {
                check_commitment(&ImageKey::from_bytes(*secret), &context, &commitment)
                    .map_err(KgcError::ShareWrong)?;
                return Ok(Share { index: 0, bytes });
            };
            let index = index_of(&parsed, center.identity().id);
            let share = Share { index, bytes };
            set.check_share(&context.image_id, &share).map_err(KgcError::ShareWrong)?;
            Ok(share)
        };
        let gathered = round
            .run::<KeyRequest, _>(
                signer,
                |center, request, (header, capsules)| {
                    Box::pin(async move { center.release(&request, header, capsules).await })
                },
                (&encoded, capsules),
                judge,
            )
            .await?;
        let shares: Vec<Share> = self.enough(gathered, needed, ids)?;
        let Some(set) = parsed.shares() else {
            let key = Zeroizing::new(<[u8; 32]>::try_from(&shares[0].bytes[..]).expect("32 bytes were judged"));
            return Ok(ImageKey::from_bytes(*key));
        };
        match combine_shares(set, &shares[..needed], &context, &commitment) {
            Err(CapsuleError::WrongKey) => Err(KgcSetError::SenderAtFault),
            combined => Ok(combined?),
        }
    }

    /// What was given, if enough was; says what came of the others.
    fn enough<T>(&self, gathered: Gathered<T>, needed: usize, set: Vec<B256>) -> Result<Vec<T>, KgcSetError> {
        let Gathered { given, mut outcomes } = gathered;
        let answered = given.len();
        if answered >= needed {
            for outcome in outcomes.iter().filter(|outcome| !matches!(outcome.how, How::Answered)) {
                (self.tell)(&SetNote::Member(outcome));
            }
            return Ok(given);
        }
        for id in &set {
            if outcomes.iter().all(|outcome| outcome.id != Some(*id)) {
                outcomes.push(KgcOutcome { id: Some(*id), place: None, how: How::NoAddress });
            }
        }
        let number = if set.is_empty() { self.members.len() } else { set.len() };
        Err(KgcSetError::TooFew { needed, number, answered, members: outcomes })
    }
}

/// The number of a KGC's share; 0, which no share has, where it holds none.
fn index_of(capsules: &Capsules, kgc: B256) -> u8 {
    let of = |holder: &Holder| match *holder {
        Holder::Share { id, index, .. } if id == kgc => Some(index),
        _ => None,
    };
    capsules.stanzas().iter().find_map(|stanza| of(&stanza.holder)).unwrap_or(0)
}
