//! Requests to a KGC and its answers.

use alloy::primitives::{Address, B256, Bytes, keccak256};
use alloy::sol_types::{Eip712Domain, SolStruct};
use medseal::envelope::capsules::X25519Secret;
use medseal::kgc::{
    Home, IssueRequest, KeyReceipt, KeyRequest, KgcRequest, LogHead, SealedAnswer, Terms, challenges_hash,
    kgc_set_hash, release_log_id,
};
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
    receipts: Vec<ReceiptVector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceiptVector {
    #[serde(rename = "type")]
    type_string: String,
    request_digest: B256,
    image_id: B256,
    wallet: Address,
    decision: u8,
    reason: String,
    block_number: u64,
    block_hash: B256,
    time: u64,
    kgc_id: B256,
    log_id: B256,
    log_seq: u64,
    log_head: B256,
    answer_hash: B256,
    instance: String,
    lines: Vec<String>,
    struct_hash: B256,
    digest: B256,
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
        challenges_hash: challenges_hash(&vector.challenges.iter().map(keccak256).collect::<Vec<_>>()),
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

#[track_caller]
fn check_receipt(vector: &ReceiptVector, domain: &Eip712Domain, answers: &[B256]) {
    let head = vector.lines.iter().fold(LogHead::EMPTY, |head, line| head.after(line.as_bytes()));
    assert_eq!((head.seq, head.head), (vector.log_seq, vector.log_head));
    assert_eq!(release_log_id(vector.kgc_id, &vector.instance), vector.log_id);
    let refused = vector.decision == 3;
    assert_eq!(refused, !answers.contains(&vector.answer_hash));
    let receipt = KeyReceipt {
        requestDigest: vector.request_digest,
        imageId: vector.image_id,
        wallet: vector.wallet,
        decision: vector.decision,
        reason: vector.reason.clone(),
        blockNumber: vector.block_number,
        blockHash: vector.block_hash,
        time: vector.time,
        kgcId: vector.kgc_id,
        logId: vector.log_id,
        logSeq: vector.log_seq,
        logHead: vector.log_head,
        answerHash: vector.answer_hash,
    };
    assert_eq!(KeyReceipt::eip712_encode_type(), vector.type_string);
    assert_eq!(receipt.eip712_hash_struct(), vector.struct_hash);
    assert_eq!(receipt.eip712_signing_hash(domain), vector.digest);
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
    let answers: Vec<B256> = file.requests.iter().map(|vector| keccak256(&vector.answer.sealed)).collect();
    for vector in &file.receipts {
        check_receipt(vector, &domain, &answers);
    }
    assert_eq!(file.receipts.iter().map(|vector| vector.decision).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(kinds.len() >= 2 && kinds.iter().any(|kind| *kind != kinds[0]), "{kinds:?}");
}
