//! Bytes into the store: nothing is registered that was not read back and hashed.

use super::PipelineError;
use crate::storage::{Cid, Length, Store};
use alloy::primitives::B256;
use sha2::{Digest, Sha256};

/// Puts `bytes` into the store, and reads them back from it by their CID and their SHA-256.
///
/// # Errors
/// [`PipelineError::StoredElsewhere`] if the store gives another CID; [`PipelineError::Store`].
pub(super) async fn put_and_read_back(
    store: &impl Store,
    bytes: &[u8],
    expected: Cid,
    hash: B256,
) -> Result<(), PipelineError> {
    let found = store.put(bytes).await?;
    if found != expected {
        return Err(PipelineError::StoredElsewhere { expected, found });
    }
    store.get_of_length(&expected, &hash.0, Length::Exactly(bytes.len() as u64)).await?;
    Ok(())
}

/// SHA-256, as the chain records it.
pub(super) fn sha256(bytes: &[u8]) -> B256 {
    B256::from_slice(&Sha256::digest(bytes))
}
