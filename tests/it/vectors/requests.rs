//! Requests to a KGC and its answers.

use alloy::primitives::{Address, B256, Bytes};
use alloy::sol_types::Eip712Domain;
use medseal::envelope::capsules::X25519Secret;
use medseal::kgc::{Home, IssueRequest, KeyRequest, KgcRequest, SealedAnswer, Terms, challenges_hash, kgc_set_hash};
use serde::Deserialize;

use super::schema::load;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestsFile {
    chain_id: u64,
    registry: Address,
    domain_type: String,
    domain_separator: B256,
    requests: Vec<RequestVector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestVector {
    kind: String,
    #[serde(rename = "type")]
    type_string: String,
    type_hash: B256,
    wallet: Address,
    kgc_ids: Vec<B256>,
    kgc_set_hash: B256,
    image_id: B256,
    recipient_public_key: B256,
    challenges: Vec<B256>,
    challenges_hash: B256,
    issued_at: u64,
    deadline: u64,
    struct_hash: B256,
    digest: B256,
    answer: AnswerVector,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerVector {
    recipient_private_key: B256,
    ephemeral_private_key: B256,
    plaintext: B256,
    sealed: Bytes,
}

#[track_caller]
fn check<R: KgcRequest>(vector: &RequestVector, domain: &Eip712Domain) {
    let request = R::from_terms(Terms {
        wallet: vector.wallet,
        kgc_set_hash: kgc_set_hash(&vector.kgc_ids),
        image_id: vector.image_id,
        recipient_public_key: vector.recipient_public_key,
        challenges_hash: challenges_hash(&vector.challenges),
        issued_at: vector.issued_at,
        deadline: vector.deadline,
    });
    assert_eq!(request.terms().kgc_set_hash, vector.kgc_set_hash);
    assert_eq!(request.terms().challenges_hash, vector.challenges_hash);
    assert_eq!(R::eip712_encode_type(), vector.type_string);
    assert_eq!(request.eip712_type_hash(), vector.type_hash);
    assert_eq!(request.eip712_hash_struct(), vector.struct_hash);
    assert_eq!(request.eip712_signing_hash(domain), vector.digest);
}

#[track_caller]
fn check_answer(vector: &RequestVector) {
    let AnswerVector { recipient_private_key, ephemeral_private_key, plaintext, sealed } = &vector.answer;
    let secret = X25519Secret::from_bytes(recipient_private_key.0);
    assert_eq!(*secret.public().as_bytes(), vector.recipient_public_key);
    assert_eq!(*X25519Secret::from_bytes(ephemeral_private_key.0).public().as_bytes(), sealed[..32]);
    let answer = SealedAnswer(sealed[..].try_into().expect("80 bytes"));
    assert_eq!(*answer.open_partial(&secret, &vector.digest).expect("the answer to this request"), *plaintext);
    let other = answer.open_partial(&secret, &vector.struct_hash);
    assert!(other.is_err(), "the answer to one request opens under another's digest");
}

#[test]
fn digests_and_answers_are_those_of_the_vectors() {
    let file: RequestsFile = load("requests.json");
    let domain = Home { chain_id: file.chain_id, registry: file.registry }.domain();
    assert_eq!(domain.encode_type(), file.domain_type);
    assert_eq!(domain.separator(), file.domain_separator);
    let mut kinds = Vec::new();
    for vector in &file.requests {
        match vector.kind.as_str() {
            "IssueRequest" => check::<IssueRequest>(vector, &domain),
            "KeyRequest" => check::<KeyRequest>(vector, &domain),
            other => panic!("a request of kind {other}"),
        }
        check_answer(vector);
        kinds.push(&vector.kind);
    }
    assert!(kinds.len() >= 2 && kinds.iter().any(|kind| *kind != kinds[0]), "{kinds:?}");
}
