use proptest::prelude::*;

use super::*;
use crate::storage::testing::pattern;

const HELLO: &str = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"; // "hello world", raw

fn parse(text: &str) -> Result<Cid, CidError> {
    text.parse()
}

/// A CID of any kind, as another program would write it.
fn foreign(codec: u64, hash: u64, digest: &[u8]) -> ::cid::Cid {
    ::cid::Cid::new_v1(codec, Multihash::wrap(hash, digest).expect("at most 64 bytes"))
}

/// The kind of error for a CID both as text and as bytes.
fn refused(wide: &::cid::Cid) -> [CidError; 2] {
    [
        parse(&wide.to_string()).expect_err("text is refused"),
        Cid::from_bytes(&wide.to_bytes()).expect_err("bytes are refused"),
    ]
}

#[test]
fn literal_values() {
    assert_eq!(Cid::of(b"").to_string(), "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku");
    assert_eq!(Cid::of(b"hello world").to_string(), HELLO);
    // From tests/oracles/cids.mjs, fill `pattern`.
    let of = |size| Cid::of(&pattern(size)).to_string();
    assert_eq!(of(1_048_575), "bafkreiauirw5jfdr3utdyr4krpksb7zmja4lvf5rlnfvhkxmme2w6j5qha");
    assert_eq!(of(1_048_576), "bafkreia4lg4goabhhbaug6a2rkf76lz3is6yqggq6u5rhmdeyi3vugx6ha");
    assert_eq!(of(1_048_577), "bafybeiaqfhzf4fft5arkdimw7quirxuglvotfah44yawdjg6zujvn6lidu");
    assert_eq!(of(3_145_735), "bafybeiarhh2myzt437m2o567lb4gqnrdmfmymn5f2bnuypyo3h7is3lw7y");
}

#[test]
fn a_small_file_is_addressed_by_its_sha_256() {
    let cid = Cid::of(b"hello world");
    assert_eq!(cid.codec(), Codec::Raw);
    assert_eq!(cid.digest()[..], Sha256::digest(b"hello world")[..]);
    let bytes = cid.to_bytes();
    assert_eq!(bytes.len(), 36);
    assert_eq!(bytes[..4], [1, 0x55, 0x12, 32]);
    assert_eq!(format!("{cid:?}"), format!("Cid({HELLO})"));
}

#[test]
fn older_versions_and_unknown_ones_are_refused() {
    assert!(matches!(parse("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"), Err(CidError::Version)));
    let mut bare = vec![0x12, 32];
    bare.extend([7; 32]);
    assert!(matches!(Cid::from_bytes(&bare), Err(CidError::Version)));
    let mut bytes = Cid::of(b"").to_bytes();
    bytes[0] = 2;
    assert!(matches!(Cid::from_bytes(&bytes), Err(CidError::Version)));
    bytes[0] = 0;
    assert!(matches!(Cid::from_bytes(&bytes), Err(CidError::Version)));
}

#[test]
fn other_codecs_and_hashes_are_refused() {
    for codec in [0x71, 0x0129, 0x72, 0] {
        assert!(
            refused(&foreign(codec, SHA2_256, &[1; 32]))
                .iter()
                .all(|error| matches!(error, CidError::Codec { found } if *found == codec))
        );
    }
    let identity = foreign(0x55, 0, b"a whole file");
    assert!(refused(&identity).iter().all(|error| matches!(error, CidError::Hash { found: 0 })));
    let blake3 = foreign(0x55, 0x1e, &[1; 32]);
    assert!(refused(&blake3).iter().all(|error| matches!(error, CidError::Hash { found: 0x1e })));
    for digest in [&[1; 20][..], &[1; 31], &[1; 33], &[]] {
        let wide = foreign(0x55, SHA2_256, digest);
        let length =
            |error: &CidError| matches!(error, CidError::DigestLength { found } if usize::from(*found) == digest.len());
        let [text, bytes] = refused(&wide);
        assert!(length(&text) && length(&bytes), "{text:?} {bytes:?}");
    }
}

