//! A DICOM file, split into what is encrypted slice by slice and what is not, and put together
//! again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use medseal::imaging::{Limits, decode};

fuzz_target!(|bytes: &[u8]| {
    // The preamble is the same in every file.
    let mut file = vec![0; 128];
    file.extend_from_slice(b"DICM");
    file.extend_from_slice(bytes);
    let _ = decode(&file, &Limits::default());
});
