//! The integration tests, in one binary: `cargo test --test it -- vectors`, `interop`, `statistics`, `formats`.

mod common;
mod interop;
mod statistics;
mod vectors;
