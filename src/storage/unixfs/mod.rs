//! Files as blocks, profile `unixfs-v1-2025`: chunks of 1 MiB as raw leaves under balanced dag-pb
//! indices of 1024 links.

use rust_unixfs::file::adder::{BalancedCollector, Chunker, FileAdder, parse_file_branch};

use sha2::{Digest, Sha256};

use super::{Cid, Codec, Digested, Length, MAX_OBJECT_BYTES, Observed, StoreError};

/// Bytes of a leaf, all but the last.
const CHUNK_BYTES: usize = 1 << 20;
/// Links of an index, at most.
const LINKS: usize = 1024;

/// Largest block that is accepted: no node exchanges larger ones.
pub(super) const MAX_BLOCK_BYTES: u64 = 2 << 20;
/// Most indices above a leaf; 1024 links make two enough for 1 TiB.
const MAX_DEPTH: usize = 4;
/// Most blocks of one file, repeated ones counted; 4 GiB in chunks of 1 MiB have 4101.
const MAX_BLOCKS: u64 = 8192;

/// Returns the blocks of the file `bytes`, each once or oftener, the root last.
///
/// A file of at most 1 MiB, the empty one included, is a single raw block.
pub fn blocks(bytes: &[u8]) -> Vec<(Cid, Vec<u8>)> {
    let mut blocks = Vec::new();
    each_block(bytes, |cid, block| {
        blocks.push((cid, block));
        Ok::<(), std::convert::Infallible>(())
    })
    .unwrap_or_else(|never| match never {});
    blocks
}

impl Cid {
    /// Returns the address of `bytes` as a file, in profile `unixfs-v1-2025` (CIDv1, SHA-256, raw
    /// leaves, chunks of 1 MiB, 1024 links): what `ipfs add` of Kubo answers with these settings.
    ///
    /// Up to 1 MiB, none included, the file is one raw block and the digest is the SHA-256 of
    /// `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        each_block(bytes, |_, _| Ok::<(), std::convert::Infallible>(())).unwrap_or_else(|never| match never {})
    }
}

/// Hands each block of the file `bytes` to `take`, the root last, and returns the root's CID.
pub(super) fn each_block<E>(bytes: &[u8], mut take: impl FnMut(Cid, Vec<u8>) -> Result<(), E>) -> Result<Cid, E> {
    let mut adder = FileAdder::builder()
        .with_cid_version(::cid::Version::V1)
        .with_raw_leaves(true)
        .with_chunker(Chunker::Size(CHUNK_BYTES))
        .with_collector(BalancedCollector::with_branching_factor(LINKS))
        .build();
    let mut last = None;
    let mut each = |cid: ::cid::Cid, block| {
        let cid = Cid::narrow(&cid).expect("the adder is set to version 1, sha2-256, raw leaves");
        last = Some(cid);
        take(cid, block)
    };
    let mut rest = bytes;
    while !rest.is_empty() {
        let (blocks, taken) = adder.push(rest);
        for (cid, block) in blocks {
            each(cid, block)?;
        }
        rest = &rest[taken..];
    }
    for (cid, block) in adder.finish() {
        each(cid, block)?;
    }
    Ok(last.expect("every file has a block, the empty one too"))
}

/// What is done with a block that does not match its CID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnAltered {
    /// The walk ends with [`StoreError::BlockAltered`].
    Refuse,
    /// The block's bytes are used as they are. Its links, if it claims to have any, prove nothing
    /// and are not followed.
    Keep,
}

/// Limits of one walk; a file outside them is refused, so that every walk ends.
#[derive(Debug, Clone, Copy)]
struct WalkLimits {
    bytes: u64,
    blocks: u64,
    depth: usize,
}

/// Puts a file together from its blocks, without touching file or network itself: ask
/// [`BlockWalk::wanted`], fetch that block by whatever means, hand it to [`BlockWalk::accept`],
/// until nothing is wanted.
#[derive(Debug)]
pub(super) struct BlockWalk {
    root: Cid,
    on_altered: OnAltered,
    /// What becomes of the bytes.
    sink: Sink,
    limits: WalkLimits,
    length: Length,
    /// Blocks to come, the next one last, with the number of indices above each.
    pending: Vec<(Cid, usize)>,
    blocks: u64,
    bytes: u64,
    /// What was put together so far, and the first block that did not match its CID.
    observed: Observed,
    /// What came of the block that is wanted.
    block: Vec<u8>,
    /// Whether that block is longer than any of ours: it is not the one that was wanted, and is not
    /// held here.
    oversized: bool,
}

/// What becomes of the bytes of a file.
#[derive(Debug)]
enum Sink {
    /// They are kept.
    Keep,
    /// They are only looked at.
    Drop,
    /// They are hashed, and read no further than the first byte too many.
    Hash(Sha256),
}

