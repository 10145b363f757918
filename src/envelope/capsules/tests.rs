use alloy::primitives::Address;
use hpke::rand_core::{Infallible, TryCryptoRng, TryRng};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

/// SHA-256 of a seed and a counter: the same bytes in every run.
struct SeededRng(u64, u64);

impl TryRng for SeededRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(32) {
            self.1 += 1;
            let block = Sha256::digest([self.0.to_be_bytes(), self.1.to_be_bytes()].concat());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for SeededRng {}

fn secret(seed: u64) -> X25519Secret {
    X25519Secret::generate(&mut SeededRng(seed, 0))
}

fn kgc(seed: u64) -> Recipient {
    Recipient::Kgc { id: B256::repeat_byte(9), epoch: 1, public: secret(seed).public() }
}

fn context() -> ImageContext {
    ImageContext::new(31337, Address::repeat_byte(1), Address::repeat_byte(2), B256::repeat_byte(3))
}

fn key() -> ImageKey {
    ImageKey::from_bytes([0x5a; 32])
}

fn sealed_to(recipient: &Recipient, context: &ImageContext) -> ([u8; 32], Stanza) {
    let commitment = key_commitment(&context.image_id, &key());
    let stanza = seal_capsule(&key(), recipient, context, &commitment, &mut SeededRng(7, 0)).expect("the right key");
    (commitment, stanza)
}

/// Three known stanzas, one of each kind that is sealed here.
fn capsules() -> Capsules {
    let recipients =
        [kgc(1), Recipient::Reader { public: secret(2).public() }, Recipient::Recovery { public: secret(2).public() }];
    Capsules::new(recipients.iter().map(|recipient| sealed_to(recipient, &context()).1).collect())
        .expect("three holders")
}

fn prefix(count: u16) -> Vec<u8> {
    [&b"MEDKEYS\n\0\x01"[..], &count.to_be_bytes()].concat()
}

fn stanza(kind: u8, key_id: u8, epoch: u32, length: u16, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &[key_id; 32], &epoch.to_be_bytes(), &length.to_be_bytes(), body].concat()
}

fn file(stanzas: &[Vec<u8>]) -> Vec<u8> {
    [prefix(u16::try_from(stanzas.len()).expect("few")), stanzas.concat()].concat()
}

#[track_caller]
fn refused(bytes: &[u8]) -> CapsuleError {
    Capsules::decode(bytes).expect_err("these capsules are refused")
}

#[test]
fn every_holder_opens_its_own_capsule() {
    let capsules = capsules();
    let (context, commitment) = (context(), key_commitment(&context().image_id, &key()));
    for (recipient, seed) in [
        (kgc(1), 1),
        (Recipient::Reader { public: secret(2).public() }, 2),
        (Recipient::Recovery { public: secret(2).public() }, 2),
    ] {
        let opened = open_capsule(&capsules, &recipient, &secret(seed), &context, &commitment).expect("its own");
        assert_eq!(opened.as_bytes(), key().as_bytes());
    }
}

#[test]
fn stanzas_stand_at_their_offsets_and_shares_have_two_bytes_more() {
    let reader = Recipient::Reader { public: secret(2).public() };
    let share = |index, id| {
        let holder = Holder::Share { id: B256::repeat_byte(id), epoch: 5, index, threshold: 2 };
        Stanza { holder, sealed: [0xcc; 80] }
    };
    let stanzas = vec![sealed_to(&reader, &context()).1, share(1, 8), share(2, 9)];
    let set = shamir::split(&[7; 32], 2, 2, &mut SeededRng(7, 0)).expect("2 of 2");
    let set = ShareSet::of(&context().image_id, 2, &set);
    let bytes = Capsules::shared(stanzas.clone(), set).expect("three holders").encode();
    assert_eq!(bytes.len(), 12 + 39 + 80 + 2 * (39 + 82) + 39 + 66);
    assert_eq!(bytes[..12], *b"MEDKEYS\n\0\x01\0\x04");
    assert_eq!((bytes[12], bytes[45..51].to_vec()), (2, vec![0, 0, 0, 0, 0, 80]));
    assert_eq!(bytes[131 + 33..131 + 41], [0, 0, 0, 5, 0, 82, 1, 2]);
    assert_eq!(bytes[131 + 242..131 + 242 + 41], [&[5][..], &[0; 36], &[0, 66, 2, 2]].concat());
    assert_eq!(Capsules::decode(&bytes).expect("as encoded").stanzas(), stanzas);
}

