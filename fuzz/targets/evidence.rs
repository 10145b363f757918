//! A file of evidence, whose header is the one that is trusted: whoever makes up the file may also
//! have named the hash.
#![no_main]

use libfuzzer_sys::fuzz_target;
use medseal::evidence::{Evidence, check};

fuzz_target!(|bytes: &[u8]| {
    let Ok(evidence) = Evidence::decode(bytes) else { return };
    let trusted = alloy::primitives::keccak256(&evidence.header);
    let _ = check(&evidence, trusted, |_, _| {});
});
