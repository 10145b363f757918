//! The ways by which an image becomes a record, and what the client reads of each.

use super::{CHAIN_ID, World, block_time, registration, wallet};
use alloy::primitives::{B256, Bytes, keccak256};
use alloy::sol_types::SolValue;
use medseal::chain::sign;
use medseal::chain::{Profile, Registry, deploy};
use medseal::contract::bindings::IImageRegistry::{
    Anchor, Batch, IImageRegistryErrors as Errors, IImageRegistryEvents as Events, Item, Leaf, RecordConflict,
    anchorCall, materializeCall, registerBatchCall,
};
use medseal::contract::bindings::Role;
use medseal::contract::{ConstructorArguments, ErrorKind, InitialRole, RegistrationKind, Revert};

/// CIDv1, raw, sha2-256.
fn raw_cid(hash: B256) -> Bytes {
    [&[0x01, 0x55, 0x12, 0x20], hash.as_slice()].concat().into()
}

fn item(salt: u8) -> Item {
    Item {
        salt: B256::repeat_byte(salt),
        contentHash: B256::repeat_byte(0xc0),
        headerHash: B256::repeat_byte(0x4e),
        capsulesHash: B256::repeat_byte(0xca),
        size: 1000,
    }
}

#[tokio::test]
async fn roles_are_given_in_the_deploying_transaction() {
    let world = World::start().await;
    let (cold, kgc, verifier) = (wallet(9).address(), wallet(4).address(), wallet(5).address());
    let roles = [(Role::Kgc, kgc), (Role::Verifier, verifier)].map(|(role, wallet)| InitialRole { role, wallet });
    let arguments = ConstructorArguments { admin: cold, roles: roles.to_vec() };
    let before = world.count(&wallet(0)).await;
    let mut outbox = world.outbox(&wallet(0)).await;
    let deployment = deploy(&world.rpc, &mut outbox, &wallet(0), arguments.clone()).await.unwrap().mined().unwrap();
    assert_eq!((world.count(&wallet(0)).await, &deployment.arguments), (before + 1, &arguments));
    let registry = Registry::connect(world.rpc.clone(), &deployment, Profile::Development).await.unwrap();
    for role in Role::ALL {
        for account in [cold, kgc, verifier, wallet(0).address()] {
            let given = roles.contains(&InitialRole { role, wallet: account });
            assert_eq!(registry.has_role(role, account).await.unwrap(), given, "{role:?} {account}");
        }
    }
    assert_eq!(registry.default_admin().await.unwrap(), cold);
}

#[tokio::test]
async fn a_batch_under_one_signature_is_a_record_each() {
    let (world, sender, relayer) = (World::start().await, wallet(1), wallet(2));
    world.register(&sender, 2).await;
    let deadline = block_time(&world.registry).await + 3600;
    // The second one is there already: it is skipped.
    let batch = Batch { sender: sender.address(), items: [1, 2, 3].map(item).to_vec(), deadline };
    let signature = sign(&batch, &world.registry.domain(), &sender);
    let forged = sign(&batch, &world.registry.domain(), &relayer);
    let refused = world.send(&relayer, "forged", &registerBatchCall { batch: batch.clone(), signature: forged }).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotAuthorized);
    assert_eq!(world.registry.image_count().await.unwrap(), 1);

    let call = registerBatchCall { batch, signature: signature.clone() };
    let receipt = world.send(&relayer, "batch", &call).await.unwrap();
    let events = world.registry.events_of(&receipt).await.unwrap();
    assert_eq!(events.len(), 3, "two items and the batch: {events:?}");
    assert_eq!(world.registry.image_count().await.unwrap(), 3);
    for salt in [1, 3] {
        let logged = world.registry.registration(world.image_id(&sender, salt)).await.unwrap();
        assert_eq!(logged.kind, RegistrationKind::Batch { deadline, signature: signature.clone() });
        assert_eq!((logged.sender, logged.salt, logged.size), (sender.address(), B256::repeat_byte(salt), 1000));
        assert_eq!((logged.cid, logged.capsules_cid), (raw_cid(logged.content_hash), raw_cid(logged.capsules_hash)));
        assert_eq!(logged.trail.seq(), world.registry.audit().await.unwrap().seq);
        assert_eq!(world.registry.events(logged.image_id).await.unwrap().len(), 1);
    }
    let first = world.registry.registration(world.image_id(&sender, 2)).await.unwrap();
    assert!(matches!(first.kind, RegistrationKind::Alone { .. }), "the first event stands");

    // One item in conflict, and nothing of the batch is recorded.
    let mut items = vec![item(4), item(1)];
    items[1].contentHash = B256::repeat_byte(0xbd);
    let batch = Batch { sender: sender.address(), items, deadline: 0 };
    let refused = world.send(&sender, "conflict", &registerBatchCall { batch, signature: Bytes::new() }).await;
    let conflict = Errors::RecordConflict(RecordConflict { imageId: world.image_id(&sender, 1) });
    assert_eq!(refused.unwrap_err().revert(), Some(&Revert::Registry(conflict)));
    assert_eq!(world.registry.image_count().await.unwrap(), 3);
}

