//! How random the keys of a set of images are: raw bits of the transformer and derived keys,
//! compared with random bits (`medseal keygen-report`). A random bit is called a fair coin here.

mod change;
mod changes;
mod draws;
mod figure;
mod phantoms;
mod report;
mod subject;

pub use change::{Change, ChangedSamples, SampleKind};
pub use changes::ChangedFolds;
pub use draws::Draws;
pub use figure::key_figure;
pub use phantoms::small_phantom;
pub use report::{KeyReport, KeySection, KeySurvey};
pub use subject::Subject;
