//! Partials, answers and what nobody may read in them.

use super::*;
use crate::cipher::{hkdf_sha256, length_prefixed};

/// The partial that `center` issues to this wallet.
async fn partial(scene: &Scene, signer: &PrivateKeySigner, image_id: B256) -> [u8; 32] {
    let (ask, secret) = scene.ask().await;
    let request = UnsignedRequest { image_id, ..ask }.sign_one::<IssueRequest>(&HOME, signer).await.expect("signs");
    let answer = scene.issue(&request).await.expect("a partial");
    *answer.open_partial(&secret, &request.digest(&HOME)).expect("its own answer")
}

#[tokio::test]
async fn a_partial_belongs_to_sender_image_and_key_center() {
    let (scene, other_scene) = (Scene::new(), Scene::new());
    let (image, other_image) = (B256::repeat_byte(1), B256::repeat_byte(2));
    let mut all = vec![
        partial(&scene, &scene.sender, image).await,
        partial(&scene, &scene.reader, image).await,
        partial(&scene, &scene.sender, other_image).await,
        partial(&other_scene, &scene.sender, image).await,
    ];
    assert_eq!(all[0], partial(&scene, &scene.sender, image).await);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 4);
}

#[test]
fn a_partial_is_that_of_the_formula() {
    let keys = KgcKeys::from_secret_bytes(B256::repeat_byte(1), 1, &[5; 96]).expect("a key of the curve");
    let (sender, image_id) = (Address::repeat_byte(2), B256::repeat_byte(3));
    let info = length_prefixed(&[b"medseal/v1/partial", &[1; 32], &[2; 20], &[3; 32]]);
    assert_eq!(keys.partial(sender, image_id), hkdf_sha256(&[], &[5; 32], &info));
}

#[tokio::test]
async fn an_answer_opens_with_its_own_key_and_request_only() {
    let scene = Scene::new();
    let (ask, secret) = scene.ask().await;
    let request = ask.sign_one::<KeyRequest>(&HOME, &scene.reader).await.expect("signs");
    let (answer, digest) = (scene.release(&request).await.expect("authorised"), request.digest(&HOME));
    let Sealed { context, commitment, .. } = &scene.image;
    assert!(answer.open_image_key(&secret, &digest, context, commitment).is_ok());
    let other = X25519Secret::from_bytes([1; 32]);
    assert!(matches!(answer.open_partial(&other, &digest), Err(KgcError::AnswerNotAuthentic)));
    assert!(matches!(answer.open_partial(&secret, &B256::ZERO), Err(KgcError::AnswerNotAuthentic)));
    let mut flipped = answer;
    flipped.0[79] ^= 1;
    assert!(matches!(flipped.open_partial(&secret, &digest), Err(KgcError::AnswerNotAuthentic)));
    let wrong = answer.open_image_key(&secret, &digest, context, &[0; 32]);
    assert!(matches!(wrong, Err(KgcError::Capsules(CapsuleError::WrongKey))));
}

