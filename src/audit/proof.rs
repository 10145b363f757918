//! Proves the audit trail's word in a block: the header hashes to the block's hash, and a Merkle
//! proof leads from its state root to the contract's account and from there to storage slot 0.

use super::AuditError;
use crate::chain::ChainError;
use crate::chain::Registry;
use crate::chain::Rpc;
use crate::contract::{Trail, prove_slots};
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::B256;
use alloy::rpc::types::{EIP1186AccountProofResponse, Header};
use std::time::Duration;

/// How often a node that is a little behind is asked for a block, and the pause between.
const ASKED: u32 = 5;
const PAUSE: Duration = Duration::from_millis(400);

/// What a block's header proves of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenBlock {
    /// The block.
    pub block: u64,
    /// Its hash.
    pub hash: B256,
    /// Its parent's.
    pub parent: B256,
    /// Its time, unix seconds.
    pub time: u64,
    /// The audit trail's word, from storage slot 0.
    pub trail: Trail,
    /// Root of the contract's storage.
    pub storage_root: B256,
    /// The nodes that have this block, the first one included.
    pub witnesses: Vec<String>,
    /// The nodes that did not answer, and why.
    pub silent: Vec<String>,
}

/// Checks that the header hashes to the hash that the node gives for it.
pub(super) fn check_hash(header: &Header) -> Result<(), AuditError> {
    let found = header.inner.hash_slow();
    if found == header.hash {
        return Ok(());
    }
    let reason = format!("it hashes to {found}, the node says {}", header.hash);
    Err(AuditError::Unproven { block: header.number, what: "the header", reason })
}

/// Proves the contract's word and storage root in the block of `header`, and asks the other nodes
/// for the same block.
///
/// # Errors
/// [`AuditError::Unproven`], [`AuditError::OtherCode`], [`AuditError::OtherBlock`], or the node
/// does not answer.
pub async fn prove(registry: &Registry, header: &Header) -> Result<ProvenBlock, AuditError> {
    check_hash(header)?;
    let (block, address) = (header.number, registry.address());
    let answer = registry.rpc().proof(address, vec![B256::ZERO], header.hash).await?;
    let trail = check(&answer, header, registry)?;
    let (witnesses, silent) = ask_others(registry.rpc(), header).await?;
    Ok(ProvenBlock {
        block,
        hash: header.hash,
        parent: header.parent_hash,
        time: header.timestamp,
        trail,
        storage_root: answer.storage_hash,
        witnesses,
        silent,
    })
}

/// Checks account and slot 0 against the header's state root, and returns the trail's word.
fn check(answer: &EIP1186AccountProofResponse, header: &Header, registry: &Registry) -> Result<Trail, AuditError> {
    let (block, expected, found) = (header.number, registry.code_hash(), answer.code_hash);
    // The account with the code that it says, so that another code is told from another account.
    let contract = (registry.address(), found);
    let words = prove_slots(header.state_root, contract, &[B256::ZERO], answer)
        .map_err(|reason| AuditError::Unproven { block, what: "the contract", reason })?;
    if found != expected {
        return Err(AuditError::OtherCode { block, expected, found });
    }
    Ok(Trail::from(B256::from(words[0])))
}

/// Asks every node for the block of this number. Returns those that have the same one, and those
/// that did not answer.
async fn ask_others(rpc: &Rpc, header: &Header) -> Result<(Vec<String>, Vec<String>), AuditError> {
    let (mut witnesses, mut silent) = (Vec::new(), Vec::new());
    for node in rpc.each() {
        match block_of(&node, header.number).await {
            Ok(found) if found == header.hash => witnesses.push(node.endpoint().to_owned()),
            Ok(found) => {
                let (block, endpoint) = (header.number, node.endpoint().to_owned());
                return Err(AuditError::OtherBlock { block, expected: header.hash, found, endpoint });
            }
            Err(error) => silent.push(format!("{}: {error}", node.endpoint())),
        }
    }
    Ok((witnesses, silent))
}

/// The hash of a block as one node has it, by its own header.
async fn block_of(node: &Rpc, number: u64) -> Result<B256, ChainError> {
    let mut asked = 0;
    loop {
        asked += 1;
        match node.block(BlockNumberOrTag::Number(number)).await {
            Ok(block) => return Ok(block.header.inner.hash_slow()),
            Err(ChainError::BadAnswer { .. }) if asked < ASKED => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::U256;

    #[test]
    fn a_header_that_was_touched_does_not_hash_to_its_name() {
        let mut header = Header::new(alloy::consensus::Header { number: 7, timestamp: 9, ..Default::default() });
        check_hash(&header).expect("untouched");
        header.inner.state_root = B256::repeat_byte(1);
        let error = check_hash(&header).expect_err("touched");
        assert!(matches!(error, AuditError::Unproven { block: 7, what: "the header", .. }), "{error}");
        assert_eq!(Trail::from(B256::from(U256::from(5) << 208)).seq(), 5);
    }
}
