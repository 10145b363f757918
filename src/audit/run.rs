//! The audit: proves the trail's word in a block, reads the log up to it, and checks that the log
//! leads to that word.

use super::checkpoint::{self, CheckpointHeader};
use super::proof::{ProvenBlock, prove};
use super::read::{headers_to, log_ranges, logs_of};
use super::{AuditError, Follower, Storage, Summary};
use crate::chain::{BlockTimes, ChainError, LogRanges, Profile, Registry};
use crate::contract::{RegistryEvent, Trail, decode};
use crate::files::Draft;
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, B256};
use alloy::rpc::types::{Header, Log};
use std::path::PathBuf;

/// The newest blocks, which a reorganisation may replace: their logs are requested by block hash,
/// and read anew each time.
pub const WINDOW_BLOCKS: u64 = 64;

/// Options of an audit.
#[derive(Debug, Clone, Default)]
pub struct AuditOptions {
    /// The last block to audit; `None` is the newest one of a development chain, the newest final
    /// one of a network.
    pub block: Option<u64>,
    /// The last block to audit by its hash, from somebody who is trusted: then no node's word is
    /// taken for it.
    pub trusted: Option<B256>,
    /// The checkpoint's file; without one no checkpoint is read or written.
    pub checkpoint: Option<PathBuf>,
    /// Whether the whole log is read, even if there is a checkpoint.
    pub from_start: bool,
}

/// An event whose word follows from all events before it.
#[derive(Debug)]
pub struct AuditedEvent<'a> {
    /// The event.
    pub event: &'a RegistryEvent,
    /// Time of its block, unix seconds.
    pub time: u64,
    /// The contract's storage after it.
    pub storage: &'a Storage,
    /// Whether the audit that wrote the checkpoint did not cover it.
    pub is_new: bool,
}

/// Progress of an audit.
#[derive(Debug)]
pub enum AuditProgress<'a> {
    /// Blocks read so far, and blocks to read.
    Blocks(u64, u64),
    /// The next event.
    Event(AuditedEvent<'a>),
    /// The checkpoint cannot be used, so everything is read anew; says why.
    NoCheckpoint(String),
    /// The checkpoint cannot be written, so the next audit reads everything anew; says why.
    NotKept(std::io::Error),
}

/// Whose word it is that the block, from which all else is proven, is the chain's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestsOn {
    /// Whoever named the block's hash.
    TrustedHash,
    /// Several nodes, which have the same block.
    Nodes,
    /// One node: it may serve a chain of its own making.
    OneNode,
}

/// The result of an audit: the log is complete and unaltered.
#[derive(Debug, Clone)]
pub struct AuditReport {
    /// Whose word the last block is.
    pub rests_on: RestsOn,
    /// The last block, and what its header proves.
    pub proven: ProvenBlock,
    /// Number of numbered events.
    pub seq: u64,
    /// Events that were read now, items of batches included; the checkpoint covers the others.
    pub read: u64,
    /// Number of the block after which events were read.
    pub after_block: u64,
    /// The last block of the audit that wrote the checkpoint, its hash, and whether the chain has
    /// replaced it since.
    pub before: Option<(u64, B256, bool)>,
    /// Totals of all events.
    pub summary: Summary,
    /// Number of storage slots that are not zero, computed from the events.
    pub slots: usize,
    /// Whether the contract's whole storage was proven to be what the events give. `false` only on
    /// anvil, whose storage roots do not follow Ethereum's rules.
    pub storage_proven: bool,
}

/// The state computed from the events taken so far.
#[derive(Debug, Clone)]
pub struct AuditState {
    follower: Follower,
    storage: Storage,
    summary: Summary,
}

impl AuditState {
    /// The state before a registry's first event.
    pub fn new(chain_id: u64, registry: Address) -> Self {
        let follower = Follower::new(chain_id, registry);
        Self { follower, storage: Storage::new(), summary: Summary::default() }
    }

