//! What stands in a request, and how each wrong one is called.

use alloy::primitives::{U256, keccak256};
use alloy::signers::SignerSync;
use alloy::sol_types::SolStruct;

use crate::contract::{SignatureFault, check_signature};

use super::*;

fn terms(issued_at: u64, deadline: u64) -> Terms {
    let zero = B256::ZERO;
    Terms {
        wallet: Address::ZERO,
        kgc_set_hash: zero,
        image_id: zero,
        recipient_public_key: zero,
        challenges_hash: zero,
        issued_at,
        deadline,
    }
}

fn word(number: u64) -> [u8; 32] {
    U256::from(number).to_be_bytes()
}

#[test]
fn types_are_those_of_the_format() {
    let rest = "bytes32 kgcSetHash,bytes32 imageId,bytes32 recipientPublicKey,bytes32 challengesHash,uint64 issuedAt,uint64 deadline)";
    assert_eq!(IssueRequest::eip712_encode_type(), format!("IssueRequest(address sender,{rest}"));
    assert_eq!(KeyRequest::eip712_encode_type(), format!("KeyRequest(address requester,{rest}"));
}

#[test]
fn digest_is_put_together_by_hand() {
    let [wallet, set, image, key, challenges] = [1, 2, 3, 4, 5].map(B256::with_last_byte);
    let request = KeyRequest::from_terms(Terms {
        wallet: Address::from_word(wallet),
        kgc_set_hash: set,
        image_id: image,
        recipient_public_key: key,
        challenges_hash: challenges,
        ..terms(6, 7)
    });
    assert_eq!(KeyRequest::from_terms(request.terms()), request);
    let domain_type = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
    let registry = HOME.registry.into_word();
    let domain = keccak256(
        [keccak256(domain_type).0, keccak256("MedSeal").0, keccak256("1").0, word(31337), registry.0].concat(),
    );
    let type_hash = keccak256(KeyRequest::eip712_encode_type().as_bytes());
    let fields = [type_hash.0, wallet.0, set.0, image.0, key.0, challenges.0, word(6), word(7)];
    let expected = keccak256([&[0x19, 0x01][..], domain.as_slice(), keccak256(fields.concat()).as_slice()].concat());
    let signed =
        SignedRequest { request, signature: vec![], kgcs: vec![], challenge_hashes: vec![], challenge: B256::ZERO };
    assert_eq!(signed.digest(&HOME), expected);
}

#[test]
fn hashes_of_sets_are_those_of_abi_encode() {
    let items = [B256::repeat_byte(1), B256::repeat_byte(2)];
    let expected = keccak256([word(32), word(2), items[0].0, items[1].0].concat());
    assert_eq!(kgc_set_hash(&items), expected);
    assert_eq!(challenges_hash(&items), expected);
}

#[test]
fn times_hold_at_their_boundaries() {
    use KeyRequestError as E;
    let check = |issued_at, deadline, now| terms(issued_at, deadline).check_times(now);
    assert!(check(1000, 1300, 1000).is_ok());
    assert!(check(1000, 1300, 1300).is_ok());
    assert!(matches!(check(1000, 1300, 1301), Err(E::Expired { deadline: 1300, now: 1301 })));
    assert!(matches!(check(1000, 1301, 1000), Err(E::Lifetime { issued_at: 1000, deadline: 1301, limit: 300 })));
    assert!(matches!(check(1000, 999, 999), Err(E::Lifetime { .. })));
    assert!(check(1000, 1000, 1000).is_ok());
    assert!(check(1030, 1330, 1000).is_ok());
    assert!(matches!(check(1031, 1331, 1000), Err(E::IssuedInFuture { issued_at: 1031, now: 1000 })));
    assert!(matches!(check(0, u64::MAX, 0), Err(E::Lifetime { .. })));
    assert!(check(u64::MAX, u64::MAX, u64::MAX).is_ok());
}

