//! All access to the nodes: JSON-RPC over HTTP, a deadline for each call, and another node where
//! one fails.

mod fees;
mod http;
mod node;
mod nodes;
mod sender;

pub(super) use fees::Fees;

use super::error::ChainError;
use alloy::consensus::Transaction as _;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::{Address, B256, Bytes, U64, U256};
use alloy::rpc::json_rpc::{RpcRecv, RpcSend};
use alloy::rpc::types::{
    Block, EIP1186AccountProofResponse, Filter, Header, Log, TransactionReceipt, TransactionRequest,
};
use node::Node;
use nodes::NodePool;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Default deadline of one call.
const CALL_DEADLINE: Duration = Duration::from_secs(10);
/// A chain that has this many blocks and no final one has no finality: four epochs of proof of
/// stake.
const YOUNG_BLOCKS: u64 = 128;
/// How often a call is repeated whose answer is older than an earlier one.
const RETRIES: usize = 5;
/// Geth's answer for some moments after its start, when it cannot tell whether it has a
/// transaction.
const INDEXING: &str = "transaction indexing is in progress";
const INDEXING_PAUSE: Duration = Duration::from_millis(200);

/// JSON-RPC client of one node, or of several that replace one another.
#[derive(Debug, Clone)]
pub struct Rpc {
    nodes: Arc<NodePool>,
    endpoint: String,
    deadline: Duration,
}

