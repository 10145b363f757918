//! The check of evidence: from the file and a trusted block hash to what they prove. Pure: no
//! network, no clock.

use super::EvidenceError;
use super::file::{Entry, Evidence, SCHEMA, Slot};
use super::header::Header;
use super::history::{HistoryBuilder, ImageHistory};
use super::linked::LinkedHeaders;
use crate::audit::Storage;
use crate::contract::Artifact;
use crate::contract::bindings::IImageRegistry::{IImageRegistryEvents, RegisteredInBatch};
use crate::contract::decode_data;
use crate::contract::{Trail, kind_and_fields, prove_account, prove_slot};
use crate::envelope::signing_domain;
use alloy::primitives::{B256, U256, keccak256};
use alloy::sol_types::SolEvent;
use alloy_trie::TrieAccount;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Events between two reports of progress.
const PACE: usize = 4096;

/// What evidence proves, if the hash of its block is the chain's.
#[derive(Debug, Clone)]
pub struct CheckedEvidence {
    /// Number of the last block that it covers.
    pub block: u64,
    /// Hash of that block, which is trusted.
    pub hash: B256,
    /// Time of that block, unix seconds.
    pub time: u64,
    /// keccak256 of the contract's code.
    pub code_hash: B256,
    /// The image's history.
    pub history: ImageHistory,
    /// Number of numbered events of the registry up to the block.
    pub seq: u64,
    /// How many of them are in the file, the image's own included.
    pub followed: usize,
    /// Number of receipts that were proven in their blocks.
    pub receipts: usize,
    /// Number and hash of the blocks of these receipts.
    pub blocks: Vec<(u64, B256)>,
    /// Whether a chain of headers links these blocks to the block.
    pub linked: bool,
}

/// Checks everything in `evidence` against the hash of a block, and returns what it proves.
/// `progress` is called with the events checked so far, and how many there are.
///
/// # Errors
/// [`EvidenceError`], which names the part that is not as it must be.
pub fn check(
    evidence: &Evidence,
    trusted: B256,
    mut progress: impl FnMut(usize, usize),
) -> Result<CheckedEvidence, EvidenceError> {
    if evidence.schema != SCHEMA {
        return Err(EvidenceError::Schema { expected: SCHEMA, found: evidence.schema.clone() });
    }
    let header = trusted_header(evidence, trusted)?;
    let code_hash = check_account(evidence, &header)?;
    check_code(evidence, code_hash)?;
    check_slots(evidence)?;
    let mut links = LinkedHeaders::new(evidence, &header)?;

    let names = names();
    let mut builder = HistoryBuilder::new(evidence);
    let mut trail = Trail::from(evidence.before);
    let own = evidence.events.iter().filter(|entry| matches!(entry, Entry::Own(_))).count();
    for (done, entry) in evidence.events.iter().enumerate() {
        if done % PACE == 0 {
            progress(done, evidence.events.len());
        }
        let seq = trail.seq() + 1;
        trail = match entry {
            Entry::Other(name, block, time, fields) => {
                let unknown = || EvidenceError::Event {
                    seq,
                    reason: format!("the registry has no event \"{}\"", name.escape_debug()),
                };
                trail.then(*names.get(name.as_str()).ok_or_else(unknown)?, *fields, *block, *time)
            }
            Entry::Own(own) => {
                let (event, log) = decode_data(&own.topics, &own.data)
                    .map_err(|error| EvidenceError::Event { seq, reason: error.to_string() })?;
                let (kind, fields) = kind_and_fields(&event);
                let next = trail.then(kind, fields, own.block, own.time);
                let found = Trail::of(&event).map_or(B256::ZERO, |trail| trail.word());
                if found != next.word() {
                    return Err(EvidenceError::Altered { seq, expected: next.word(), found });
                }
                let item = builder.take(&event, own)?;
                links.take(own, seq, &log, item.as_ref())?;
                next
            }
        };
    }
    let proven = B256::from(evidence.slots.trail.value);
    if trail.word() != proven {
        return Err(EvidenceError::OtherTrail { expected: proven, found: trail.word() });
    }
    let history = builder.end()?;
    let (receipts, blocks) = links.end(own)?;
    progress(evidence.events.len(), evidence.events.len());
    Ok(CheckedEvidence {
        block: header.number,
        hash: header.hash,
        time: header.time,
        code_hash,
        history,
        seq: trail.seq(),
        followed: evidence.events.len(),
        receipts,
        blocks,
        linked: evidence.blocks.linked && receipts > 0,
    })
}

