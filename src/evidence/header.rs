//! A block's header in RLP: its hash, and the fields that proofs begin with. They are in the same
//! places since the first block of Ethereum; forks add fields at the end, which are hashed and
//! otherwise ignored.

use super::EvidenceError;
use alloy::primitives::{B256, keccak256};
use alloy::rlp::{self, Decodable};

/// The fields that are read of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) hash: B256,
    pub(super) parent: B256,
    pub(super) state_root: B256,
    pub(super) receipts_root: B256,
    pub(super) number: u64,
    pub(super) time: u64,
}

impl Header {
    /// Reads a header from RLP.
    ///
    /// # Errors
    /// `Header`.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let hash = keccak256(bytes);
        Self::fields(bytes, hash).map_err(|error| EvidenceError::Header { block: hash, reason: error.to_string() })
    }

    fn fields(mut bytes: &[u8], hash: B256) -> rlp::Result<Self> {
        let mut list = rlp::Header::decode_bytes(&mut bytes, true)?;
        if !bytes.is_empty() {
            return Err(rlp::Error::UnexpectedLength);
        }
        let list = &mut list;
        let parent = B256::decode(list)?;
        skip(list, 2)?;
        let state_root = B256::decode(list)?;
        skip(list, 1)?;
        let receipts_root = B256::decode(list)?;
        skip(list, 2)?;
        let number = u64::decode(list)?;
        skip(list, 2)?;
        let time = u64::decode(list)?;
        Ok(Self { hash, parent, state_root, receipts_root, number, time })
    }
}

fn skip(list: &mut &[u8], fields: usize) -> rlp::Result<()> {
    for _ in 0..fields {
        rlp::Header::decode_bytes(list, false)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_client_library() {
        let known = alloy::consensus::Header {
            parent_hash: B256::repeat_byte(1),
            state_root: B256::repeat_byte(2),
            receipts_root: B256::repeat_byte(3),
            number: 0x1234,
            timestamp: 1_800_000_000,
            base_fee_per_gas: Some(7),
            withdrawals_root: Some(B256::repeat_byte(4)),
            requests_hash: Some(B256::repeat_byte(5)),
            ..Default::default()
        };
        let bytes = rlp::encode(&known);
        let read = Header::read(&bytes).expect("a header");
        let expected = (known.hash_slow(), known.parent_hash, known.state_root, known.receipts_root);
        assert_eq!((read.hash, read.parent, read.state_root, read.receipts_root), expected);
        assert_eq!((read.number, read.time), (known.number, known.timestamp));
        for bad in [&bytes[..bytes.len() - 1], &bytes[1..], &[], &[0x80], &[0xc0], &[bytes.as_slice(), &[0]].concat()] {
            assert!(matches!(Header::read(bad), Err(EvidenceError::Header { .. })), "{bad:?}");
        }
    }
}
