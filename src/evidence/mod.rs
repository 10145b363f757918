//! Evidence: one file that proves an image's record, its verifications and its flags years later,
//! without a node.
//!
//! [`check()`] trusts the hash of one block, that the registry's address is the right one, and
//! keccak256, SHA-256 and ECDSA. How each part is bound to them:
//!
//! - The block's header hashes to the trusted hash. Under its state root stands the registry's
//!   account: code, and root of the storage. The code is in the file, and is the build that this
//!   program knows, written for this chain and address.
//! - Under the storage root are slot 0 (the audit trail's word), the two slots of the image's
//!   record, its flag, and its capsules.
//! - The file begins with the trail's word before the first event that concerns the registration,
//!   and holds every numbered event after it: the image's own whole, of all others name, block,
//!   time and the hash of their fields, which is what the trail takes in (so that nothing is
//!   disclosed of other images). They lead to the proven word: kind, content, order, block number
//!   and time of each are the contract's. No header chain is needed for that, and no earlier block
//!   is trusted.
//! - No event of the image is left out: verifications, flags and versions of the capsules are
//!   numbered, and the proven slots hold the last number of each and the state that the events
//!   give. Grants and revocations are not part of the evidence.
//! - An item of a batch has no number: the batch's event covers the hashes of its items, image id
//!   and sender follow from it.
//! - Signatures are checked again; that of a contract wallet was checked by the registry when it
//!   was used, and is reported so.
//! - In addition, receipts: each of the image's events is in a receipt under the receipts root of a
//!   header with that number and time. These headers are bound to the trusted block where all up to
//!   it are in the file (`linked`); else they are only stated, and whoever knows their hashes from
//!   elsewhere has a second proof.

mod check;
mod collect;
mod error;
mod file;
mod header;
mod history;
mod linked;
mod receipts;
mod sealed;
mod signatures;

pub use check::{CheckedEvidence, check, outline};
pub use collect::{CollectOptions, collect};
pub use error::{CollectError, EvidenceError};
pub use file::{
    Account, BatchItem, BlockHeaders, Entry, Evidence, MOST_BYTES, OwnEvent, ReceiptProof, SCHEMA, Slot, Slots,
};
pub use history::{ImageHistory, ProvenFlag, ProvenVerification};
pub use sealed::check_sealed;
pub use signatures::SignedBy;
