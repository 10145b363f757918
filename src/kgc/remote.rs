//! A Key Generation Center on the network.
//!
//! Nothing that it says of itself is believed: its key and its receipt signer come from the chain,
//! its receipts are checked against that signer before anything is done with an answer, and kept.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use alloy::primitives::B256;
use reqwest::{Certificate, Client, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::error::KgcError;
use super::names::Reason;
use super::receipt::{Asked, SignedReceipt};
use super::refusal::Refusal;
use super::requests::{Home, IssueRequest, KeyRequest, KgcRequest, SignedRequest};
use super::wire::{AnswerBody, ChallengesBody, IssueBody, KgcInfo, PROBLEMS, ProblemBody, ReceiptBody, ReleaseBody};
use super::{Answer, KeyCenter, KgcIdentity, SealedAnswer};
use crate::files::{Existing, make_private_folder, write_whole};
use crate::http::body_of;
use crate::words::{one_line, root_cause};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(20);
/// Most bytes of an answer that are read.
const ANSWER_BYTES: usize = 64 * 1024;
/// How long it is waited for a KGC that was asked too often: a request is good for 300 s.
const WAIT: Duration = Duration::from_secs(60);
/// How often a question that changes nothing is asked again where nobody answers.
const TRIES: u32 = 3;

/// Where a KGC is asked.
#[derive(Debug, Clone)]
pub struct KgcDoor {
    client: Client,
    url: Url,
    tries: u32,
}

impl KgcDoor {
    /// The door at this URL; `ca` is a PEM file with the authorities to trust besides the usual.
    ///
    /// # Errors
    /// [`KgcError::Url`].
    pub fn new(url: &str, ca: Option<&[u8]>) -> Result<Self, KgcError> {
        let refused = |reason: String| KgcError::Url { url: one_line(url), reason };
        let mut parsed: Url = url.parse().map_err(|error| refused(format!("{error}")))?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(refused("expected http://HOST:PORT or https://HOST:PORT".to_owned()));
        }
        if !parsed.path().ends_with('/') {
            parsed.set_path(&format!("{}/", parsed.path()));
        }
        let mut client =
            Client::builder().connect_timeout(CONNECT).timeout(ANSWER).redirect(reqwest::redirect::Policy::none());
        for ca in ca
            .map(Certificate::from_pem_bundle)
            .transpose()
            .map_err(|error| refused(root_cause(&error)))?
            .into_iter()
            .flatten()
        {
            client = client.add_root_certificate(ca);
        }
        Ok(Self { client: client.build().map_err(|error| refused(root_cause(&error)))?, url: parsed, tries: TRIES })
    }

    /// The same, asked once: where others can answer too, who does not answer is not waited for.
    #[must_use]
    pub fn without_retries(self) -> Self {
        Self { tries: 1, ..self }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// What the KGC there says of itself.
    ///
    /// # Errors
    /// [`KgcError::NoAnswer`], [`KgcError::BadAnswer`], [`KgcError::Refused`].
    pub async fn info(&self) -> Result<KgcInfo, KgcError> {
        self.get("v1/kgc").await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, KgcError> {
        let mut pause = Duration::from_millis(200);
        for _ in 1..self.tries {
            match self.ask_in_turn(|| self.client.get(self.at(path))).await.map_err(|refusal| refusal.error) {
                Err(KgcError::NoAnswer { .. }) => tokio::time::sleep(pause).await,
                Err(KgcError::Refused { reason: Reason::Busy, .. }) => tokio::time::sleep(pause).await,
                answered => return answered,
            }
            pause *= 4;
        }
        self.ask_in_turn(|| self.client.get(self.at(path))).await.map_err(|refusal| refusal.error)
    }

    fn at(&self, path: &str) -> Url {
        self.url.join(path).expect("a relative path")
    }

    /// Asks, and waits for its turn where it has asked too often: that uses no request up.
    async fn ask_in_turn<T: DeserializeOwned>(&self, question: impl Fn() -> RequestBuilder) -> Result<T, Refusal> {
        let began = Instant::now();
        loop {
            let answered = self.ask(question()).await;
            let Err(Refusal { error, receipt: None }) = &answered else { return answered };
            let KgcError::Refused { reason: Reason::RateLimited, retry_after, .. } = error else { return answered };
            let pause = Duration::from_secs(retry_after.unwrap_or(1).max(1));
            if pause > WAIT.saturating_sub(began.elapsed()) {
                return answered;
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Asks once.
    async fn ask<T: DeserializeOwned>(&self, question: RequestBuilder) -> Result<T, Refusal> {
        let silent =
            |error: reqwest::Error| KgcError::NoAnswer { url: self.url().to_owned(), reason: root_cause(&error) };
        let mut answer = question.send().await.map_err(silent)?;
        let status = answer.status();
        let body = body_of(&mut answer, ANSWER_BYTES).await.map_err(silent)?;
        let body = body.ok_or_else(|| self.bad("an answer that is too long"))?;
        if status == StatusCode::OK {
            return serde_json::from_slice(&body).map_err(|error| self.bad(&error.to_string()).into());
        }
        let problem = serde_json::from_slice::<ProblemBody>(&body).ok();
        let Some((problem, reason)) = problem.and_then(|problem| {
            let reason = Reason::of_name(problem.kind.strip_prefix(PROBLEMS)?)?;
            Some((problem, reason))
        }) else {
            return Err(self.bad(&format!("HTTP status {status}, and no reason that is known")).into());
        };
        let error = KgcError::Refused {
            url: self.url().to_owned(),
            reason,
            detail: one_line(&problem.detail),
            retry_after: problem.retry_after_secs,
        };
        Err(Refusal { error, receipt: problem.receipt.map(|receipt| Box::new(receipt.into())) })
    }

    fn bad(&self, reason: &str) -> KgcError {
        KgcError::BadAnswer { url: self.url().to_owned(), reason: one_line(reason) }
    }
}

/// A key center at a URL, with its key from the chain.
#[derive(Debug, Clone)]
pub struct RemoteKeyCenter {
    door: KgcDoor,
    identity: KgcIdentity,
    home: Home,
    receipts: Option<PathBuf>,
}

impl RemoteKeyCenter {
    /// The key center behind this door. `identity` is what the chain says of it; receipts are kept
    /// in the folder, if there is one.
    pub fn new(door: KgcDoor, identity: KgcIdentity, home: Home, receipts: Option<&Path>) -> Self {
        Self { door, identity, home, receipts: receipts.map(Path::to_owned) }
    }

    async fn post<R: KgcRequest>(
        &self,
        path: &str,
        request: &SignedRequest<R>,
        body: &impl serde::Serialize,
    ) -> Result<Answer, Refusal> {
        let terms = request.request.terms();
        let asked = Asked {
            digest: request.digest(&self.home),
            image_id: terms.image_id,
            wallet: terms.wallet,
            kgc_id: self.identity.id,
        };
        let question = || self.door.client.post(self.door.at(path)).json(body);
        let answer: AnswerBody = match self.door.ask_in_turn(question).await {
            Ok(answer) => answer,
            Err(Refusal { error, receipt: Some(receipt) }) => {
                self.check(&receipt, &asked, None)?;
                return Err(Refusal { error, receipt: Some(receipt) });
            }
            Err(refusal) => return Err(refusal),
        };
        let sealed = SealedAnswer(answer.sealed().ok_or_else(|| self.door.bad("an answer that has not 80 bytes"))?);
        let receipt: SignedReceipt = answer.receipt.into();
        self.check(&receipt, &asked, Some(&sealed))?;
        Ok(Answer { sealed, receipt })
    }

    /// Checks a receipt and keeps it.
    fn check(&self, receipt: &SignedReceipt, asked: &Asked, sealed: Option<&SealedAnswer>) -> Result<(), KgcError> {
        receipt.check(&self.home, self.identity.receipt_signer, asked, sealed)?;
        let Some(folder) = &self.receipts else { return Ok(()) };
        let name = format!("{}-{:.8}.json", asked.digest, alloy::hex::encode(asked.kgc_id));
        let json = serde_json::to_vec_pretty(&ReceiptBody::from(receipt)).expect("a receipt is JSON");
        make_private_folder(folder)
            .and_then(|()| write_whole(&folder.join(name), &json, Existing::Replace))
            .map_err(|source| KgcError::ReceiptNotKept { folder: folder.clone(), source })
    }
}

impl KeyCenter for RemoteKeyCenter {
    fn identity(&self) -> KgcIdentity {
        self.identity
    }

    async fn challenge(&self) -> Result<B256, KgcError> {
        let body: ChallengesBody = self.door.get("v1/challenges?count=1").await?;
        match body.challenges[..] {
            [challenge] => Ok(challenge),
            _ => Err(self.door.bad("not the one challenge that was asked for")),
        }
    }

    async fn issue(&self, request: &SignedRequest<IssueRequest>) -> Result<Answer, Refusal> {
        self.post("v1/issue", request, &IssueBody::of(request)).await
    }

    async fn release(
        &self,
        request: &SignedRequest<KeyRequest>,
        header: &[u8],
        capsules: &[u8],
    ) -> Result<Answer, Refusal> {
        self.post("v1/release", request, &ReleaseBody::of(request, header, capsules)).await
    }
}
