//! Who is given an image key, and who is not.

use alloy::primitives::Address;
use tokio::task::JoinSet;

use super::*;
use crate::envelope::EnvelopeError;
use crate::envelope::capsules::Stanza;

#[tokio::test]
async fn sender_and_reader_get_the_key_and_a_stranger_does_not() {
    let scene = Scene::new();
    assert_eq!(scene.open_as(&scene.sender).await.expect("the sender"), CANARY);
    assert_eq!(scene.open_as(&scene.reader).await.expect("granted"), CANARY);
    let refused = scene.open_as(&scene.stranger).await;
    assert!(
        matches!(refused, Err(KgcError::NotAuthorized { wallet, expiry: 0, .. }) if wallet == scene.stranger.address())
    );
    assert_eq!(scene.log().lines().count(), 2);
}

#[tokio::test]
async fn access_ends_after_its_last_second_on_either_clock() {
    let scene = Scene::new();
    let image_id = scene.image.context.image_id;
    scene.grant(image_id, scene.reader.address(), NOW + 10);
    scene.set_clock(NOW + 10);
    assert!(scene.open_as(&scene.reader).await.is_ok());
    scene.set_clock(NOW + 11);
    let late = scene.open_as(&scene.reader).await;
    assert!(matches!(late, Err(KgcError::NotAuthorized { expiry, now, .. }) if (expiry, now) == (NOW + 10, NOW + 11)));
    // Our clock is behind; the chain's time counts.
    scene.set_clock(NOW);
    scene.chain.change(|chain| chain.block_time = NOW + 10);
    assert!(scene.open_as(&scene.reader).await.is_ok());
    scene.chain.change(|chain| chain.block_time = NOW + 11);
    assert!(matches!(scene.open_as(&scene.reader).await, Err(KgcError::NotAuthorized { .. })));
    assert!(scene.open_as(&scene.sender).await.is_ok());
}

#[tokio::test]
async fn the_deadline_counts_on_either_clock() {
    let scene = Scene::new();
    let request = scene.request(&scene.reader).await;
    scene.chain.change(|chain| chain.block_time = NOW + 301);
    assert!(matches!(scene.release(&request).await, Err(KgcError::Request(KeyRequestError::Expired { .. }))));
    scene.chain.change(|chain| chain.block_time = NOW);
    let (request, issue) = (scene.request(&scene.reader).await, scene.request(&scene.reader).await);
    scene.set_clock(NOW + 300);
    assert!(scene.release(&request).await.is_ok());
    let late = scene.request(&scene.reader).await;
    scene.set_clock(NOW + 301);
    assert!(matches!(scene.release(&late).await, Err(KgcError::Request(KeyRequestError::Expired { .. }))));
    assert!(matches!(scene.center.issue(&issue).await, Err(KgcError::ChallengeUnknown { .. })));
    let issue = scene.request(&scene.reader).await;
    assert!(matches!(scene.center.issue(&issue).await, Err(KgcError::Request(KeyRequestError::Expired { .. }))));
}

#[tokio::test]
async fn a_grant_for_another_image_is_none() {
    let scene = Scene::new();
    scene.grant(B256::repeat_byte(1), scene.stranger.address(), u64::MAX);
    assert!(matches!(scene.open_as(&scene.stranger).await, Err(KgcError::NotAuthorized { .. })));
    let (ask, _) = scene.ask().await;
    let unknown = UnsignedRequest { image_id: B256::repeat_byte(1), ..ask };
    let request = unknown.sign(&HOME, &scene.stranger).await.expect("signs");
    let refused = scene.release(&request).await;
    assert!(matches!(refused, Err(KgcError::UnknownImage { image_id }) if image_id == B256::repeat_byte(1)));
}

#[tokio::test]
async fn a_revocation_acts_on_requests_already_signed() {
    let scene = Scene::new();
    let request = scene.request(&scene.reader).await;
    scene.grant(scene.image.context.image_id, scene.reader.address(), 0);
    assert!(matches!(scene.release(&request).await, Err(KgcError::NotAuthorized { expiry: 0, .. })));
    scene.grant(scene.image.context.image_id, scene.reader.address(), u64::MAX);
    assert!(matches!(scene.release(&request).await, Err(KgcError::RequestUsed { .. })));
}

