//! IPFS nodes as a store: real ones, and one that lies (`liar.rs`).

mod full;
mod liar;
mod lies;
pub(crate) mod node;
mod one;
mod several;

use sha2::{Digest, Sha256};

pub(super) const MIB: usize = 1 << 20;

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Byte i is (31 i + 7) mod 251: no two chunks are alike.
fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|i| u8::try_from((31 * i + 7) % 251).expect("below 251")).collect()
}
