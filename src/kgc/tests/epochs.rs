//! Keys of several epochs: what each of them still does, and capsules that are sealed anew.

use super::*;
use crate::envelope::capsules::shamir::Share;
use crate::envelope::capsules::{Holder, Stanza, combine_shares, seal_secret, seal_shares};

/// Keys of epochs 1 to `count`.
fn keys(count: u32) -> KgcKeys {
    (1..count).fold(KgcKeys::generate(&mut os_random()), |keys, _| {
        keys.with_next_epoch(&mut os_random()).expect("a few epochs")
    })
}

/// A scene whose image is sealed to a key of `keys` of this epoch, at a center that has `held`.
fn scene(keys: &KgcKeys, epoch: u32, held: &KgcKeys, sets: Option<&Rewrapped>) -> Scene {
    let mut scene = Scene::with_keys(held.clone(), None, |center| match sets {
        Some(sets) => center.with_rewrapped(sets.clone()),
        None => center,
    });
    let identity = keys.up_to(epoch).expect("an epoch").identity();
    assert_eq!(identity.epoch, epoch);
    scene.image = sealed(HOME, scene.sender.address(), 7, &identity);
    scene.register(&scene.image, scene.sender.address());
    scene
}

#[test]
fn each_epoch_has_secrets_of_its_own() {
    let keys = keys(4);
    let bytes = keys.to_bytes();
    assert_eq!(bytes.len(), 4 * 100);
    let mut secrets: Vec<&[u8]> = bytes.chunks(100).flat_map(|epoch| epoch[4..].chunks(32)).collect();
    assert_eq!(secrets.len(), 12);
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), 12, "a secret is used twice");
    let identities = keys.identities();
    assert_eq!(identities.iter().map(|one| one.epoch).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(identities.iter().all(|one| one.id == keys.identity().id));
    assert_eq!(keys.identity(), identities[3]);
    assert_eq!(keys.up_to(2).expect("two").identities(), identities[..2]);
    assert!(keys.up_to(0).is_none());
    let left = keys.without(2).expect("three").identities();
    assert_eq!(left.iter().map(|one| one.epoch).collect::<Vec<_>>(), [1, 3, 4]);
    assert!(keys.without(4).is_none(), "the newest stays");
    assert!(keys.without(9).is_none());
    // A number is never given twice.
    let next = keys.without(1).and_then(|keys| keys.with_next_epoch(&mut os_random())).expect("one more");
    assert_eq!(next.identity().epoch, 5);
}

#[test]
fn the_bytes_of_keys_come_back_and_nothing_else_does() {
    let keys = keys(3);
    let (id, bytes) = (keys.identity().id, keys.to_bytes());
    let back = KgcKeys::from_bytes(id, &bytes).expect("keys");
    assert_eq!((back.identities(), back.to_bytes()), (keys.identities(), keys.to_bytes()));
    for end in (0..bytes.len()).filter(|end| end % 100 != 0 || *end == 0) {
        assert!(KgcKeys::from_bytes(id, &bytes[..end]).is_none(), "{end}");
    }
    let turned: Vec<u8> = bytes.chunks(100).rev().flatten().copied().collect();
    assert!(KgcKeys::from_bytes(id, &turned).is_none(), "epochs fall");
    assert!(KgcKeys::from_bytes(id, &[&bytes[..100], &bytes[..100]].concat()).is_none(), "an epoch twice");
    let many: Vec<u8> = (1..=65_u32).flat_map(|epoch| [&epoch.to_be_bytes()[..], &bytes[4..100]].concat()).collect();
    assert!(KgcKeys::from_bytes(id, &many[..6_400]).is_some());
    assert!(KgcKeys::from_bytes(id, &many).is_none(), "65 epochs");
    let full = KgcKeys::from_bytes(id, &many[..6_400]).expect("64 epochs");
    assert!(full.with_next_epoch(&mut os_random()).is_none());
}

