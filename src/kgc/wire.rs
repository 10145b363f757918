//! What goes over the network between a KGC and its clients: JSON, one type for each body. The same
//! types make the OpenAPI document.
//!
//! Bytes are 0x-hex, but for header and capsules, which are base64. Unknown fields are refused.

use alloy::primitives::{Address, B256, Bytes};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::names::BootId;
use super::receipt::{KeyReceipt, SignedReceipt};
use super::requests::{KgcRequest, SignedRequest, Terms};
use crate::envelope::capsules::{SEALED_BYTES, SealedSecret};

/// Most bytes of a sealed image's head that a KGC reads: 24,000 frames.
pub const HEADER_BYTES: usize = 192 * 1024;
/// Most bytes of key capsules that a KGC reads.
pub const CAPSULES_BYTES: usize = 128 * 1024;
/// Most bytes of the body of an issue.
pub const ISSUE_BODY_BYTES: usize = 16 * 1024;
/// Most bytes of the body of a release: header and capsules in base64, and the request.
pub const RELEASE_BODY_BYTES: usize = 512 * 1024;
/// Most challenges that are given at once.
pub const CHALLENGES: u8 = 16;

/// What a KGC says of itself. A client takes its keys from the chain, not from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KgcInfo {
    /// Its id on chain.
    #[schema(value_type = String)]
    pub kgc_id: B256,
    /// Epoch of the key to which new images are sealed.
    pub epoch: u32,
    /// That key, X25519.
    #[schema(value_type = String)]
    pub x25519: B256,
    /// Who signs its receipts.
    #[schema(value_type = String)]
    pub receipt_signer: Address,
    /// Id of the chain that it asks.
    pub chain_id: u64,
    /// The `ImageRegistry` on it.
    #[schema(value_type = String)]
    pub registry: Address,
    /// Name on chain of this instance's log.
    #[schema(value_type = String)]
    pub log_id: B256,
    /// Name of this run: challenges of another are answered with 421.
    #[schema(value_type = String)]
    pub boot: BootId,
    /// Version of the program.
    pub version: String,
    /// What it believes of the chain, in words.
    pub believes: String,
}

/// Fresh challenges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChallengesBody {
    /// 32 bytes each; one is used once by a wallet.
    #[schema(value_type = Vec<String>)]
    pub challenges: Vec<B256>,
    /// How long they may be used, in seconds.
    pub seconds: u64,
    /// Name of the run that gave them.
    #[schema(value_type = String)]
    pub boot: BootId,
}

/// A signed request for a partial (FORMAT.md, section 8: `IssueRequest`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IssueBody {
    /// What was signed.
    pub request: RequestBody,
    /// The wallet's signature: 65 bytes, or what its contract takes.
    #[schema(value_type = String)]
    pub signature: Bytes,
    /// Ids of the KGCs that are asked, ascending.
    #[schema(value_type = Vec<String>)]
    pub kgcs: Vec<B256>,
    /// keccak256 of the challenge of each of them, in the same order.
    #[schema(value_type = Vec<String>)]
    pub challenge_hashes: Vec<B256>,
    /// The challenge that this KGC gave.
    #[schema(value_type = String)]
    pub challenge: B256,
}

/// A signed request for an image's key (FORMAT.md, section 8: `KeyRequest`), and what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleaseBody {
    /// What was signed.
    pub request: RequestBody,
    /// The wallet's signature: 65 bytes, or what its contract takes.
    #[schema(value_type = String)]
    pub signature: Bytes,
    /// Ids of the KGCs that are asked, ascending.
    #[schema(value_type = Vec<String>)]
    pub kgcs: Vec<B256>,
    /// keccak256 of the challenge of each of them, in the same order.
    #[schema(value_type = Vec<String>)]
    pub challenge_hashes: Vec<B256>,
    /// The challenge that this KGC gave.
    #[schema(value_type = String)]
    pub challenge: B256,
    /// The sealed image's bytes `0 .. 14+H`, base64.
    pub header: String,
    /// Its key capsules, base64.
    pub capsules: String,
}

/// The fields of both requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestBody {
    /// Wallet that asks and signs: `sender` of an issue, `requester` of a release.
    #[schema(value_type = String)]
    pub wallet: Address,
    /// keccak256(abi.encode(ids of the KGCs, ascending)).
    #[schema(value_type = String)]
    pub kgc_set_hash: B256,
    /// Image that it is about.
    #[schema(value_type = String)]
    pub image_id: B256,
    /// Fresh X25519 key to which the answer is sealed.
    #[schema(value_type = String)]
    pub recipient_public_key: B256,
    /// keccak256(abi.encode(keccak256 of each challenge)).
    #[schema(value_type = String)]
    pub challenges_hash: B256,
    /// Unix seconds.
    pub issued_at: u64,
    /// Last second in which it may be used, unix seconds; at most 300 after `issuedAt`.
    pub deadline: u64,
}

/// An answer: a partial, or a key, that the request's key opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnswerBody {
    /// HPKE, 80 bytes: encapsulated key (32), ciphertext (48); `info` is the request's digest.
    #[schema(value_type = String)]
    pub answer: Bytes,
    /// What proves that it was given.
    pub receipt: ReceiptBody,
}

