//! Wallet-signed requests to a KGC (`FORMAT.md`, section 8): made, signed, checked.

use alloy::dyn_abi::Eip712Domain;
use alloy::primitives::{Address, B256, keccak256};
use alloy::signers::Signer;
use alloy::sol;
use alloy::sol_types::{SolStruct, SolValue};

use crate::envelope::capsules::X25519Public;
use crate::envelope::signing_domain;

use super::KeyRequestError;
use crate::contract::check_signature;

/// Longest life of a request in seconds: `deadline <= issuedAt + 300`.
pub const REQUEST_SECS: u64 = 300;
/// How far ahead of the KGC's time `issuedAt` may be, in seconds: wallets' clocks differ. The
/// deadline has no such tolerance.
pub const CLOCK_TOLERANCE_SECS: u64 = 30;
/// Most KGCs that one request may name.
pub const MAX_KGCS: usize = 16;

sol! {
    /// Asks for the partial of an image that is to be sealed. Signed by the sender.
    #[derive(Debug, PartialEq, Eq)]
    struct IssueRequest {
        /// Wallet that seals, and that signs this.
        address sender;
        /// keccak256(abi.encode(ids of the KGCs, ascending)).
        bytes32 kgcSetHash;
        /// Image that is to be sealed.
        bytes32 imageId;
        /// Fresh X25519 key to which the answers are sealed.
        bytes32 recipientPublicKey;
        /// keccak256(abi.encode(keccak256 of each challenge, in the order of the KGCs)).
        bytes32 challengesHash;
        /// Unix seconds.
        uint64 issuedAt;
        /// Last second in which it may be used, unix seconds.
        uint64 deadline;
    }

    /// Asks for the key of a sealed image. Signed by a wallet that is authorised on chain.
    #[derive(Debug, PartialEq, Eq)]
    struct KeyRequest {
        /// Wallet that is to be given the key, and that signs this.
        address requester;
        /// keccak256(abi.encode(ids of the KGCs, ascending)).
        bytes32 kgcSetHash;
        /// Image whose key is asked for.
        bytes32 imageId;
        /// Fresh X25519 key to which the answers are sealed.
        bytes32 recipientPublicKey;
        /// keccak256(abi.encode(keccak256 of each challenge, in the order of the KGCs)).
        bytes32 challengesHash;
        /// Unix seconds.
        uint64 issuedAt;
        /// Last second in which it may be used, unix seconds.
        uint64 deadline;
    }
}

/// The chain and registry that requests are bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home {
    /// Id of the chain.
    pub chain_id: u64,
    /// Address of the `ImageRegistry` on it.
    pub registry: Address,
}

impl std::fmt::Display for Home {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "registry {} on chain {}", self.registry, self.chain_id)
    }
}

impl Home {
    /// The EIP-712 domain: `MedSeal`, version `1`, this chain, this registry.
    pub fn domain(&self) -> Eip712Domain {
        signing_domain(self.chain_id, self.registry)
    }
}

/// The fields that both requests have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Wallet that asks and signs.
    pub wallet: Address,
    /// [`kgc_set_hash`] of the KGCs that are asked.
    pub kgc_set_hash: B256,
    /// Image that it is about.
    pub image_id: B256,
    /// X25519 key to which the answers are sealed.
    pub recipient_public_key: B256,
    /// [`challenges_hash`] over the KGCs' challenges.
    pub challenges_hash: B256,
    /// Unix seconds.
    pub issued_at: u64,
    /// Last second in which it may be used, unix seconds.
    pub deadline: u64,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// A partial.
    Issue,
    /// A key.
    Release,
}

/// One of the two requests.
pub trait KgcRequest: SolStruct + Send + Sync {
    /// What it asks for.
    const KIND: RequestKind;

    /// Returns the request with these terms.
    fn from_terms(terms: Terms) -> Self;

    /// The request's fields.
    fn terms(&self) -> Terms;
}

