//! A key center, wherever it is.

use alloy::primitives::B256;

use super::error::KgcError;
use super::inputs::ChainView;
use super::local::LocalKeyCenter;
use super::refusal::Refusal;
use super::remote::RemoteKeyCenter;
use super::requests::{IssueRequest, KeyRequest, SignedRequest};
use super::{Answer, KeyCenter, KgcIdentity};
use crate::clock::Clock;

/// A key center in this process or on the network.
#[derive(Debug)]
pub enum AnyKeyCenter<V, C> {
    /// In this process.
    Local(Box<LocalKeyCenter<V, C>>),
    /// On the network.
    Remote(Box<RemoteKeyCenter>),
}

impl<V: ChainView, C: Clock> KeyCenter for AnyKeyCenter<V, C> {
    fn identity(&self) -> KgcIdentity {
        match self {
            Self::Local(center) => center.identity(),
            Self::Remote(center) => center.identity(),
        }
    }

    async fn challenge(&self) -> Result<B256, KgcError> {
        match self {
            Self::Local(center) => center.challenge().await,
            Self::Remote(center) => center.challenge().await,
        }
    }

    async fn issue(&self, request: &SignedRequest<IssueRequest>) -> Result<Answer, Refusal> {
        match self {
            Self::Local(center) => center.issue(request).await,
            Self::Remote(center) => center.issue(request).await,
        }
    }

    async fn release(
        &self,
        request: &SignedRequest<KeyRequest>,
        header: &[u8],
        capsules: &[u8],
    ) -> Result<Answer, Refusal> {
        match self {
            Self::Local(center) => center.release(request, header, capsules).await,
            Self::Remote(center) => center.release(request, header, capsules).await,
        }
    }
}
