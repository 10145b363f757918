//! What is counted and timed, for Prometheus.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::ready::Readiness;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    act: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Act {
    act: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Check {
    check: &'static str,
}

/// Seconds: from one signature's time to the longest answer.
const SECONDS: [f64; 10] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0];

/// All that is counted. Labels come from fixed lists: no wallet and no image stands in them.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Asked, Counter>,
    seconds: Family<Act, Histogram, fn() -> Histogram>,
    challenges: Gauge,
    unlogged: Gauge,
    ready: Family<Check, Gauge>,
    head_age: Gauge,
    log_seq: Gauge,
    nodes_at_fault: Gauge,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("medseal_kgc");
        let requests: Family<Asked, Counter> = Family::default();
        let seconds: Family<Act, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(SECONDS));
        let (challenges, unlogged): (Gauge, Gauge) = Default::default();
        let ready: Family<Check, Gauge> = Family::default();
        let (head_age, log_seq, nodes_at_fault): (Gauge, Gauge, Gauge) = Default::default();
        registry.register("requests", "Requests by what came of them", requests.clone());
        registry.register("request_duration_seconds", "How long an answer took", seconds.clone());
        registry.register("challenges_used", "Used challenges that are remembered", challenges.clone());
        registry.register("refusals_unlogged", "Refusals beyond the log's budget", unlogged.clone());
        registry.register("ready", "1 where a check passes", ready.clone());
        registry.register("head_age_seconds", "Age of the newest block by this clock", head_age.clone());
        registry.register("log_seq", "Lines in the log", log_seq.clone());
        let at_fault = "Faults of single nodes, as /readyz lists them";
        registry.register("nodes_at_fault", at_fault, nodes_at_fault.clone());
        registry.register("build", "The program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        Self { registry, requests, seconds, challenges, unlogged, ready, head_age, log_seq, nodes_at_fault }
    }

    pub(super) fn count(&self, act: &'static str, outcome: &'static str) {
        self.requests.get_or_create(&Asked { act, outcome }).inc();
    }

    pub(super) fn took(&self, act: &'static str, time: Duration) {
        self.seconds.get_or_create(&Act { act }).observe(time.as_secs_f64());
    }

    /// All of them as text.
    pub(super) fn text(&self, readiness: &Readiness, challenges: usize, unlogged: u64) -> String {
        self.challenges.set(i64::try_from(challenges).unwrap_or(i64::MAX));
        self.unlogged.set(i64::try_from(unlogged).unwrap_or(i64::MAX));
        for (check, fault) in readiness.now().1 {
            self.ready.get_or_create(&Check { check }).set(i64::from(fault.is_none()));
        }
        let (age, seq) = readiness.numbers();
        self.head_age.set(i64::try_from(age).unwrap_or(i64::MAX));
        self.log_seq.set(i64::try_from(seq).unwrap_or(i64::MAX));
        self.nodes_at_fault.set(i64::try_from(readiness.nodes().len()).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a String takes all");
        text
    }
}