/// The header in the file, which must hash to `trusted`.
fn trusted_header(evidence: &Evidence, trusted: B256) -> Result<Header, EvidenceError> {
    let header = Header::read(&evidence.header).map_err(|error| match keccak256(&evidence.header) {
        found if found != trusted => EvidenceError::OtherBlock { expected: trusted, found },
        _ => error,
    })?;
    if header.hash != trusted {
        return Err(EvidenceError::OtherBlock { expected: trusted, found: header.hash });
    }
    Ok(header)
}

/// Checks the registry's account under the state root; returns the hash of its code.
fn check_account(evidence: &Evidence, header: &Header) -> Result<B256, EvidenceError> {
    let (found, registry) = (&evidence.account, evidence.registry);
    let account = TrieAccount {
        nonce: found.nonce,
        balance: found.balance,
        storage_root: found.storage_root,
        code_hash: found.code_hash,
    };
    prove_account(header.state_root, registry, account, &found.proof)
        .map_err(|reason| EvidenceError::Account { registry, reason })?;
    Ok(found.code_hash)
}

/// Checks that the code in the file is the account's, and this program's own build with the
/// immutables that the constructor writes for this chain and address.
fn check_code(evidence: &Evidence, code_hash: B256) -> Result<(), EvidenceError> {
    let (code, found) = (&evidence.account.code, keccak256(&evidence.account.code));
    if found != code_hash {
        return Err(EvidenceError::OtherCode { expected: code_hash, found });
    }
    let unknown = |reason| EvidenceError::UnknownCode { code_hash, reason };
    static BUILD: LazyLock<Option<Artifact>> = LazyLock::new(|| Artifact::embedded().ok());
    let artifact = BUILD.as_ref().ok_or_else(|| unknown("this program's own build cannot be read"))?;
    if !artifact.is_code(code) {
        return Err(unknown("it is another build"));
    }
    let mut written: Vec<B256> = artifact.written(code).into_iter().map(B256::from_slice).collect();
    let domain = signing_domain(evidence.chain_id, evidence.registry);
    let short = |text: &str| {
        let mut word = [0; 32];
        word[..text.len()].copy_from_slice(text.as_bytes());
        word[31] = u8::try_from(text.len()).expect("a short text");
        B256::from(word)
    };
    let mut expected = vec![
        domain.separator(),
        B256::from(U256::from(evidence.chain_id)),
        evidence.registry.into_word(),
        keccak256("MedSeal"),
        keccak256("1"),
        short("MedSeal"),
        short("1"),
    ];
    written.sort_unstable();
    expected.sort_unstable();
    if written == expected { Ok(()) } else { Err(unknown("its EIP-712 domain is not that of this chain and address")) }
}

/// Checks each slot's proof under the account's storage root, at the key that belongs to the image.
fn check_slots(evidence: &Evidence) -> Result<(), EvidenceError> {
    let places = Storage::default().of_image(evidence.image_id).map(|(place, _)| place);
    let places = std::iter::once(B256::ZERO).chain(places);
    for (place, (slot, Slot { value, proof })) in places.zip(evidence.slots.named()) {
        let proven = prove_slot(evidence.account.storage_root, place, *value, proof);
        proven.map_err(|reason| EvidenceError::Slot { slot, reason })?;
    }
    Ok(())
}

/// Topic 0 of every numbered event by its name.
fn names() -> BTreeMap<&'static str, B256> {
    let numbered = IImageRegistryEvents::SELECTORS.iter().filter(|kind| **kind != RegisteredInBatch::SIGNATURE_HASH);
    numbered.map(|kind| (name_of(B256::from(*kind)), B256::from(*kind))).collect()
}

/// What the file holds of an event of another image: its name, and the keccak256 of its fields.
pub fn outline(event: &IImageRegistryEvents) -> (&'static str, B256) {
    let (kind, fields) = kind_and_fields(event);
    (name_of(kind), fields)
}

/// The name of an event by its topic 0.
fn name_of(kind: B256) -> &'static str {
    let signature = IImageRegistryEvents::signature_by_selector(kind.0).unwrap_or_default();
    signature.split('(').next().unwrap_or_default()
}