    /// Takes the next event, which a block of this time holds.
    ///
    /// # Errors
    /// As [`Follower::take`].
    pub fn take(&mut self, event: &RegistryEvent, time: u64) -> Result<(), AuditError> {
        self.follower.take(event, time)?;
        self.storage.apply(&event.event, event.place.block_number, time);
        self.summary.add(&event.event, time);
        Ok(())
    }

    /// The word after the last event.
    pub fn trail(&self) -> Trail {
        self.follower.trail()
    }

    /// The contract's storage.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Totals of the events.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Checks that the log ends with the proven word, and that its events give the proven storage
    /// root.
    ///
    /// # Errors
    /// [`AuditError::Incomplete`], [`AuditError::OtherHead`], [`AuditError::OtherStorage`].
    pub fn check(&self, proven: &ProvenBlock) -> Result<(), AuditError> {
        self.follower.check_end(proven.block, proven.trail.into())?;
        let found = self.storage.root(self.trail());
        match proven.storage_root {
            expected if expected == found => Ok(()),
            expected => Err(AuditError::OtherStorage { expected, found }),
        }
    }
}

/// Reads the registry's log up to a block, proves from the block's header what the contract holds
/// there, and returns its report if the log is complete and unaltered. Trusts the node for nothing
/// but the block's hash.
///
/// # Errors
/// [`AuditError`], which names the first event that is missing or altered.
pub async fn audit(
    registry: &Registry,
    options: &AuditOptions,
    mut observe: impl FnMut(AuditProgress<'_>) -> Result<(), AuditError>,
) -> Result<AuditReport, AuditError> {
    let target = match options.trusted {
        Some(hash) => trusted_target(registry, hash).await?,
        None => target(registry, options.block).await?,
    };
    // Before anything else: nodes keep what proofs are made of for the newest blocks alone.
    let proven = prove(registry, &target).await?;
    let answered = registry.audit_in(target.hash).await?;
    if answered != proven.trail.into() {
        let reason = format!(
            "the contract answers that there are {} events, the last with head {}, and holds {} and {}",
            answered.seq,
            answered.head,
            proven.trail.seq(),
            proven.trail.head()
        );
        return Err(AuditError::Unproven { block: proven.block, what: "the audit head", reason });
    }
    let mut run = AuditRun::begin(registry, options, proven, &mut observe).await?;
    let found = run.read(&target, &mut observe).await;
    match found {
        Ok(draft) => {
            if let (Some(draft), Some(path)) = (draft, &options.checkpoint) {
                checkpoint::keep(draft, path).or_else(|why| observe(AuditProgress::NotKept(why)))?;
            }
            Ok(run.done())
        }
        Err(error @ (AuditError::Chain(_) | AuditError::Unlisted(_))) => Err(error),
        Err(error) => {
            // A log that was read while the chain changed says nothing about the node.
            let now = registry.rpc().block(BlockNumberOrTag::Number(target.number)).await;
            match now {
                Ok(block) if block.header.hash != target.hash => {
                    Err(AuditError::Moved { block: target.number, expected: target.hash })
                }
                _ => Err(error),
            }
        }
    }
}

/// The header of the last block to audit.
pub async fn target(registry: &Registry, block: Option<u64>) -> Result<Header, AuditError> {
    let newest = registry.newest().await?;
    let first = registry.first_block();
    if newest.number < first || block.is_some_and(|block| block < first || block > newest.number) {
        return Err(AuditError::NoBlock { block: block.unwrap_or(newest.number), first, newest: newest.number });
    }
    match (block, registry.profile()) {
        (Some(block), _) => Ok(registry.rpc().block(BlockNumberOrTag::Number(block)).await?.header),
        (None, Profile::Development) => Ok(newest),
        (None, Profile::Network { .. }) => match registry.rpc().settled(BlockNumberOrTag::Finalized).await? {
            Some(settled) if settled.number >= first => {
                registry.check_reach(&settled)?;
                Ok(settled)
            }
            // The chain is too young to have a final block: take the newest.
            _ => Ok(newest),
        },
    }
}

/// The header of the block with this hash.
async fn trusted_target(registry: &Registry, hash: B256) -> Result<Header, AuditError> {
    let Some(header) = registry.rpc().block_of_hash(hash).await? else {
        return Err(AuditError::UnknownBlock { hash });
    };
    match registry.first_block() {
        first if header.number < first => Err(AuditError::NoBlock { block: header.number, first, newest: first }),
        _ => Ok(header),
    }
}

struct AuditRun<'a> {
    registry: &'a Registry,
    options: &'a AuditOptions,
    proven: ProvenBlock,
    state: AuditState,
    /// Number of the last block that was read.
    at: u64,
    after_block: u64,
    before: Option<(u64, B256, u64)>,
    replaced: bool,
    read: u64,
    storage_proven: bool,
    /// The time of the last log whose node did not say it.
    times: BlockTimes,
}

