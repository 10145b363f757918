//! Cipher suite 1: confusion, substitution, diffusion (`FORMAT.md`, section 6).

mod key;
mod subkeys;

pub use key::ImageKey;
pub use subkeys::{Subkeys, key_commitment};
pub(crate) use subkeys::{hkdf_sha256, length_prefixed};