#[test]
fn a_signature_has_one_form() {
    let (signer, digest) = (wallet(1), B256::repeat_byte(9));
    let good = signer.sign_hash_sync(&digest).expect("signs");
    let check = |signature: &[u8]| check_signature(signature, &digest, signer.address());
    let bytes = good.as_bytes();
    assert_eq!(check(&bytes), Ok(()));
    for length in [0, 64, 66] {
        assert_eq!(check(&[bytes, bytes].concat()[..length]), Err(SignatureFault::Length { found: length }));
    }
    assert_eq!(check(&good.as_erc2098()), Err(SignatureFault::Length { found: 64 }));
    for found in [0, 1, 26, 29, 35, 255] {
        let mut other = bytes;
        other[64] = found;
        assert_eq!(check(&other), Err(SignatureFault::RecoveryByte { found }));
    }
    assert_eq!(check(&[0; 65]), Err(SignatureFault::RecoveryByte { found: 0 }));
    let order =
        U256::from_str_radix("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16).expect("hex");
    let high = alloy::primitives::Signature::new(good.r(), order - good.s(), !good.v());
    assert_eq!(check(&high.as_bytes()), Err(SignatureFault::HighS));
    let mut none = [0; 65];
    none[64] = 27;
    assert_eq!(check(&none), Err(SignatureFault::NotRecoverable));
    let other = wallet(2).sign_hash_sync(&digest).expect("signs").as_bytes();
    assert_eq!(check(&other), Err(SignatureFault::OtherSigner { recovered: wallet(2).address() }));
}

#[tokio::test]
async fn a_signature_acts_on_one_chain_for_one_registry_and_one_request() {
    let scene = Scene::new();
    let foreign = [Home { chain_id: 1, ..HOME }, Home { registry: Address::repeat_byte(0x12), ..HOME }];
    for home in foreign {
        let request = scene.ask().await.0.sign_one::<KeyRequest>(&home, &scene.reader).await.expect("signs");
        let refused = scene.release(&request).await;
        assert!(matches!(
            refused,
            Err(KgcError::Request(KeyRequestError::Signature { source: SignatureFault::OtherSigner { .. }, .. }))
        ));
    }
    // An IssueRequest's signature under a KeyRequest of the same terms.
    let issue = scene.request::<IssueRequest>(&scene.reader).await;
    let request = KeyRequest::from_terms(issue.request.terms());
    let SignedRequest { signature, kgcs, challenge_hashes, challenge, .. } = issue;
    let moved = SignedRequest { request, signature, kgcs, challenge_hashes, challenge };
    assert!(matches!(scene.release(&moved).await, Err(KgcError::Request(KeyRequestError::Signature { .. }))));
    // Each changed field.
    let good = scene.request::<KeyRequest>(&scene.reader).await;
    let other_key = X25519Secret::from_bytes([9; 32]).public();
    let changes: [fn(&mut KeyRequest); 4] = [
        |request| request.requester = wallet(3).address(),
        |request| request.imageId = B256::repeat_byte(1),
        |request| request.issuedAt += 1,
        |request| request.deadline -= 1,
    ];
    for change in changes {
        let mut changed = good.clone();
        change(&mut changed.request);
        assert!(matches!(scene.release(&changed).await, Err(KgcError::Request(KeyRequestError::Signature { .. }))));
    }
    let mut changed = good.clone();
    changed.request.recipientPublicKey = other_key.as_bytes().into();
    assert!(matches!(scene.release(&changed).await, Err(KgcError::Request(KeyRequestError::Signature { .. }))));
    // None of these used the challenge up.
    assert!(scene.release(&good).await.is_ok());
}

#[tokio::test]
async fn the_recipients_key_must_be_of_use() {
    let scene = Scene::new();
    let mut one = B256::ZERO;
    one[0] = 1;
    for bad in [B256::ZERO, one, B256::repeat_byte(0xff)] {
        let mut request = scene.request::<KeyRequest>(&scene.reader).await;
        request.request.recipientPublicKey = bad;
        request.signature = scene.reader.sign_hash_sync(&request.digest(&HOME)).expect("signs").as_bytes().to_vec();
        let refused = scene.release(&request).await;
        assert!(matches!(refused, Err(KgcError::Request(KeyRequestError::RecipientKey(_)))));
    }
}

#[tokio::test]
async fn the_set_of_key_centers_is_checked() {
    use KeyRequestError as E;
    let scene = Scene::new();
    let own = scene.center.identity().id;
    let (low, high) = (B256::ZERO, B256::repeat_byte(0xff));
    let (mut ask, _) = scene.ask().await;
    let challenge = ask.challenges[0].1;
    ask.challenges = vec![(high, B256::ZERO), (own, challenge), (low, B256::ZERO)];
    let all = ask.sign::<KeyRequest>(&HOME, &scene.reader).await.expect("signs");
    let good = all.into_iter().nth(1).expect("one for each");
    assert_eq!(good.kgcs, [low, own, high]);
    assert_eq!(good.check(&HOME, own).expect("in order").challenge, challenge);
    let refused = |change: fn(&mut SignedRequest<KeyRequest>)| {
        let mut changed = good.clone();
        change(&mut changed);
        changed.check(&HOME, own).expect_err("changed")
    };
    assert!(matches!(refused(|signed| signed.kgcs.clear()), E::SetSize { kgcs: 0, challenges: 3, .. }));
    assert!(matches!(refused(|signed| signed.challenge_hashes.truncate(2)), E::SetSize { kgcs: 3, challenges: 2, .. }));
    let many = refused(|signed| (signed.kgcs, signed.challenge_hashes) = (vec![B256::ZERO; 17], vec![B256::ZERO; 17]));
    assert!(matches!(many, E::SetSize { limit: 16, kgcs: 17, challenges: 17 }));
    assert!(matches!(refused(|signed| signed.kgcs.swap(0, 1)), E::SetOrder));
    assert!(matches!(refused(|signed| signed.kgcs[0] = signed.kgcs[1]), E::SetOrder));
    assert!(matches!(refused(|signed| signed.kgcs[0] = B256::with_last_byte(1)), E::SetHash { .. }));
    assert!(matches!(refused(|signed| signed.challenge_hashes.swap(0, 1)), E::ChallengesHash { .. }));
    assert!(matches!(refused(|signed| signed.challenge = B256::ZERO), E::Challenge { .. }));
    let other = B256::repeat_byte(0x77);
    assert!(matches!(good.check(&HOME, other), Err(E::NotInSet { id }) if id == other));
    // And it serves: one signature for a set.
    assert!(scene.release(&good).await.is_ok());
}
