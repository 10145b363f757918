//! What a result looks like to a program, the same for `--json` and over HTTP.

mod code;
mod problem;
#[cfg(test)]
mod tests;

pub use code::{Code, Meaning};
pub use problem::Problem;
