//! Who is given an image key, and who is not.

use std::collections::HashSet;

use alloy::primitives::Address;
use tokio::task::JoinSet;

use super::*;
use crate::envelope::EnvelopeError;
use crate::envelope::capsules::Stanza;
use crate::kgc::challenges::{Challenges, MAX_USED};

#[tokio::test]
async fn sender_and_reader_get_the_key_and_a_stranger_does_not() {
    let scene = Scene::new();
    assert_eq!(scene.open_as(&scene.sender).await.expect("the sender"), CANARY);
    assert_eq!(scene.open_as(&scene.reader).await.expect("granted"), CANARY);
    let refused = scene.open_as(&scene.stranger).await;
    assert!(
        matches!(refused, Err(KgcError::NotAuthorized { wallet, expiry: 0, .. }) if wallet == scene.stranger.address())
    );
    assert_eq!(scene.decisions(), ["released", "released", "refused not-authorised"]);
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
    assert!(matches!(scene.issue(&issue).await, Err(KgcError::ChallengeUnknown { .. })));
    let issue = scene.request(&scene.reader).await;
    assert!(matches!(scene.issue(&issue).await, Err(KgcError::Request(KeyRequestError::Expired { .. }))));
}

#[tokio::test]
async fn a_grant_for_another_image_is_none() {
    let scene = Scene::new();
    scene.grant(B256::repeat_byte(1), scene.stranger.address(), u64::MAX);
    assert!(matches!(scene.open_as(&scene.stranger).await, Err(KgcError::NotAuthorized { .. })));
    let (ask, _) = scene.ask().await;
    let unknown = UnsignedRequest { image_id: B256::repeat_byte(1), ..ask };
    let request = unknown.sign_one(&HOME, &scene.stranger).await.expect("signs");
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
async fn ten_thousand_replays_give_nothing() {
    let scene = Scene::new();
    let request = scene.request(&scene.reader).await;
    assert!(scene.release(&request).await.is_ok());
    for replay in 0..10_000 {
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
    let used = |answer: &&Result<Answer, Refusal>| {
        matches!(answer, Err(Refusal { error: KgcError::RequestUsed { .. }, receipt: None }))
    };
    assert_eq!(answers.iter().filter(used).count(), 99);
    assert_eq!(scene.log().lines().count(), 1);
}

#[tokio::test]
async fn challenges_are_our_own_and_fresh() {
    let scene = Scene::new();
    let (good, _) = scene.ask().await;
    let own = good.challenges[0].1;
    let with = async |challenge: B256| {
        let challenges = vec![(scene.center.identity().id, challenge)];
        let request = UnsignedRequest { challenges, ..good.clone() }.sign_one(&HOME, &scene.reader).await;
        scene.release(&request.expect("signs")).await
    };
    for byte in 0..32 {
        let mut changed = own;
        changed[byte] ^= 1;
        let refused = with(changed).await;
        let expected = match (byte, &refused) {
            (1..8, Err(KgcError::OtherInstance { own, found })) => own != found,
            (0 | 8.., Err(KgcError::ChallengeUnknown { challenge })) => *challenge == changed,
            _ => false,
        };
        assert!(expected, "byte {byte}: {refused:?}");
    }
    // Another key center's, which starts with the same key.
    let foreign = Challenges::new(B256::ZERO, &mut os_random()).give(Duration::from_secs(NOW));
    assert!(matches!(with(foreign).await, Err(KgcError::OtherInstance { .. })));
    assert_eq!(scene.log(), "");
    // At its last second, and one later, whatever the wall clock says.
    let mut expiring = [scene.request(&scene.reader).await, scene.request(&scene.reader).await].into_iter();
    scene.set_clock(NOW + 300);
    assert!(scene.release(&expiring.next().expect("two")).await.is_ok());
    scene.set_clock(NOW + 301);
    assert!(matches!(scene.release(&expiring.next().expect("two")).await, Err(KgcError::ChallengeUnknown { .. })));
}

#[tokio::test]
async fn challenges_cost_nothing_and_used_ones_are_bounded() {
    let challenges = Challenges::new(B256::ZERO, &mut os_random());
    let at = Duration::from_secs;
    let all: HashSet<B256> = (0..MAX_USED).map(|_| challenges.give(at(1))).collect();
    assert_eq!((all.len(), challenges.used()), (MAX_USED, 0), "a challenge came twice, or was kept");
    for challenge in &all {
        challenges.use_up(Address::ZERO, *challenge, at(1)).expect("fresh");
    }
    let one = challenges.give(at(200));
    assert!(matches!(challenges.use_up(Address::ZERO, one, at(301)), Err(KgcError::Busy)));
    // None is forgotten before its time.
    let first = *all.iter().next().expect("many");
    assert!(matches!(challenges.use_up(Address::ZERO, first, at(301)), Err(KgcError::RequestUsed { .. })));
    challenges.use_up(Address::ZERO, one, at(302)).expect("the others have expired");
    // It is used by that wallet alone.
    challenges.use_up(Address::repeat_byte(1), one, at(302)).expect("another's");
}

#[tokio::test]
async fn a_contract_wallet_is_asked_about_its_signature() {
    let scene = Scene::new();
    let mut request = scene.request::<KeyRequest>(&scene.reader).await;
    request.signature = b"what only the contract understands".to_vec();
    let refused = scene.release(&request).await;
    assert!(matches!(refused, Err(KgcError::Request(KeyRequestError::Signature { .. }))));
    assert_eq!(scene.log(), "", "strangers' signatures are not logged");
    scene.chain.change(|chain| {
        chain.contracts.insert(scene.reader.address(), request.signature.clone());
    });
    assert!(scene.release(&request).await.is_ok());
    assert!(matches!(scene.release(&request).await, Err(KgcError::RequestUsed { .. })));
    assert_eq!(scene.decisions(), ["released"]);
    assert!(scene.log().contains("\"contractWallet\":true"));
}

#[tokio::test]
async fn only_admitted_senders_are_issued_to() {
    let scene = Scene::of(None, |center| {
        center.with_policy(Policy { senders: Some(HashSet::from([wallet(1).address()])), ..Policy::default() })
    });
    assert!(scene.issue(&scene.request(&scene.sender).await).await.is_ok());
    let refused = scene.issue(&scene.request(&scene.reader).await).await;
    assert!(matches!(refused, Err(KgcError::SenderNotAdmitted { wallet }) if wallet == scene.reader.address()));
    assert!(scene.open_as(&scene.reader).await.is_ok(), "the list is for sealing");
    assert_eq!(scene.decisions(), ["issued", "refused sender-not-admitted", "released"]);
}

#[tokio::test]
async fn a_wallet_asks_so_often_and_strangers_fill_no_disk() {
    let few = Limiter::new([Rate { burst: 20.0, per_second: 0.001 }]);
    let policy = Policy { refusals: Some(few), ..Policy::of_a_service(None, WalletRates::default()) };
    let scene = Scene::of(None, |center| center.with_policy(policy));
    for _ in 0..30 {
        scene.open_as(&scene.reader).await.expect("within its rate");
    }
    assert!(matches!(scene.open_as(&scene.reader).await, Err(KgcError::RateLimited { retry_after: 2 })));
    assert!(scene.open_as(&scene.sender).await.is_ok(), "others are not held up");
    scene.set_clock(NOW + 2);
    assert!(scene.open_as(&scene.reader).await.is_ok());
    // Who forges a wallet's signature takes nothing from what that wallet may ask.
    for _ in 0..40 {
        let mut forged = scene.request::<KeyRequest>(&scene.stranger).await;
        forged.request.requester = scene.sender.address();
        let refused = scene.release(&forged).await;
        assert!(matches!(refused, Err(KgcError::Request(KeyRequestError::Signature { .. }))), "{refused:?}");
    }
    assert!(scene.open_as(&scene.sender).await.is_ok());
    // A hundred wallets made for it.
    for number in 0..100_u64 {
        let mut key = [0; 32];
        key[24..].copy_from_slice(&(number + 1).to_be_bytes());
        let stranger = PrivateKeySigner::from_slice(&key).expect("a key of the curve");
        assert!(matches!(scene.open_as(&stranger).await, Err(KgcError::NotAuthorized { .. })));
    }
    assert_eq!(scene.center.unlogged_refusals(), 80);
    assert_eq!(scene.log().lines().count(), 33 + 20);
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
        assert!(matches!(scene.issue(&issue).await, Err(KgcError::Chain(_))));
        scene.chain.change(|chain| chain.failure = None);
        assert!(matches!(scene.release(&release).await, Err(KgcError::RequestUsed { .. })));
    }
    let expected = ["chain-unreachable", "chain-stale", "chain-disagrees"].map(|reason| format!("refused {reason}"));
    assert_eq!(scene.decisions(), expected.map(|line| [line.clone(), line]).concat());
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
    let released = scene.release_with(&request, &other.header, &scene.image.capsules).await;
    assert_eq!(mismatch(released), "header hash");
    let request = scene.request(&scene.reader).await;
    let released = scene.release_with(&request, &scene.image.header, &other.capsules).await;
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
        let released = scene.release_with(&request, &scene.image.header, &scene.image.capsules).await;
        if taken {
            released.expect("the same key is in them");
        } else {
            assert_eq!(mismatch(released), "capsules hash");
        }
        // Who may have the key is another question.
        let request = scene.request(&scene.stranger).await;
        let refused = scene.release_with(&request, &scene.image.header, &scene.image.capsules).await;
        assert!(matches!(refused, Err(KgcError::NotAuthorized { .. })), "{refused:?}");
    }
}

