//! The calls of Kubo's RPC that a store needs.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::Stream;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{IpfsError, words};
use super::rpc::{Answer, KuboRpc, MAX_JSON_BYTES, pieces};
use crate::storage::Cid;

/// The name of our pins at a node.
pub(super) const PIN_NAME: &str = "medseal";

/// Options of `add`: everything that the address depends on, or that a node's configuration could
/// change.
const ADD: [(&str, &str); 18] = [
    ("cid-version", "1"),
    ("hash", "sha2-256"),
    ("raw-leaves", "true"),
    ("chunker", "size-1048576"),
    ("max-file-links", "1024"),
    ("trickle", "false"),
    ("inline", "false"),
    ("wrap-with-directory", "false"),
    ("preserve-mode", "false"),
    ("preserve-mtime", "false"),
    ("nocopy", "false"),
    ("fscache", "false"),
    ("only-hash", "false"),
    ("cid-base", "base32"),
    ("pin", "true"),
    ("pin-name", PIN_NAME),
    ("progress", "false"),
    ("fast-provide-wait", "false"),
];

/// Where a node may look for a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// In its own repository: what it holds itself.
    Own,
    /// At its peers too.
    Peers,
}

impl KuboRpc {
    /// Adds and pins `bytes`, whose address is `cid`; only their answer says that they are there.
    ///
    /// # Errors
    /// [`IpfsError::OtherCid`] if it gives them another address, [`IpfsError`].
    pub(super) async fn add(&self, bytes: &[u8], cid: &Cid) -> Result<(), IpfsError> {
        let answer = self.upload("add", &ADD, bytes.len() as u64, pieces(bytes)).await?;
        let mut found = Vec::new();
        answer
            .lines(|line| {
                found.push(parse::<Added>("add", line)?.hash);
                Ok(())
            })
            .await?;
        match found.as_slice() {
            [one] if *one == cid.to_string() => Ok(()),
            [one] => Err(IpfsError::OtherCid { expected: *cid, found: words(one).chars().take(80).collect() }),
            _ => Err(IpfsError::NotAnAnswer { call: "add" }),
        }
    }

