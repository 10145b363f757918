//! What strangers try at its door.

use super::super::{World, png};
use super::Serving;
use alloy::primitives::{B256, keccak256};
use medseal::chain::Wallet;
use medseal::envelope::capsules::X25519Secret;
use medseal::kgc::wire::{ChallengesBody, IssueBody, KgcInfo, ProblemBody};
use medseal::kgc::{Home, IssueRequest, SignedRequest, UnsignedRequest, os_random};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;

pub(super) struct Door {
    pub(super) client: Client,
    pub(super) url: String,
    home: Home,
    kgc_id: B256,
}

impl Door {
    pub(super) async fn of(world: &World, serving: &Serving) -> Self {
        let client = Client::new();
        let info: KgcInfo = get(&client, &serving.url, "/v1/kgc").await.json().await.expect("JSON");
        let home = Home { chain_id: info.chain_id, registry: info.registry };
        assert_eq!(home.registry, world.registry().address());
        Self { client, url: serving.url.clone(), home, kgc_id: info.kgc_id }
    }

    async fn challenge(&self) -> B256 {
        let body: ChallengesBody = get(&self.client, &self.url, "/v1/challenges").await.json().await.expect("JSON");
        body.challenges[0]
    }

    /// A good request for a partial, by a development wallet.
    pub(super) async fn request(&self) -> SignedRequest<IssueRequest> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let ask = UnsignedRequest {
            image_id: keccak256(b"an image"),
            challenges: vec![(self.kgc_id, self.challenge().await)],
            recipient: X25519Secret::generate(&mut os_random()).public(),
            issued_at: now,
            deadline: now + 300,
        };
        let wallet = Wallet::development(1, self.home.chain_id).expect("a development key");
        ask.sign(&self.home, wallet.signer()).await.expect("signs").remove(0)
    }

    pub(super) async fn issue(&self, body: &Value) -> Response {
        self.client.post(format!("{}/v1/issue", self.url)).json(body).send().await.expect("an answer")
    }
}

async fn get(client: &Client, url: &str, path: &str) -> Response {
    client.get(format!("{url}{path}")).send().await.expect("an answer")
}

pub(super) async fn problem(answer: Response, status: u16, reason: &str) -> ProblemBody {
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let id = answer.headers()["x-request-id"].to_str().expect("text").to_owned();
    let (found, body) = (answer.status().as_u16(), answer.json::<ProblemBody>().await.expect("JSON"));
    assert_eq!((found, body.status), (status, status), "{body:?}");
    assert_eq!(body.kind, format!("/problems/{reason}"), "{body:?}");
    assert_eq!(body.request_id, id);
    body
}

