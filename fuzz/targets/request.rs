//! Typed data that somebody signed, as a relayer is given it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use medseal::contract::Request;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let Ok((request, domain)) = Request::of_typed_data(&value) else { return };
    let _ = (request.signer(), request.deadline(), request.nonce(), request.function_name());
    // What is understood is understood again.
    let (again, _) = Request::of_typed_data(&request.typed_data(&domain)).expect("its own typed data");
    assert_eq!(again.digest(&domain), request.digest(&domain));
});
