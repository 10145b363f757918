//! One of the two views of the chain, as the settings have it.

use super::QuorumView;
use crate::clock::Clock;
use crate::kgc::{AccessState, BlockSeen, ChainView, ChainViewError, ContractSignature, KgcIdentity, LogHead};
use crate::pipeline::release::RegistryView;
use alloy::primitives::{Address, B256};

/// A KGC's view of the chain: by one node's word, or by several nodes' agreement.
#[derive(Debug, Clone)]
pub enum AnyChainView<C> {
    /// By the word of the node that is asked.
    Node(RegistryView<C>),
    /// By what several nodes have, and by proof.
    Quorum(QuorumView<C>),
}

impl<C: Clock> ChainView for AnyChainView<C> {
    async fn block(
        &self,
        wallet: Address,
        signature: Option<ContractSignature<'_>>,
    ) -> Result<Option<BlockSeen>, ChainViewError> {
        match self {
            Self::Node(view) => view.block(wallet, signature).await,
            Self::Quorum(view) => view.block(wallet, signature).await,
        }
    }

    async fn anchored_log(&self, kgc_id: B256, log_id: B256) -> Result<LogHead, ChainViewError> {
        match self {
            Self::Node(view) => view.anchored_log(kgc_id, log_id).await,
            Self::Quorum(view) => view.anchored_log(kgc_id, log_id).await,
        }
    }

    async fn access_state(
        &self,
        image_id: B256,
        wallet: Address,
        kgc: &KgcIdentity,
        signature: Option<ContractSignature<'_>>,
    ) -> Result<Option<AccessState>, ChainViewError> {
        match self {
            Self::Node(view) => view.access_state(image_id, wallet, kgc, signature).await,
            Self::Quorum(view) => view.access_state(image_id, wallet, kgc, signature).await,
        }
    }

    fn faults(&self) -> Vec<String> {
        match self {
            Self::Node(view) => view.faults(),
            Self::Quorum(view) => view.faults(),
        }
    }
}
