//! One function a route.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::StreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::problem::Problem;
use super::{ANSWER, BODY, KgcService};
use crate::clock::Clock;
use crate::kgc::wire::{
    AnswerBody, CAPSULES_BYTES, CHALLENGES, ChallengesBody, HEADER_BYTES, ISSUE_BODY_BYTES, IssueBody, KgcInfo,
    ProblemBody, RELEASE_BODY_BYTES, ReceiptBody, ReleaseBody,
};
use crate::kgc::{Answer, CHALLENGE_SECS, ChainView, KeyCenter, Reason, Refusal, os_random};
use crate::server::accept::Peer;
use hpke::rand_core::Rng as _;

/// How much of a body that is too long is read all the same.
const FORGOTTEN_BYTES: usize = 2 << 20;

type Service<V, C> = State<Arc<KgcService<V, C>>>;

/// What this key center is
#[utoipa::path(get, path = "/v1/kgc", responses((status = 200, body = KgcInfo)))]
pub(super) async fn info<V: ChainView, C: Clock>(State(service): Service<V, C>) -> Json<KgcInfo> {
    let (center, identity) = (&service.center, service.center.identity());
    Json(KgcInfo {
        kgc_id: identity.id,
        epoch: identity.epoch,
        x25519: identity.public.as_bytes().into(),
        receipt_signer: identity.receipt_signer,
        chain_id: center.home().chain_id,
        registry: center.home().registry,
        log_id: center.log_id(),
        boot: center.boot(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        believes: service.believes.clone(),
    })
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Count {
    /// How many, 1 to 16; 1 where it is left out.
    count: Option<u8>,
}

/// Fresh challenges for the requests that follow
#[utoipa::path(get, path = "/v1/challenges", params(Count), responses(
    (status = 200, body = ChallengesBody),
    (status = 400, body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn challenges<V: ChainView, C: Clock>(
    State(service): Service<V, C>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    count: Result<Query<Count>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let id = request_id(&headers);
    let given = async {
        service.admit(peer)?;
        let count = count.map_err(|error| Problem::new(Reason::Malformed, error.body_text()))?.count.unwrap_or(1);
        if !(1..=CHALLENGES).contains(&count) {
            return Err(Problem::new(Reason::Malformed, format!("count is 1 to {CHALLENGES}")));
        }
        let mut challenges = Vec::new();
        for _ in 0..count {
            challenges.push(service.center.challenge().await.map_err(Refusal::from)?);
        }
        Ok(ChallengesBody { challenges, seconds: CHALLENGE_SECS, boot: service.center.boot() })
    };
    let mut answer = match given.await {
        Ok(body) => Json(body).into_response(),
        Err(problem) => service.refused("challenges", problem, &id),
    };
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    named(answer, &id)
}

/// A partial for an image that is to be sealed
#[utoipa::path(post, path = "/v1/issue", request_body = IssueBody, responses(
    (status = 200, body = AnswerBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn issue<V: ChainView, C: Clock>(
    State(service): Service<V, C>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let answered = async |request| {
        let body: IssueBody = read(request, ISSUE_BODY_BYTES).await?;
        in_time(service.center.issue(&body.signed())).await
    };
    service.answer("issue", peer, request, answered).await
}

/// The key of a sealed image
#[utoipa::path(post, path = "/v1/release", request_body = ReleaseBody, responses(
    (status = 200, body = AnswerBody),
    (status = "default", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(super) async fn release<V: ChainView, C: Clock>(
    State(service): Service<V, C>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let answered = async |request| {
        let body: ReleaseBody = read(request, RELEASE_BODY_BYTES).await?;
        let parts = body.parts().ok_or_else(|| Problem::new(Reason::Malformed, "header or capsules are not base64"));
        let (signed, header, capsules) = parts?;
        for (what, found, limit) in
            [("the header", header.len(), HEADER_BYTES), ("the capsules", capsules.len(), CAPSULES_BYTES)]
        {
            if found > limit {
                let detail = format!("{what} has {found} bytes, at most {limit} are read");
                return Err(Problem::new(Reason::TooLarge, detail));
            }
        }
        in_time(service.center.release(&signed, &header, &capsules)).await
    };
    service.answer("release", peer, request, answered).await
}

/// Whether the process is alive: asks neither chain nor disk
#[utoipa::path(get, path = "/healthz", responses((status = 200)))]
pub(super) async fn healthz() -> &'static str {
    "alive\n"
}

/// Whether it can answer: each check by its name, and what is wrong with single nodes
#[utoipa::path(get, path = "/readyz", responses((status = 200), (status = 503)))]
pub(super) async fn readyz<V: ChainView, C: Clock>(State(service): Service<V, C>) -> Response {
    let (ready, checks) = service.readiness.now();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(serde_json::json!({"ready": ready, "checks": checks, "nodes": service.readiness.nodes()})))
        .into_response()
}

/// Counts and times for Prometheus.
pub(super) async fn metrics<V: ChainView, C: Clock>(State(service): Service<V, C>) -> Response {
    let text =
        service.metrics.text(&service.readiness, service.center.used_challenges(), service.center.unlogged_refusals());
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}

impl<V: ChainView, C: Clock> KgcService<V, C> {
    /// How often an address may ask is looked at before anything else.
    fn admit(&self, Peer(address): Peer) -> Result<(), Problem> {
        let too_often = |seconds| {
            Problem::new(Reason::RateLimited, format!("this address has asked too often: again in {seconds} s"))
                .again_after(seconds)
        };
        self.addresses.take(address, self.clock.elapsed()).map_err(too_often)
    }

    /// Has a request answered, if its address may ask, and counts and times what comes of it.
    async fn answer(
        &self,
        act: &'static str,
        peer: Peer,
        request: Request,
        answered: impl AsyncFnOnce(Request) -> Result<Answer, Problem>,
    ) -> Response {
        let (id, started) = (request_id(request.headers()), Instant::now());
        let given = match self.admit(peer) {
            Ok(()) => answered(request).await,
            Err(problem) => Err(problem),
        };
        let answer = match given {
            Ok(Answer { sealed, receipt }) => {
                self.metrics.count(act, "given");
                let receipt = ReceiptBody::from(&receipt);
                tracing::info!(request = id.as_str(), act, wallet = %receipt.wallet, image = %receipt.image_id, line = receipt.log_seq, "given");
                Json(AnswerBody { answer: sealed.0.to_vec().into(), receipt }).into_response()
            }
            Err(problem) => self.refused(act, problem, &id),
        };
        self.metrics.took(act, started.elapsed());
        named(answer, &id)
    }

    fn refused(&self, act: &'static str, problem: Problem, id: &str) -> Response {
        self.metrics.count(act, problem.reason.name());
        tracing::info!(request = id, act, reason = problem.reason.name(), "refused");
        problem.answer(id)
    }
}

/// What the key center says within the time that an answer may take.
async fn in_time(answer: impl Future<Output = Result<Answer, Refusal>>) -> Result<Answer, Problem> {
    let slow = |_| Problem::new(Reason::Busy, format!("no answer within {} s", ANSWER.as_secs()));
    Ok(tokio::time::timeout(ANSWER, answer).await.map_err(slow)??)
}

/// The body of a request.
async fn read<T: DeserializeOwned>(request: Request, limit: usize) -> Result<T, Problem> {
    let json = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if json.is_none_or(|kind| !kind.trim().to_ascii_lowercase().starts_with("application/json")) {
        return Err(Problem::new(Reason::MediaType, "expected Content-Type: application/json"));
    }
    let body = tokio::time::timeout(BODY, bytes_of(request.into_body(), limit)).await;
    let body = body.map_err(|_| Problem::new(Reason::TooSlow, format!("no whole body within {} s", BODY.as_secs())))?;
    let body = body.map_err(|error| Problem::new(Reason::Malformed, format!("the body broke off: {error}")))?;
    let body = body.ok_or_else(|| Problem::new(Reason::TooLarge, format!("at most {limit} bytes are read")))?;
    serde_json::from_slice(&body).map_err(|error| Problem::new(Reason::Malformed, error.to_string()))
}

/// The bytes of a body; none where there are more than `limit`. Some more are read and forgotten: a
/// client that is still sending when the connection ends would not hear why.
async fn bytes_of(body: Body, limit: usize) -> Result<Option<Vec<u8>>, axum::Error> {
    let (mut chunks, mut bytes, mut found) = (body.into_data_stream(), Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        found += chunk.len();
        match found {
            found if found <= limit => bytes.extend_from_slice(&chunk),
            found if found <= limit + FORGOTTEN_BYTES => bytes = Vec::new(),
            _ => break,
        }
    }
    Ok((found <= limit).then_some(bytes))
}

/// The name of a request: the client's own, if it is one.
fn request_id(headers: &HeaderMap) -> String {
    let is_name = |name: &&str| {
        (8..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    match headers.get("x-request-id").and_then(|name| name.to_str().ok()).filter(is_name) {
        Some(name) => name.to_owned(),
        None => format!("{:016x}", os_random().next_u64()),
    }
}

fn named(mut answer: Response, id: &str) -> Response {
    if let Ok(id) = HeaderValue::from_str(id) {
        answer.headers_mut().insert("x-request-id", id);
    }
    answer
}
