//! Key capsules: every holder of a good one opens it, the bad ones are refused by name.

use alloy::primitives::{B256, Bytes};
use medseal::cipher::ImageKey;
use medseal::envelope::capsules::shamir::{Share, combine, split};
use medseal::envelope::capsules::{
    CapsuleError, Capsules, Holder, Recipient, X25519Public, X25519Secret, combine_shares, open_capsule, open_secret,
    open_share,
};
use medseal::envelope::{ImageContext, Layout, SealedImage};
use medseal::kgc::os_random;
use serde::Deserialize;
use serde_json::{Value, json};
use std::process::{Command, Stdio};

use super::schema::{Identity, load};
use crate::cli::fetched;
use crate::common::{read, root, variant};

const FOLDER: &str = "tests/vectors/capsules";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(flatten)]
    identity: Identity,
    key_commitment: B256,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GoodFile {
    record: Record,
    image_key: B256,
    sealed_image: String,
    opened: Bytes,
    sharings: Vec<Sharing>,
    cases: Vec<GoodCase>,
}

#[derive(Deserialize)]
struct Sharing {
    threshold: u8,
    coefficients: Vec<B256>,
    shares: Vec<B256>,
    commitments: Vec<B256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GoodCase {
    name: String,
    file: String,
    stanza_count: usize,
    holders: Vec<HolderVector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HolderVector {
    holder: String,
    #[serde(rename = "type")]
    kind: u8,
    key_id: B256,
    epoch: u32,
    share_index: u8,
    threshold: u8,
    public_key: B256,
    private_key: B256,
    ephemeral_private_key: B256,
    info: Bytes,
    sealed: Bytes,
    plaintext: B256,
}

#[derive(Deserialize)]
struct BadFile {
    record: Record,
    cases: Vec<BadCase>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BadCase {
    name: String,
    file: String,
    #[serde(rename = "type")]
    kind: u8,
    key_id: B256,
    epoch: u32,
    private_key: B256,
    error: String,
}

/// Whom a stanza's type, key id and epoch mean, except for a share's holder.
#[track_caller]
fn recipient(kind: u8, key_id: B256, epoch: u32, public: X25519Public) -> Recipient {
    match kind {
        1 => Recipient::Kgc { id: key_id, epoch, public },
        2 => Recipient::Reader { public },
        3 => Recipient::Recovery { public },
        other => panic!("type {other}"),
    }
}

#[track_caller]
fn check_holder(file: &GoodFile, capsules: &Capsules, vector: &HolderVector, context: &ImageContext) {
    let commitment = &file.record.key_commitment;
    let secret = X25519Secret::from_bytes(vector.private_key.0);
    assert_eq!(*secret.public().as_bytes(), vector.public_key);
    let HolderVector { kind, key_id, epoch, share_index, threshold, .. } = *vector;
    let holder = if kind == 4 {
        Holder::Share { id: key_id, epoch, index: share_index, threshold }
    } else {
        assert_eq!([share_index, threshold], [0, 0]);
        recipient(kind, key_id, epoch, secret.public()).holder()
    };
    assert_eq!(variant(&holder).to_lowercase(), vector.holder);
    let stanza = capsules.find(&holder).expect("a stanza for this holder");
    assert_eq!(stanza.sealed[..], vector.sealed[..]);
    assert_eq!(
        stanza.sealed[..32],
        *X25519Secret::from_bytes(vector.ephemeral_private_key.0).public().as_bytes(),
        "the encapsulated key is that of the ephemeral one"
    );
    let opened = open_secret(&stanza.sealed, &secret, &vector.info).expect("HPKE opens");
    assert_eq!(*opened, vector.plaintext);
    if kind == 4 {
        let share = open_share(capsules, (key_id, epoch), &secret, context, commitment).expect("its own share");
        assert_eq!((share.index, &share.bytes[..]), (share_index, vector.plaintext.as_slice()));
        assert_eq!(capsules.shares().expect("shared").threshold(), threshold);
    } else {
        let to = recipient(kind, key_id, epoch, secret.public());
        let key = open_capsule(capsules, &to, &secret, context, commitment).expect("its own capsule");
        assert_eq!(*key.as_bytes(), file.image_key);
        assert_eq!(*key.as_bytes(), vector.plaintext);
    }
}

#[test]
fn every_holder_opens_its_capsule() {
    let file: GoodFile = load("capsules/good.json");
    let context = file.record.identity.check();
    assert!(file.cases.len() >= 8, "{} capsule files", file.cases.len());
    let mut kinds = std::collections::BTreeSet::new();
    for case in &file.cases {
        let bytes = read(root(FOLDER).join(&case.file));
        let capsules = Capsules::decode(&bytes).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert_eq!(usize::from(u16::from_be_bytes([bytes[10], bytes[11]])), case.stanza_count, "{}", case.name);
        assert_eq!(capsules.stanzas().len(), case.holders.len(), "{}", case.name);
        // Unknown types have no holder here, and stay where they stood.
        assert!(capsules.encode() == bytes, "{}", case.name);
        for holder in &case.holders {
            check_holder(&file, &capsules, holder, &context);
            kinds.insert(holder.kind);
        }
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn the_key_in_the_capsules_opens_their_image() {
    let file: GoodFile = load("capsules/good.json");
    let bytes = read(root(FOLDER).join(&file.sealed_image));
    let image = SealedImage::decode(&bytes).expect("a good image");
    assert_eq!(image.header().context(), file.record.identity.check());
    assert_eq!(image.header().salt, file.record.identity.salt);
    assert_eq!(image.header().model_digest, file.record.identity.model_digest);
    assert_eq!(image.header().key_commitment, file.record.key_commitment);
    let opened = image.open(&ImageKey::from_bytes(file.image_key.0)).expect("its key");
    let whole = match &opened.description.layout {
        Layout::Spliced { head, tail, .. } => [head, &opened.payload[..], tail].concat(),
        _ => opened.payload.to_vec(),
    };
    assert!(whole == file.opened);
}

/// What the library says to a bad case.
fn open_bad(bytes: &[u8], case: &BadCase, record: &Record, context: &ImageContext) -> Result<(), CapsuleError> {
    let capsules = Capsules::decode(bytes)?;
    let (secret, commitment) = (X25519Secret::from_bytes(case.private_key.0), &record.key_commitment);
    if case.kind == 4 {
        return open_share(&capsules, (case.key_id, case.epoch), &secret, context, commitment).map(drop);
    }
    let to = recipient(case.kind, case.key_id, case.epoch, secret.public());
    open_capsule(&capsules, &to, &secret, context, commitment).map(drop)
}

#[test]
fn the_shares_of_the_vectors_give_the_key_and_fewer_do_not() {
    let file: GoodFile = load("capsules/good.json");
    let context = file.record.identity.check();
    let mut sets = Vec::new();
    for case in &file.cases {
        let capsules = Capsules::decode(&read(root(FOLDER).join(&case.file))).expect("a good file");
        let Some(set) = capsules.shares() else { continue };
        let number = usize::from(set.number());
        let threshold = usize::from(set.threshold());
        let sharing = file
            .sharings
            .iter()
            .find(|sharing| (usize::from(sharing.threshold), sharing.shares.len()) == (threshold, number));
        let sharing = sharing.expect("where the shares come from");
        assert_eq!((sharing.coefficients.len(), sharing.commitments.len()), (threshold - 1, number));
        let encoded = capsules.encode();
        let commitments = sharing.commitments.iter().flat_map(|one| one.0).collect::<Vec<u8>>();
        assert!(encoded.windows(commitments.len()).any(|window| window == commitments), "{}", case.name);
        let shares: Vec<Share> =
            (1..).zip(&sharing.shares).map(|(index, share)| Share { index, bytes: share.to_vec().into() }).collect();
        assert!(shares.iter().all(|share| set.check_share(&context.image_id, share).is_ok()), "{}", case.name);
        for chosen in shares.windows(threshold) {
            let key = combine_shares(set, chosen, &context, &file.record.key_commitment).expect("as many as it takes");
            assert_eq!(*key.as_bytes(), file.image_key);
            let fewer = combine_shares(set, &chosen[1..], &context, &file.record.key_commitment);
            assert!(matches!(fewer, Err(CapsuleError::Shamir(_))));
        }
        // The same polynomials, evaluated here: the coefficients of byte 0 at index 1 add up.
        let first = sharing.coefficients.iter().fold(file.image_key[0], |sum, row| sum ^ row[0]);
        assert_eq!(sharing.shares[0][0], first);
        sets.push((threshold, number));
    }
    assert_eq!(sets, [(2, 3), (3, 3), (5, 16), (2, 3)]);
}

#[test]
fn bad_capsules_are_refused_by_the_name_of_their_fault() {
    let file: BadFile = load("capsules/bad.json");
    let context = file.record.identity.check();
    assert!(file.cases.len() >= 58, "{} bad capsules", file.cases.len());
    let mut kinds = std::collections::BTreeSet::new();
    for case in &file.cases {
        let bytes = read(root(FOLDER).join(&case.file));
        let found = match open_bad(&bytes, case, &file.record, &context) {
            Ok(()) => "opened".to_owned(),
            Err(error) => variant(&error),
        };
        assert_eq!(found, case.error, "{}", case.name);
        kinds.insert(found);
    }
    assert_eq!(kinds.len(), 12, "every kind of error has a vector: {kinds:?}");
}

/// Another library puts together what is split here, and its shares are put together here.
#[test]
fn another_library_shares_alike() {
    let file: GoodFile = load("capsules/good.json");
    let hex = |bytes: &[u8]| format!("0x{}", alloy::hex::encode(bytes));
    let mut sharings = Vec::new();
    for Sharing { threshold, shares, .. } in &file.sharings {
        let last: Vec<_> = (1..).zip(shares).skip(shares.len() - usize::from(*threshold)).collect();
        let last: Vec<_> = last.iter().map(|(index, share): &(u8, _)| json!([index, share])).collect();
        sharings.push(json!({ "shares": last }));
    }
    for round in 0_u8..100 {
        let (threshold, secret) = (2 + round % 3, [round; 32]);
        let shares = split(&secret, threshold, threshold + 1, &mut os_random()).expect("a threshold");
        let shares: Vec<_> = shares[1..].iter().map(|share| json!([share.index, hex(&share.bytes)])).collect();
        sharings.push(json!({ "shares": shares }));
    }
    fetched("node_modules/shamir-secret-sharing");
    let mut node = Command::new("node");
    node.arg(root("tests/clients/shares.mjs")).arg(file.image_key.to_string());
    let mut node = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node starts");
    serde_json::to_writer(node.stdin.take().expect("a pipe"), &sharings).expect("written");
    let output = node.wait_with_output().expect("it ends");
    assert!(output.status.success());
    let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let of_round = |round: u8| hex(&[round; 32]);
    let expected: Vec<String> =
        file.sharings.iter().map(|_| file.image_key.to_string()).chain((0..100).map(of_round)).collect();
    assert_eq!(said["combined"], json!(expected));
    let theirs: Vec<(u8, Bytes)> = serde_json::from_value(said["split"].clone()).expect("shares");
    let theirs: Vec<Share> =
        theirs.into_iter().map(|(index, bytes)| Share { index, bytes: bytes.to_vec().into() }).collect();
    for chosen in [[0, 1, 2], [2, 3, 4], [4, 0, 2]] {
        let secret = combine(3, &chosen.map(|at| theirs[at].clone())).expect("three of five");
        assert_eq!(secret[..], file.image_key[..]);
    }
}
