//! Receipts: what a KGC answered to a validly signed request, signed by the KGC (`FORMAT.md`,
//! section 8).
//!
//! A receipt says what was asked, by whom, how it was decided and why, by which block, where the
//! line stands in the KGC's log, and the hash of the answer. So a KGC cannot deny an answer, and a
//! log that lacks the line is found out.

use alloy::primitives::{Address, B256, Bytes, keccak256};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol;
use alloy::sol_types::SolStruct;

use super::SealedAnswer;
use super::error::ReceiptError;
use super::log::{Answered, LogHead};
use super::names::Decision;
use super::requests::Home;
use crate::contract::check_signature;

sol! {
    /// What a KGC answered. Signed by the receipt signer that stands on chain with its key.
    #[derive(Debug, PartialEq, Eq)]
    struct KeyReceipt {
        /// EIP-712 digest of the request.
        bytes32 requestDigest;
        /// Image that it was about.
        bytes32 imageId;
        /// Wallet that signed it.
        address wallet;
        /// 1 issued, 2 released, 3 refused.
        uint8 decision;
        /// Why it was refused; empty where it was not.
        string reason;
        /// Block by which it was decided; 0 where the chain gave none.
        uint64 blockNumber;
        /// Hash of that block; 0 where the chain gave none.
        bytes32 blockHash;
        /// When, unix seconds.
        uint64 time;
        /// The KGC.
        bytes32 kgcId;
        /// Its log.
        bytes32 logId;
        /// Position of the line in the log, from 1.
        uint64 logSeq;
        /// Head of the log after that line.
        bytes32 logHead;
        /// keccak256 of the sealed answer; 0 for a refusal.
        bytes32 answerHash;
    }
}

/// A receipt with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedReceipt {
    /// What is signed.
    pub receipt: KeyReceipt,
    /// r, s, and 27 or 28.
    pub signature: Bytes,
}

/// What a receipt is expected to be about.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// EIP-712 digest of the request.
    pub digest: B256,
    /// Image that it was about.
    pub image_id: B256,
    /// Wallet that signed it.
    pub wallet: Address,
    /// The KGC that was asked.
    pub kgc_id: B256,
}

impl SignedReceipt {
    /// The receipt of a line of the log, which stands `at` this place.
    pub(super) fn of(line: &Answered, home: &Home, log_id: B256, at: LogHead, signer: &PrivateKeySigner) -> Self {
        let receipt = KeyReceipt {
            requestDigest: line.request_digest,
            imageId: line.image_id,
            wallet: line.wallet,
            decision: line.decision.code(),
            reason: line.reason.clone(),
            blockNumber: line.block_number,
            blockHash: line.block_hash,
            time: line.at,
            kgcId: line.kgc_id,
            logId: log_id,
            logSeq: at.seq,
            logHead: at.head,
            answerHash: line.answer_hash,
        };
        let digest = receipt.eip712_signing_hash(&home.domain());
        let signature = signer.sign_hash_sync(&digest).expect("a key in memory signs").as_bytes();
        Self { receipt, signature: signature.to_vec().into() }
    }

    /// The receipt's EIP-712 digest.
    pub fn digest(&self, home: &Home) -> B256 {
        self.receipt.eip712_signing_hash(&home.domain())
    }

    /// Checks that the KGC with this receipt signer gave it for this request and this answer; no
    /// answer for a refusal.
    ///
    /// # Errors
    /// Each [`ReceiptError`].
    pub fn check(
        &self,
        home: &Home,
        signer: Address,
        asked: &Asked,
        answer: Option<&SealedAnswer>,
    ) -> Result<(), ReceiptError> {
        check_signature(&self.signature, &self.digest(home), signer)
            .map_err(|source| ReceiptError::Signature { signer, source })?;
        let receipt = &self.receipt;
        same("request", asked.digest, receipt.requestDigest)?;
        same("image", asked.image_id, receipt.imageId)?;
        same("wallet", asked.wallet, receipt.wallet)?;
        same("key center", asked.kgc_id, receipt.kgcId)?;
        same("answer", answer.map_or(B256::ZERO, SealedAnswer::hash), receipt.answerHash)?;
        let refused = Decision::of_code(receipt.decision) == Some(Decision::Refused);
        same("decision", answer.is_none().to_string(), refused.to_string())
    }
}

impl SealedAnswer {
    /// keccak256 of its bytes: what a receipt names.
    pub fn hash(&self) -> B256 {
        keccak256(self.0)
    }
}

fn same<T: PartialEq + std::fmt::Display>(what: &'static str, expected: T, found: T) -> Result<(), ReceiptError> {
    if expected == found {
        Ok(())
    } else {
        Err(ReceiptError::Other { what, expected: expected.to_string(), found: found.to_string() })
    }
}
