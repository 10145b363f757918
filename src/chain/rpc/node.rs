//! One node: its client, its name in errors, and the checks before it is used.

use super::super::error::ChainError;
use super::http::Door;
use crate::http::is_this_machine;
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, B256, Bytes, U64, keccak256};
use alloy::rpc::json_rpc::{RpcRecv, RpcSend};
use alloy::rpc::types::Block;
use alloy::transports::http::reqwest;
use std::time::{Duration, Instant};

/// Pause before a busy node is asked again; each further one doubles it.
const PAUSE: Duration = Duration::from_millis(250);

/// The contract keeps times in 48 bits; no chain has so many blocks either.
const MOST_NUMBER: u64 = (1 << 48) - 1;

/// What every node must serve; each is `None` until it is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PinnedChain {
    pub(super) chain_id: Option<u64>,
    pub(super) genesis: Option<B256>,
    /// A contract, and keccak256 of its code.
    pub(super) code: Option<(Address, B256)>,
}

/// What a node says it serves.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeStatus {
    pub(super) chain_id: u64,
    pub(super) genesis: B256,
    /// keccak256 of the code at the pinned address, where one is pinned.
    pub(super) code_hash: Option<B256>,
    /// Number of its newest block.
    pub(super) head: u64,
    /// Time of that block, unix seconds.
    pub(super) time: u64,
}

impl PinnedChain {
    /// Checks a node against what is pinned, and pins what was not pinned yet.
    ///
    /// # Errors
    /// [`ChainError::WrongChain`], [`ChainError::WrongGenesis`], [`ChainError::NoContract`],
    /// [`ChainError::WrongContract`].
    pub(super) fn admit(&mut self, status: &NodeStatus) -> Result<(), ChainError> {
        let (expected, found) = (self.chain_id.unwrap_or(status.chain_id), status.chain_id);
        if expected != found {
            return Err(ChainError::WrongChain { expected, found });
        }
        let (first, found) = (self.genesis.unwrap_or(status.genesis), status.genesis);
        if first != found {
            return Err(ChainError::WrongGenesis { expected: first, found });
        }
        match (self.code, status.code_hash) {
            (Some((address, _)), Some(found)) if found == keccak256([]) => {
                return Err(ChainError::NoContract { address, chain_id: expected });
            }
            (Some((address, expected)), Some(found)) if found != expected => {
                return Err(ChainError::WrongContract { address, expected, found });
            }
            _ => {}
        }
        (self.chain_id, self.genesis) = (Some(expected), Some(first));
        Ok(())
    }
}

/// A node, and a deadline for each question to it.
#[derive(Debug, Clone)]
pub(super) struct Node {
    door: Door,
    is_open: bool,
}

impl Node {
    pub(super) fn new(url: &str) -> Result<Self, ChainError> {
        let invalid = |reason: String| ChainError::InvalidUrl { reason };
        let url: reqwest::Url = url.parse().map_err(|error| invalid(format!("{error}")))?;
        let host = url.host_str().ok_or_else(|| invalid("found no host".into()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid(format!("found scheme {}", url.scheme())));
        }
        // Shown in errors; user, password, path and query may be secrets.
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let endpoint = format!("{}://{host}{port}", url.scheme());
        let mut client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        if is_this_machine(host) {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| invalid(format!("{error}")))?;
        let is_open = url.scheme() == "http" && !is_this_machine(host);
        Ok(Self { door: Door::new(client, url, endpoint), is_open })
    }

    /// Whether it is reached by plain HTTP over a network.
    pub(super) fn is_open_to_the_network(&self) -> bool {
        self.is_open
    }

    /// Scheme, host and port.
    pub(super) fn endpoint(&self) -> &str {
        self.door.endpoint()
    }

    pub(super) async fn ask<P: RpcSend, R: RpcRecv>(
        &self,
        deadline: Duration,
        method: &'static str,
        params: P,
    ) -> Result<R, ChainError> {
        let start = Instant::now();
        let mut pause = PAUSE;
        loop {
            let left = deadline.saturating_sub(start.elapsed());
            let late = || ChainError::Timeout { endpoint: self.endpoint().to_owned(), method, after: deadline };
            let busy = match tokio::time::timeout(left, self.door.ask(method, params.clone())).await {
                Ok(Err(busy @ ChainError::Busy { .. })) => busy,
                Ok(answer) => return answer,
                Err(_) => return Err(late()),
            };
            let ChainError::Busy { pause: asked, .. } = &busy else { return Err(busy) };
            let next = asked.unwrap_or_default().max(pause);
            // The pause is the node's own number, up to 2^64 - 1 s: nothing is added to it.
            if next >= deadline.saturating_sub(start.elapsed()) {
                return Err(busy);
            }
            tokio::time::sleep(next).await;
            pause *= 2;
        }
    }

    pub(super) async fn block(&self, deadline: Duration, number: BlockNumberOrTag) -> Result<Block, ChainError> {
        let method = "eth_getBlockByNumber";
        let block: Option<Block> = self.ask(deadline, method, (number, false)).await?;
        let none = || ChainError::BadAnswer { method, reason: format!("no {number} block") };
        checked(number, block.ok_or_else(none)?)
    }