/// A block that a walk wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WantedBlock {
    /// Its address.
    pub(super) cid: Cid,
    /// Bytes of it that are worth reading; one more than may be accepted, so that an excess is
    /// seen.
    pub(super) read_at_most: u64,
}

impl BlockWalk {
    /// Returns a walk that ends with an error at the first block that does not match its CID.
    pub(super) fn checked(root: Cid) -> Self {
        Self::new(root, OnAltered::Refuse)
    }

    /// Returns a checked walk that keeps no bytes: for looking whether everything is there.
    pub(super) fn looking(root: Cid) -> Self {
        Self { sink: Sink::Drop, ..Self::checked(root) }
    }

    /// Returns a walk that takes altered blocks as they are, hashes all of it and holds none. It
    /// ends at the first byte after `most`.
    pub(super) fn digesting(root: Cid, most: u64) -> Self {
        let sink = Sink::Hash(Sha256::new());
        Self { sink, ..Self::observed(root) }.of_length(Length::AtMost(most))
    }

    /// The same walk, which refuses an object of another length.
    #[must_use]
    pub(super) fn of_length(mut self, length: Length) -> Self {
        let (Length::AtMost(most) | Length::Exactly(most)) = length;
        self.limits.bytes = most.min(MAX_OBJECT_BYTES);
        self.length = length;
        self
    }

    /// Returns a walk that takes altered blocks as they are, and remembers the first.
    pub(super) fn observed(root: Cid) -> Self {
        Self::new(root, OnAltered::Keep)
    }

    fn new(root: Cid, on_altered: OnAltered) -> Self {
        let limits = WalkLimits { bytes: MAX_OBJECT_BYTES, blocks: MAX_BLOCKS, depth: MAX_DEPTH };
        let observed = Observed { bytes: Vec::new(), altered: None };
        let (sink, length) = (Sink::Keep, Length::AtMost(MAX_OBJECT_BYTES));
        let pending = vec![(root, 0)];
        let (blocks, bytes, block, oversized) = (0, 0, Vec::new(), false);
        Self { root, on_altered, sink, limits, length, pending, blocks, bytes, observed, block, oversized }
    }

    /// The next block to fetch; `None` when the file is whole.
    pub(super) fn wanted(&self) -> Option<WantedBlock> {
        let (cid, _) = *self.pending.last()?;
        let read_at_most = match self.on_altered {
            OnAltered::Refuse => MAX_BLOCK_BYTES,
            OnAltered::Keep => self.limits.bytes.saturating_sub(self.bytes).max(MAX_BLOCK_BYTES),
        } + 1;
        Some(WantedBlock { cid, read_at_most })
    }

    /// Takes the next bytes of the block that is wanted; false once no more of it is.
    pub(super) fn part(&mut self, bytes: &[u8]) -> bool {
        if !self.oversized {
            self.block.extend_from_slice(bytes);
            if self.block.len() as u64 <= MAX_BLOCK_BYTES || !matches!(self.sink, Sink::Hash(_)) {
                return true;
            }
            self.oversized = true;
            if let Some((cid, _)) = self.pending.pop() {
                self.observed.altered.get_or_insert(cid);
            }
            self.blocks += 1;
            let block = std::mem::take(&mut self.block);
            self.hash(&block);
        } else {
            self.hash(bytes);
        }
        self.bytes <= self.limits.bytes
    }

    /// Takes the block whose parts were handed in.
    ///
    /// # Errors
    /// As [`Self::accept`].
    pub(super) fn end_of_block(&mut self) -> Result<(), StoreError> {
        let block = std::mem::take(&mut self.block);
        if std::mem::take(&mut self.oversized) { Ok(()) } else { self.accept(&block) }
    }

    /// Takes the block that was wanted.
    ///
    /// # Errors
    /// [`StoreError::BlockAltered`] (a checked walk alone), [`StoreError::NotAFile`],
    /// [`StoreError::Limit`].
    pub(super) fn accept(&mut self, block: &[u8]) -> Result<(), StoreError> {
        let Some((cid, depth)) = self.pending.pop() else { return Ok(()) };
        self.blocks += 1;
        if self.blocks > self.limits.blocks {
            return Err(self.limit("blocks", self.limits.blocks));
        }
        if Cid::of_block(cid.codec(), block) != cid {
            return match self.on_altered {
                OnAltered::Refuse => Err(StoreError::BlockAltered { cid: self.root, block: cid }),
                OnAltered::Keep => {
                    self.observed.altered.get_or_insert(cid);
                    self.append(block)
                }
            };
        }
        if block.len() as u64 > MAX_BLOCK_BYTES {
            return Err(self.limit("bytes in a block", MAX_BLOCK_BYTES));
        }
        match cid.codec() {
            Codec::Raw => self.append(block),
            Codec::DagPb => self.descend(cid, depth, block),
        }
    }