/// What `/readyz` says as soon as it is, or is not, ready.
pub(super) async fn ready(door: &Door, expected: bool) -> Value {
    for _ in 0..120 {
        let answer = get(&door.client, &door.url, "/readyz").await;
        let (ready, body) = (answer.status() == StatusCode::OK, answer.json::<Value>().await.expect("JSON"));
        if ready == expected {
            return body;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("/readyz never said {expected}");
}

pub(super) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[test]
fn a_request_acts_once_and_at_one_run_of_the_service() {
    let world = World::new();
    let serving = Serving::start(&world, &["--anchor-every", "0", "--issue-rate", "30"]);
    let runtime = runtime();
    let (kept, waiting) = runtime.block_on(async {
        let door = Door::of(&world, &serving).await;
        let (kept, used) = (door.request().await, door.request().await);
        let body = serde_json::to_value(IssueBody::of(&used)).expect("JSON");
        let answer = door.issue(&body).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let first: Value = answer.json().await.expect("JSON");
        problem(door.issue(&body).await, 409, "request-used").await;
        let mut often = 0;
        for _ in 0..100 {
            let status = door.issue(&body).await.status();
            often += usize::from(status == StatusCode::TOO_MANY_REQUESTS);
            assert!(matches!(status, StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS), "{status}");
        }
        // Thirty at once, and one more every other second.
        assert!(often >= 60, "{often}");
        assert_eq!(first["receipt"]["logSeq"], 2);
        // A changed request is nobody's.
        let mut changed = serde_json::to_value(IssueBody::of(&kept)).expect("JSON");
        changed["request"]["imageId"] = json!(B256::ZERO);
        let refused = problem(door.issue(&changed).await, 403, "signature-invalid").await;
        assert!(refused.receipt.is_none());
        (serde_json::to_value(IssueBody::of(&kept)).expect("JSON"), door.home)
    });
    serving.stop();
    let serving = Serving::start(&world, &["--anchor-every", "0"]);
    runtime.block_on(async {
        let door = Door::of(&world, &serving).await;
        assert_eq!(door.home, waiting);
        problem(door.issue(&kept).await, 421, "other-instance").await;
    });
    let log = String::from_utf8(world.read(".medseal/kgc/release.log")).expect("text");
    let issues = log.lines().filter(|line| line.contains("\"kind\":\"issue\"")).count();
    assert_eq!(issues, 1, "{log}");
}

#[test]
fn what_is_no_request_is_refused_by_its_name_and_costs_little() {
    let world = World::new();
    let serving = Serving::start(&world, &["--anchor-every", "0"]);
    runtime().block_on(async {
        let door = Door::of(&world, &serving).await;
        let post = |path: &'static str, kind: &'static str, body: Vec<u8>| {
            let request = door.client.post(format!("{}{path}", door.url)).header("content-type", kind);
            async move { request.body(body).send().await.expect("an answer") }
        };
        let json = "application/json";
        let good = serde_json::to_value(IssueBody::of(&door.request().await)).expect("JSON");
        let with = |field: &str, value: Value| {
            let mut changed = good.clone();
            changed[field] = value;
            serde_json::to_vec(&changed).expect("JSON")
        };
        for body in [
            b"".to_vec(),
            b"[".repeat(15_000),
            b"{\"a\":".repeat(3_000),
            b"\xff\xfe".to_vec(),
            with("more", json!(1)),
            with("signature", json!("0x1")),
            with("kgcs", json!("0x")),
            with("challenge", json!(1.5)),
            with("request", json!({})),
        ] {
            problem(post("/v1/issue", json, body).await, 400, "malformed").await;
        }
        problem(post("/v1/issue", "text/plain", b"{}".to_vec()).await, 415, "media-type").await;
        problem(post("/v1/issue", json, vec![b' '; 1 << 20]).await, 413, "too-large").await;
        problem(post("/v1/release", json, vec![b' '; 1 << 20]).await, 413, "too-large").await;
        let mut release = good.clone();
        (release["header"], release["capsules"]) = (json!("!"), json!(""));
        let body = serde_json::to_vec(&release).expect("JSON");
        problem(post("/v1/release", json, body).await, 400, "malformed").await;
        release["header"] = json!("A".repeat(4 * 70_000));
        let body = serde_json::to_vec(&release).expect("JSON");
        problem(post("/v1/release", json, body).await, 413, "too-large").await;
        problem(post("/v1/issue", json, with("challenge", json!(B256::ZERO))).await, 422, "set-mismatch").await;
        for query in ["count=0", "count=17", "count=x", "other=1"] {
            let path = format!("/v1/challenges?{query}");
            problem(get(&door.client, &door.url, &path).await, 400, "malformed").await;
        }
        let sixteen = get(&door.client, &door.url, "/v1/challenges?count=16").await;
        assert_eq!(sixteen.headers()["cache-control"], "no-store");
        assert_eq!(sixteen.json::<ChallengesBody>().await.expect("JSON").challenges.len(), 16);
        assert_eq!(get(&door.client, &door.url, "/metrics").await.status(), StatusCode::NOT_FOUND);
        // What it is stands in its document, and a name of ours is kept.
        let document: Value = get(&door.client, &door.url, "/v1/openapi.json").await.json().await.expect("JSON");
        assert!(document["openapi"].as_str().expect("a version").starts_with("3.1"), "{}", document["openapi"]);
        for path in ["/v1/kgc", "/v1/challenges", "/v1/issue", "/v1/release", "/healthz", "/readyz"] {
            assert!(document["paths"][path].is_object(), "{path}");
        }
        let page = get(&door.client, &door.url, "/docs/").await;
        assert_eq!(page.status(), StatusCode::OK);
        assert!(!page.text().await.expect("text").contains("https://"), "the page loads something from elsewhere");
        let named = door.client.get(format!("{}/v1/challenges", door.url)).header("x-request-id", "a-name-of-ours");
        assert_eq!(named.send().await.expect("an answer").headers()["x-request-id"], "a-name-of-ours");
        // The good request was not used up by any of it.
        assert_eq!(door.issue(&good).await.status(), StatusCode::OK);
        let metrics = get(&door.client, &serving.operators, "/metrics").await.text().await.expect("text");
        assert!(metrics.contains("medseal_kgc_requests_total{act=\"issue\",outcome=\"given\"} 1"), "{metrics}");
        assert!(metrics.contains("outcome=\"malformed\"} 9"), "{metrics}");
    });
}

/// Connections from an address of their own: all of 127.0.0.0/8 is this machine.
async fn idle(from: [u8; 4], to: SocketAddr) -> std::io::Result<tokio::net::TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(IpAddr::from(from), 0))?;
    socket.connect(to).await
}