    /// Hands the block as the node has it to `take`, **unchecked** and at most so many bytes of it,
    /// until it wants no more; false if the node has not the block.
    pub(super) async fn block(
        &self,
        cid: &Cid,
        most: u64,
        reach: Reach,
        take: impl FnMut(&[u8]) -> bool,
    ) -> Result<bool, IpfsError> {
        let (arg, deadlines) = (cid.to_string(), self.deadlines());
        let answer = match reach {
            Reach::Own => self.call("block/get", &[("arg", &arg), ("offline", "true")]).await,
            // The node gets the deadline too, and stops searching then; the client must wait longer
            // than that for its answer.
            Reach::Peers => {
                let first = deadlines.peers + deadlines.connect;
                let seconds = format!("{}ms", deadlines.peers.as_millis());
                self.call_within("block/get", &[("arg", &arg), ("timeout", &seconds)], first).await
            }
        };
        match answer {
            Ok(answer) => answer.each_part(most, take).await.map(|()| true),
            Err(IpfsError::Refused { message }) if says_absent(&message) => Ok(false),
            Err(IpfsError::Refused { message }) if reach == Reach::Peers && message.contains("deadline exceeded") => {
                Ok(false)
            }
            Err(IpfsError::Timeout { what: "answer", .. }) if reach == Reach::Peers => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes a block that nothing pins.
    ///
    /// # Errors
    /// [`IpfsError::Refused`] if something pins it, [`IpfsError`].
    pub(super) async fn drop_block(&self, cid: &Cid) -> Result<(), IpfsError> {
        let answer = self.call("block/rm", &[("arg", &cid.to_string()), ("force", "true")]).await?;
        let mut refused = None;
        answer
            .lines(|line| {
                let removed = parse::<Removed>("block/rm", line)?;
                if !removed.error.is_empty() {
                    refused = Some(IpfsError::refused(&removed.error));
                }
                Ok(())
            })
            .await?;
        refused.map_or(Ok(()), Err)
    }

    /// Whether the node keeps the object and all its blocks until told otherwise.
    pub(super) async fn is_pinned(&self, cid: &Cid) -> Result<bool, IpfsError> {
        let arg = cid.to_string();
        match self.call("pin/ls", &[("arg", &arg), ("type", "recursive"), ("cid-base", "base32")]).await {
            Ok(answer) => Ok(json::<PinList>("pin/ls", answer).await?.keys.contains_key(&arg)),
            Err(IpfsError::Refused { message }) if message.contains("not pinned") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Pins what the node has whole, under our name, and asks no peer for anything.
    pub(super) async fn pin(&self, cid: &Cid) -> Result<(), IpfsError> {
        let arg = cid.to_string();
        let query = [("arg", arg.as_str()), ("recursive", "true"), ("name", PIN_NAME), ("offline", "true")];
        self.call("pin/add", &query).await?.whole(MAX_JSON_BYTES).await.map(drop)
    }

    /// Unpins; says whether it was pinned.
    pub(super) async fn unpin(&self, cid: &Cid) -> Result<bool, IpfsError> {
        match self.call("pin/rm", &[("arg", &cid.to_string()), ("recursive", "true")]).await {
            Ok(answer) => answer.whole(MAX_JSON_BYTES).await.map(|_| true),
            Err(IpfsError::Refused { message }) if message.contains("not pinned") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The objects that are pinned under our name.
    pub(super) async fn pins(&self) -> Result<Vec<Cid>, IpfsError> {
        let query = [("type", "recursive"), ("name", PIN_NAME), ("stream", "true"), ("cid-base", "base32")];
        let mut pins = Vec::new();
        self.call("pin/ls", &query)
            .await?
            .lines(|line| {
                let pin = parse::<Pin>("pin/ls", line)?;
                // The node looks for names that contain ours.
                if pin.name == PIN_NAME {
                    pins.extend(pin.cid.parse::<Cid>().ok());
                }
                Ok(())
            })
            .await?;
        Ok(pins)
    }

    /// Imports the CAR file of `length` bytes that comes in `pieces`, and pins nothing yet.
    pub(super) async fn import<E: From<IpfsError>>(
        &self,
        length: u64,
        pieces: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
    ) -> Result<(), E> {
        let query = [("pin-roots", "false"), ("stats", "true"), ("fast-provide-wait", "false")];
        let answer = self.upload("dag/import", &query, length, pieces).await?;
        // An answer without its last line was cut off.
        let mut done = false;
        answer
            .lines(|line| {
                done |= parse::<Imported>("dag/import", line)?.stats.is_some();
                Ok(())
            })
            .await?;
        if done { Ok(()) } else { Err(IpfsError::NotAnAnswer { call: "dag/import" }.into()) }
    }

    /// How many peers the node is connected to.
    pub(super) async fn peers(&self) -> Result<usize, IpfsError> {
        let peers = json::<Peers>("swarm/peers", self.call("swarm/peers", &[]).await?).await?;
        Ok(peers.peers.map_or(0, |peers| peers.len()))
    }

    /// The answer to a call, as JSON.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        call: &'static str,
        query: &[(&str, &str)],
    ) -> Result<T, IpfsError> {
        json(call, self.call(call, query).await?).await
    }
}

/// Whether a node's refusal means that it has not the block.
fn says_absent(message: &str) -> bool {
    message.contains("could not find") || message.contains("not found locally")
}

async fn json<T: DeserializeOwned>(call: &'static str, answer: Answer) -> Result<T, IpfsError> {
    parse(call, &answer.whole(MAX_JSON_BYTES).await?)
}

fn parse<T: DeserializeOwned>(call: &'static str, text: &[u8]) -> Result<T, IpfsError> {
    serde_json::from_slice(text).map_err(|_| IpfsError::NotAnAnswer { call })
}

#[derive(Deserialize)]
struct Added {
    #[serde(rename = "Hash")]
    hash: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Removed {
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct PinList {
    #[serde(rename = "Keys")]
    keys: BTreeMap<String, serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pin {
    cid: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Imported {
    stats: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Peers {
    peers: Option<Vec<serde::de::IgnoredAny>>,
}
