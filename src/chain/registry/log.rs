//! Reads the registry's events.

use super::Registry;
use crate::chain::error::ChainError;
use crate::chain::outbox::MinedTransaction;
use crate::contract::bindings::IImageRegistry::{
    self as registry, Anchored, CapsulesAnchored, IImageRegistryEvents, KgcKeyPublished,
};
use crate::contract::{
    EventError, EventPlace, LoggedImage, OF_IMAGES, OF_RECORDS, RegistryEvent, Trail, decode, is_known, spelled_out,
};
use crate::envelope;
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::rpc::types::Filter;
use alloy::sol_types::SolEvent;

impl Registry {
    /// How an image was registered, from its event; sender and salt are checked to give the image
    /// id.
    ///
    /// # Errors
    /// [`ChainError::UnknownImage`], [`ChainError::BadAnswer`], or the node does not answer.
    pub async fn registration(&self, image_id: B256) -> Result<LoggedImage, ChainError> {
        let filter = Filter::new().event_signature(OF_RECORDS.to_vec()).topic1(image_id);
        let mut found = self.read_events(&filter).await?;
        let Some(last) = found.pop() else { return Err(ChainError::UnknownImage { image_id }) };
        let batch = match last.event {
            IImageRegistryEvents::RegisteredInBatch(_) => self.batch_of(&last).await?,
            _ => None,
        };
        let logged = LoggedImage::new(last, batch)?;
        let derived = envelope::image_id(self.chain_id, self.address, logged.sender, logged.salt);
        if !found.is_empty() || logged.image_id != image_id || derived != image_id {
            let reason = format!(
                "{} registrations of image {image_id}, expected one; the last is of image {derived}",
                found.len() + 1
            );
            return Err(ChainError::BadAnswer { method: "eth_getLogs", reason });
        }
        Ok(logged)
    }

    /// The event that covers an item of a batch: the next of its kind in the transaction.
    async fn batch_of(&self, item: &RegistryEvent) -> Result<Option<registry::BatchRegistered>, ChainError> {
        let events = self.events_in(item.place.transaction).await?;
        let after = events.into_iter().filter(|event| event.place.log_index > item.place.log_index);
        Ok(after.into_iter().find_map(|event| match event.event {
            IImageRegistryEvents::BatchRegistered(batch) => Some(batch),
            _ => None,
        }))
    }

    /// Every event of an image, oldest first; none for an unknown one.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer, or with logs that are not those asked for.
    pub async fn events(&self, image_id: B256) -> Result<Vec<RegistryEvent>, ChainError> {
        self.read_events(&Filter::new().event_signature(OF_IMAGES.to_vec()).topic1(image_id)).await
    }

    /// The same up to block `to`.
    ///
    /// # Errors
    /// As [`Registry::events`].
    pub async fn events_to(&self, image_id: B256, to: u64) -> Result<Vec<RegistryEvent>, ChainError> {
        let filter = Filter::new().event_signature(OF_IMAGES.to_vec()).topic1(image_id);
        read(self, filter, (self.first.number, to)).await
    }

    /// Every event of the registry up to block `to`, oldest first. They are as many as the contract
    /// counts there, and the last has its audit head; that each follows from those before it,
    /// [`audit()`](crate::audit::audit) shows.
    ///
    /// # Errors
    /// [`ChainError::Contradicts`]; [`ChainError`] if the node does not answer, or with logs that
    /// are not those asked for.
    pub async fn log(&self, to: u64) -> Result<Vec<RegistryEvent>, ChainError> {
        let events = self.whole_log(to).await?;
        let block = self.rpc.block(to.into()).await?.header.hash;
        let (contract, mut last) = (self.audit_in(block).await?, Trail::start(self.chain_id, self.address));
        for trail in events.iter().filter_map(|event| Trail::of(&event.event)) {
            ChainError::check_same("the number of events", trail.seq(), last.seq() + 1)?;
            last = trail;
        }
        ChainError::check_same("the number of events", contract.seq, last.seq())?;
        let heads = (contract.head == last.head()) || contract.seq == 0;
        if heads {
            Ok(events)
        } else {
            Err(ChainError::Contradicts { what: "the head of the log, event", contract: contract.seq, log: last.seq() })
        }
    }

    async fn whole_log(&self, to: u64) -> Result<Vec<RegistryEvent>, ChainError> {
        let kinds: Vec<B256> = IImageRegistryEvents::SELECTORS.iter().map(B256::from).collect();
        read(self, Filter::new().event_signature(kinds), (self.first.number, to)).await
    }