#[tokio::test]
async fn capsules_of_every_epoch_that_has_a_key_are_opened() {
    let all = keys(3);
    for epoch in 1..=3 {
        let scene = scene(&all, epoch, &all, None);
        assert_eq!(scene.open_as(&scene.reader).await.expect("released"), CANARY, "epoch {epoch}");
        // Whether that key is retired is what counts for older sets of capsules.
        scene.chain.change(|chain| assert_eq!(chain.asked_epoch, epoch));
        // Who answers is the newest.
        assert_eq!(scene.center.identity(), all.identity());
        assert!(scene.log().contains(r#""epoch":3"#), "{}", scene.log());
    }
}

#[tokio::test]
async fn partials_come_from_the_newest_root() {
    let all = keys(2);
    let (old, new) = (Scene::with_keys(all.up_to(1).expect("one"), None, |one| one), scene(&all, 1, &all, None));
    let mut partials = Vec::new();
    for scene in [&old, &new] {
        let (ask, secret) = scene.ask().await;
        let request = ask.sign_one::<IssueRequest>(&HOME, &scene.sender).await.expect("signs");
        let answer = scene.issue(&request).await.expect("a partial");
        partials.push(answer.open_partial(&secret, &request.digest(&HOME)).expect("its own"));
    }
    assert_ne!(partials[0], partials[1]);
}

#[tokio::test]
async fn without_its_key_an_old_capsule_is_named_and_not_opened() {
    let all = keys(3);
    for held in [all.without(1).expect("two"), all.up_to(2).and_then(|keys| keys.without(1)).expect("one")] {
        let newest = held.identity().epoch;
        let scene = scene(&all, 1, &held, None);
        let refused = scene.open_as(&scene.sender).await;
        assert!(matches!(refused, Err(KgcError::EpochUnknown { newest: n, found: 1 }) if n == newest));
        assert_eq!(scene.decisions(), ["refused epoch-unknown"]);
    }
}

#[tokio::test]
async fn what_was_sealed_anew_is_opened_without_the_old_key() {
    let (all, folder) = (keys(2), tempfile::tempdir().expect("a folder"));
    let sets = Rewrapped::in_folder(&folder.path().join("rewrapped"));
    let scene = scene(&all, 1, &all.without(1).expect("one"), Some(&sets));
    let Sealed { context, commitment, capsules, .. } = &scene.image;
    let new = all.rewrap(&Capsules::decode(capsules).expect("capsules"), context, commitment);
    sets.put(context.image_id, &new.expect("opens").expect("an old one")).expect("kept");
    assert_eq!(sets.images().expect("listed"), [context.image_id]);
    assert_eq!(scene.open_as(&scene.reader).await.expect("released"), CANARY);
    // The old set is what the chain has, and what comes with the request: no other is taken.
    let request = scene.request(&scene.reader).await;
    let kept = sets.get(context.image_id).expect("read").expect("kept").encode();
    let refused = scene.release_with(&request, &scene.image.header, &kept).await;
    assert!(matches!(refused, Err(KgcError::RecordMismatch { what: "capsules hash", .. })));
    // Nor does a stranger get more.
    assert!(matches!(scene.open_as(&scene.stranger).await, Err(KgcError::NotAuthorized { .. })));
}

/// Whoever can write the folder gives nobody another key, and no key of another image.
#[tokio::test]
async fn a_set_that_is_not_this_images_is_not_opened() {
    let (all, folder) = (keys(2), tempfile::tempdir().expect("a folder"));
    let sets = Rewrapped::in_folder(folder.path());
    let scene = scene(&all, 1, &all.without(1).expect("one"), Some(&sets));
    let id = scene.image.context.image_id;
    let refused = async |what: &str| {
        let refused = scene.open_as(&scene.sender).await;
        assert!(matches!(refused, Err(KgcError::EpochUnknown { newest: 2, found: 1 })), "{what}");
    };
    let other = sealed(HOME, scene.sender.address(), 8, &all.identity());
    sets.put(id, &Capsules::decode(&other.capsules).expect("capsules")).expect("kept");
    refused("another image's").await;
    std::fs::write(folder.path().join(format!("{id}.keys")), b"MEDKEYS\n").expect("written");
    refused("no capsules").await;
    std::fs::write(folder.path().join(format!("{id}.keys")), &scene.image.capsules).expect("written");
    refused("the old ones").await;
    // A capsule to the newest key, of another image key: bound to this image by who made it.
    let Sealed { context, commitment, .. } = &scene.image;
    let identity = all.identity();
    let holder = Holder::Kgc { id: identity.id, epoch: 2 };
    let sealed = seal_secret(&[7; 32], &identity.public, b"not that of a capsule", &mut os_random());
    sets.put(id, &Capsules::new(vec![Stanza { holder, sealed }]).expect("one")).expect("kept");
    refused("bound to nothing").await;
    assert!(all.open_own(&sets.get(id).expect("read").expect("kept"), context, commitment).is_err());
    sets.put(id, &Capsules::decode(&sealed_as_newest(&scene, &identity)).expect("capsules")).expect("kept");
    assert_eq!(scene.open_as(&scene.sender).await.expect("this image's"), CANARY);
}

fn sealed_as_newest(scene: &Scene, identity: &KgcIdentity) -> Vec<u8> {
    sealed(HOME, scene.sender.address(), 7, identity).capsules
}

#[test]
fn only_the_own_capsules_of_earlier_epochs_are_sealed_anew() {
    let (all, other) = (keys(3), keys(1));
    let (context, commitment) = {
        let image = sealed(HOME, wallet(1).address(), 7, &all.identity());
        (image.context, image.commitment)
    };
    let key = ImageKey::from_bytes(CANARY);
    let seal = |recipient: Recipient| {
        seal_capsule(&key, &recipient, &context, &commitment, &mut os_random()).expect("the right key")
    };
    let of = |identity: KgcIdentity| {
        seal(Recipient::Kgc { id: identity.id, epoch: identity.epoch, public: identity.public })
    };
    let reader = seal(Recipient::Reader { public: X25519Secret::from_bytes([9; 32]).public() });
    let own = all.identities();
    let before = Capsules::new(vec![reader.clone(), of(own[0]), of(other.identity()), of(own[1])]).expect("four");
    let after = all.rewrap(&before, &context, &commitment).expect("opens").expect("something to do");
    // The newest of them took the place that it had, and the rest is as it was.
    assert_eq!(after.stanzas()[..3], before.stanzas()[..3]);
    assert_eq!(after.stanzas()[3].holder, Holder::Kgc { id: own[0].id, epoch: 3 });
    let (opened, epoch) = all.open_own(&after, &context, &commitment).expect("its own");
    assert_eq!((*opened, epoch), (CANARY, 3));
    assert!(all.rewrap(&after, &context, &commitment).expect("nothing to open").is_none());
    let theirs = Capsules::new(vec![reader, of(other.identity())]).expect("two");
    assert!(all.rewrap(&theirs, &context, &commitment).expect("nothing to open").is_none());
    // Each check, with what it stops.
    let gone = all.without(1).and_then(|keys| keys.without(2)).expect("one");
    assert!(matches!(
        gone.rewrap(&before, &context, &commitment),
        Err(CapsuleError::NoMatchingStanza { epoch: 2, .. })
    ));
    let there = ImageContext { chain_id: 1, ..context };
    assert_eq!(all.rewrap(&before, &there, &commitment), Err(CapsuleError::CapsuleNotAuthentic));
    assert_eq!(all.rewrap(&before, &context, &[1; 32]), Err(CapsuleError::CapsuleNotAuthentic));
}

/// HPKE's `info` of a capsule, as FORMAT.md has it.
fn info(context: &ImageContext, kind: u8, id: B256, epoch: u32, share: [u8; 2], commitment: &[u8; 32]) -> Vec<u8> {
    crate::cipher::length_prefixed(&[
        b"medseal/v1/capsule",
        &1_u16.to_be_bytes(),
        &context.chain_id.to_be_bytes(),
        context.registry.as_slice(),
        context.image_id.as_slice(),
        context.sender.as_slice(),
        &[kind],
        id.as_slice(),
        &epoch.to_be_bytes(),
        &share,
        commitment,
    ])
}

/// A sender that leaves out every check, and seals a key that the header does not commit to.
#[test]
fn a_key_that_is_not_committed_to_is_not_sealed_anew() {
    let all = keys(2);
    let image = sealed(HOME, wallet(1).address(), 7, &all.identity());
    let (context, commitment, old) = (image.context, image.commitment, all.identities()[0]);
    let info = info(&context, 1, old.id, 1, [0, 0], &commitment);
    let holder = Holder::Kgc { id: old.id, epoch: 1 };
    for (key, expected) in [([7; 32], Some(CapsuleError::WrongKey)), (CANARY, None)] {
        let sealed = seal_secret(&key, &old.public, &info, &mut os_random());
        let set = Capsules::new(vec![Stanza { holder, sealed }]).expect("one");
        assert_eq!(all.rewrap(&set, &context, &commitment).err(), expected);
        assert_eq!(all.open_own(&set, &context, &commitment).err(), expected);
    }
}

/// A sender whose shares are not those that it commits to.
#[test]
fn a_share_that_is_not_committed_to_is_not_sealed_anew() {
    let (all, other) = (keys(2), keys(1));
    let image = sealed(HOME, wallet(1).address(), 7, &all.identity());
    let (context, commitment, old) = (image.context, image.commitment, all.identities()[0]);
    let kgcs = [old, other.identity()].map(|kgc| (kgc.id, 1, kgc.public));
    let key = ImageKey::from_bytes(CANARY);
    let set = seal_shares(&key, 2, &kgcs, &context, &commitment, &mut os_random()).expect("2 of 2");
    assert!(all.rewrap(&set, &context, &commitment).expect("its own").is_some());
    let shares = set.shares().cloned().expect("shares");
    let bad = |stanza: &Stanza| match stanza.holder {
        Holder::Share { id, index, .. } if id == old.id => {
            let info = info(&context, 4, id, 1, [index, 2], &commitment);
            Stanza { sealed: seal_secret(&[7; 32], &old.public, &info, &mut os_random()), ..stanza.clone() }
        }
        _ => stanza.clone(),
    };
    let bad = Capsules::shared(set.stanzas().iter().map(bad).collect(), shares).expect("as many");
    for error in [all.rewrap(&bad, &context, &commitment).err(), all.open_own(&bad, &context, &commitment).err()] {
        assert!(matches!(error, Some(CapsuleError::ShareMismatch { .. })), "{error:?}");
    }
}

/// Three key centers that each go from their first key to their third, one after the other: every
/// two of them give the key at each step, those that have moved without their earlier keys.
#[test]
fn shares_move_to_newer_keys_one_key_center_at_a_time() {
    let mut centers: Vec<KgcKeys> = (0..3).map(|_| keys(3)).collect();
    centers.sort_unstable_by_key(|keys| keys.identity().id);
    let image = sealed(HOME, wallet(1).address(), 7, &centers[0].identity());
    let (context, commitment) = (image.context, image.commitment);
    let first: Vec<_> = centers.iter().map(|keys| keys.identities()[0]).map(|kgc| (kgc.id, 1, kgc.public)).collect();
    let key = ImageKey::from_bytes(CANARY);
    let mut set = seal_shares(&key, 2, &first, &context, &commitment, &mut os_random()).expect("2 of 3");
    let committed = set.shares().cloned();
    let mut given = 0;
    for moved in 0..3 {
        set = centers[moved].rewrap(&set, &context, &commitment).expect("opens").expect("something to do");
        assert_eq!(set.shares().cloned(), committed, "the commitments stay");
        set = Capsules::decode(&set.encode()).expect("it can be read");
        centers[moved] = centers[moved].without(1).and_then(|keys| keys.without(2)).expect("the newest");
        let share = |(place, keys): (usize, &KgcKeys)| {
            let (bytes, epoch) = keys.open_own(&set, &context, &commitment).expect("its own share");
            assert_eq!(epoch, if place <= moved { 3 } else { 1 });
            Share { index: u8::try_from(place + 1).expect("small"), bytes: bytes.to_vec().into() }
        };
        let shares: Vec<Share> = centers.iter().enumerate().map(share).collect();
        for (one, other) in [(0, 1), (0, 2), (1, 2)] {
            let two = [shares[one].clone(), shares[other].clone()];
            let found = combine_shares(committed.as_ref().expect("shares"), &two, &context, &commitment);
            given += u32::from(found.is_ok_and(|found| found.as_bytes() == &CANARY));
        }
    }
    assert_eq!(given, 9);
}
