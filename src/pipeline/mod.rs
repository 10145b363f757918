//! Sealing, opening and verifying: the only place where all parts meet.
//!
//! ```text
//! seal    file -> prepare -> partial -> fold, Tout -> Ke -> sealed image, capsules -> store
//!              -> read back -> register: alone, in a batch or anchored
//! open    record -> sealed image by CID, checked -> signed request -> key -> frames -> file
//! verify  record -> bytes as the store holds them -> SHA-256 -> the contract's verdict -> log
//! ```
//!
//! Time, eq. (14), is measured by stage while an image is sealed: [`Timings`].

mod anchor;
mod anchored;
mod batch;
mod error;
mod history;
mod job;
mod kgc;
mod make;
mod open;
mod prepare;
mod proven;
mod put;
mod recapsule;
mod relay;
mod release;
mod rewrap;
mod run;
mod seal;
mod sealed;
mod signers;
mod submit;
mod verify;

pub use anchor::{Materialized, materialize};
pub use anchored::{AnchorSearch, AnchoredImage, AnchoredList, anchors, find_anchored};
pub use batch::MAX_BATCH;
pub use error::PipelineError;
pub use history::{History, history};
pub use job::{Anchored, Registered, SealingJob, SealingJobs};
pub use kgc::{
    LogToAnchor, NamedCall, Rotation, check_kgc_key, kgc_key_to_publish, log_to_anchor, next_rotation, published_keys,
};
pub use open::{CapsulesAt, OpenedImage, Reader, Stored, fetch, lookup, open_with_key};
pub use prepare::{Mode, Prepared, image_of, prepare, rebuild};
pub use proven::{AnyChainView, QuorumView};
pub use recapsule::{Recapsuled, current_capsules, earlier_capsules};
pub use relay::{Relayed, Relaying, relay};
pub use release::{RegistryView, home};
pub use rewrap::{OpenedAsKgc, RewrapStep, Rewrapper};
pub use run::{Finished, Grouping, Run, RunResult};
pub use seal::{Sender, Source};
pub use sealed::{Sealed, Stage, StoredFile, Timings, Unregistered};
pub use signers::{Parties, Printing, Signers};
pub use submit::{submit_once, submit_or_sign};
pub use verify::{Observation, Recorded, Verdict, observe, record_verification};