    /// Number of registered images. Reads the whole log.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn image_count(&self) -> Result<usize, ChainError> {
        Ok(self.read_events(&Filter::new().event_signature(OF_RECORDS.to_vec())).await?.len())
    }

    /// The wallet that published a KGC's newest key, and that alone may publish its next one while
    /// it has the role; none where there is no key.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer, or with logs that are not those asked for.
    pub async fn kgc_publisher(&self, kgc_id: B256) -> Result<Option<Address>, ChainError> {
        Ok(self.kgc_publishers(kgc_id).await?.pop())
    }

    /// The wallets that published a KGC's keys, one for each key.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer, or with logs that are not those asked for.
    pub async fn kgc_publishers(&self, kgc_id: B256) -> Result<Vec<Address>, ChainError> {
        let filter = Filter::new().event_signature(KgcKeyPublished::SIGNATURE_HASH).topic1(kgc_id);
        let publisher = |event: RegistryEvent| match event.event {
            IImageRegistryEvents::KgcKeyPublished(published) => Some(published.publisher),
            _ => None,
        };
        Ok(self.read_events(&filter).await?.into_iter().filter_map(publisher).collect())
    }

    async fn read_events(&self, filter: &Filter) -> Result<Vec<RegistryEvent>, ChainError> {
        let head = self.newest().await?.number;
        read(self, filter.clone(), (self.first.number, head)).await
    }

    /// The registry's events of one transaction, in its order.
    ///
    /// # Errors
    /// [`ChainError::BadAnswer`] if the transaction is not in the chain any more, or the node does
    /// not answer.
    pub async fn events_of(&self, receipt: &MinedTransaction) -> Result<Vec<RegistryEvent>, ChainError> {
        self.events_in(receipt.transaction).await
    }

    async fn events_in(&self, transaction: B256) -> Result<Vec<RegistryEvent>, ChainError> {
        let found = self.receipt(transaction).await?;
        let ours = found.inner.logs().iter().filter(|log| log.address() == self.address && is_known(log));
        ours.map(|log| Ok(decode(self.address, log)?)).collect()
    }

    /// Time of a block of the chain, unix seconds.
    pub(super) async fn block_time(&self, place: &EventPlace) -> Result<u64, ChainError> {
        let header = self.rpc.block(place.block_number.into()).await?.header;
        if header.hash == place.block_hash {
            return Ok(header.timestamp);
        }
        let reason = format!("block {} is {}, its log says {}", place.block_number, header.hash, place.block_hash);
        Err(ChainError::BadAnswer { method: "eth_getBlockByNumber", reason })
    }

    /// The anchors of `sender`, or of all, oldest first.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer, or with logs that are not those asked for.
    pub async fn anchors(&self, sender: Option<Address>) -> Result<Vec<(Anchored, EventPlace)>, ChainError> {
        let mut filter = Filter::new().event_signature(Anchored::SIGNATURE_HASH);
        if let Some(sender) = sender {
            filter = filter.topic1(sender.into_word());
        }
        let events = self.read_events(&filter).await?.into_iter();
        Ok(events
            .filter_map(|event| match event.event {
                IImageRegistryEvents::Anchored(anchored) => Some((anchored, event.place)),
                _ => None,
            })
            .collect())
    }

    /// The ids of all registered images, in the order of their registrations.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer, or with logs that are not those asked for.
    pub async fn images(&self) -> Result<Vec<B256>, ChainError> {
        let events = self.read_events(&Filter::new().event_signature(OF_RECORDS.to_vec())).await?;
        let id = |event: RegistryEvent| match event.event {
            IImageRegistryEvents::Registered(e) => Some(e.imageId),
            IImageRegistryEvents::RegisteredInBatch(e) => Some(e.imageId),
            IImageRegistryEvents::Materialized(e) => Some(e.imageId),
            _ => None,
        };
        Ok(events.into_iter().filter_map(id).collect())
    }

    /// The anchors of capsules that a KGC's wallet wrapped anew, oldest first.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer, or with logs that are not those asked for.
    pub async fn capsule_anchors(&self, wallet: Address) -> Result<Vec<CapsulesAnchored>, ChainError> {
        let filter = Filter::new().event_signature(CapsulesAnchored::SIGNATURE_HASH).topic1(wallet.into_word());
        let events = self.read_events(&filter).await?.into_iter();
        Ok(events
            .filter_map(|event| match event.event {
                IImageRegistryEvents::CapsulesAnchored(anchored) => Some(anchored),
                _ => None,
            })
            .collect())
    }

    /// The binary CID, in full, and the hash of an image's capsules of a version from 1 on.
    ///
    /// # Errors
    /// [`ChainError::BadAnswer`] if the log has no such version, or the node does not answer.
    pub async fn capsules_of_version(&self, image_id: B256, version: u64) -> Result<(Bytes, B256), ChainError> {
        let version_topic = B256::from(U256::from(version));
        let kind = registry::CapsulesUpdated::SIGNATURE_HASH;
        let filter = Filter::new().event_signature(kind).topic1(image_id).topic2(version_topic);
        match self.read_events(&filter).await?.pop().map(|event| event.event) {
            Some(IImageRegistryEvents::CapsulesUpdated(event))
                if (event.imageId, event.version) == (image_id, version) =>
            {
                Ok((spelled_out(event.capsulesCid, event.capsulesHash), event.capsulesHash))
            }
            _ => {
                let reason = format!("no version {version} of the capsules of image {image_id}");
                Err(ChainError::BadAnswer { method: "eth_getLogs", reason })
            }
        }
    }

    /// The gas that a transaction used, and the number of images that it registered, at least 1.
    ///
    /// # Errors
    /// [`ChainError::BadAnswer`] if the transaction is not in the chain any more, or the node does
    /// not answer.
    pub async fn cost_of(&self, transaction: B256) -> Result<(u64, u64), ChainError> {
        let receipt = self.receipt(transaction).await?;
        let makes_a_record = |log: &&alloy::rpc::types::Log| {
            log.address() == self.address && log.topic0().is_some_and(|kind| OF_RECORDS.contains(kind))
        };
        let records = receipt.inner.logs().iter().filter(makes_a_record).count() as u64;
        Ok((receipt.gas_used, records.max(1)))
    }

    async fn receipt(&self, transaction: B256) -> Result<alloy::rpc::types::TransactionReceipt, ChainError> {
        let method = "eth_getTransactionReceipt";
        let gone = || ChainError::BadAnswer { method, reason: format!("transaction {transaction} is gone") };
        self.rpc.receipt(transaction).await?.ok_or_else(gone)
    }
}

