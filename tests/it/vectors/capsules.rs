//! Key capsules: every holder of a good one opens it, the bad ones are refused by name.

use alloy::primitives::{B256, Bytes};
use medseal::cipher::ImageKey;
use medseal::envelope::capsules::{
    CapsuleError, Capsules, Holder, Recipient, Stanza, X25519Public, X25519Secret, open_capsule, open_secret,
};
use medseal::envelope::{ImageContext, Layout, SealedImage};
use serde::Deserialize;

use super::schema::{Identity, load};
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
    cases: Vec<GoodCase>,
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
    share_index: u8,
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

/// HPKE's `info` of a share (`FORMAT.md`, section 7). The library opens no shares yet; good vectors
/// are checked against this one.
fn share_info(context: &ImageContext, key_id: &B256, epoch: u32, share: [u8; 2], commitment: &B256) -> Vec<u8> {
    let epoch = epoch.to_be_bytes();
    let chain_id = context.chain_id.to_be_bytes();
    let parts: [&[u8]; 11] = [
        b"medseal/v1/capsule",
        &[0, 1],
        &chain_id,
        context.registry.as_slice(),
        context.image_id.as_slice(),
        context.sender.as_slice(),
        &[4],
        key_id.as_slice(),
        &epoch,
        &share,
        commitment.as_slice(),
    ];
    let lengths = parts.map(|part| u32::try_from(part.len()).expect("short").to_be_bytes());
    lengths.iter().zip(parts).flat_map(|(length, part)| [length, part].concat()).collect()
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
        assert_eq!(share_info(context, &key_id, epoch, [share_index, threshold], commitment), vector.info);
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
    assert!(file.cases.len() >= 5, "{} capsule files", file.cases.len());
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

/// What the library says to a bad case; for a share, which it does not open yet, what HPKE says.
fn open_bad(bytes: &[u8], case: &BadCase, record: &Record, context: &ImageContext) -> Result<(), CapsuleError> {
    let capsules = Capsules::decode(bytes)?;
    let secret = X25519Secret::from_bytes(case.private_key.0);
    if case.kind != 4 {
        let to = recipient(case.kind, case.key_id, case.epoch, secret.public());
        return open_capsule(&capsules, &to, &secret, context, &record.key_commitment).map(drop);
    }
    let share = capsules.stanzas().iter().find_map(|Stanza { holder, sealed }| match *holder {
        Holder::Share { id, epoch, index, threshold }
            if (id, epoch, index) == (case.key_id, case.epoch, case.share_index) =>
        {
            Some(([index, threshold], sealed))
        }
        _ => None,
    });
    let (share, sealed) = share.ok_or(CapsuleError::NoMatchingStanza { key_id: case.key_id, epoch: case.epoch })?;
    let info = share_info(context, &case.key_id, case.epoch, share, &record.key_commitment);
    open_secret(sealed, &secret, &info).map(drop).ok_or(CapsuleError::CapsuleNotAuthentic)
}

#[test]
fn bad_capsules_are_refused_by_the_name_of_their_fault() {
    let file: BadFile = load("capsules/bad.json");
    let context = file.record.identity.check();
    assert!(file.cases.len() >= 33, "{} bad capsules", file.cases.len());
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
    assert_eq!(kinds.len(), 10, "every kind of error has a vector: {kinds:?}");
}