    /// The file, once nothing is wanted any more; a checked walk that got there has met no altered
    /// block.
    pub(super) fn into_observed(self) -> Observed {
        self.observed
    }

    /// The hash of a walk that was [`Self::digesting`].
    ///
    /// # Errors
    /// [`StoreError::Limit`] for more bytes than any object has.
    pub(super) fn into_digested(self) -> Result<Digested, StoreError> {
        let cut = self.bytes > self.limits.bytes;
        if cut && self.length != Length::AtMost(self.limits.bytes) {
            return Err(self.limit("bytes", self.limits.bytes));
        }
        let hash = match self.sink {
            Sink::Hash(hash) => hash,
            Sink::Keep | Sink::Drop => Sha256::new_with_prefix(&self.observed.bytes),
        };
        Ok(Digested { sha256: hash.finalize().into(), bytes: self.bytes, altered: self.observed.altered })
    }

    /// The first block so far that did not match its CID.
    pub(super) fn altered(&self) -> Option<Cid> {
        self.observed.altered
    }

    fn append(&mut self, block: &[u8]) -> Result<(), StoreError> {
        if matches!(self.sink, Sink::Hash(_)) {
            self.hash(block);
            return Ok(());
        }
        self.bytes += block.len() as u64;
        if self.bytes > self.limits.bytes {
            return Err(match self.length {
                Length::Exactly(expected) if expected <= self.limits.bytes => {
                    StoreError::Size { cid: self.root, expected, found: self.bytes }
                }
                _ => self.limit("bytes", self.limits.bytes),
            });
        }
        if matches!(self.sink, Sink::Keep) {
            self.observed.bytes.extend_from_slice(block);
        }
        Ok(())
    }

    /// Hashes bytes of the file up to the first one too many, after which nothing is wanted.
    fn hash(&mut self, bytes: &[u8]) {
        let Sink::Hash(hash) = &mut self.sink else { return };
        let room = (self.limits.bytes + 1).saturating_sub(self.bytes);
        let bytes = &bytes[..bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
        hash.update(bytes);
        self.bytes += bytes.len() as u64;
        if self.bytes > self.limits.bytes {
            self.pending.clear();
        }
    }

    fn descend(&mut self, cid: Cid, depth: usize, block: &[u8]) -> Result<(), StoreError> {
        let not_a_file = || StoreError::NotAFile { cid: self.root, block: cid };
        if depth >= self.limits.depth {
            return Err(self.limit("levels", self.limits.depth as u64));
        }
        let index = Some(block).filter(|block| framed(block)).and_then(parse_file_branch).ok_or_else(not_a_file)?;
        if index.links.len() > LINKS {
            return Err(self.limit("links in a block", LINKS as u64));
        }
        let links = index.links.iter().map(|link| Cid::narrow(&link.cid)).collect::<Result<Vec<_>, _>>();
        let links = links.map_err(|_| not_a_file())?;
        self.pending.extend(links.into_iter().rev().map(|link| (link, depth + 1)));
        Ok(())
    }

    fn limit(&self, what: &'static str, limit: u64) -> StoreError {
        StoreError::Limit { cid: self.root, what, limit }
    }
}

/// Says whether every length in an index stays inside what contains it, and whether only fields of
/// a file's index occur.
///
/// The protobuf reader below `parse_file_branch` (quick-protobuf 0.8.1) counts below zero on a
/// nested length that reaches too far, and panics. It is given nothing that does.
fn framed(block: &[u8]) -> bool {
    fields(block, |tag, content| match tag {
        0x12 => fields(content, |tag, _| matches!(tag, 0x0a | 0x12 | 0x18)), // a link: hash, name, size
        0x0a => fields(content, |tag, _| matches!(tag, 0x08 | 0x18 | 0x20)), // UnixFS: type, file size, block sizes
        _ => false,
    })
}

/// Hands tag and content of each protobuf field to `check`; false if it says so, or the fields do
/// not fill `message` exactly.
fn fields(mut message: &[u8], check: impl Fn(u8, &[u8]) -> bool) -> bool {
    while let Some((&tag, rest)) = message.split_first() {
        let Some((number, rest)) = varint(rest) else { return false };
        let length = match tag & 7 {
            0 => 0,
            2 => usize::try_from(number).unwrap_or(usize::MAX),
            _ => return false,
        };
        let Some((content, rest)) = rest.split_at_checked(length) else { return false };
        if tag > 0x7f || !check(tag, content) {
            return false;
        }
        message = rest;
    }
    true
}

/// Returns the number of at most 63 bits that `bytes` begin with, and the rest.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let last = bytes.iter().take(9).position(|byte| byte & 0x80 == 0)?;
    let (digits, rest) = bytes.split_at(last + 1);
    Some((digits.iter().rev().fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f)), rest))
}

#[cfg(test)]
mod tests;
