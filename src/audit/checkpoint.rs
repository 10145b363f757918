//! The checkpoint file: the state of the last audit, [`super::WINDOW_BLOCKS`] behind the newest
//! block, from which the next one continues. It is not trusted: the result is proven anew each
//! time, trail and storage.

use super::{Storage, Summary};
use crate::contract::Trail;
use crate::files::{Draft, Existing};
use alloy::primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, BufWriter, Error, ErrorKind, Read, Result, Write};
use std::path::Path;

/// Name and version of the file's format.
const FORM: &str = "medseal/audit-checkpoint/v1";

/// The state after the last event in or before a block.
#[derive(Debug, Clone)]
pub(super) struct Checkpoint {
    pub(super) about: CheckpointHeader,
    pub(super) storage: Storage,
}

/// The first line of the file: all of it but the storage slots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CheckpointHeader {
    form: String,
    chain_id: u64,
    registry: Address,
    /// The block.
    pub(super) block: u64,
    /// Its hash.
    pub(super) hash: B256,
    /// The trail's word after the block's last event.
    pub(super) trail: B256,
    /// Up to where the audit that wrote it was complete: block, hash, number of events.
    pub(super) complete: (u64, B256, u64),
    pub(super) summary: Summary,
    slots: usize,
}

impl CheckpointHeader {
    pub(super) fn new(
        (chain_id, registry): (u64, Address),
        (block, hash): (u64, B256),
        trail: Trail,
        complete: (u64, B256, u64),
        summary: Summary,
    ) -> Self {
        let form = FORM.to_owned();
        Self { form, chain_id, registry, block, hash, trail: trail.word(), complete, summary, slots: 0 }
    }
}

/// Writes a checkpoint to a temporary file; it gets its name once the audit has succeeded.
pub(super) fn draft(path: &Path, about: &CheckpointHeader, storage: &Storage) -> Result<Draft> {
    let draft = Draft::beside(path)?;
    let mut file = Hashed { to: BufWriter::new(draft.file()?), hash: Sha256::new() };
    let about = CheckpointHeader { slots: storage.len(), ..about.clone() };
    serde_json::to_writer(&mut file, &about)?;
    file.write_all(b"\n")?;
    for (place, value) in storage.slots() {
        file.write_all(place.as_slice())?;
        file.write_all(&value.to_be_bytes::<32>())?;
    }
    let hash = file.hash.finalize();
    file.to.write_all(&hash)?;
    file.to.flush()?;
    Ok(draft)
}

/// Renames the temporary file to `path`.
pub(super) fn keep(draft: Draft, path: &Path) -> Result<()> {
    draft.keep(path, Existing::Replace)
}

/// The checkpoint of this registry; none where there is no file.
///
/// # Errors
/// `InvalidData` for a file that is damaged or another registry's.
pub(super) fn load(path: &Path, home: (u64, Address)) -> Result<Option<Checkpoint>> {
    let bad = |what: &str| Error::new(ErrorKind::InvalidData, what.to_owned());
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut file = BufReader::new(file);
    let (mut line, mut hash) = (Vec::new(), Sha256::new());
    file.read_until(b'\n', &mut line)?;
    hash.update(&line);
    let about: CheckpointHeader = serde_json::from_slice(&line)?;
    if about.form != FORM || (about.chain_id, about.registry) != home {
        return Err(bad("it is the checkpoint of another registry"));
    }
    let (mut storage, mut slot) = (Storage::default(), [0; 64]);
    for _ in 0..about.slots {
        file.read_exact(&mut slot)?;
        hash.update(slot);
        storage.insert_hashed(B256::from_slice(&slot[..32]), U256::from_be_slice(&slot[32..]));
    }
    let mut expected = [0; 33];
    let end = file.read(&mut expected)?;
    if end != 32 || hash.finalize()[..] != expected[..32] {
        return Err(bad("its content does not match its hash"));
    }
    Ok(Some(Checkpoint { about, storage }))
}

struct Hashed<W> {
    to: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_and_a_damaged_one_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("checkpoint");
        let home = (31337, Address::repeat_byte(7));
        let (storage, trail) = (Storage::new(), Trail::start(31337, home.1));
        let about =
            CheckpointHeader::new(home, (5, B256::repeat_byte(5)), trail, (9, B256::ZERO, 3), Summary::default());
        assert!(load(&path, home).expect("nothing").is_none());
        keep(draft(&path, &about, &storage).expect("written"), &path).expect("kept");
        let found = load(&path, home).expect("read").expect("there");
        assert_eq!((found.about.block, found.about.complete.2, &found.storage), (5, 3, &storage));
        assert!(load(&path, (1, home.1)).is_err(), "another chain's");
        let good = std::fs::read(&path).expect("bytes");
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&path, bad).expect("written");
            assert!(load(&path, home).is_err(), "byte {at}");
        }
        std::fs::write(&path, &good[..good.len() - 1]).expect("written");
        assert!(load(&path, home).is_err(), "cut off");
    }
}