macro_rules! kgc_request {
    ($request:ident, $wallet:ident, $kind:ident) => {
        impl KgcRequest for $request {
            const KIND: RequestKind = RequestKind::$kind;

            fn from_terms(terms: Terms) -> Self {
                Self {
                    $wallet: terms.wallet,
                    kgcSetHash: terms.kgc_set_hash,
                    imageId: terms.image_id,
                    recipientPublicKey: terms.recipient_public_key,
                    challengesHash: terms.challenges_hash,
                    issuedAt: terms.issued_at,
                    deadline: terms.deadline,
                }
            }

            fn terms(&self) -> Terms {
                Terms {
                    wallet: self.$wallet,
                    kgc_set_hash: self.kgcSetHash,
                    image_id: self.imageId,
                    recipient_public_key: self.recipientPublicKey,
                    challenges_hash: self.challengesHash,
                    issued_at: self.issuedAt,
                    deadline: self.deadline,
                }
            }
        }
    };
}

kgc_request!(IssueRequest, sender, Issue);
kgc_request!(KeyRequest, requester, Release);

/// A request to one KGC, its signature, and what its two hashes are made of. One signature serves
/// all KGCs that it names; each is sent its own challenge and the hashes of the others', so that
/// none can use up another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest<R> {
    /// What is signed.
    pub request: R,
    /// The wallet's EIP-712 signature: r, s, and 27 or 28; what a contract wallet takes instead.
    pub signature: Vec<u8>,
    /// Ids of the KGCs that are asked, ascending.
    pub kgcs: Vec<B256>,
    /// keccak256 of the challenge of each of them, in the same order.
    pub challenge_hashes: Vec<B256>,
    /// The challenge of the KGC that this is sent to.
    pub challenge: B256,
}

/// A request to one or several KGCs, before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedRequest {
    /// Image that it is about.
    pub image_id: B256,
    /// Id and fresh challenge of each KGC, in any order.
    pub challenges: Vec<(B256, B256)>,
    /// Fresh X25519 key to which the answers are sealed.
    pub recipient: X25519Public,
    /// Unix seconds.
    pub issued_at: u64,
    /// Last second in which it may be used, unix seconds; at most [`REQUEST_SECS`] after
    /// `issued_at`.
    pub deadline: u64,
}

impl UnsignedRequest {
    /// Returns the request signed by `signer`'s wallet: one for each KGC, in ascending order of id,
    /// all with the same signature.
    ///
    /// # Errors
    /// [`KeyRequestError::Signer`].
    pub async fn sign<R: KgcRequest + Clone>(
        &self,
        home: &Home,
        signer: &(impl Signer + Sync),
    ) -> Result<Vec<SignedRequest<R>>, KeyRequestError> {
        let mut pairs = self.challenges.clone();
        pairs.sort_unstable();
        let (kgcs, challenges): (Vec<B256>, Vec<B256>) = pairs.into_iter().unzip();
        let challenge_hashes: Vec<B256> = challenges.iter().map(keccak256).collect();
        let request = R::from_terms(Terms {
            wallet: signer.address(),
            kgc_set_hash: kgc_set_hash(&kgcs),
            image_id: self.image_id,
            recipient_public_key: self.recipient.as_bytes().into(),
            challenges_hash: challenges_hash(&challenge_hashes),
            issued_at: self.issued_at,
            deadline: self.deadline,
        });
        let digest = request.eip712_signing_hash(&home.domain());
        let signature = signer.sign_hash(&digest).await.map_err(KeyRequestError::Signer)?.as_bytes().to_vec();
        let to = |challenge| SignedRequest {
            request: request.clone(),
            signature: signature.clone(),
            kgcs: kgcs.clone(),
            challenge_hashes: challenge_hashes.clone(),
            challenge,
        };
        Ok(challenges.into_iter().map(to).collect())
    }
}

/// The parts of a valid request that a KGC goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckedRequest {
    /// The request's EIP-712 digest, to which the answer is bound.
    pub digest: B256,
    /// The key to which the answer is sealed.
    pub recipient: X25519Public,
    /// This KGC's own challenge.
    pub challenge: B256,
}

