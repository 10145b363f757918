//! The only door to a node: JSON-RPC over HTTP, a deadline for each call.

use super::error::ChainError;
use alloy::consensus::Transaction as _;
use alloy::eips::eip1559::Eip1559Estimation;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::network::Ethereum;
use alloy::primitives::{Address, B256, Bytes};
use alloy::providers::utils::{
    EIP1559_FEE_ESTIMATION_PAST_BLOCKS, EIP1559_FEE_ESTIMATION_REWARD_PERCENTILE, eip1559_default_estimator,
};
use alloy::providers::{Provider, RootProvider};
use alloy::rpc::client::RpcClient;
use alloy::rpc::types::{Block, Filter, Log, TransactionReceipt, TransactionRequest};
use alloy::transports::TransportResult;
use alloy::transports::http::{Http, reqwest};
use std::future::IntoFuture;
use std::time::Duration;

/// How long one call may take unless told otherwise.
const CALL_DEADLINE: Duration = Duration::from_secs(10);

/// A node's JSON-RPC.
#[derive(Debug, Clone)]
pub struct Rpc {
    provider: RootProvider<Ethereum>,
    endpoint: String,
    deadline: Duration,
}

impl Rpc {
    /// Returns the door to the node at `url`; asks it nothing yet. Each call then has 10 s.
    ///
    /// # Errors
    /// [`ChainError::InvalidUrl`].
    pub fn new(url: &str) -> Result<Self, ChainError> {
        let invalid = |reason: String| ChainError::InvalidUrl { reason };
        let url: reqwest::Url = url.parse().map_err(|error| invalid(format!("{error}")))?;
        let host = url.host_str().ok_or_else(|| invalid("no host".into()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid(format!("scheme {}", url.scheme())));
        }
        // Shown in errors; user, password, path and query may be secrets.
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let endpoint = format!("{}://{host}{port}", url.scheme());
        let mut client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        if matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| invalid(format!("{error}")))?;
        let transport = Http::with_client(client, url);
        let provider = RootProvider::new(RpcClient::new(transport, false));
        Ok(Self { provider, endpoint, deadline: CALL_DEADLINE })
    }

    /// The same door with another deadline for each call.
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Scheme, host and port.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    async fn ask<T>(
        &self,
        method: &'static str,
        call: impl IntoFuture<Output = TransportResult<T>>,
    ) -> Result<T, ChainError> {
        match tokio::time::timeout(self.deadline, call.into_future()).await {
            Ok(answer) => answer.map_err(|error| ChainError::from_transport(&self.endpoint, method, error)),
            Err(_) => Err(ChainError::Timeout { endpoint: self.endpoint.clone(), method, after: self.deadline }),
        }
    }

    /// The chain's id.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn chain_id(&self) -> Result<u64, ChainError> {
        self.ask("eth_chainId", self.provider.get_chain_id()).await
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

    /// What the node is: its `web3_clientVersion`.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn client_version(&self) -> Result<String, ChainError> {
        self.ask("web3_clientVersion", self.provider.get_client_version()).await
    }

    /// Balance of `address` in wei, in the latest block.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn balance(&self, address: Address) -> Result<alloy::primitives::U256, ChainError> {
        self.ask("eth_getBalance", self.provider.get_balance(address).latest()).await
    }

    /// Code at `address` in the latest block; empty where there is none.
    ///
    /// # Errors
    /// [`ChainError`] if the node does not answer.
    pub async fn code(&self, address: Address) -> Result<Bytes, ChainError> {
        self.ask("eth_getCode", self.provider.get_code_at(address).latest()).await
    }

    pub(super) async fn block(&self, number: BlockNumberOrTag) -> Result<Block, ChainError> {
        let method = "eth_getBlockByNumber";
        let block = self.ask(method, self.provider.get_block_by_number(number)).await?;
        block.ok_or_else(|| ChainError::BadAnswer { method, reason: format!("no {number} block") })
    }

    /// `eth_call` in one block. An address without code answers with nothing, which is not an error here.
    pub(super) async fn call(&self, request: TransactionRequest, block: BlockId) -> Result<Bytes, ChainError> {
        self.ask("eth_call", self.provider.call(request).block(block)).await
    }

    pub(super) async fn logs(&self, filter: &Filter) -> Result<Vec<Log>, ChainError> {
        self.ask("eth_getLogs", self.provider.get_logs(filter)).await
    }

    pub(super) async fn estimate_gas(&self, request: TransactionRequest) -> Result<u64, ChainError> {
        self.ask("eth_estimateGas", self.provider.estimate_gas(request)).await
    }

    /// Fees for the next block: twice its base fee, and the tip that others give. alloy's own goes by the *last* block's.
    pub(super) async fn fees(&self) -> Result<Eip1559Estimation, ChainError> {
        let (method, latest) = ("eth_feeHistory", BlockNumberOrTag::Latest);
        let percentile = [EIP1559_FEE_ESTIMATION_REWARD_PERCENTILE];
        let history = self.provider.get_fee_history(EIP1559_FEE_ESTIMATION_PAST_BLOCKS, latest, &percentile);
        let history = self.ask(method, history).await?;
        let reason = || "no base fee".to_owned();
        let next = history.next_block_base_fee().ok_or_else(|| ChainError::BadAnswer { method, reason: reason() })?;
        Ok(eip1559_default_estimator(next, &history.reward.unwrap_or_default()))
    }

    /// How many transactions of `address` are in the chain.
    pub(super) async fn transaction_count(&self, address: Address) -> Result<u64, ChainError> {
        self.ask("eth_getTransactionCount", self.provider.get_transaction_count(address).latest()).await
    }

    pub(super) async fn send_raw(&self, raw: &[u8]) -> Result<(), ChainError> {
        self.ask("eth_sendRawTransaction", self.provider.send_raw_transaction(raw)).await.map(|_| ())
    }

    /// What a transaction that is mined carries: calldata, or the code that makes a contract.
    pub(super) async fn transaction_data(&self, hash: B256) -> Result<Bytes, ChainError> {
        let method = "eth_getTransactionByHash";
        let transaction = self.ask(method, self.provider.get_transaction_by_hash(hash)).await?;
        let transaction = transaction.ok_or_else(|| ChainError::BadAnswer { method, reason: "nothing".into() })?;
        Ok(transaction.input().clone())
    }

    pub(super) async fn receipt(&self, hash: B256) -> Result<Option<TransactionReceipt>, ChainError> {
        self.ask("eth_getTransactionReceipt", self.provider.get_transaction_receipt(hash)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_http_and_secrets_stay_out_of_sight() {
        for bad in ["", "127.0.0.1:8545", "ws://127.0.0.1:8545", "file:///tmp/node.ipc"] {
            assert!(matches!(Rpc::new(bad), Err(ChainError::InvalidUrl { .. })), "{bad}");
        }
        let rpc = Rpc::new("https://user:secret@node.example:8545/v1/secret?key=secret").expect("a good URL");
        assert_eq!(rpc.endpoint(), "https://node.example:8545");
    }
}