/// Registers under the scene's image id what `change` makes of it, and asks for it as the sender.
async fn registered_otherwise(scene: &Scene, image: Sealed, sender: Address) -> Result<SealedAnswer, KgcError> {
    let image = Sealed { context: scene.image.context, ..image };
    scene.register(&image, sender);
    let request = scene.request(&scene.reader).await;
    scene.release_with(&request, &image.header, &image.capsules).await
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
    assert!(matches!(refused, Err(KgcError::EpochUnknown { newest: 1, found: 2 })));
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
        let request = ask.sign_one(&HOME, mallory).await.expect("signs");
        let refused = scene.release_with(&request, &own.header, &own.capsules).await;
        assert!(matches!(refused, Err(KgcError::Capsules(CapsuleError::CapsuleNotAuthentic))));
    }
    assert_eq!(scene.decisions(), vec!["refused record-mismatch"; 100]);
}

#[tokio::test]
async fn two_key_centers_answer_one_signature() {
    let (first, second) = (Scene::new(), Scene::new());
    let (mut ask, secret) = first.ask().await;
    ask.challenges.extend(second.ask().await.0.challenges);
    let requests = ask.sign::<IssueRequest>(&HOME, &first.sender).await.expect("signs");
    let digest = requests[0].digest(&HOME);
    let mut partials = Vec::new();
    for scene in [&first, &second] {
        let own = ask.challenges.iter().find(|(id, _)| *id == scene.center.identity().id).expect("its challenge").1;
        let request = requests.iter().find(|request| request.challenge == own).expect("its request");
        // The other's request does not bring it to answer: no one can use up its challenge.
        for other in requests.iter().filter(|request| request.challenge != own) {
            let refused = scene.issue(other).await;
            assert!(matches!(refused, Err(KgcError::Request(KeyRequestError::Challenge { .. }))));
        }
        let request = request.clone();
        let answer = scene.issue(&request).await.expect("a partial");
        partials.push(answer.open_partial(&secret, &digest).expect("its own answer"));
        assert!(matches!(scene.issue(&request).await, Err(KgcError::RequestUsed { .. })));
    }
    assert_ne!(partials[0], partials[1]);
}