    /// Asks the node for everything that `pins` compares, and for its newest block.
    pub(super) async fn status(&self, deadline: Duration, pins: PinnedChain) -> Result<NodeStatus, ChainError> {
        let chain_id: U64 = self.ask(deadline, "eth_chainId", ()).await?;
        let genesis = self.block(deadline, BlockNumberOrTag::Earliest).await?.header.hash;
        let mut code_hash = None;
        if let Some((address, _)) = pins.code {
            let code: Bytes = self.ask(deadline, "eth_getCode", (address, BlockNumberOrTag::Latest)).await?;
            code_hash = Some(keccak256(&code));
        }
        let newest = self.block(deadline, BlockNumberOrTag::Latest).await?.header;
        let (head, time) = (newest.number, newest.timestamp);
        Ok(NodeStatus { chain_id: chain_id.to(), genesis, code_hash, head, time })
    }
}

/// Checks that a block is the one of this number, and that its number and time are such as a chain
/// can have: what is computed of them then fits.
pub(super) fn checked(asked: BlockNumberOrTag, block: Block) -> Result<Block, ChainError> {
    let (number, time) = (block.header.number, block.header.timestamp);
    let expected = match asked {
        BlockNumberOrTag::Number(number) => Some(number),
        BlockNumberOrTag::Earliest => Some(0),
        _ => None,
    };
    let reason = match expected {
        Some(expected) if expected != number => format!("expected block {expected}, found block {number}"),
        _ if number > MOST_NUMBER || time > MOST_NUMBER => format!("no chain has a block {number} of time {time}"),
        _ => return Ok(block),
    };
    Err(ChainError::BadAnswer { method: "eth_getBlockByNumber", reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_taken_only_with_what_is_pinned() {
        let (address, code) = (Address::repeat_byte(1), B256::repeat_byte(2));
        let status = NodeStatus { chain_id: 5, genesis: B256::repeat_byte(3), code_hash: Some(code), head: 9, time: 5 };
        let mut pins = PinnedChain { code: Some((address, code)), ..PinnedChain::default() };
        pins.admit(&status).expect("the first one");
        assert_eq!((pins.chain_id, pins.genesis), (Some(5), Some(status.genesis)), "it pins what was open");
        pins.admit(&status).expect("the same again");
        let refused = |status| pins.clone().admit(&status).expect_err("refused");
        assert!(matches!(
            refused(NodeStatus { chain_id: 6, ..status }),
            ChainError::WrongChain { expected: 5, found: 6 }
        ));
        assert!(matches!(refused(NodeStatus { genesis: B256::ZERO, ..status }), ChainError::WrongGenesis { .. }));
        assert!(matches!(
            refused(NodeStatus { code_hash: Some(B256::ZERO), ..status }),
            ChainError::WrongContract { .. }
        ));
        assert!(matches!(
            refused(NodeStatus { code_hash: Some(keccak256([])), ..status }),
            ChainError::NoContract { .. }
        ));
        let mut other = PinnedChain { chain_id: Some(4), ..PinnedChain::default() };
        assert!(other.admit(&status).is_err());
        assert_eq!(other.genesis, None, "a node that is refused pins nothing");
    }

    #[test]
    fn a_block_is_the_one_that_was_asked_for_and_one_that_a_chain_can_have() {
        let block = |number, timestamp| {
            let header = alloy::consensus::Header { number, timestamp, ..Default::default() };
            Block { header: alloy::rpc::types::Header::new(header), ..Default::default() }
        };
        let is_bad = |asked, block| matches!(checked(asked, block), Err(ChainError::BadAnswer { .. }));
        let latest = BlockNumberOrTag::Latest;
        checked(latest, block(MOST_NUMBER, MOST_NUMBER)).expect("the last one");
        checked(BlockNumberOrTag::Number(7), block(7, 0)).expect("the one that was asked for");
        checked(BlockNumberOrTag::Earliest, block(0, 0)).expect("block 0");
        assert!(is_bad(latest, block(MOST_NUMBER + 1, 0)) && is_bad(latest, block(u64::MAX, 0)));
        assert!(is_bad(latest, block(7, u64::MAX)));
        assert!(is_bad(BlockNumberOrTag::Number(7), block(8, 0)) && is_bad(BlockNumberOrTag::Earliest, block(1, 0)));
    }

    #[tokio::test]
    async fn a_pause_of_any_length_is_not_waited_for() {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a question");
            let _ = stream.read(&mut [0; 4096]);
            // By then the pause and the time that has passed are more than a duration holds.
            std::thread::sleep(Duration::from_millis(1100));
            let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0";
            let _ = write!(stream, "{head}\r\nretry-after: {}\r\n\r\n", u64::MAX);
        });
        let node = Node::new(&url).expect("a URL");
        let busy = node.ask::<_, U64>(Duration::from_secs(5), "eth_chainId", ()).await;
        assert!(matches!(busy, Err(ChainError::Busy { status: 503, .. })), "{busy:?}");
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for host in ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["192.168.0.1", "[::2]", "node.example", "localhost.example", "0.0.0.0"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