/// Reads what `filter` asks for in blocks `from ..= to`, in the order of the chain.
async fn read(registry: &Registry, filter: Filter, (from, to): (u64, u64)) -> Result<Vec<RegistryEvent>, ChainError> {
    let budget = registry.read_budget();
    let mut ranges = registry.ranges(filter, &budget, (from, to));
    let mut events: Vec<RegistryEvent> = Vec::new();
    while let Some((range, rest)) = ranges.read().await? {
        ranges = rest;
        for log in &range.logs {
            budget.hold(log)?;
            push(&mut events, decode(registry.address, log)?, range.from..=range.to)?;
        }
    }
    Ok(events)
}

/// Appends an event that must lie in the range asked for and after all before it.
fn push(
    events: &mut Vec<RegistryEvent>,
    event: RegistryEvent,
    range: std::ops::RangeInclusive<u64>,
) -> Result<(), ChainError> {
    let key = |event: &RegistryEvent| (event.place.block_number, event.place.log_index);
    if !range.contains(&event.place.block_number) {
        let found = event.place.block_number;
        return Err(
            EventError::new(format_args!("expected logs of blocks {range:?}, found one of block {found}")).into()
        );
    }
    if events.last().is_some_and(|last| key(last) >= key(&event)) {
        return Err(EventError::new("logs out of order").into());
    }
    events.push(event);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(block_number: u64, log_index: u64) -> RegistryEvent {
        let place = EventPlace { block_number, block_hash: B256::ZERO, transaction: B256::ZERO, log_index };
        RegistryEvent { event: IImageRegistryEvents::FlagRaised(Default::default()), place }
    }

    fn is_bad(result: Result<impl Sized, ChainError>) -> bool {
        matches!(result, Err(ChainError::BadAnswer { .. }))
    }

    #[test]
    fn logs_come_once_in_order_and_from_the_range() {
        let mut events = vec![event(5, 1)];
        assert!(is_bad(push(&mut events, event(5, 1), 0..=9)));
        assert!(is_bad(push(&mut events, event(5, 0), 0..=9)));
        assert!(is_bad(push(&mut events, event(4, 7), 0..=9)));
        assert!(is_bad(push(&mut events, event(10, 0), 0..=9)));
        push(&mut events, event(5, 2), 0..=9).expect("the next log");
        push(&mut events, event(9, 0), 0..=9).expect("the next block");
        assert_eq!(events.len(), 3);
    }
}