#[test]
fn a_thousand_idle_connections_and_slow_headers_hold_nobody_up() {
    let world = World::new();
    let serving = Serving::start(&world, &["--anchor-every", "0"]);
    runtime().block_on(async {
        let door = Door::of(&world, &serving).await;
        let address: SocketAddr = serving.url.trim_start_matches("http://").parse().expect("an address");
        let mut open = Vec::new();
        for number in 0..1_000_u16 {
            let [high, low] = (number / 20).to_be_bytes();
            let mut stream = idle([127, 1, high, low + 1], address).await.expect("connected");
            // The beginning of a request that never ends.
            let _ = stream.write_all(b"POST /v1/issue HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
            open.push(stream);
        }
        for _ in 0..20 {
            let body = serde_json::to_value(IssueBody::of(&door.request().await)).expect("JSON");
            assert_eq!(door.issue(&body).await.status(), StatusCode::OK);
        }
        // And they are cut off.
        let mut slow = open.swap_remove(0);
        let cut = async {
            let mut rest = Vec::new();
            slow.read_to_end(&mut rest).await.map(|_| ())
        };
        let ended = tokio::time::timeout(Duration::from_secs(60), cut).await;
        assert!(ended.is_ok(), "it waits for ever");
    });
}

#[test]
fn a_log_that_is_taken_away_ends_the_answers_and_readiness_says_why() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    world.write("a.png", png(9, 9, 1));
    let path = world.path(".medseal/kgc/release.log");
    let serving = Serving::start(&world, &["--anchor-every", "0"]);
    runtime().block_on(async {
        let door = Door::of(&world, &serving).await;
        ready(&door, true).await;
        let whole = std::fs::read(&path).expect("the log");
        let aside = world.path("aside.log");
        let refused = async |what: &str| {
            let body = serde_json::to_value(IssueBody::of(&door.request().await)).expect("JSON");
            let refused = problem(door.issue(&body).await, 503, "log-unavailable").await;
            assert!(!refused.detail.contains(".medseal"), "{}", refused.detail);
            assert_eq!(refused.retry_after_secs, Some(30));
            let checks = ready(&door, false).await;
            assert!(checks["checks"]["log"].is_string(), "{what}: {checks}");
            assert_eq!(checks["checks"]["chain"], Value::Null, "{what}");
        };
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).expect("set");
        refused("read-only").await;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
        ready(&door, true).await;
        std::fs::rename(&path, &aside).expect("moved");
        refused("moved").await;
        std::fs::copy(&aside, &path).expect("copied");
        refused("a copy in its place").await;
        std::fs::rename(&aside, &path).expect("put back");
        ready(&door, true).await;
        std::fs::write(&path, [&whole[..], b"{\"seq\":9}\n"].concat()).expect("written");
        // Somebody's line is an entry that the log had never answered for: it is in the chain now,
        // and shows there.
        std::fs::write(&path, &whole[..whole.len() / 2]).expect("cut");
        refused("cut").await;
        std::fs::write(&path, &whole).expect("whole");
        ready(&door, true).await;
        let body = serde_json::to_value(IssueBody::of(&door.request().await)).expect("JSON");
        assert_eq!(door.issue(&body).await.status(), StatusCode::OK);
    });
}
