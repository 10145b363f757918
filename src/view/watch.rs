//! What a watch tells: what is printed, and what webhooks and programs are given.

use super::described::{about, describe};
use super::event::EventView;
use super::kind::EventKind;
use super::values::{Checksummed, json};
use crate::contract::RegistryEvent;
use alloy::primitives::{Address, B256};
use serde::Serialize;
use serde_json::Value;

/// An event that came. One that is taken back looks the same, but for `type`, `id` and `retracts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchedView {
    r#type: &'static str,
    id: B256,
    /// Null: only what is taken back names an event.
    retracts: Option<B256>,
    chain_id: u64,
    registry: Checksummed,
    kind: EventKind,
    /// Its number is, for an item of a batch, that of its batch.
    #[serde(flatten)]
    event: EventView,
    block_hash: B256,
    time: u64,
    image_id: Option<B256>,
    actor: Option<Checksummed>,
    outcome: Option<&'static str>,
    /// What happened, in words.
    what: String,
}

impl WatchedView {
    /// The event with this id and number, in a block of this time (unix seconds).
    pub fn new((chain_id, registry): (u64, Address), id: B256, event: &RegistryEvent, (seq, time): (u64, u64)) -> Self {
        let (image_id, actor, outcome) = about(&event.event);
        Self {
            r#type: "event",
            id,
            retracts: None,
            chain_id,
            registry: registry.into(),
            kind: EventKind::from(&event.event),
            event: EventView::from(event).numbered(seq),
            block_hash: event.place.block_hash,
            time,
            image_id,
            actor: actor.map(Checksummed),
            outcome,
            what: describe(&event.event).1,
        }
    }
}

/// What is told of an event that is taken back: what its line said, as news of its own.
///
/// # Errors
/// A line that is no JSON; none where it has no result.
pub fn retracted(id: B256, retracts: B256, line: &str) -> Result<Option<Value>, serde_json::Error> {
    let mut object: Value = serde_json::from_str(line)?;
    let mut result = object["result"].take();
    if !result.is_object() {
        return Ok(None);
    }
    result["type"] = "retracted".into();
    result["id"] = json(id);
    result["retracts"] = json(retracts);
    Ok(Some(result))
}

/// How far a watch came that ends.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchEndView {
    r#type: &'static str,
    chain_id: u64,
    registry: Checksummed,
    /// Null, as hash and number are, where nothing is settled yet.
    block: Option<u64>,
    block_hash: Option<B256>,
    seq: Option<u64>,
    events: u64,
    retracted: u64,
    waiting: u64,
    dead: u64,
}

impl WatchEndView {
    /// How far it came (block, hash, number of events), how many events were told and taken back,
    /// and how many deliveries wait and were given up.
    pub fn new(
        (chain_id, registry): (u64, Address),
        mark: Option<(u64, B256, u64)>,
        (events, retracted): (u64, u64),
        (waiting, dead): (u64, u64),
    ) -> Self {
        let registry = registry.into();
        let (block, block_hash, seq) = (mark.map(|mark| mark.0), mark.map(|mark| mark.1), mark.map(|mark| mark.2));
        Self { r#type: "end", chain_id, registry, block, block_hash, seq, events, retracted, waiting, dead }
    }
}

#[cfg(test)]
mod tests {
    use super::super::AnswerView;
    use super::super::event::tests::samples;
    use super::*;

    const HOME: (u64, Address) = (31337, Address::repeat_byte(0xde));

