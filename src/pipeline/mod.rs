//! Sealing, opening and verifying: the only place where all parts meet.
//!
//! ```text
//! seal    file -> prepare -> partial -> fold, Tout -> Ke -> sealed image, capsules -> store -> read back -> register
//! open    record -> sealed image by CID, checked -> signed request -> key -> frames -> file
//! verify  record -> bytes as the store holds them -> SHA-256 -> the contract's judgement -> log
//! ```

mod error;
mod job;
mod make;
mod open;
mod prepare;
mod release;
mod seal;
mod submit;
mod verify;

pub use error::PipelineError;
pub use job::{Job, Jobs, Registered};
pub use open::{OpenedImage, Reader, Stored, fetch, lookup};
pub use prepare::{Prepared, image_of, prepare, rebuild};
pub use release::RegistryView;
pub use seal::{Mode, Sealed, Sender, Source, Stage, Timings};
pub use submit::submit_once;
pub use verify::{Observation, Recorded, Verdict, observe, record_verification};