impl<'a> AuditRun<'a> {
    async fn begin(
        registry: &'a Registry,
        options: &'a AuditOptions,
        proven: ProvenBlock,
        observe: &mut impl FnMut(AuditProgress<'_>) -> Result<(), AuditError>,
    ) -> Result<Self, AuditError> {
        let start = AuditState::new(registry.chain_id(), registry.address());
        let at = registry.first_block().saturating_sub(1);
        let mut run = Self {
            registry,
            options,
            proven,
            state: start,
            at,
            after_block: at,
            before: None,
            replaced: false,
            read: 0,
            storage_proven: true,
            times: BlockTimes::default(),
        };
        let Some(path) = &options.checkpoint else { return Ok(run) };
        let found = match checkpoint::load(path, (registry.chain_id(), registry.address())) {
            Ok(found) => found,
            Err(error) => {
                observe(AuditProgress::NoCheckpoint(format!("{}: {error}", path.display())))?;
                None
            }
        };
        let Some(found) = found else { return Ok(run) };
        run.before = Some(found.about.complete);
        if options.from_start || found.about.block > run.proven.block {
            return Ok(run);
        }
        let (block, expected) = (found.about.block, found.about.hash);
        let now = registry.rpc().block(BlockNumberOrTag::Number(block)).await?.header.hash;
        if now != expected {
            return Err(AuditError::ReorgTooDeep { deep: WINDOW_BLOCKS, block, expected, found: now });
        }
        let (complete, hash, _) = found.about.complete;
        if complete <= run.proven.block {
            run.replaced = registry.rpc().block(BlockNumberOrTag::Number(complete)).await?.header.hash != hash;
        }
        let follower = Follower::after(registry.chain_id(), registry.address(), Trail::from(found.about.trail));
        run.state = AuditState { follower, storage: found.storage, summary: found.about.summary };
        (run.at, run.after_block) = (block, block);
        Ok(run)
    }

    /// Reads up to the target and checks the result; returns the checkpoint to be kept.
    async fn read(
        &mut self,
        target: &Header,
        observe: &mut impl FnMut(AuditProgress<'_>) -> Result<(), AuditError>,
    ) -> Result<Option<Draft>, AuditError> {
        let (from, blocks) = (self.at, target.number - self.at.min(target.number));
        let settled = target.number.saturating_sub(WINDOW_BLOCKS).max(self.at);
        // The next range is being fetched while this one is checked.
        let ask = |ranges: LogRanges| tokio::spawn(ranges.read());
        let mut asked = ask(log_ranges(self.registry, &self.registry.read_budget(), self.at + 1, settled));
        while let Some((range, rest)) = asked.await.expect("reading does not panic")? {
            asked = ask(rest);
            self.take(&range.logs, observe).await?;
            self.at = range.to;
            observe(AuditProgress::Blocks(self.at - from, blocks))?;
        }
        let first_block = self.registry.first_block();
        let headers = headers_to(self.registry, settled.max(first_block), target).await?;
        let first = headers.first().filter(|first| first.number == first_block);
        if let Some((first, expected)) = first.zip(self.registry.first_hash()).filter(|(first, pin)| first.hash != *pin)
        {
            let (block, found) = (first.number, first.hash);
            return Err(ChainError::WrongBlock { block, expected, found }.into());
        }
        let draft = self.draft(settled, headers.first().filter(|first| first.number == settled)).await?;
        let draft = draft.or_else(|why| observe(AuditProgress::NotKept(why)).map(|()| None))?;
        let window = headers.iter().position(|header| header.number > settled).unwrap_or(headers.len());
        let logs = logs_of(self.registry, &headers[window..]).await?;
        self.take(&logs, observe).await?;
        self.at = target.number;
        observe(AuditProgress::Blocks(blocks, blocks))?;
        match self.state.check(&self.proven) {
            Err(AuditError::OtherStorage { .. }) if self.counts_zeros().await? => self.storage_proven = false,
            checked => checked?,
        }
        Ok(draft)
    }

    /// Whether the chain is anvil's, whose storage root includes zero slots that were read: it
    /// equals no root by Ethereum's rules.
    async fn counts_zeros(&self) -> Result<bool, AuditError> {
        Ok(self.registry.profile() == Profile::Development
            && self.registry.rpc().client_version().await?.starts_with("anvil/"))
    }

    /// The checkpoint, if one is wanted; or why it cannot be written, which ends no audit.
    async fn draft(&self, block: u64, header: Option<&Header>) -> Result<std::io::Result<Option<Draft>>, AuditError> {
        let Some(path) = &self.options.checkpoint else { return Ok(Ok(None)) };
        let hash = match header {
            Some(header) => header.hash,
            None => self.registry.rpc().block(BlockNumberOrTag::Number(block)).await?.header.hash,
        };
        let home = (self.registry.chain_id(), self.registry.address());
        let trail = self.state.follower.end(block)?;
        let complete = (self.proven.block, self.proven.hash, self.proven.trail.seq());
        let about = CheckpointHeader::new(home, (block, hash), trail, complete, self.state.summary.clone());
        Ok(checkpoint::draft(path, &about, &self.state.storage).map(Some))
    }

    async fn take(
        &mut self,
        logs: &[Log],
        observe: &mut impl FnMut(AuditProgress<'_>) -> Result<(), AuditError>,
    ) -> Result<(), AuditError> {
        for log in logs {
            let seq = self.state.trail().seq() + 1;
            let event = decode(self.registry.address(), log)
                .map_err(|error| AuditError::unreadable(seq, log.block_number.unwrap_or_default(), error))?;
            let time = self.times.of(self.registry, log, &event.place).await?;
            self.state.take(&event, time)?;
            self.read += 1;
            let is_new = self.before.is_none_or(|(_, _, last)| self.replaced || seq > last);
            observe(AuditProgress::Event(AuditedEvent { event: &event, time, storage: &self.state.storage, is_new }))?;
        }
        Ok(())
    }

    fn done(self) -> AuditReport {
        let rests_on = match (self.options.trusted, self.proven.witnesses.len()) {
            (Some(_), _) => RestsOn::TrustedHash,
            (None, 0 | 1) => RestsOn::OneNode,
            (None, _) => RestsOn::Nodes,
        };
        AuditReport {
            rests_on,
            seq: self.proven.trail.seq(),
            proven: self.proven,
            read: self.read,
            after_block: self.after_block,
            before: self.before.map(|(block, hash, _)| (block, hash, self.replaced)),
            slots: self.state.storage.len() + 1,
            storage_proven: self.storage_proven,
            summary: self.state.summary,
        }
    }
}
