//! Whether the service can answer: looked at now and then, not when somebody asks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy::primitives::Address;

use super::KgcService;
use crate::clock::Clock;
use crate::kgc::{ChainView, KgcError};
use crate::server::accept::Stop;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(2);
/// How far this clock may be behind the newest block.
const CLOCK_SECS: u64 = 30;

/// Each check by its name, with what is wrong.
type Checks = BTreeMap<&'static str, Option<String>>;

/// What was found last.
#[derive(Debug, Default)]
pub(super) struct Readiness(Mutex<Found>);

#[derive(Debug, Default)]
struct Found {
    checks: Checks,
    /// What is wrong with single nodes.
    nodes: Vec<String>,
    head_age: u64,
    log_seq: u64,
}

impl Readiness {
    /// Whether all is well, and each check; nothing is well before the first look.
    pub(super) fn now(&self) -> (bool, Checks) {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (!found.checks.is_empty() && found.checks.values().all(Option::is_none), found.checks.clone())
    }

    /// What is wrong with single nodes, without which it may go on.
    pub(super) fn nodes(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).nodes.clone()
    }

    /// Age of the newest block in seconds, and lines in the log.
    pub(super) fn numbers(&self) -> (u64, u64) {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (found.head_age, found.log_seq)
    }
}

/// Looks at the log, the chain and the clock until the service stops. Never ends a service that is
/// not ready: it refuses, and says why.
pub async fn watch_readiness<V: ChainView + 'static, C: Clock + 'static>(service: Arc<KgcService<V, C>>, stop: Stop) {
    loop {
        look(&service).await;
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.wait() => return,
        }
    }
}

async fn look<V: ChainView + 'static, C: Clock + 'static>(service: &Arc<KgcService<V, C>>) {
    let reader = Arc::clone(service);
    let log = tokio::task::spawn_blocking(move || reader.center.log().check()).await;
    let (log_fault, log_seq) = match log {
        Ok(Ok(head)) => (None, head.seq),
        Ok(Err(error)) => (Some(error.to_string()), 0),
        Err(_) => (Some("it cannot be looked at".to_owned()), 0),
    };
    let (mut chain_fault, mut clock_fault, mut head_age) = (None, None, 0);
    match service.center.chain().block(Address::ZERO, None).await {
        Ok(Some(block)) => {
            let now = service.clock.unix_secs();
            head_age = now.saturating_sub(block.time);
            if block.time > now + CLOCK_SECS {
                clock_fault = Some(format!("it is {} s behind the newest block", block.time - now));
            }
        }
        Ok(None) => chain_fault = Some("it gives no block".to_owned()),
        Err(error) => chain_fault = Some(KgcError::from(error).reason().name().to_owned()),
    }
    let key_fault = service.key_fault.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let faults = [("log", log_fault), ("chain", chain_fault), ("clock", clock_fault), ("key", key_fault)];
    let checks = BTreeMap::from(faults);
    let mut found = service.readiness.0.lock().unwrap_or_else(PoisonError::into_inner);
    for (check, fault) in &checks {
        if found.checks.get(check).is_none_or(|before| before.is_some() != fault.is_some()) {
            match fault {
                Some(fault) => tracing::warn!(check, fault, "not ready"),
                None => tracing::info!(check, "ready"),
            }
        }
    }
    let nodes = service.center.chain().faults();
    for fault in nodes.iter().filter(|fault| !found.nodes.contains(*fault)) {
        tracing::warn!(fault, "one of the nodes is of no use");
    }
    *found = Found { checks, nodes, head_age, log_seq };
}
