//! The routes of a Key Generation Center's service, over [`crate::kgc`].

mod document;
mod handlers;
mod metrics;
mod problem;
mod ready;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};

use crate::clock::Clock;
use crate::kgc::{ChainView, Limiter, LocalKeyCenter, Rate};
use metrics::Metrics;
use ready::Readiness;
pub use ready::watch_readiness;

/// How often one address may ask in a minute, where nothing else is said.
pub const ADDRESS_RATE: u32 = 600;
/// How long the body of a request may take.
const BODY: Duration = Duration::from_secs(10);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(15);

/// A key center that answers over HTTP.
#[derive(Debug)]
pub struct KgcService<V, C> {
    center: LocalKeyCenter<V, C>,
    clock: C,
    /// What it believes of the chain, in words.
    believes: String,
    /// How often one address may ask.
    addresses: Limiter<IpAddr>,
    metrics: Metrics,
    readiness: Readiness,
    /// What is wrong with its key on chain.
    key_fault: Mutex<Option<String>>,
}

impl<V: ChainView, C: Clock> KgcService<V, C> {
    /// The service of this key center. `believes` says in words what is taken for the chain's.
    pub fn new(center: LocalKeyCenter<V, C>, clock: C, believes: String) -> Self {
        let addresses = Limiter::new([Rate::a_minute(ADDRESS_RATE)]);
        let (metrics, readiness, key_fault) = (Metrics::new(), Readiness::default(), Mutex::default());
        Self { center, clock, believes, addresses, metrics, readiness, key_fault }
    }

    /// Says what is wrong with its key on chain: as long as anything is, it is not ready.
    pub fn set_key_fault(&self, fault: Option<String>) {
        *self.key_fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// The same for addresses that may ask so often in a minute.
    #[must_use]
    pub fn with_address_rate(self, rate: u32) -> Self {
        Self { addresses: Limiter::new([Rate::a_minute(rate)]), ..self }
    }

    /// The key center.
    pub fn center(&self) -> &LocalKeyCenter<V, C> {
        &self.center
    }
}

/// The routes for everybody.
pub fn public_routes<V: ChainView + 'static, C: Clock + 'static>(service: Arc<KgcService<V, C>>) -> Router {
    Router::new()
        .route("/v1/kgc", get(handlers::info))
        .route("/v1/challenges", get(handlers::challenges))
        .route("/v1/issue", post(handlers::issue))
        .route("/v1/release", post(handlers::release))
        .route("/healthz", get(handlers::healthz))
        .route("/readyz", get(handlers::readyz))
        .with_state(service)
        .merge(document::routes())
}

/// The routes for who runs it: on an address of their own, that nobody else reaches.
pub fn operator_routes<V: ChainView + 'static, C: Clock + 'static>(service: Arc<KgcService<V, C>>) -> Router {
    Router::new()
        .route("/metrics", get(handlers::metrics))
        .route("/healthz", get(handlers::healthz))
        .route("/readyz", get(handlers::readyz))
        .with_state(service)
}
