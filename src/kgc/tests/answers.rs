//! Partials, answers and what nobody may read in them.

use super::*;
use crate::cipher::{hkdf_sha256, length_prefixed};

/// The partial that `center` issues to this wallet.
async fn partial(scene: &Scene, signer: &PrivateKeySigner, image_id: B256) -> [u8; 32] {
    let (ask, secret) = scene.ask().await;
    let request = UnsignedRequest { image_id, ..ask }.sign::<IssueRequest>(&HOME, signer).await.expect("signs");
    let answer = scene.center.issue(&request).await.expect("a partial");
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
    let request = ask.sign::<KeyRequest>(&HOME, &scene.reader).await.expect("signs");
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
    scene.center.issue(&issue).await.expect("a partial");
    scene.set_clock(NOW + 5);
    let release = scene.request::<KeyRequest>(&scene.reader).await;
    scene.release(&release).await.expect("authorised");
    let log = scene.log();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let expected = |at: u64, kind: &str, wallet: Address, digest: B256| {
        serde_json::json!({
            "at": at,
            "kind": kind,
            "requester": wallet.to_checksum(None),
            "imageId": scene.image.context.image_id,
            "kgcSetHash": kgc_set_hash(&[scene.center.identity().id]),
            "kgcId": scene.center.identity().id,
            "epoch": 1,
            "requestDigest": digest,
        })
    };
    assert_eq!(
        lines,
        [
            expected(NOW, "issue", scene.sender.address(), issue.digest(&HOME)),
            expected(NOW + 5, "release", scene.reader.address(), release.digest(&HOME)),
        ]
    );
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(scene.log_path()).expect("the log").permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn what_is_not_logged_is_not_given() {
    let scene = Scene::logging_to(Some(Path::new("/dev/full")));
    let issue = scene.request::<IssueRequest>(&scene.sender).await;
    assert!(matches!(scene.center.issue(&issue).await, Err(KgcError::Log(LogError::Io { .. }))));
    let release = scene.request::<KeyRequest>(&scene.reader).await;
    assert!(matches!(scene.release(&release).await, Err(KgcError::Log(LogError::Io { .. }))));
    assert!(matches!(ReleaseLog::open(Path::new("/nowhere/log.jsonl")), Err(LogError::Io { .. })));
}

#[tokio::test]
async fn no_key_is_printed_or_logged() {
    let scene = Scene::new();
    assert_eq!(scene.open_as(&scene.reader).await.expect("authorised"), CANARY);
    let keys = KgcKeys::from_secret_bytes(B256::ZERO, 1, &[0x5a; 96]).expect("a key of the curve");
    let (ask, secret) = scene.ask().await;
    let request = ask.sign::<KeyRequest>(&HOME, &scene.stranger).await.expect("signs");
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