    #[test]
    fn the_lines_that_are_delivered_look_as_they_always_did() {
        let (id, events) = (B256::repeat_byte(0x1d), samples());
        let line =
            |event| json(AnswerView::new("watch", json(WatchedView::new(HOME, id, event, (7, 150))))).to_string();
        assert_eq!(
            line(&events[1]),
            concat!(
                r#"{"command":"watch","result":{"actor":"0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1","block":12,"#,
                r#""blockHash":"0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1","#,
                r#""chainId":31337,"event":"RegisteredInBatch","#,
                r#""id":"0x1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d","#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""kind":"registrations","logIndex":3,"outcome":null,"#,
                r#""registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","retracts":null,"seq":7,"time":150,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","#,
                r#""type":"event","what":"by 0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1"},"#,
                r#""schema":"medseal/cli/v1"}"#,
            )
        );
        let told = line(&events[2]);
        assert_eq!(
            told,
            concat!(
                r#"{"command":"watch","result":{"actor":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","block":12,"#,
                r#""blockHash":"0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1","#,
                r#""chainId":31337,"deadline":1700000600,"event":"Verified","#,
                r#""id":"0x1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d","#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""kind":"verifications","logIndex":3,"#,
                r#""nonce":"115792089237316195423570985008687907853269984665640564039457584007913129639935","#,
                r#""number":4,"observedAt":1700000000,"#,
                r#""observedHash":"0x0909090909090909090909090909090909090909090909090909090909090909","#,
                r#""outcome":"invalid","registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","retracts":null,"#,
                r#""seq":7,"signature":"0x0102ff","time":150,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","#,
                r#""type":"event","valid":false,"verifier":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","#,
                r#""what":"INVALID, number 4 by 0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3"},"#,
                r#""schema":"medseal/cli/v1"}"#,
            )
        );
        let back = retracted(B256::repeat_byte(0x1e), id, &told).expect("JSON").expect("a result");
        assert_eq!(
            json(AnswerView::new("watch", back)).to_string(),
            concat!(
                r#"{"command":"watch","result":{"actor":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","block":12,"#,
                r#""blockHash":"0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1","#,
                r#""chainId":31337,"deadline":1700000600,"event":"Verified","#,
                r#""id":"0x1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e","#,
                r#""imageId":"0x0101010101010101010101010101010101010101010101010101010101010101","#,
                r#""kind":"verifications","logIndex":3,"#,
                r#""nonce":"115792089237316195423570985008687907853269984665640564039457584007913129639935","#,
                r#""number":4,"observedAt":1700000000,"#,
                r#""observedHash":"0x0909090909090909090909090909090909090909090909090909090909090909","#,
                r#""outcome":"invalid","registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","#,
                r#""retracts":"0x1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d","seq":7,"#,
                r#""signature":"0x0102ff","time":150,"#,
                r#""transaction":"0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a","#,
                r#""type":"retracted","valid":false,"verifier":"0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3","#,
                r#""what":"INVALID, number 4 by 0xc3c3c3c3c3c3c3c3c3C3C3c3C3C3C3c3C3C3c3c3"},"#,
                r#""schema":"medseal/cli/v1"}"#,
            )
        );
        assert!(retracted(id, id, "{").is_err());
        assert_eq!(retracted(id, id, r#"{"result":null}"#).expect("JSON"), None);
    }

    #[test]
    fn the_end_of_a_watch_looks_as_it_always_did() {
        let mark = Some((12, B256::repeat_byte(0xb1), 7));
        assert_eq!(
            json(WatchEndView::new(HOME, mark, (3, 1), (2, 0))).to_string(),
            concat!(
                r#"{"block":12,"blockHash":"0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1","#,
                r#""chainId":31337,"dead":0,"events":3,"registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","#,
                r#""retracted":1,"seq":7,"type":"end","waiting":2}"#,
            )
        );
        assert_eq!(
            json(WatchEndView::new(HOME, None, (0, 0), (0, 0))).to_string(),
            concat!(
                r#"{"block":null,"blockHash":null,"chainId":31337,"dead":0,"events":0,"#,
                r#""registry":"0xdEDEDEDEdEdEdEDedEDeDedEdEdeDedEdEDedEdE","retracted":0,"seq":null,"type":"end","#,
                r#""waiting":0}"#,
            )
        );
    }
}
