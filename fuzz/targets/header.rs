//! The header of a block, in a file of evidence that is otherwise empty: as the trusted one, and as
//! one that links to it.
#![no_main]

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use libfuzzer_sys::fuzz_target;
use medseal::evidence::{Account, BlockHeaders, Evidence, SCHEMA, Slot, Slots, check};

fuzz_target!(|bytes: &[u8]| {
    let slot = || Slot { value: U256::ZERO, proof: vec![] };
    let account = Account {
        nonce: 1,
        balance: U256::ZERO,
        storage_root: B256::ZERO,
        code_hash: B256::ZERO,
        code: Bytes::new(),
        proof: vec![],
    };
    let header = Bytes::copy_from_slice(bytes);
    let evidence = Evidence {
        schema: SCHEMA.to_owned(),
        chain_id: 1,
        registry: Address::ZERO,
        image_id: B256::ZERO,
        header: header.clone(),
        account,
        slots: Slots {
            trail: slot(),
            content_hash: slot(),
            record: slot(),
            flag: slot(),
            capsules_hash: slot(),
            capsules_version: slot(),
        },
        before: B256::ZERO,
        events: vec![],
        blocks: BlockHeaders { linked: true, headers: vec![header] },
    };
    let _ = check(&evidence, keccak256(bytes), |_, _| {});
});