#[test]
fn stanzas_of_unknown_types_stay_where_they_stood() {
    let known = |seed| sealed_to(&kgc(seed), &context()).1;
    let (first, second) = (known(1), Stanza { holder: Holder::Kgc { id: B256::ZERO, epoch: 9 }, sealed: [2; 80] });
    let other = |kind: u8, body: &[u8]| {
        let length = u16::try_from(body.len()).expect("short");
        [&[kind][..], &[kind; 32], &[0, 0, 0, 7], &length.to_be_bytes(), body].concat()
    };
    // A type to come, a reader's with an epoch, and one without a body.
    let (a, b, c) = (other(200, b"to come"), other(2, &[5; 80]), other(0, b""));
    let bytes = [b"MEDKEYS\n\0\x01\0\x05", &a[..], &first.encode(), &b, &c, &second.encode()].concat();
    let capsules = Capsules::decode(&bytes).expect("whole");
    assert_eq!(capsules.stanzas(), [first.clone(), second.clone()]);
    assert_eq!(capsules.encode(), bytes);
    let new = Stanza { holder: Holder::Reader { key_id: B256::repeat_byte(3) }, sealed: [3; 80] };
    let more = capsules.clone().with(vec![new.clone()]).expect("one more").encode();
    assert_eq!(more, [b"MEDKEYS\n\0\x01\0\x06", &bytes[12..], &new.encode()].concat());
    assert_eq!(Capsules::decode(&more).expect("whole").stanzas(), [first.clone(), second, new]);
    assert_eq!(capsules.clone().with(vec![first]), Err(CapsuleError::DuplicateStanza { stanza: 2 }));
    let holder = |epoch| Holder::Kgc { id: B256::repeat_byte(4), epoch };
    let many = |count| (0..count).map(|epoch| Stanza { holder: holder(epoch), sealed: [0; 80] }).collect();
    assert!(capsules.clone().with(many(1019)).is_ok());
    assert_eq!(capsules.with(many(1020)), Err(CapsuleError::StanzaCount { found: 1025 }));
}

#[test]
fn info_is_that_of_the_format() {
    let holder = Holder::Share { id: B256::repeat_byte(8), epoch: 5, index: 2, threshold: 3 };
    let context = context();
    let expected = [
        &b"\0\0\0\x12medseal/v1/capsule\0\0\0\x02\0\x01\0\0\0\x08\0\0\0\0\0\0\x7a\x69\0\0\0\x14"[..],
        &[1; 20],
        b"\0\0\0\x20",
        context.image_id.as_slice(),
        b"\0\0\0\x14",
        &[2; 20],
        b"\0\0\0\x01\x04\0\0\0\x20",
        &[8; 32],
        b"\0\0\0\x04\0\0\0\x05\0\0\0\x02\x02\x03\0\0\0\x20",
        &[6; 32],
    ];
    assert_eq!(info(&context, &holder, &[6; 32]), expected.concat());
}

#[test]
fn each_fault_has_its_own_error() {
    use CapsuleError as E;
    assert_eq!(refused(b"MEDSEAL\n"), E::BadMagic);
    assert_eq!(refused(b"MEDKEYS\n\0\x02\0\0"), E::UnsupportedVersion { expected: 1, found: 2 });
    assert_eq!(refused(&prefix(0)), E::StanzaCount { found: 0 });
    assert_eq!(refused(&prefix(1025)), E::StanzaCount { found: 1025 });
    assert_eq!(refused(&prefix(1024)), E::Truncated { expected: 51, found: 12 });
    for (kind, length) in [(1, 79), (2, 81), (3, 82), (4, 80), (4, 83), (1, 0), (0, 4097), (200, u16::MAX)] {
        let found = length.into();
        assert_eq!(refused(&file(&[stanza(kind, 1, 1, length, &[])])), E::StanzaLength { stanza: 0, kind, found });
    }
    let one = stanza(2, 1, 0, 80, &[0; 80]);
    assert_eq!(refused(&file(&[one.clone(), one.clone()])), E::DuplicateStanza { stanza: 1 });
    assert_eq!(refused(&[file(&[one]), vec![0]].concat()), E::TrailingBytes { expected: 131, found: 132 });
}

#[test]
fn every_shorter_file_is_truncated() {
    let bytes = capsules().encode();
    for length in 0..bytes.len() {
        assert!(matches!(refused(&bytes[..length]), CapsuleError::Truncated { found, .. } if found == length));
    }
}

#[test]
fn stanzas_of_unknown_types_are_skipped_and_known_ones_found() {
    let bytes = file(&[
        stanza(0, 1, 0, 0, &[]),
        stanza(255, 1, 0, 4096, &[1; 4096]),
        stanza(255, 1, 1, 4096, &[1; 4096]),
        stanza(2, 1, 0, 80, &[7; 80]),
    ]);
    let read = Capsules::decode(&bytes).expect("unknown types are allowed");
    let holder = Holder::Reader { key_id: B256::repeat_byte(1) };
    assert_eq!(read.stanzas(), [Stanza { holder, sealed: [7; 80] }]);
    let twice = file(&[stanza(255, 1, 0, 1, &[1]), stanza(255, 1, 0, 1, &[2])]);
    assert_eq!(refused(&twice), CapsuleError::DuplicateStanza { stanza: 1 });
}

