//! A node that lies, fails or says nothing: the right error each time.

use super::liar::{Answer, Liar};
use super::node::{Notices, store_at};
use super::{MIB, pattern, sha256};
use medseal::storage::kubo::{Deadlines, KuboStore, Token};
use medseal::storage::{Cid, IpfsError, Observed, Store, StoreError, blocks};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The store at a liar; with a token, to see that it goes nowhere else.
fn at(liar: &Liar, deadlines: Deadlines) -> KuboStore {
    let token = Token::new("secret").expect("a token");
    store_at(vec![(liar.url.parse().expect("a URL"), Some(token))], 1, deadlines).0
}

/// Deadlines that a test can wait for; only for what must end with one.
fn short() -> Deadlines {
    let wait = Duration::from_millis(300);
    Deadlines { connect: Duration::from_secs(5), answer: wait, stall: wait, peers: wait }
}

/// The error of a node, whatever it is to the store.
#[track_caller]
fn of_node<T: std::fmt::Debug>(result: Result<T, StoreError>) -> IpfsError {
    match result.expect_err("it lies") {
        StoreError::Node { source, .. } => source,
        other => panic!("{other:?}"),
    }
}

fn json_error(message: &str) -> Vec<u8> {
    format!(r#"{{"Message":"{message}","Code":0,"Type":"error"}}"#).into_bytes()
}

#[tokio::test]
async fn an_honest_one_is_believed() {
    let bytes = pattern(2 * MIB + 7);
    let store = at(&Liar::with(&bytes, |_, _| None), Deadlines::default());
    let cid = store.put(&bytes).await.expect("put");
    assert_eq!(store.get(&cid, &sha256(&bytes)).await.expect("get"), bytes);
    store.remove(&cid).await.expect("removed");
    let absent = store.get(&Cid::of(b"absent"), &sha256(b"absent")).await.expect_err("not there");
    assert!(matches!(absent, StoreError::NotFound { .. }), "{absent:?}");
}

#[tokio::test]
async fn wrong_bytes_are_altered() {
    let bytes = pattern(2 * MIB + 7);
    let (cid, (leaf, _)) = (Cid::of(&bytes), blocks(&bytes).swap_remove(1));
    let name = leaf.to_string();
    let other = b"something else".to_vec();
    for lie in [Answer::Whole(200, other.clone()), Answer::Whole(200, Vec::new())] {
        let Answer::Whole(_, body) = lie.clone() else { unreachable!() };
        let name = name.clone();
        let lies = move |call: &str, arg: &str| (call == "block/get" && arg == name).then(|| lie.clone());
        let store = at(&Liar::with(&bytes, lies), Deadlines::default());
        for error in [store.get(&cid, &sha256(&bytes)).await.map(drop), store.put(&bytes).await.map(drop)] {
            let error = error.expect_err("altered");
            assert!(matches!(error, StoreError::BlockAltered { block, .. } if block == leaf), "{error:?}");
        }
        let observed = [&bytes[..MIB], &body, &bytes[2 * MIB..]].concat();
        let observed = Observed { bytes: observed, altered: Some(leaf) };
        assert_eq!(store.fetch_observed(&cid).await.expect("as it gives them"), observed);
    }
}

#[tokio::test]
async fn another_address_than_ours_is_refused() {
    let bytes = pattern(5);
    for (answer, wrong) in [
        (format!(r#"{{"Hash":"{}"}}"#, Cid::of(b"another")), true),
        (r#"{"Hash":"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"}"#.to_owned(), true),
        (format!("{{\"Hash\":\"{0}\"}}\n{{\"Hash\":\"{0}\"}}\n", Cid::of(&bytes)), false),
        (String::new(), false),
        ("<html>".to_owned(), false),
        (r#"{"Name":"object"}"#.to_owned(), false),
    ] {
        let body = answer.clone().into_bytes();
        let lies = move |call: &str, _: &str| (call == "add").then(|| Answer::Whole(200, body.clone()));
        let error = of_node(at(&Liar::with(&bytes, lies), Deadlines::default()).put(&bytes).await);
        match error {
            IpfsError::OtherCid { expected, .. } => assert!(wrong && expected == Cid::of(&bytes), "{answer}"),
            IpfsError::NotAnAnswer { call: "add" } => assert!(!wrong, "{answer}"),
            other => panic!("{answer}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_pin_that_is_not_kept_is_no_put() {
    let bytes = pattern(5);
    let text = json_error("path is not pinned");
    let lies = move |call: &str, _: &str| (call == "pin/ls").then(|| Answer::Whole(500, text.clone()));
    let error = of_node(at(&Liar::with(&bytes, lies), Deadlines::default()).put(&bytes).await);
    assert!(matches!(error, IpfsError::NotPinned { cid } if cid == Cid::of(&bytes)), "{error:?}");
}

/// What becomes of a put and of a get whose one call is answered so.
async fn both(call: [&'static str; 2], lie: Answer, deadlines: Deadlines) -> [IpfsError; 2] {
    let bytes = pattern(2000);
    let [put, get] = call;
    let lies = move |found: &str, _: &str| (found == put || found == get).then(|| lie.clone());
    let liar = Liar::with(&bytes, lies);
    let store = at(&liar, deadlines);
    [of_node(store.put(&bytes).await), of_node(store.get(&Cid::of(&bytes), &sha256(&bytes)).await)]
}

#[tokio::test]
async fn what_is_cut_or_taken_back_is_no_answer() {
    let calls = ["add", "block/get"];
    let body = pattern(2000);
    for error in both(calls, Answer::Cut(b"{\"Hash\":".to_vec()), Deadlines::default()).await {
        assert!(matches!(error, IpfsError::Cut(_)), "{error:?}");
    }
    // The bytes are right, and the node says at the end that they are not.
    let [_, error] = both(calls, Answer::TakenBack(body.clone(), "disk read failed"), Deadlines::default()).await;
    assert!(matches!(&error, IpfsError::InAnswer { message } if message == "disk read failed"), "{error:?}");
    let line = format!("{{\"Hash\":\"{}\"}}\n", Cid::of(&body)).into_bytes();
    let [error, _] = both(calls, Answer::TakenBack(line, "flush failed"), Deadlines::default()).await;
    assert!(matches!(&error, IpfsError::InAnswer { message } if message == "flush failed"), "{error:?}");
    // An error with status 200.
    let error = of_node(put_to(Answer::Whole(200, json_error("merkledag: not found"))).await);
    assert!(matches!(&error, IpfsError::InAnswer { message } if message == "merkledag: not found"), "{error:?}");
}

#[tokio::test]
async fn refusals_keep_the_nodes_words() {
    let calls = ["add", "block/get"];
    for error in both(calls, Answer::Whole(500, json_error("no \\u001b[31mway\\n")), Deadlines::default()).await {
        assert!(matches!(&error, IpfsError::Refused { message } if message == "no  [31mway"), "{error:?}");
    }
    let long = "x".repeat(5000);
    for error in both(calls, Answer::Whole(500, json_error(&long)), Deadlines::default()).await {
        assert!(matches!(&error, IpfsError::Refused { message } if message.len() == 300), "{error:?}");
    }
    let full = "write blocks/AB/put-1: no space left on device";
    for status in [500, 200] {
        let lie = Answer::Whole(status, json_error(full));
        let error = of_node(put_to(lie).await);
        assert!(matches!(&error, IpfsError::Full { message } if message == full), "{error:?}");
    }
    for (status, token) in [(401, true), (403, true)] {
        for error in both(calls, Answer::Whole(status, b"go away".to_vec()), Deadlines::default()).await {
            let expected = matches!(error, IpfsError::NotAuthorized { status: found, token: sent } if found == status && sent == token);
            assert!(expected, "{error:?}");
        }
    }
    for status in [404, 500, 502, 204] {
        for error in both(calls, Answer::Whole(status, b"<html>".to_vec()), Deadlines::default()).await {
            assert!(matches!(error, IpfsError::Http { status: found } if found == status), "{error:?}");
        }
    }
}

async fn put_to(lie: Answer) -> Result<Cid, StoreError> {
    let bytes = pattern(2000);
    let lies = move |call: &str, _: &str| (call == "add").then(|| lie.clone());
    at(&Liar::with(&bytes, lies), Deadlines::default()).put(&bytes).await
}

#[tokio::test]
async fn nobody_is_waited_for_for_ever() {
    for lie in [Answer::Silent, Answer::Stalls(b"{".to_vec()), Answer::Drips, Answer::Deaf] {
        for error in both(["add", "block/get"], lie, short()).await {
            assert!(matches!(error, IpfsError::Timeout { .. }), "{error:?}");
        }
    }
    // More than the connection holds, to one that never reads it.
    let bytes = vec![0; 32 * MIB];
    let liar = Liar::with(&bytes, |call, _| (call == "add").then_some(Answer::Deaf));
    let error = of_node(at(&liar, short()).put(&bytes).await);
    assert!(matches!(error, IpfsError::Timeout { what: "progress while sending", .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let bytes = pattern(2000);
    for byte in [b' ', b'x'] {
        let liar = Liar::with(&bytes, move |call, _| (call != "block/get").then_some(Answer::Endless(byte)));
        let store = at(&liar, Deadlines::default());
        for error in [
            of_node(store.put(&bytes).await),
            of_node(store.pins().await),
            of_node(store.pin_state(&Cid::of(&bytes)).await),
        ] {
            assert!(matches!(error, IpfsError::TooLong { .. }), "{error:?}");
        }
    }
    let liar = Liar::with(&bytes, |call, _| (call == "block/get").then_some(Answer::Endless(0)));
    let error = at(&liar, Deadlines::default()).get(&Cid::of(&bytes), &sha256(&bytes)).await.expect_err("too long");
    assert!(matches!(error, StoreError::BlockAltered { .. }), "{error:?}");
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let elsewhere = Liar::with(b"", |_, _| None);
    let target = format!("{}/api/v0/block/get", elsewhere.url);
    for error in both(["add", "block/get"], Answer::Redirect(target), Deadlines::default()).await {
        assert!(matches!(error, IpfsError::Redirected { status: 307 }), "{error:?}");
    }
    assert_eq!(elsewhere.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn nobody_at_the_address_is_unreachable() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let nodes = vec![(format!("http://{port}").parse().expect("a URL"), None)];
    let (store, notices): (KuboStore, Notices) = store_at(nodes, 1, Deadlines::default());
    let error = store.put(b"one").await.expect_err("nobody there");
    assert!(error.to_string().contains(&port.to_string()), "{error}");
    assert!(error.says_nothing());
    assert!(matches!(of_node(Err::<(), _>(error)), IpfsError::Unreachable(_)));
    assert!(notices.all().is_empty(), "the error says it");
}

#[tokio::test]
async fn a_liar_among_others_is_named_and_passed_over() {
    let bytes = pattern(2 * MIB + 7);
    let cid = Cid::of(&bytes);
    let honest = Liar::with(&bytes, |_, _| None);
    let lies: [(&str, Answer); 5] = [
        ("wrong bytes", Answer::Whole(200, b"wrong".to_vec())),
        ("cut", Answer::Cut(b"cut".to_vec())),
        ("taken back", Answer::TakenBack(b"x".to_vec(), "failed")),
        ("endless", Answer::Endless(1)),
        ("refuses", Answer::Whole(500, json_error("no"))),
    ];
    for (name, lie) in lies {
        // Whichever is asked first.
        for swapped in [false, true] {
            let lie = lie.clone();
            let liar = Liar::with(&bytes, move |call, _| (call == "block/get").then(|| lie.clone()));
            let mut nodes: Vec<_> =
                [&liar, &honest].map(|node| (node.url.parse().expect("a URL"), None)).into_iter().collect();
            if swapped {
                nodes.reverse();
            }
            let (store, notices) = store_at(nodes, 1, Deadlines::default());
            assert_eq!(
                store.get(&cid, &sha256(&bytes)).await.unwrap_or_else(|error| panic!("{name}: {error:?}")),
                bytes
            );
            assert_eq!(store.put(&bytes).await.unwrap_or_else(|error| panic!("{name}: {error:?}")), cid);
            let observed = store.fetch_observed(&cid).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            assert_eq!(observed, Observed { bytes: bytes.clone(), altered: None }, "{name}");
            assert!(notices.name(&liar.url) && !notices.name(&honest.url), "{name}: {:?}", notices.all());
        }
    }
}
