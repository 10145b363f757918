//! What the contract does, as the client sees it.

use super::{CHAIN_ID, World, block_time, registration, wallet};
use alloy::primitives::{B256, Bytes, U256};
use medseal::chain::sign;
use medseal::chain::{ChainError, Deployment, Profile, Registry, deploy};
use medseal::contract::bindings::IImageRegistry::{
    FlagState, IImageRegistryErrors as Errors, IImageRegistryEvents as Events, RecordConflict, RecordState,
    Verification, confirmFlagCall, dismissFlagCall, grantCall, publishKgcKeyCall, recordVerificationCall, registerCall,
    retireKgcKeyCall, revokeCall,
};
use medseal::contract::bindings::{IOpenZeppelin::IOpenZeppelinErrors, Role};
use medseal::contract::{AuditHead, ConstructorArguments, ErrorKind, RegistrationKind, Revert, Trail};

const GOOD: B256 = B256::repeat_byte(0xc0);
const BAD: B256 = B256::repeat_byte(0xbd);

#[tokio::test]
async fn a_deployment_is_made_once_and_found_again_by_its_file() {
    let world = World::start().await;
    let mut outbox = world.outbox(&wallet(0)).await;
    let again =
        deploy(&world.rpc, &mut outbox, &wallet(0), world.deployment.arguments.clone()).await.unwrap().mined().unwrap();
    assert_eq!(again, world.deployment);
    assert_eq!(world.count(&wallet(0)).await, 1);
    let arguments = ConstructorArguments { admin: wallet(1).address(), roles: vec![] };
    let other = deploy(&world.rpc, &mut outbox, &wallet(0), arguments).await.unwrap().mined().unwrap();
    assert_ne!(other.address, world.deployment.address);

    world.deployment.save(world.folder.path()).unwrap();
    let loaded = Deployment::load(world.folder.path(), CHAIN_ID).unwrap();
    assert_eq!(loaded, world.deployment);
    let registry = Registry::connect(world.rpc.clone(), &loaded, Profile::Development).await.unwrap();
    assert_eq!(registry.image_count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_sender_registers_once_and_for_ever() {
    let (world, sender) = (World::start().await, wallet(1));
    let id = world.register(&sender, 7).await;
    let record = world.registry.record(id).await.unwrap();
    assert_eq!((record.contentHash, record.sender, record.state), (GOOD, sender.address(), RecordState::Registered));
    let logged = world.registry.registration(id).await.unwrap();
    assert_eq!((logged.size, logged.header_hash, logged.salt), (1000, B256::repeat_byte(0x4e), B256::repeat_byte(7)));
    let unsigned = RegistrationKind::Alone { deadline: 0, signature: Bytes::new() };
    assert_eq!((&logged.cid[..], logged.kind), (&[1, 0x55, 0x12, 0x20][..], unsigned));
    assert!(logged.place.block_number > world.deployment.block);

    // Identical: nothing happens, but for the gas.
    let call = registerCall { registration: registration(&sender, 7), signature: Bytes::new() };
    let receipt = world.send(&sender, "again", &call).await.unwrap();
    assert_eq!(world.registry.events_of(&receipt).await.unwrap(), []);
    assert_eq!(world.registry.image_count().await.unwrap(), 1);

    // Other content: refused before it is sent.
    let mut call = call;
    call.registration.contentHash = BAD;
    let refused = world.send(&sender, "other", &call).await.unwrap_err();
    let conflict = Revert::Registry(Errors::RecordConflict(RecordConflict { imageId: id }));
    assert_eq!(refused.revert(), Some(&conflict));
    assert_eq!(world.count(&sender).await, 2);
    assert_eq!(world.registry.record(id).await.unwrap(), record);
}

#[tokio::test]
async fn anybody_relays_a_signed_registration() {
    let (world, sender, relayer) = (World::start().await, wallet(1), wallet(2));
    let deadline = block_time(&world.registry).await + 3600;
    let registration =
        medseal::contract::bindings::IImageRegistry::Registration { deadline, ..registration(&sender, 7) };
    let stranger = sign(&registration, &world.registry.domain(), &relayer);
    let forged = registerCall { registration: registration.clone(), signature: stranger };
    let refused = world.send(&relayer, "forged", &forged).await.unwrap_err();
    assert!(matches!(refused.revert(), Some(Revert::Registry(Errors::InvalidSignature(_)))), "{refused}");
    assert_eq!(refused.kind(), ErrorKind::NotAuthorized);

    let signature = sign(&registration, &world.registry.domain(), &sender);
    let call = registerCall { registration, signature: signature.clone() };
    world.send(&relayer, "relayed", &call).await.unwrap();
    let logged = world.registry.registration(world.image_id(&sender, 7)).await.unwrap();
    assert_eq!((logged.sender, logged.kind), (sender.address(), RegistrationKind::Alone { deadline, signature }));
    assert_eq!(world.count(&sender).await, 0);
}

/// What the wallet says it saw, submitted by itself.
async fn report(world: &World, by: usize, id: B256, observed: B256, job: &str) -> bool {
    let verification = Verification {
        imageId: id,
        verifier: wallet(by).address(),
        observedHash: observed,
        observedAt: block_time(&world.registry).await,
        nonce: U256::ZERO,
        deadline: 0,
    };
    let call = recordVerificationCall { verification, signature: Bytes::new() };
    let receipt = world.send(&wallet(by), job, &call).await.unwrap();
    let events = world.registry.events_of(&receipt).await.unwrap();
    let Some(Events::Verified(verified)) = events.first().map(|first| &first.event) else { panic!("{events:?}") };
    verified.valid
}

#[tokio::test]
async fn the_contract_judges_and_a_verifier_flags() {
    let world = World::start().await;
    let id = world.register(&wallet(1), 7).await;
    assert!(world.registry.verify(id, GOOD).await.unwrap());
    assert!(!world.registry.verify(id, BAD).await.unwrap());

    assert!(report(&world, 2, id, GOOD, "good").await);
    assert!(!report(&world, 2, id, BAD, "stranger").await);
    assert_eq!(world.registry.flag(id).await.unwrap().state, FlagState::None);
    assert_eq!(world.registry.record(id).await.unwrap().state, RecordState::Registered);

    assert!(!world.registry.has_role(Role::Verifier, wallet(2).address()).await.unwrap());
    world.grant_role(Role::Verifier, wallet(2).address()).await;
    assert!(world.registry.has_role(Role::Verifier, wallet(2).address()).await.unwrap());
    assert!(!report(&world, 2, id, BAD, "verifier").await);
    let flag = world.registry.flag(id).await.unwrap();
    assert_eq!((flag.state, flag.verifier, flag.id >> 32), (FlagState::Open, wallet(2).address(), 1));
    let record = world.registry.record(id).await.unwrap();
    assert_eq!((record.state, record.verifications.to::<u64>()), (RecordState::Flagged, 3));

    let confirm = confirmFlagCall { imageId: id, flagId: flag.id };
    let refused = world.send(&wallet(3), "confirm", &confirm).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotAuthorized);
    world.send(&wallet(1), "dismiss", &dismissFlagCall { imageId: id, flagId: flag.id }).await.unwrap();
    assert_eq!(world.registry.flag(id).await.unwrap().state, FlagState::DismissedBySender);
}

#[tokio::test]
async fn a_relayed_verification_acts_once() {
    let (world, verifier) = (World::start().await, wallet(2));
    let id = world.register(&wallet(1), 7).await;
    let now = block_time(&world.registry).await;
    let nonce = world.registry.nonce(verifier.address()).await.unwrap();
    let verification = Verification {
        imageId: id,
        verifier: verifier.address(),
        observedHash: GOOD,
        observedAt: now,
        nonce,
        deadline: now + 3600,
    };
    let signature = sign(&verification, &world.registry.domain(), &verifier);
    let call = recordVerificationCall { verification, signature };
    world.send(&wallet(3), "first", &call).await.unwrap();
    assert_eq!(world.registry.nonce(verifier.address()).await.unwrap(), nonce + U256::from(1));
    let refused = world.send(&wallet(3), "second", &call).await.unwrap_err();
    assert!(refused.revert().is_some(), "{refused}");
    assert_eq!(world.registry.record(id).await.unwrap().verifications.to::<u64>(), 1);
}

#[tokio::test]
async fn access_is_the_senders_to_give_and_to_take() {
    let (world, sender, reader) = (World::start().await, wallet(1), wallet(2).address());
    let id = world.register(&sender, 7).await;
    assert!(world.registry.is_authorized(id, sender.address()).await.unwrap());
    assert!(!world.registry.is_authorized(id, reader).await.unwrap());
    assert_eq!(world.registry.access(id, reader).await.unwrap(), Default::default());

    let expiry = block_time(&world.registry).await + 1000;
    let grant = grantCall { imageId: id, wallet: reader, expiry };
    let refused = world.send(&wallet(3), "grant", &grant).await.unwrap_err();
    assert!(matches!(refused.revert(), Some(Revert::Registry(Errors::NotSender(_)))), "{refused}");
    assert_eq!(refused.kind(), ErrorKind::NotAuthorized);

    let receipt = world.send(&sender, "grant:1", &grant).await.unwrap();
    let access = world.registry.access(id, reader).await.unwrap();
    assert_eq!((access.expiry, access.seq, access.blockNumber), (expiry, 1, receipt.block_number));
    assert!(world.registry.is_authorized(id, reader).await.unwrap());
    world.send(&sender, "revoke:2", &revokeCall { imageId: id, wallet: reader }).await.unwrap();
    assert!(!world.registry.is_authorized(id, reader).await.unwrap());
    let seq = world.registry.access(id, reader).await.unwrap().seq;
    assert_eq!((seq >> 96, seq & 0xffff_ffff), (1, 0), "drawn");
}

#[tokio::test]
async fn kgc_keys_need_the_role_and_count_their_epochs() {
    let (world, kgc, id) = (World::start().await, wallet(4), B256::repeat_byte(0x6b));
    let key =
        |epoch| publishKgcKeyCall { kgcId: id, epoch, x25519: B256::with_last_byte(9), receiptSigner: kgc.address() };
    let refused = world.send(&kgc, "publish:1", &key(1)).await.unwrap_err();
    let unauthorized = |revert: &Revert| {
        matches!(revert, Revert::Standard(IOpenZeppelinErrors::AccessControlUnauthorizedAccount(error))
            if error.account == kgc.address() && error.neededRole == Role::Kgc.id())
    };
    assert!(refused.revert().is_some_and(unauthorized), "{refused}");
    assert_eq!(refused.kind(), ErrorKind::NotAuthorized);
    assert_eq!(world.registry.current_kgc_key(id).await.unwrap_err().kind(), ErrorKind::NotFound);

    world.grant_role(Role::Kgc, kgc.address()).await;
    world.send(&kgc, "publish:1", &key(1)).await.expect("the failed job starts anew");
    world.send(&kgc, "publish:2", &key(2)).await.unwrap();
    world.send(&kgc, "retire:1", &retireKgcKeyCall { kgcId: id, epoch: 1 }).await.unwrap();
    let (first, current) =
        (world.registry.kgc_key(id, 1).await.unwrap(), world.registry.current_kgc_key(id).await.unwrap());
    assert_eq!((first.epoch, first.retired, current.epoch, current.retired), (1, true, 2, false));
    assert_eq!(current.x25519, B256::with_last_byte(9));
    assert!(matches!(world.registry.kgc_key(id, 3).await, Err(ChainError::Revert(_))));
}

#[tokio::test]
async fn the_events_of_an_image_come_in_order_and_are_no_others() {
    let (world, sender) = (World::start().await, wallet(1));
    world.grant_role(Role::Verifier, wallet(2).address()).await;
    world.grant_role(Role::Arbiter, wallet(5).address()).await;
    let (id, other) = (world.register(&sender, 7).await, world.register(&sender, 8).await);
    report(&world, 2, other, GOOD, "other").await;
    report(&world, 2, id, BAD, "bad").await;
    let flag_id = world.registry.flag(id).await.unwrap().id;
    world.send(&wallet(5), "confirm", &confirmFlagCall { imageId: id, flagId: flag_id }).await.unwrap();
    let (reader, expiry) = (wallet(3).address(), u64::MAX);
    world.send(&sender, "grant", &grantCall { imageId: id, wallet: reader, expiry }).await.unwrap();
    world.send(&sender, "revoke", &revokeCall { imageId: id, wallet: reader }).await.unwrap();

    let events = world.registry.events(id).await.unwrap();
    let seqs: Vec<u64> = events
        .iter()
        .map(|event| {
            let of = match &event.event {
                Events::Registered(event) => event.imageId,
                Events::Verified(event) => event.imageId,
                Events::FlagRaised(event) => event.imageId,
                Events::FlagConfirmed(event) => event.imageId,
                Events::AccessGranted(event) => event.imageId,
                Events::AccessRevoked(event) => event.imageId,
                other => panic!("{other:?}"),
            };
            assert_eq!(of, id);
            Trail::of(&event.event).expect("a numbered event").seq()
        })
        .collect();
    assert!(seqs.is_sorted_by(|a, b| a < b), "{seqs:?}");
    let kinds: Vec<_> = events.iter().map(|event| std::mem::discriminant(&event.event)).collect();
    assert_eq!(kinds.len(), 6);
    assert!(kinds.windows(2).all(|pair| pair[0] != pair[1]));
    let AuditHead { head, seq } = world.registry.audit().await.unwrap();
    let last = Trail::of(&events.last().expect("six").event).expect("a numbered event");
    assert_eq!((last.head(), last.seq()), (head, seq));
    assert_eq!(world.registry.record(id).await.unwrap().state, RecordState::Tampered);
}

#[tokio::test]
async fn an_unknown_image_is_not_found() {
    let (world, id) = (World::start().await, B256::repeat_byte(9));
    let unknown = |error: ChainError| {
        assert!(matches!(error, ChainError::UnknownImage { image_id } if image_id == id), "{error}");
        assert_eq!(error.kind(), ErrorKind::NotFound);
    };
    unknown(world.registry.record(id).await.unwrap_err());
    unknown(world.registry.registration(id).await.unwrap_err());
    unknown(world.registry.verify(id, GOOD).await.unwrap_err());
    assert_eq!(world.registry.events(id).await.unwrap(), []);
    assert!(!world.registry.is_authorized(id, wallet(0).address()).await.unwrap());
    let grant = grantCall { imageId: id, wallet: wallet(2).address(), expiry: u64::MAX };
    assert_eq!(world.send(&wallet(1), "grant", &grant).await.unwrap_err().kind(), ErrorKind::NotFound);
}