fn leaf(salt: u8) -> Leaf {
    Leaf {
        salt: B256::repeat_byte(salt),
        contentHash: B256::repeat_byte(0xc0),
        cid: Bytes::new(),
        capsulesHash: B256::repeat_byte(0xca),
        headerHash: B256::repeat_byte(0x4e),
        size: 1000,
    }
}

#[tokio::test]
async fn a_leaf_of_an_anchor_becomes_a_record_and_no_other_does() {
    let (world, sender) = (World::start().await, wallet(1));
    // One leaf: its hash is the root, and its proof is empty.
    let hash = |leaf: &Leaf| {
        let cid = keccak256(&leaf.cid);
        let inner = (leaf.salt, leaf.contentHash, cid, leaf.capsulesHash, leaf.headerHash, leaf.size);
        keccak256(keccak256(inner.abi_encode_params()))
    };
    let root = hash(&leaf(7));
    let anchor =
        Anchor { sender: sender.address(), root, count: 1, leavesCid: raw_cid(B256::repeat_byte(9)), deadline: 0 };
    let make = |leaf: Leaf| materializeCall { sender: sender.address(), root, leaf, proof: vec![] };
    let unknown = world.send(&wallet(3), "early", &make(leaf(7))).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound, "{unknown}");
    world.send(&sender, "anchor", &anchorCall { anchor, signature: Bytes::new() }).await.unwrap();
    let other = world.send(&wallet(3), "other", &make(leaf(8))).await.unwrap_err();
    assert!(matches!(other.revert(), Some(Revert::Registry(Errors::InvalidProof(_)))), "{other}");
    assert_eq!(world.registry.image_count().await.unwrap(), 0);

    let receipt = world.send(&wallet(3), "materialize", &make(leaf(7))).await.unwrap();
    let events = world.registry.events_of(&receipt).await.unwrap();
    assert!(matches!(&events[..], [event] if matches!(event.event, Events::Materialized(_))), "{events:?}");
    let logged = world.registry.registration(world.image_id(&sender, 7)).await.unwrap();
    assert_eq!((logged.sender, logged.kind), (sender.address(), RegistrationKind::Leaf { root }));
    assert_eq!(logged.cid, raw_cid(logged.content_hash));
    let derived = medseal::envelope::image_id(CHAIN_ID, world.deployment.address, sender.address(), logged.salt);
    assert_eq!(logged.image_id, derived);
    assert_eq!(registration(&sender, 7).contentHash, logged.content_hash);
}

#[tokio::test]
async fn the_contract_takes_the_proof_of_every_leaf_and_no_other() {
    use medseal::envelope::leaves;
    let (world, sender) = (World::start().await, wallet(1));
    let ours = |salt: u8| leaves::Leaf {
        salt: B256::repeat_byte(salt),
        content_hash: B256::repeat_byte(0xc0),
        capsules_hash: B256::repeat_byte(0xca),
        header_hash: B256::repeat_byte(0x4e),
        size: 1000,
        cid: vec![],
    };
    for count in [1_u8, 2, 3, 7, 8] {
        let list = leaves::Leaves::new((0..count).map(|salt| ours(salt * 8 + count)).collect()).unwrap();
        let (root, leaves_cid) = (list.root(), raw_cid(B256::repeat_byte(9)));
        let anchor = Anchor { sender: sender.address(), root, count: count.into(), leavesCid: leaves_cid, deadline: 0 };
        let call = anchorCall { anchor, signature: Bytes::new() };
        world.send(&sender, &format!("anchor:{count}"), &call).await.unwrap();
        for (index, found) in list.leaves().iter().enumerate() {
            let call = |proof| materializeCall { sender: sender.address(), root, leaf: leaf(found.salt[0]), proof };
            let mut wrong = list.proof(index).unwrap();
            wrong.push(B256::repeat_byte(1));
            let refused = world.send(&wallet(3), "wrong", &call(wrong)).await.unwrap_err();
            // Too long for a tree of so many leaves, or leading elsewhere.
            let of_the_proof = |errors: &Errors| matches!(errors, Errors::InvalidProof(_) | Errors::ProofLength(_));
            assert!(matches!(refused.revert(), Some(Revert::Registry(error)) if of_the_proof(error)), "{refused}");
            let job = format!("leaf:{count}:{index}");
            world.send(&wallet(3), &job, &call(list.proof(index).unwrap())).await.expect("a leaf of the tree");
            assert!(world.registry.record(world.image_id(&sender, found.salt[0])).await.is_ok());
        }
    }
}
