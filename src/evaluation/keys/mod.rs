//! What the keys of a set of images are worth: raw bits of the transformer and derived keys, against fair coins (`medseal keygen-report`).

mod change;
mod changes;
mod draws;
mod figure;
mod phantoms;
mod report;
mod subject;

pub use change::{Change, ChangedSamples, SampleKind};
pub use changes::Neighbours;
pub use draws::Draws;
pub use figure::key_figure;
pub use phantoms::small_phantom;
pub use report::{KeyReport, KeySection, KeySurvey};
pub use subject::Subject;