#[test]
fn other_spellings_are_refused() {
    assert!(matches!(parse(&HELLO.to_uppercase()), Err(CidError::UpperCase)));
    assert!(matches!(parse(&HELLO.replace("bafk", "baFk")), Err(CidError::UpperCase)));
    let wide = parse(HELLO).expect("a cid").wide();
    for base in ["z", "m", "u", "f"] {
        let text = format!("{base}{}", &wide.to_string()[1..]);
        let found = base.chars().next().expect("one");
        assert!(matches!(parse(&text), Err(CidError::Base { found: other }) if other == found));
    }
    assert!(matches!(parse(&format!(" {HELLO}")), Err(CidError::Base { found: ' ' })));
    // The last character has two bits that say nothing; only zeros will do.
    let stem = HELLO.strip_suffix('e').expect("its last character");
    assert!(matches!(parse(&format!("{stem}f")), Err(CidError::Malformed(_))));
}

#[test]
fn paths_are_refused() {
    for text in [
        format!("{HELLO}/etc"),
        format!("/ipfs/{HELLO}"),
        format!("../../{HELLO}"),
        "../".to_owned(),
        "..\\secret".to_owned(),
        format!("{HELLO}/{}", "a/".repeat(1000)),
    ] {
        assert!(matches!(parse(&text), Err(CidError::Path)), "{text}");
    }
}

#[test]
fn what_follows_is_refused() {
    let cid = parse(HELLO).expect("a cid");
    let mut bytes = cid.to_bytes();
    bytes.push(0);
    assert!(matches!(Cid::from_bytes(&bytes), Err(CidError::Trailing { extra: 1 })));
    bytes.extend([0; 27]);
    assert_eq!(bytes.len(), 64);
    assert!(matches!(Cid::from_bytes(&bytes), Err(CidError::Trailing { extra: 28 })));
    bytes.push(0);
    assert!(matches!(Cid::from_bytes(&bytes), Err(CidError::TooLong { limit: 64, found: 65 })));

    // 37 bytes are 60 characters, and one more.
    let longer = format!("b{}aa", &HELLO[1..]);
    assert!(matches!(parse(&longer), Err(CidError::Trailing { extra: 2 })), "{:?}", parse(&longer));
    assert!(!matches!(parse(&format!("{HELLO}aaaaa")), Ok(_) | Err(CidError::TooLong { .. })));
    assert!(matches!(parse(&format!("{HELLO}aaaaaa")), Err(CidError::TooLong { limit: 64, found: 65 })));
    assert!(matches!(parse(&"b".repeat(2048)), Err(CidError::TooLong { found: 2048, .. })));
}

#[test]
fn what_is_cut_short_is_refused() {
    let bytes = Cid::of(b"hello world").to_bytes();
    for end in 0..bytes.len() {
        assert!(matches!(Cid::from_bytes(&bytes[..end]), Err(CidError::Malformed(_))), "{end} bytes");
    }
    for end in 0..HELLO.len() {
        assert!(matches!(parse(&HELLO[..end]), Err(CidError::Malformed(_))), "{end} characters");
    }
    assert!(matches!(parse("bäfk"), Err(CidError::Malformed(_))));
    // A codec in two bytes where one does is another spelling.
    assert!(matches!(Cid::from_bytes(&[&[1, 0xd5, 0x00][..], &bytes[2..]].concat()), Err(CidError::Malformed(_))));
}

proptest! {
    #[test]
    fn round_trip(digest: [u8; 32], index: bool) {
        let cid = Cid { codec: if index { Codec::DagPb } else { Codec::Raw }, digest };
        prop_assert_eq!(parse(&cid.to_string()).expect("its text"), cid);
        prop_assert_eq!(Cid::from_bytes(&cid.to_bytes()).expect("its bytes"), cid);
    }

    #[test]
    fn one_spelling_in_text(text in "[bB]?[a-z2-7]{0,62}|bafkrei[a-z2-7]{52}|.{0,70}") {
        if let Ok(cid) = parse(&text) {
            prop_assert_eq!(cid.to_string(), text);
        }
    }

    #[test]
    fn one_spelling_in_bytes(mut bytes in proptest::collection::vec(any::<u8>(), 0..70), ours: bool) {
        if ours {
            for (byte, start) in bytes.iter_mut().zip([1, 0x55, 0x12, 32]) {
                *byte = start;
            }
        }
        if let Ok(cid) = Cid::from_bytes(&bytes) {
            prop_assert_eq!(cid.to_bytes(), bytes);
        }
    }
}