#[tokio::test]
async fn the_log_says_what_was_given_to_whom() {
    let scene = Scene::new();
    let issue = scene.request::<IssueRequest>(&scene.sender).await;
    let issued = scene.issue(&issue).await.expect("a partial");
    scene.set_clock(NOW + 5);
    let release = scene.request::<KeyRequest>(&scene.reader).await;
    let released = scene.release(&release).await.expect("authorised");
    let log = scene.log();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let boot = scene.center.boot();
    let expected = |line: &serde_json::Value, at: u64, kind: &str, wallet: Address, digest: B256, answer: B256| {
        serde_json::json!({
            "seq": line["seq"], "prev": line["prev"], "salt": line["salt"],
            "at": at,
            "kind": kind,
            "wallet": wallet,
            "imageId": scene.image.context.image_id,
            "requestDigest": digest,
            "decision": if kind == "issue" { "issued" } else { "released" },
            "reason": "",
            "blockNumber": 7,
            "blockHash": B256::repeat_byte(7),
            "answerHash": answer,
            "kgcSetHash": kgc_set_hash(&[scene.center.identity().id]),
            "kgcId": scene.center.identity().id,
            "epoch": 1,
            "boot": boot,
        })
    };
    let [first, second] = &lines[..] else { panic!("{} lines", lines.len()) };
    let sender = scene.sender.address();
    assert_eq!(*first, expected(first, NOW, "issue", sender, issue.digest(&HOME), issued.hash()));
    let reader = scene.reader.address();
    assert_eq!(*second, expected(second, NOW + 5, "release", reader, release.digest(&HOME), released.hash()));
    // Each line names its place and the head before it; the salts differ.
    let head = LogHead::EMPTY.after(log.lines().next().expect("two lines").as_bytes());
    assert_eq!((&first["seq"], &first["prev"]), (&1.into(), &serde_json::json!(B256::ZERO)));
    assert_eq!((&second["seq"], &second["prev"]), (&2.into(), &serde_json::json!(head.head)));
    assert_eq!(first["salt"].as_str().expect("hex").len(), 32);
    assert_ne!(first["salt"], second["salt"]);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(scene.log_path()).expect("the log").permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn what_is_not_logged_is_not_given() {
    let scene = Scene::logging_to(Some(Path::new("/dev/full")));
    let issue = scene.request::<IssueRequest>(&scene.sender).await;
    assert!(matches!(scene.issue(&issue).await, Err(KgcError::Log(LogError::Io { .. }))));
    let release = scene.request::<KeyRequest>(&scene.reader).await;
    // What is on the disk is not known any more.
    assert!(matches!(scene.release(&release).await, Err(KgcError::Log(LogError::Failed { .. }))));
    assert!(matches!(ReleaseLog::open(Path::new("/nowhere/log.jsonl")), Err(LogError::Io { .. })));
}

#[tokio::test]
async fn no_key_is_printed_or_logged() {
    let scene = Scene::new();
    assert_eq!(scene.open_as(&scene.reader).await.expect("authorised"), CANARY);
    let keys = KgcKeys::from_secret_bytes(B256::ZERO, 1, &[0x5a; 96]).expect("a key of the curve");
    let (ask, secret) = scene.ask().await;
    let request = ask.sign_one::<KeyRequest>(&HOME, &scene.stranger).await.expect("signs");
    let refused = scene.release(&request).await.expect_err("not authorised");
    let text = format!(
        "{:?} {keys:?} {keys:#?} {secret:?} {:?} {refused:?} {refused} {}",
        scene.center,
        ImageKey::from_bytes(CANARY),
        scene.log()
    );
    let own = X25519Secret::from_bytes(*secret.as_bytes());
    for key in [&CANARY, &[0x5a; 32], own.as_bytes()] {
        let decimal = format!("{key:?}");
        for found in [alloy::hex::encode(key), decimal.trim_matches(['[', ']']).to_owned()] {
            assert!(!text.to_lowercase().contains(&found), "{found} is printed");
        }
    }
    assert!(!text.contains("CANARY"));
    assert!(text.contains("KgcKeys(KgcIdentity"));
}

#[tokio::test]
async fn a_receipt_says_what_was_decided_and_proves_it() {
    let scene = Scene::new();
    let signer = scene.center.identity().receipt_signer;
    let asked = |request: &SignedRequest<KeyRequest>| Asked {
        digest: request.digest(&HOME),
        image_id: scene.image.context.image_id,
        wallet: request.request.requester,
        kgc_id: scene.center.identity().id,
    };
    let given = scene.request(&scene.reader).await;
    let answer = scene.center.release(&given, &scene.image.header, &scene.image.capsules).await.expect("authorised");
    answer.receipt.check(&HOME, signer, &asked(&given), Some(&answer.sealed)).expect("its receipt");
    let head = LogHead::EMPTY.after(scene.log().lines().next().expect("a line").as_bytes());
    let receipt = &answer.receipt.receipt;
    assert_eq!((receipt.logSeq, receipt.logHead, receipt.decision), (1, head.head, Decision::Released.code()));
    assert_eq!((receipt.blockNumber, receipt.time, receipt.reason.as_str()), (7, NOW, ""));

    let denied = scene.request(&scene.stranger).await;
    let refusal = scene.center.release(&denied, &scene.image.header, &scene.image.capsules).await.expect_err("nobody");
    let refused = refusal.receipt.expect("a receipt of the refusal");
    refused.check(&HOME, signer, &asked(&denied), None).expect("its receipt");
    assert_eq!((refused.receipt.reason.as_str(), refused.receipt.logSeq), ("not-authorised", 2));

    // It proves nothing for another request, answer, image, wallet, key center, signer or registry.
    let other = B256::repeat_byte(1);
    let good = asked(&given);
    for wrong in [
        Asked { digest: other, ..good },
        Asked { image_id: other, ..good },
        Asked { wallet: Address::ZERO, ..good },
        Asked { kgc_id: other, ..good },
    ] {
        let refused = answer.receipt.check(&HOME, signer, &wrong, Some(&answer.sealed));
        assert!(matches!(refused, Err(ReceiptError::Other { .. })), "{wrong:?}");
    }
    let check = |receipt: &SignedReceipt, home: &Home, signer, sealed: Option<&SealedAnswer>| {
        receipt.check(home, signer, &good, sealed).expect_err("another")
    };
    assert!(matches!(check(&answer.receipt, &HOME, signer, None), ReceiptError::Other { what: "answer", .. }));
    let mut sealed = answer.sealed;
    sealed.0[0] ^= 1;
    assert!(matches!(check(&answer.receipt, &HOME, signer, Some(&sealed)), ReceiptError::Other { what: "answer", .. }));
    let elsewhere = Home { chain_id: 1, ..HOME };
    for (home, signer) in [(&elsewhere, signer), (&HOME, wallet(9).address())] {
        let error = check(&answer.receipt, home, signer, Some(&answer.sealed));
        assert!(matches!(error, ReceiptError::Signature { .. }), "{error}");
    }
    let mut changed = answer.receipt.clone();
    changed.receipt.logSeq += 1;
    let error = check(&changed, &HOME, signer, Some(&answer.sealed));
    assert!(matches!(error, ReceiptError::Signature { .. }), "{error}");
}