#[test]
fn readers_have_no_epoch() {
    let bytes = file(&[stanza(2, 1, 1, 80, &[7; 80]), stanza(3, 1, 256, 80, &[7; 80]), stanza(1, 1, 1, 80, &[7; 80])]);
    let holder = Holder::Kgc { id: B256::repeat_byte(1), epoch: 1 };
    assert_eq!(Capsules::decode(&bytes).expect("allowed").stanzas(), [Stanza { holder, sealed: [7; 80] }]);
}

#[test]
fn what_another_hpke_sealed_is_opened() {
    // Python's `cryptography` 48: X25519, HKDF-SHA256, ChaCha20-Poly1305, info `medseal`, secret
    // key 24 x 32.
    let sealed = alloy::hex!(
        "9c0a2acd104ba3f5e2f913c5ab4530692d10169a2b9e8ea3a529e2866767653291f5b2fb1101d450613c3ef0352268230f7504c9d65dba286c563f6892e86c23f03b712dcb5b841411b953b99245151a"
    );
    let opened = open_secret(&sealed, &X25519Secret::from_bytes([0x24; 32]), b"medseal");
    assert_eq!(opened.as_deref(), Some(&[0x5a; 32]));
    assert_eq!(open_secret(&sealed, &X25519Secret::from_bytes([0x24; 32]), b"medseam"), None);
}

#[test]
fn the_stanza_count_is_limited_on_both_sides() {
    let many = |count: u32| {
        let holder = |epoch| Holder::Kgc { id: B256::ZERO, epoch };
        Capsules::new((0..count).map(|epoch| Stanza { holder: holder(epoch), sealed: [0; 80] }).collect())
    };
    assert_eq!(many(0), Err(CapsuleError::StanzaCount { found: 0 }));
    assert_eq!(many(1025), Err(CapsuleError::StanzaCount { found: 1025 }));
    let largest = many(1024).expect("1024 are allowed");
    assert_eq!(Capsules::decode(&largest.encode()), Ok(largest));
    let one = sealed_to(&kgc(1), &context()).1;
    assert_eq!(Capsules::new(vec![one.clone(), one]), Err(CapsuleError::DuplicateStanza { stanza: 1 }));
}

#[test]
fn a_capsule_for_somebody_else_is_not_opened() {
    let (commitment, stanza) = sealed_to(&kgc(1), &context());
    let capsules = Capsules::new(vec![stanza]).expect("one");
    let open = |recipient, seed| {
        open_capsule(&capsules, &recipient, &secret(seed), &context(), &commitment).expect_err("not its own")
    };
    // The right stanza, another secret key.
    assert_eq!(open(kgc(1), 2), CapsuleError::CapsuleNotAuthentic);
    // No stanza for this epoch, this id, this kind.
    let (id, public) = (B256::repeat_byte(9), secret(1).public());
    assert_eq!(
        open(Recipient::Kgc { id, epoch: 2, public }, 1),
        CapsuleError::NoMatchingStanza { key_id: id, epoch: 2 }
    );
    let id = B256::repeat_byte(8);
    assert_eq!(
        open(Recipient::Kgc { id, epoch: 1, public }, 1),
        CapsuleError::NoMatchingStanza { key_id: id, epoch: 1 }
    );
    let absent = CapsuleError::NoMatchingStanza { key_id: public.key_id(), epoch: 0 };
    assert_eq!(open(Recipient::Reader { public }, 1), absent);
}

#[test]
fn a_stanza_moved_to_another_kind_or_epoch_is_not_authentic() {
    let public = secret(2).public();
    let (commitment, sealed) = sealed_to(&Recipient::Reader { public }, &context());
    let moved = Stanza { holder: Holder::Recovery { key_id: public.key_id() }, ..sealed };
    let error = open_capsule(
        &Capsules::new(vec![moved]).expect("one"),
        &Recipient::Recovery { public },
        &secret(2),
        &context(),
        &commitment,
    );
    assert_eq!(error.expect_err("moved"), CapsuleError::CapsuleNotAuthentic);
    let (commitment, sealed) = sealed_to(&kgc(2), &context());
    let later = Recipient::Kgc { id: B256::repeat_byte(9), epoch: 2, public };
    let moved = Stanza { holder: later.holder(), ..sealed };
    let error = open_capsule(&Capsules::new(vec![moved]).expect("one"), &later, &secret(2), &context(), &commitment);
    assert_eq!(error.expect_err("moved"), CapsuleError::CapsuleNotAuthentic);
}

