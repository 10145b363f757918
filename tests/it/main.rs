//! Tests that need more than one part, or a real node; each starts its own.
#![allow(clippy::unwrap_used)]

mod chain;
mod cli;