impl<R: KgcRequest> SignedRequest<R> {
    /// The request's EIP-712 digest.
    pub fn digest(&self, home: &Home) -> B256 {
        self.request.eip712_signing_hash(&home.domain())
    }

    /// Checks everything that needs neither clock nor chain: the set and its challenges, the
    /// recipient's key.
    ///
    /// # Errors
    /// `SetSize`, `SetOrder`, `SetHash`, `NotInSet`, `ChallengesHash`, `Challenge`, `RecipientKey`.
    pub fn check(&self, home: &Home, kgc: B256) -> Result<CheckedRequest, KeyRequestError> {
        let terms = self.request.terms();
        self.check_set(&terms, kgc)?;
        let recipient =
            X25519Public::from_bytes(terms.recipient_public_key.0).map_err(KeyRequestError::RecipientKey)?;
        Ok(CheckedRequest { digest: self.digest(home), recipient, challenge: self.challenge })
    }

    /// Checks that a plain wallet signed.
    ///
    /// # Errors
    /// `Signature`.
    pub fn check_signature(&self, checked: &CheckedRequest) -> Result<(), KeyRequestError> {
        let wallet = self.request.terms().wallet;
        check_signature(&self.signature, &checked.digest, wallet)
            .map_err(|source| KeyRequestError::Signature { wallet, source })
    }

    fn check_set(&self, terms: &Terms, kgc: B256) -> Result<(), KeyRequestError> {
        let (kgcs, challenges) = (self.kgcs.len(), self.challenge_hashes.len());
        if !(1..=MAX_KGCS).contains(&kgcs) || kgcs != challenges {
            return Err(KeyRequestError::SetSize { limit: MAX_KGCS, kgcs, challenges });
        }
        if !self.kgcs.is_sorted_by(|left, right| left < right) {
            return Err(KeyRequestError::SetOrder);
        }
        let (expected, found) = (kgc_set_hash(&self.kgcs), terms.kgc_set_hash);
        if expected != found {
            return Err(KeyRequestError::SetHash { expected, found });
        }
        let own = self.kgcs.iter().position(|id| *id == kgc).ok_or(KeyRequestError::NotInSet { id: kgc })?;
        let (expected, found) = (challenges_hash(&self.challenge_hashes), terms.challenges_hash);
        if expected != found {
            return Err(KeyRequestError::ChallengesHash { expected, found });
        }
        let (expected, found) = (self.challenge_hashes[own], keccak256(self.challenge));
        if expected == found { Ok(()) } else { Err(KeyRequestError::Challenge { expected, found }) }
    }
}

impl Terms {
    /// Checks that the request may be used at `now`, unix seconds: issued, not expired, not too
    /// long-lived. Both ends are inclusive.
    ///
    /// # Errors
    /// `Lifetime`, `IssuedInFuture`, `Expired`.
    pub fn check_times(&self, now: u64) -> Result<(), KeyRequestError> {
        let Self { issued_at, deadline, .. } = *self;
        if deadline.checked_sub(issued_at).is_none_or(|life| life > REQUEST_SECS) {
            return Err(KeyRequestError::Lifetime { limit: REQUEST_SECS, issued_at, deadline });
        }
        if issued_at > now.saturating_add(CLOCK_TOLERANCE_SECS) {
            return Err(KeyRequestError::IssuedInFuture { issued_at, now });
        }
        if now > deadline { Err(KeyRequestError::Expired { deadline, now }) } else { Ok(()) }
    }
}

/// Returns `keccak256(abi.encode(bytes32[] ids))`; the ids are ascending.
pub fn kgc_set_hash(ids: &[B256]) -> B256 {
    keccak256(ids.abi_encode())
}

/// Returns `keccak256(abi.encode(bytes32[] hashes))`, of the keccak256 of each challenge; they
/// stand in the order of the KGCs.
pub fn challenges_hash(hashes: &[B256]) -> B256 {
    keccak256(hashes.abi_encode())
}
