//! `ImageRegistry` as data, mirroring `contracts/`: bindings, calls, signed requests, reverts,
//! events and the rule of the audit trail.
//!
//! Pure: no node, clock or file; bytes go in, typed values or typed errors come out.

mod artifact;
pub mod bindings;
mod calls;
mod events;
mod kind;
mod logged;
mod merkle;
mod request;
mod revert;
mod signature;
pub mod slots;
mod source;
mod trail;
pub mod typed_data;

pub use artifact::{Artifact, ArtifactError, ConstructorArguments, InitialRole};
pub use calls::{ABI_JSON, Call, CallError, Transaction};
pub use events::{
    EventError, EventPlace, OF_IMAGES, OF_RECORDS, RegistryEvent, decode, decode_data, flag_number, is_known, seq_parts,
};
pub use kind::ErrorKind;
pub use logged::{LoggedImage, RegistrationKind, shortened, spelled_out};
pub use merkle::{prove_account, prove_slot, prove_slots, verify_proof};
pub use request::{Request, RequestError, check_domain, check_length};
pub use revert::Revert;
pub use signature::{MAX_SIGNATURE_BYTES, SignatureFault, ask_wallet, check_signature, is_yes};
pub use source::{Build, CONTRACT, Deployed, Difference};
pub use trail::{AuditHead, Trail, foreign_part, item_hash, kind_and_fields};
