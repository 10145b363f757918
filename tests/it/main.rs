//! Tests that need more than one part, or a real node; each starts its own.
//! `cargo test --test it -- vectors` runs those of one file.
#![allow(clippy::unwrap_used)]

mod chain;
mod cids;
mod cli;
mod common;
mod differential;
mod formats;
mod geth;
mod interop;
mod kubo;
mod lies;
mod model_card;
mod statistics;
mod transformer;
mod vectors;