#[test]
fn a_capsule_of_a_key_that_is_not_committed_to_is_neither_made_nor_opened() {
    let (context, other) = (context(), [1; 32]);
    let made = seal_capsule(&key(), &kgc(1), &context, &other, &mut SeededRng(7, 0));
    assert_eq!(made.expect_err("no such key"), CapsuleError::WrongKey);
    // A sender that leaves out the check above, and binds the capsule to a commitment to another
    // key.
    let (holder, public) = (kgc(1).holder(), secret(1).public());
    let sealed = seal_secret(key().as_bytes(), &public, &info(&context, &holder, &other), &mut SeededRng(7, 0));
    let capsules = Capsules::new(vec![Stanza { holder, sealed }]).expect("one");
    let opened = open_capsule(&capsules, &kgc(1), &secret(1), &context, &other);
    assert_eq!(opened.expect_err("no such key"), CapsuleError::WrongKey);
}

#[test]
fn a_thousand_transplants_open_nothing() {
    let (commitment, stanza) = sealed_to(&kgc(1), &context());
    let capsules = Capsules::new(vec![stanza]).expect("one");
    let mut rng = SeededRng(20_261_122, 0);
    let mut random = || B256::from_slice(X25519Secret::generate(&mut rng).as_bytes());
    for round in 0..1000 {
        let here = context();
        let there = match round % 5 {
            0 => ImageContext { image_id: random(), ..here },
            1 => ImageContext { sender: Address::from_word(random()), ..here },
            2 => ImageContext { registry: Address::from_word(random()), ..here },
            3 => ImageContext { chain_id: round + 1, ..here },
            _ => ImageContext::new(here.chain_id, here.registry, here.sender, random()),
        };
        let opened = open_capsule(&capsules, &kgc(1), &secret(1), &there, &commitment);
        assert_eq!(opened.expect_err("transplanted"), CapsuleError::CapsuleNotAuthentic, "round {round}");
    }
    let opened = open_capsule(&capsules, &kgc(1), &secret(1), &context(), random().as_ref());
    assert_eq!(opened.expect_err("another commitment"), CapsuleError::CapsuleNotAuthentic);
}

#[test]
fn every_flipped_bit_of_a_capsule_is_refused() {
    let (commitment, stanza) = sealed_to(&kgc(1), &context());
    for bit in 0..SEALED_BYTES * 8 {
        let mut flipped = stanza.clone();
        flipped.sealed[bit / 8] ^= 1 << (bit % 8);
        let capsules = Capsules::new(vec![flipped]).expect("one");
        let opened = open_capsule(&capsules, &kgc(1), &secret(1), &context(), &commitment);
        assert_eq!(opened.expect_err("flipped"), CapsuleError::CapsuleNotAuthentic, "bit {bit}");
    }
}

#[test]
fn public_keys_of_low_order_and_second_encodings_are_refused() {
    let low_order = CapsuleError::PublicKey { reason: "of low order" };
    let not_canonical = CapsuleError::PublicKey { reason: "not canonical" };
    let mut one = [0; 32];
    one[0] = 1;
    // 2^255 - 20, that is -1; then 2^255 - 19, a second zero.
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let mut zero_again = minus_one;
    zero_again[0] = 0xed;
    // Points of order 8 (RFC 7748's curve, as in the X25519 test vectors of Wycheproof).
    let order_8 = alloy::hex!("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
    let other_order_8 = alloy::hex!("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157");
    for bytes in [[0; 32], one, minus_one, order_8, other_order_8] {
        assert_eq!(X25519Public::from_bytes(bytes), Err(low_order.clone()));
    }
    let mut high_bit = *secret(1).public().as_bytes();
    high_bit[31] |= 0x80;
    for bytes in [zero_again, [0xff; 32], high_bit] {
        assert_eq!(X25519Public::from_bytes(bytes), Err(not_canonical.clone()));
    }
    let public = secret(1).public();
    assert_eq!(X25519Public::from_bytes(*public.as_bytes()), Ok(public));
}

#[test]
fn secrets_are_not_printed() {
    assert_eq!(format!("{:?}", X25519Secret::from_bytes([0x5a; 32])), "X25519Secret(..)");
    assert!(!format!("{:?} {:?}", key(), capsules()).contains("5a, 5a"));
}

proptest! {
    #[test]
    fn parsing_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Capsules::decode(&[&b"MEDKEYS\n\0\x01\0\x02"[..], &bytes].concat());
    }

    #[test]
    fn what_is_read_is_written_again(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut bytes = capsules().encode();
        let offset = at.index(bytes.len());
        bytes[offset] ^= 1 << bit;
        if let Ok(read) = Capsules::decode(&bytes) {
            // A flip can make a type unknown or give a reader an epoch: such stanzas are left out.
            prop_assert!(read.stanzas().len() < 3 || read.encode() == bytes);
        }
    }
}
