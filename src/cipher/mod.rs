//! Cipher suite 1: confusion, substitution, diffusion (`FORMAT.md`, section 6).

mod key;

pub use key::ImageKey;