impl Rpc {
    /// Returns the client of the node at `url`, or of several whose URLs are separated by commas;
    /// sends nothing yet. Each call then has 10 s. Of several nodes each is checked before it is
    /// used: same chain, same block 0, same contract, and not behind the others.
    ///
    /// # Errors
    /// [`ChainError::InvalidUrl`].
    pub fn new(url: &str) -> Result<Self, ChainError> {
        let nodes = url.split(',').map(|url| Node::new(url.trim())).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::of(nodes))
    }

    fn of(nodes: Vec<Node>) -> Self {
        let endpoints: Vec<&str> = nodes.iter().map(Node::endpoint).collect();
        let endpoint = endpoints.join(", ");
        Self { nodes: Arc::new(NodePool::new(nodes)), endpoint, deadline: CALL_DEADLINE }
    }

    /// The same client with another deadline for each call.
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Scheme, host and port of each node.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// One client for each node alone.
    pub fn each(&self) -> Vec<Self> {
        let alone = |node: &Node| Self { deadline: self.deadline, ..Self::of(vec![node.clone()]) };
        self.nodes.all().iter().map(alone).collect()
    }

    /// Whether others can read or change the traffic: plain HTTP to another machine.
    pub fn is_open_to_the_network(&self) -> bool {
        self.nodes.all().iter().any(Node::is_open_to_the_network)
    }

    /// Of several nodes, uses only those of this chain from now on.
    pub fn pin_chain(&self, chain_id: u64) {
        self.nodes.pin_chain(chain_id);
    }

    /// Of several nodes, uses only those with this contract from now on.
    pub(crate) fn pin_code(&self, address: Address, code_hash: B256) {
        self.nodes.pin_code(address, code_hash);
    }

    /// Of several nodes, uses only those whose block 0 is this one from now on.
    pub(crate) fn pin_genesis(&self, hash: B256) {
        self.nodes.pin_genesis(hash);
    }

    async fn ask<P: RpcSend, R: RpcRecv>(&self, method: &'static str, params: P) -> Result<R, ChainError> {
        let start = Instant::now();
        loop {
            match self.nodes.ask(self.deadline, method, params.clone()).await {
                Err(ChainError::Refused { message, .. }) if message == INDEXING && start.elapsed() < self.deadline => {
                    tokio::time::sleep(INDEXING_PAUSE).await;
                }
                answer => return answer,
            }
        }
    }

    /// The answer to any JSON-RPC method, undecoded.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer, or does not know the method.
    pub async fn raw(
        &self,
        method: &'static str,
        params: Vec<serde_json::Value>,
    ) -> Result<serde_json::Value, ChainError> {
        self.ask(method, params).await
    }

    /// The chain's id.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn chain_id(&self) -> Result<u64, ChainError> {
        Ok(self.ask::<_, U64>("eth_chainId", ()).await?.to())
    }

    /// Checks that the node serves chain `expected`.
    ///
    /// # Errors
    /// [`ChainError::WrongChain`], or the node does not answer.
    pub async fn check_chain_id(&self, expected: u64) -> Result<(), ChainError> {
        let found = self.chain_id().await?;
        if found == expected { Ok(()) } else { Err(ChainError::WrongChain { expected, found }) }
    }

    /// Hash of block 0: tells a chain from another with the same id.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn genesis(&self) -> Result<B256, ChainError> {
        Ok(self.block(BlockNumberOrTag::Earliest).await?.header.hash)
    }

    /// The node's name and version: its `web3_clientVersion`.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn client_version(&self) -> Result<String, ChainError> {
        self.ask("web3_clientVersion", ()).await
    }

    /// Balance of `address` in wei, in the latest block.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn balance(&self, address: Address) -> Result<U256, ChainError> {
        self.ask("eth_getBalance", (address, BlockNumberOrTag::Latest)).await
    }

    /// Code at `address` in the latest block; empty where there is none.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn code(&self, address: Address) -> Result<Bytes, ChainError> {
        self.ask("eth_getCode", (address, BlockNumberOrTag::Latest)).await
    }

    /// The header of the newest block, which is never older than one that was seen before.
    ///
    /// # Errors
    /// [`ChainError::Behind`], or the node does not answer.
    pub async fn latest(&self) -> Result<Header, ChainError> {
        let mut found = 0;
        for _ in 0..RETRIES {
            let header = self.block(BlockNumberOrTag::Latest).await?.header;
            if self.nodes.saw(header.number) {
                return Ok(header);
            }
            found = header.number;
        }
        Err(ChainError::Behind { found, expected: self.nodes.seen() })
    }

    /// The newest block that the chain calls `safe` or `finalized`; none where the chain is too
    /// young to have one.
    ///
    /// # Errors
    /// [`ChainError::NoFinality`] if the chain is old enough, or the node does not answer.
    pub async fn settled(&self, tag: BlockNumberOrTag) -> Result<Option<Header>, ChainError> {
        let method = "eth_getBlockByNumber";
        let reason = match self.ask::<_, Option<Block>>(method, (tag, false)).await {
            Ok(Some(block)) if block.header.number > 0 => return Ok(Some(node::checked(tag, block)?.header)),
            Ok(Some(_)) => "it is still block 0".to_owned(),
            Ok(None) => "the node knows none".to_owned(),
            Err(ChainError::Refused { message, .. }) => message,
            Err(error) => return Err(error),
        };
        match self.latest().await?.number {
            young if young <= YOUNG_BLOCKS => Ok(None),
            head => Err(ChainError::NoFinality { tag: tag.to_string(), head, reason }),
        }
    }

    /// What the node calls `safe` or `finalized`; none where it names no block.
    pub(crate) async fn named(&self, tag: BlockNumberOrTag) -> Result<Option<Header>, ChainError> {
        match self.ask::<_, Option<Block>>("eth_getBlockByNumber", (tag, false)).await {
            Ok(Some(block)) => Ok(Some(node::checked(tag, block)?.header)),
            Ok(None) | Err(ChainError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn block(&self, number: BlockNumberOrTag) -> Result<Block, ChainError> {
        let method = "eth_getBlockByNumber";
        let block: Option<Block> = self.ask(method, (number, false)).await?;
        let none = || ChainError::BadAnswer { method, reason: format!("no {number} block") };
        node::checked(number, block.ok_or_else(none)?)
    }

    /// The header of the block with this hash, which it hashes to.
    pub(crate) async fn block_of_hash(&self, hash: B256) -> Result<Option<Header>, ChainError> {
        let method = "eth_getBlockByHash";
        let Some(block) = self.ask::<_, Option<Block>>(method, (hash, false)).await? else { return Ok(None) };
        match block.header.inner.hash_slow() {
            found if found == hash => Ok(Some(block.header)),
            found => Err(ChainError::BadAnswer { method, reason: format!("expected block {hash}, found {found}") }),
        }
    }

    /// `eth_call` in one block. An address without code answers with nothing, which is not an error
    /// here.
    pub(crate) async fn call(&self, request: TransactionRequest, block: BlockId) -> Result<Bytes, ChainError> {
        self.ask("eth_call", (request, block)).await
    }

    pub(crate) async fn logs(&self, filter: &Filter) -> Result<Vec<Log>, ChainError> {
        self.ask("eth_getLogs", (filter.clone(),)).await
    }

    /// Account and storage slots of `address` in the block with this hash, with the nodes of the
    /// tries that prove them. A node on another branch refuses. Not checked here.
    pub(crate) async fn proof(
        &self,
        address: Address,
        slots: Vec<B256>,
        block: B256,
    ) -> Result<EIP1186AccountProofResponse, ChainError> {
        self.ask("eth_getProof", (address, slots, BlockId::hash_canonical(block))).await
    }

    /// Gas that a call takes after the newest block. Some nodes would go by their pool, where the
    /// same call may wait already.
    pub(crate) async fn estimate_gas(&self, request: TransactionRequest) -> Result<u64, ChainError> {
        Ok(self.ask::<_, U64>("eth_estimateGas", (request, BlockNumberOrTag::Latest)).await?.to())
    }

    /// Sends a signed transaction to every usable node.
    pub(crate) async fn send_raw(&self, raw: &[u8]) -> Result<(), ChainError> {
        self.nodes.send(self.deadline, raw).await
    }

    /// Input of a mined transaction: calldata, or init code.
    pub(crate) async fn transaction_data(&self, hash: B256) -> Result<Bytes, ChainError> {
        let method = "eth_getTransactionByHash";
        let transaction: Option<alloy::rpc::types::Transaction> = self.ask(method, (hash,)).await?;
        let transaction =
            transaction.ok_or_else(|| ChainError::BadAnswer { method, reason: format!("no transaction {hash}") })?;
        Ok(transaction.input().clone())
    }

    pub(crate) async fn receipt(&self, hash: B256) -> Result<Option<TransactionReceipt>, ChainError> {
        let receipt: Option<TransactionReceipt> = self.ask("eth_getTransactionReceipt", (hash,)).await?;
        // After a transaction is seen mined, every later read must see its effects.
        if let Some(number) = receipt.as_ref().and_then(|receipt| receipt.block_number) {
            self.nodes.saw(number);
        }
        Ok(receipt)
    }
}

impl Rpc {
    /// Every receipt of the block with this hash, in its order. Not checked here.
    pub(crate) async fn receipts(&self, block: B256) -> Result<Vec<TransactionReceipt>, ChainError> {
        let method = "eth_getBlockReceipts";
        let receipts: Option<Vec<TransactionReceipt>> = self.ask(method, (BlockId::hash(block),)).await?;
        receipts.ok_or_else(|| ChainError::BadAnswer { method, reason: format!("no block {block}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_http_and_secrets_stay_out_of_sight() {
        let bad = ["", "127.0.0.1:8545", "ws://127.0.0.1:8545", "file:///tmp/node.ipc", "http://a,", "http://a,ws://b"];
        for bad in bad {
            assert!(matches!(Rpc::new(bad), Err(ChainError::InvalidUrl { .. })), "{bad}");
        }
        let rpc = Rpc::new("https://user:secret@node.example:8545/v1/secret?key=secret").expect("a good URL");
        assert_eq!(rpc.endpoint(), "https://node.example:8545");
        let several = Rpc::new("https://u:p@a.example/x, http://127.0.0.1:1").expect("good URLs");
        assert_eq!(several.endpoint(), "https://a.example, http://127.0.0.1:1");
        let each: Vec<_> = several.each().iter().map(|rpc| rpc.endpoint().to_owned()).collect();
        assert_eq!(each, ["https://a.example", "http://127.0.0.1:1"]);
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for (url, open) in [
            ("http://127.0.0.1:8545", false),
            ("https://node.example", false),
            ("http://node.example", true),
            ("http://127.0.0.1:8545,http://10.0.0.2:8545", true),
        ] {
            assert_eq!(Rpc::new(url).expect("good URLs").is_open_to_the_network(), open, "{url}");
        }
    }
}
