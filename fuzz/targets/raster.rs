//! A PNG or TIFF file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use medseal::imaging::{Limits, decode};

fuzz_target!(|bytes: &[u8]| {
    let _ = decode(bytes, &Limits::default());
});
