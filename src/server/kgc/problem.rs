//! Refusals as problem details (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::kgc::wire::{PROBLEMS, ProblemBody, ReceiptBody};
use crate::kgc::{ChainViewError, KgcError, Reason, Refusal};

/// A refusal, ready to be answered but for the name of the request.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) reason: Reason,
    detail: String,
    retry_after: Option<u64>,
    receipt: Option<Box<ReceiptBody>>,
}

impl Problem {
    pub(super) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        let retry_after = retry_after(reason);
        Self { reason, detail: detail.into(), retry_after, receipt: None }
    }

    pub(super) fn again_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The answer to the request with this name.
    pub(super) fn answer(self, request_id: &str) -> Response {
        let (status, title) = named(self.reason);
        let body = ProblemBody {
            kind: format!("{PROBLEMS}{}", self.reason.name()),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail,
            request_id: request_id.to_owned(),
            retry_after_secs: self.retry_after,
            receipt: self.receipt.map(|receipt| *receipt),
        };
        let json = serde_json::to_vec(&body).expect("text and numbers are JSON");
        let mut answer = (status, json).into_response();
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        answer
    }
}

impl From<Refusal> for Problem {
    fn from(Refusal { error, receipt }: Refusal) -> Self {
        let reason = error.reason();
        let mut problem = Self::new(reason, detail(&error));
        if let KgcError::RateLimited { retry_after } = error {
            problem = problem.again_after(retry_after);
        }
        Self { receipt: receipt.map(|receipt| Box::new(ReceiptBody::from(&*receipt))), ..problem }
    }
}

/// What a client is told: nothing of this machine's files, nor what a node said.
fn detail(error: &KgcError) -> String {
    match error {
        // One text for all causes: which part of a signature is wrong is nobody's business.
        KgcError::Request(_) if error.reason() == Reason::SignatureInvalid => {
            "not a signature of that wallet for this request, chain and registry".to_owned()
        }
        KgcError::Request(cause) => cause.to_string(),
        KgcError::Chain(ChainViewError::Unreachable { .. }) => "no node gives an answer that can be used".to_owned(),
        KgcError::Chain(cause) => cause.to_string(),
        KgcError::Header(cause) => format!("{error}: {cause}"),
        KgcError::Capsules(cause) => format!("{error}: {cause}"),
        KgcError::Log(_) => "the answer cannot be logged, so nothing is given out".to_owned(),
        other => other.to_string(),
    }
}

/// Status and title of a reason.
pub(super) fn named(reason: Reason) -> (StatusCode, &'static str) {
    use StatusCode as S;
    match reason {
        Reason::Malformed => (S::BAD_REQUEST, "the body is not such a request"),
        Reason::TooLarge => (S::PAYLOAD_TOO_LARGE, "the request is too large"),
        Reason::TooSlow => (S::REQUEST_TIMEOUT, "the request came too slowly"),
        Reason::MediaType => (S::UNSUPPORTED_MEDIA_TYPE, "the body is not application/json"),
        Reason::ChallengeInvalid => (S::UNPROCESSABLE_ENTITY, "the challenge is not valid any more"),
        Reason::OtherInstance => (S::MISDIRECTED_REQUEST, "another run of the key center gave the challenge"),
        Reason::SignatureInvalid => (S::FORBIDDEN, "the signature does not count"),
        Reason::RequestUsed => (S::CONFLICT, "the challenge was used before"),
        Reason::RequestTime => (S::UNPROCESSABLE_ENTITY, "the request's times do not fit"),
        Reason::RecipientKey => (S::UNPROCESSABLE_ENTITY, "the recipient's key cannot be used"),
        Reason::SetMismatch => (S::UNPROCESSABLE_ENTITY, "key centers or challenges are not those that were signed"),
        Reason::UnknownImage => (S::NOT_FOUND, "the image is not on chain"),
        Reason::NotAuthorized => (S::FORBIDDEN, "the wallet is not authorised now"),
        Reason::SenderNotAdmitted => (S::FORBIDDEN, "the wallet is not one of the senders"),
        Reason::RecordMismatch => (S::CONFLICT, "header or capsules are not those of the record"),
        Reason::ShareMismatch => (S::CONFLICT, "the share is not the one that was committed to"),
        Reason::EpochUnknown => (S::CONFLICT, "the capsule is for another key"),
        Reason::RateLimited => (S::TOO_MANY_REQUESTS, "too many requests"),
        Reason::ChainStale => (S::SERVICE_UNAVAILABLE, "the newest block is too old"),
        Reason::ChainUnreachable => (S::SERVICE_UNAVAILABLE, "the chain cannot be asked"),
        Reason::ChainDisagrees => (S::SERVICE_UNAVAILABLE, "the nodes contradict each other"),
        Reason::LogUnavailable => (S::SERVICE_UNAVAILABLE, "the answer cannot be logged"),
        Reason::Busy => (S::SERVICE_UNAVAILABLE, "no room for another request"),
        Reason::Internal => (S::INTERNAL_SERVER_ERROR, "a fault of the key center"),
    }
}

fn retry_after(reason: Reason) -> Option<u64> {
    match reason {
        Reason::ChainStale | Reason::ChainUnreachable | Reason::ChainDisagrees => Some(5),
        Reason::Busy => Some(2),
        Reason::LogUnavailable => Some(30),
        _ => None,
    }
}