/// A receipt (FORMAT.md, section 8: `KeyReceipt`) with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceiptBody {
    /// EIP-712 digest of the request.
    #[schema(value_type = String)]
    pub request_digest: B256,
    /// Image that it was about.
    #[schema(value_type = String)]
    pub image_id: B256,
    /// Wallet that signed it.
    #[schema(value_type = String)]
    pub wallet: Address,
    /// 1 issued, 2 released, 3 refused.
    pub decision: u8,
    /// Why it was refused; empty where it was not.
    pub reason: String,
    /// Block by which it was decided; 0 where the chain gave none.
    pub block_number: u64,
    /// Hash of that block.
    #[schema(value_type = String)]
    pub block_hash: B256,
    /// When, unix seconds.
    pub time: u64,
    /// The KGC.
    #[schema(value_type = String)]
    pub kgc_id: B256,
    /// Its log.
    #[schema(value_type = String)]
    pub log_id: B256,
    /// Position of the line in the log, from 1.
    pub log_seq: u64,
    /// Head of the log after that line.
    #[schema(value_type = String)]
    pub log_head: B256,
    /// keccak256 of the sealed answer; 0 for a refusal.
    #[schema(value_type = String)]
    pub answer_hash: B256,
    /// Of the KGC's receipt signer: 65 bytes.
    #[schema(value_type = String)]
    pub signature: Bytes,
}

/// Problem details (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProblemBody {
    /// `/problems/` and the reason's name.
    #[serde(rename = "type")]
    pub kind: String,
    /// The reason in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What exactly.
    pub detail: String,
    /// Name of this answer in the KGC's logs.
    pub request_id: String,
    /// After how many seconds it may be asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_secs: Option<u64>,
    /// The KGC's receipt for the refusal, if it logged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptBody>,
}

/// Where the names of problems begin.
pub const PROBLEMS: &str = "/problems/";

impl RequestBody {
    fn of(terms: &Terms) -> Self {
        Self {
            wallet: terms.wallet,
            kgc_set_hash: terms.kgc_set_hash,
            image_id: terms.image_id,
            recipient_public_key: terms.recipient_public_key,
            challenges_hash: terms.challenges_hash,
            issued_at: terms.issued_at,
            deadline: terms.deadline,
        }
    }

    fn terms(&self) -> Terms {
        Terms {
            wallet: self.wallet,
            kgc_set_hash: self.kgc_set_hash,
            image_id: self.image_id,
            recipient_public_key: self.recipient_public_key,
            challenges_hash: self.challenges_hash,
            issued_at: self.issued_at,
            deadline: self.deadline,
        }
    }
}

impl IssueBody {
    /// The body of this request.
    pub fn of<R: KgcRequest>(signed: &SignedRequest<R>) -> Self {
        Self {
            request: RequestBody::of(&signed.request.terms()),
            signature: signed.signature.clone().into(),
            kgcs: signed.kgcs.clone(),
            challenge_hashes: signed.challenge_hashes.clone(),
            challenge: signed.challenge,
        }
    }

    /// The request in the body.
    pub fn signed<R: KgcRequest>(self) -> SignedRequest<R> {
        SignedRequest {
            request: R::from_terms(self.request.terms()),
            signature: self.signature.to_vec(),
            kgcs: self.kgcs,
            challenge_hashes: self.challenge_hashes,
            challenge: self.challenge,
        }
    }
}

impl ReleaseBody {
    /// The body of this request for the key of the image with this header and these capsules.
    pub fn of<R: KgcRequest>(signed: &SignedRequest<R>, header: &[u8], capsules: &[u8]) -> Self {
        let IssueBody { request, signature, kgcs, challenge_hashes, challenge } = IssueBody::of(signed);
        let (header, capsules) = (STANDARD.encode(header), STANDARD.encode(capsules));
        Self { request, signature, kgcs, challenge_hashes, challenge, header, capsules }
    }

    /// Request, header and capsules; `None` where the latter are not base64.
    pub fn parts<R: KgcRequest>(self) -> Option<(SignedRequest<R>, Vec<u8>, Vec<u8>)> {
        let Self { request, signature, kgcs, challenge_hashes, challenge, header, capsules } = self;
        let (header, capsules) = (STANDARD.decode(header).ok()?, STANDARD.decode(capsules).ok()?);
        Some((IssueBody { request, signature, kgcs, challenge_hashes, challenge }.signed(), header, capsules))
    }
}

impl AnswerBody {
    /// The 80 bytes; `None` where there are not as many.
    pub fn sealed(&self) -> Option<SealedSecret> {
        <[u8; SEALED_BYTES]>::try_from(&self.answer[..]).ok()
    }
}

impl From<&SignedReceipt> for ReceiptBody {
    fn from(SignedReceipt { receipt, signature }: &SignedReceipt) -> Self {
        Self {
            request_digest: receipt.requestDigest,
            image_id: receipt.imageId,
            wallet: receipt.wallet,
            decision: receipt.decision,
            reason: receipt.reason.clone(),
            block_number: receipt.blockNumber,
            block_hash: receipt.blockHash,
            time: receipt.time,
            kgc_id: receipt.kgcId,
            log_id: receipt.logId,
            log_seq: receipt.logSeq,
            log_head: receipt.logHead,
            answer_hash: receipt.answerHash,
            signature: signature.clone(),
        }
    }
}

impl From<ReceiptBody> for SignedReceipt {
    fn from(body: ReceiptBody) -> Self {
        let receipt = KeyReceipt {
            requestDigest: body.request_digest,
            imageId: body.image_id,
            wallet: body.wallet,
            decision: body.decision,
            reason: body.reason,
            blockNumber: body.block_number,
            blockHash: body.block_hash,
            time: body.time,
            kgcId: body.kgc_id,
            logId: body.log_id,
            logSeq: body.log_seq,
            logHead: body.log_head,
            answerHash: body.answer_hash,
        };
        Self { receipt, signature: body.signature }
    }
}