#[tokio::test]
async fn a_thousand_replays_give_nothing() {
    let scene = Scene::new();
    let request = scene.request(&scene.reader).await;
    assert!(scene.release(&request).await.is_ok());
    for replay in 0..1000 {
        assert!(matches!(scene.release(&request).await, Err(KgcError::RequestUsed { .. })), "replay {replay}");
    }
    assert_eq!(scene.log().lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_at_once_one_is_answered() {
    let scene = Scene::new();
    let request = Arc::new(scene.request(&scene.reader).await);
    let (header, capsules) = (Arc::new(scene.image.header.clone()), Arc::new(scene.image.capsules.clone()));
    let mut releases = JoinSet::new();
    for _ in 0..100 {
        let (center, request) = (Arc::clone(&scene.center), Arc::clone(&request));
        let (header, capsules) = (Arc::clone(&header), Arc::clone(&capsules));
        releases.spawn(async move { center.release(&request, &header, &capsules).await });
    }
    let answers = releases.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let used = |answer: &&Result<_, _>| matches!(answer, Err(KgcError::RequestUsed { .. }));
    assert_eq!(answers.iter().filter(used).count(), 99);
    assert_eq!(scene.log().lines().count(), 1);
}

#[tokio::test]
async fn challenges_are_our_own_fresh_and_not_too_many() {
    let scene = Scene::new();
    let (mut ask, _) = scene.ask().await;
    let own = ask.challenges[0].1;
    ask.challenges[0].1 = B256::repeat_byte(1);
    let request = ask.sign(&HOME, &scene.reader).await.expect("signs");
    let refused = scene.release(&request).await;
    assert!(matches!(refused, Err(KgcError::ChallengeUnknown { challenge }) if challenge == B256::repeat_byte(1)));
    // At its last second, and one later.
    let mut expiring = [scene.request(&scene.reader).await, scene.request(&scene.reader).await].into_iter();
    scene.set_clock(NOW + 300);
    assert!(scene.release(&expiring.next().expect("two")).await.is_ok());
    scene.set_clock(NOW + 301);
    assert!(matches!(scene.release(&expiring.next().expect("two")).await, Err(KgcError::ChallengeUnknown { .. })));
    // The four above have expired.
    for _ in 0..MAX_CHALLENGES {
        assert_ne!(scene.center.challenge().await.expect("not too many"), own);
    }
    assert!(matches!(scene.center.challenge().await, Err(KgcError::TooManyChallenges { limit: 10_000 })));
    scene.set_clock(NOW + 602);
    assert!(scene.center.challenge().await.is_ok());
}

#[tokio::test]
async fn a_chain_that_is_silent_stale_or_another_releases_nothing() {
    let scene = Scene::new();
    let failures: [fn() -> ChainViewError; 3] = [
        || ChainViewError::Unreachable { source: "no answer".into() },
        || ChainViewError::Stale { age_secs: 61, limit_secs: 60 },
        || ChainViewError::WrongDeployment { expected: "31337".into(), found: "1".into() },
    ];
    for failure in failures {
        let (release, issue) = (scene.request(&scene.sender).await, scene.request(&scene.sender).await);
        scene.chain.change(|chain| chain.failure = Some(failure));
        assert!(matches!(scene.release(&release).await, Err(KgcError::Chain(_))));
        assert!(matches!(scene.center.issue(&issue).await, Err(KgcError::Chain(_))));
        scene.chain.change(|chain| chain.failure = None);
        assert!(matches!(scene.release(&release).await, Err(KgcError::RequestUsed { .. })));
    }
    assert_eq!(scene.log(), "");
}

#[track_caller]
fn mismatch(result: Result<SealedAnswer, KgcError>) -> &'static str {
    match result {
        Err(KgcError::RecordMismatch { what, .. }) => what,
        other => panic!("expected a mismatch, found {other:?}"),
    }
}

#[tokio::test]
async fn header_and_capsules_are_those_of_the_record() {
    let scene = Scene::new();
    let other = sealed(HOME, scene.sender.address(), 8, &scene.center.identity());
    let request = scene.request(&scene.reader).await;
    let released = scene.center.release(&request, &other.header, &scene.image.capsules).await;
    assert_eq!(mismatch(released), "header hash");
    let request = scene.request(&scene.reader).await;
    let released = scene.center.release(&request, &scene.image.header, &other.capsules).await;
    assert_eq!(mismatch(released), "capsules hash");
}

#[tokio::test]
async fn registered_capsules_are_taken_as_long_as_the_chain_view_names_them() {
    let scene = Scene::new();
    let image_id = scene.image.context.image_id;
    for (registered, taken) in [(Some(sha256(&scene.image.capsules)), true), (None, false), (Some(B256::ZERO), false)] {
        scene.chain.change(|chain| {
            let image = chain.registrations.get_mut(&image_id).expect("registered");
            (image.capsules_hash, image.registered_capsules) = (B256::repeat_byte(7), registered);
        });
        let request = scene.request(&scene.reader).await;
        let released = scene.center.release(&request, &scene.image.header, &scene.image.capsules).await;
        if taken {
            released.expect("the same key is in them");
        } else {
            assert_eq!(mismatch(released), "capsules hash");
        }
        // Who may have the key is another question.
        let request = scene.request(&scene.stranger).await;
        let refused = scene.center.release(&request, &scene.image.header, &scene.image.capsules).await;
        assert!(matches!(refused, Err(KgcError::NotAuthorized { .. })), "{refused:?}");
    }
}

/// Registers under the scene's image id what `change` makes of it, and asks for it as the sender.
async fn registered_otherwise(scene: &Scene, image: Sealed, sender: Address) -> Result<SealedAnswer, KgcError> {
    let image = Sealed { context: scene.image.context, ..image };
    scene.register(&image, sender);
    let request = scene.request(&scene.reader).await;
    scene.center.release(&request, &image.header, &image.capsules).await
}

#[tokio::test]
async fn a_registered_header_of_another_home_sender_or_image_is_refused() {
    let scene = Scene::new();
    let (sender, kgc) = (scene.sender.address(), scene.center.identity());
    let elsewhere = |home| sealed(home, sender, 7, &kgc);
    let there = elsewhere(Home { chain_id: 1, ..HOME });
    assert_eq!(mismatch(registered_otherwise(&scene, there, sender).await), "home chain");
    let there = elsewhere(Home { registry: Address::ZERO, ..HOME });
    assert_eq!(mismatch(registered_otherwise(&scene, there, sender).await), "home registry");
    let theirs = sealed(HOME, scene.stranger.address(), 7, &kgc);
    assert_eq!(mismatch(registered_otherwise(&scene, theirs, sender).await), "sender");
    let other = sealed(HOME, sender, 8, &kgc);
    assert_eq!(mismatch(registered_otherwise(&scene, other, sender).await), "image id");
}

#[tokio::test]
async fn registered_bytes_that_do_not_parse_are_refused() {
    let scene = Scene::new();
    let (sender, kgc) = (scene.sender.address(), scene.center.identity());
    let good = || sealed(HOME, sender, 7, &kgc);
    let mut longer = good();
    longer.header.push(0);
    let refused = registered_otherwise(&scene, longer, sender).await;
    assert!(matches!(refused, Err(KgcError::Header(EnvelopeError::TrailingBytes { expected: 212, found: 213 }))));
    let refused = registered_otherwise(&scene, Sealed { header: vec![], ..good() }, sender).await;
    assert!(matches!(refused, Err(KgcError::Header(EnvelopeError::Truncated { .. }))));
    let refused = registered_otherwise(&scene, Sealed { capsules: vec![], ..good() }, sender).await;
    assert!(matches!(refused, Err(KgcError::Capsules(CapsuleError::Truncated { .. }))));
}

#[tokio::test]
async fn capsules_of_another_epoch_or_key_center_are_named() {
    let scene = Scene::new();
    let (sender, own) = (scene.sender.address(), scene.center.identity());
    let later = sealed(HOME, sender, 7, &KgcIdentity { epoch: 2, ..own });
    let refused = registered_otherwise(&scene, later, sender).await;
    assert!(matches!(refused, Err(KgcError::EpochUnknown { expected: 1, found: 2 })));
    let theirs = sealed(HOME, sender, 7, &KgcIdentity { id: B256::ZERO, ..own });
    let refused = registered_otherwise(&scene, theirs, sender).await;
    assert!(matches!(refused, Err(KgcError::Capsules(CapsuleError::NoMatchingStanza { epoch: 1, .. }))));
    let public = X25519Secret::from_bytes([1; 32]).public();
    let old_key = sealed(HOME, sender, 7, &KgcIdentity { public, ..own });
    let refused = registered_otherwise(&scene, old_key, sender).await;
    assert!(matches!(refused, Err(KgcError::Capsules(CapsuleError::CapsuleNotAuthentic))));
}

/// Mallory seals and registers an image of her own, properly, with the victim's capsule and key
/// commitment in it.
#[tokio::test]
async fn a_capsule_transplanted_into_ones_own_record_gives_nothing() {
    let scene = Scene::new();
    let (mallory, victim) = (&scene.stranger, &scene.image);
    let capsules = Capsules::decode(&victim.capsules).expect("the victim's");
    for salt in 0..100 {
        let salt = B256::repeat_byte(salt);
        let context = ImageContext::new(HOME.chain_id, HOME.registry, mallory.address(), salt);
        let header = PublicHeader::new(&context, salt, victim.commitment, [0; 32], vec![100, 200]).expect("valid");
        let stanzas: Vec<Stanza> = capsules.stanzas().to_vec();
        let capsules = Capsules::new(stanzas).expect("one").encode();
        let own = Sealed { context, commitment: victim.commitment, header: header.encode(), capsules };
        scene.register(&own, mallory.address());
        let (ask, _) = scene.ask().await;
        let ask = UnsignedRequest { image_id: context.image_id, ..ask };
        let request = ask.sign(&HOME, mallory).await.expect("signs");
        let refused = scene.center.release(&request, &own.header, &own.capsules).await;
        assert!(matches!(refused, Err(KgcError::Capsules(CapsuleError::CapsuleNotAuthentic))));
    }
    assert_eq!(scene.log(), "");
}

#[tokio::test]
async fn two_key_centers_answer_one_signature() {
    let (first, second) = (Scene::new(), Scene::new());
    let (mut ask, secret) = first.ask().await;
    ask.challenges.extend(second.ask().await.0.challenges);
    let request = ask.sign::<IssueRequest>(&HOME, &first.sender).await.expect("signs");
    let digest = request.digest(&HOME);
    let mut partials = Vec::new();
    for scene in [&first, &second] {
        let answer = scene.center.issue(&request).await.expect("a partial");
        partials.push(answer.open_partial(&secret, &digest).expect("its own answer"));
        assert!(matches!(scene.center.issue(&request).await, Err(KgcError::RequestUsed { .. })));
    }
    assert_ne!(partials[0], partials[1]);
}
