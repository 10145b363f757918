//! Rust seals, Python opens (`tests/vectors/open`): the same bytes, and the same name for every
//! refusal.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use alloy::hex;
use alloy::primitives::B256;
use medseal::envelope::capsules::{Capsules, Recipient, X25519Secret, seal_capsule};
use medseal::envelope::{BYTES_FRAME, Description, Layout, Shape};
use medseal::imaging::{ByteOrder, ChannelOrder, Format, SampleType};
use medseal::kgc::os_random;

use crate::common::{Fixture, random, random_word, read, root, shape};

/// The Python with the packages of `tests/vectors/requirements.txt`.
pub(crate) fn python() -> PathBuf {
    let python = std::env::var_os("MEDSEAL_PYTHON").map(PathBuf::from);
    let python = python.unwrap_or_else(|| root("target/tools/venv/bin/python"));
    let asked = Command::new(&python).args(["-c", "import cryptography, eth_account"]).output();
    let ready = asked.is_ok_and(|output| output.status.success());
    assert!(
        ready,
        "{} is no Python with the packages `cryptography` and `eth_account`: run scripts/test, or set MEDSEAL_PYTHON to one that has \
         tests/vectors/requirements.txt installed",
        python.display()
    );
    python
}

/// Runs `tests/vectors/open` on `sealed`; the file that it writes, if it writes one, is `opened`.
fn open(python: &Path, sealed: &Path, opened: &Path, with: &[&str]) -> Output {
    let mut command = Command::new(python);
    command.arg("-B").arg(root("tests/vectors/open")).arg(sealed).args(with).arg("-o").arg(opened);
    command.output().expect("Python was there a moment ago")
}

#[track_caller]
fn assert_opens(python: &Path, sealed: &Path, with: &[&str], expected: &[u8]) {
    let opened = sealed.with_extension("opened");
    let output = open(python, sealed, &opened, with);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{}: {said}", sealed.display());
    assert!(read(&opened) == expected, "{}: other bytes", sealed.display());
    std::fs::remove_file(&opened).expect("just read");
}

/// A file to be sealed: what it is, and its bytes as Python gives them back.
struct Case {
    name: &'static str,
    description: Description,
    payload: Vec<u8>,
    file: Vec<u8>,
}

fn spliced(name: &'static str, seed: u64, shape: Shape) -> Case {
    let samples = usize::try_from(shape.geometry.samples().expect("small")).expect("small");
    let payload = random(seed, samples * shape.sample_type.bytes());
    let (head, tail) = (random(seed + 1000, 300), random(seed + 2000, usize::from(seed.is_multiple_of(2))));
    let file = [&head[..], &payload, &tail].concat();
    let layout = Layout::Spliced { shape, head: head.into(), tail: tail.into() };
    Case {
        name,
        description: Description { format: Format::Dicom, file_name: format!("{name}.dcm"), layout },
        payload,
        file,
    }
}

fn cases() -> Vec<Case> {
    use {ByteOrder::Big, ByteOrder::Little, ChannelOrder::Interleaved, ChannelOrder::Planar};
    let bytes = |name, seed, length: usize| {
        let payload = random(seed, length);
        let layout = Layout::Bytes { length: length as u64 };
        let description = Description { format: Format::Unknown, file_name: "Größe µ.bin".to_owned(), layout };
        Case { name, description, file: payload.clone(), payload }
    };
    let mut pixels = spliced("pixels", 8, shape([1, 40, 50], 3, SampleType::U16, Little, Interleaved));
    let Layout::Spliced { shape: pixel_shape, .. } = pixels.description.layout else { unreachable!("spliced above") };
    pixels.description.layout = Layout::Pixels { shape: pixel_shape };
    pixels.description.format = Format::Png;
    pixels.file.clone_from(&pixels.payload);
    vec![
        spliced("u8", 1, shape([1, 17, 31], 1, SampleType::U8, Little, Interleaved)),
        spliced("i16", 2, shape([1, 61, 47], 1, SampleType::I16, Little, Interleaved)),
        spliced("planar-rgb", 3, shape([1, 33, 29], 3, SampleType::U8, Little, Planar)),
        spliced("slices", 4, shape([5, 24, 100], 1, SampleType::U16, Big, Interleaved)),
        spliced("f32", 5, shape([2, 32, 32], 1, SampleType::F32, Big, Interleaved)),
        spliced("f64", 6, shape([1, 9, 70], 1, SampleType::F64, Little, Interleaved)),
        bytes("one-byte", 7, 1),
        bytes("two-frames", 9, usize::try_from(BYTES_FRAME).expect("1 MiB") + 5),
        pixels,
    ]
}

/// Writes `NAME.msl`, and `NAME.keys` for a KGC and a reader; gives the sealed image's path and the
/// two secret keys.
fn write_sealed(folder: &Path, fixture: &Fixture, case: &Case) -> (PathBuf, [X25519Secret; 2]) {
    let sealed = fixture.seal(&case.description, &case.payload);
    let (opened, payload) = fixture.open(&sealed).expect("just sealed");
    assert!(opened == case.description && payload == case.payload, "{}: Rust opens its own", case.name);
    let path = folder.join(case.name).with_extension("msl");
    std::fs::write(&path, &sealed).expect("a writable folder");

    let secrets = [1, 2].map(|seed| X25519Secret::from_bytes(random_word(seed).0));
    let recipients = [
        Recipient::Kgc { id: B256::repeat_byte(9), epoch: 3, public: secrets[0].public() },
        Recipient::Reader { public: secrets[1].public() },
    ];
    let commitment = medseal::cipher::key_commitment(&fixture.context.image_id, &fixture.key);
    let stanzas = recipients.iter().map(|recipient| {
        seal_capsule(&fixture.key, recipient, &fixture.context, &commitment, &mut os_random()).expect("the right key")
    });
    let capsules = Capsules::new(stanzas.collect()).expect("two holders");
    std::fs::write(path.with_extension("keys"), capsules.encode()).expect("a writable folder");
    (path, secrets)
}

#[test]
fn python_opens_what_rust_sealed() {
    let python = python();
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (seed, case) in (100..).zip(cases()) {
        let fixture = Fixture::new(seed);
        let (path, secrets) = write_sealed(folder.path(), &fixture, &case);
        assert_opens(&python, &path, &["--key", &hex::encode(fixture.key.as_bytes())], &case.file);
        if case.payload.len() > 10_000 {
            continue; // capsules do not depend on the image: no need to decrypt a large one three times
        }
        let keys = path.with_extension("keys").display().to_string();
        let [kgc, reader] = secrets.map(|secret| hex::encode(secret.as_bytes()));
        assert_opens(&python, &path, &["--capsules", &keys, "--private-key", &reader], &case.file);
        let key_id = "09".repeat(32);
        let with = ["--capsules", &keys, "--private-key", &kgc, "--type", "kgc", "--key-id", &key_id, "--epoch", "3"];
        assert_opens(&python, &path, &with, &case.file);
    }
}

/// Changed copies of a sealed image, each with what was done to it.
fn damaged(sealed: &[u8]) -> Vec<(String, Vec<u8>)> {
    // One place in each field: magic, version, header length, suite, chain, registry, sender, salt,
    // image id, commitment, model, frame count, the frame table's first and last byte, then frame
    // 0, its tag and the last frame's.
    let table = 196;
    let frames = table + 16;
    let length =
        |at: usize| usize::try_from(u64::from_be_bytes(sealed[at..at + 8].try_into().expect("8"))).expect("short");
    let first_tag = frames + length(table) - 1;
    let fields =
        [3, 9, 10, 13, 15, 23, 30, 50, 70, 100, 130, 170, 192, 195, table, table + 4, table + 15, frames, first_tag];
    let places = fields.into_iter().map(|at| 8 * at + at % 8);
    // And bits from anywhere.
    let random = random(4711, 8 * 12);
    let anywhere = random.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word) % (8 * sealed.len() as u64));
    let anywhere = anywhere.map(|bit| usize::try_from(bit).expect("in the file"));
    let flipped = places.chain(anywhere).chain([8 * sealed.len() - 1]).map(|bit| {
        let mut bytes = sealed.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        (format!("bit {bit}"), bytes)
    });
    let shorter = [0, 5, 13, 100, sealed.len() - 1].map(|end| (format!("{end} bytes"), sealed[..end].to_vec()));
    let longer = ("a byte more".to_owned(), [sealed, &[0]].concat());
    flipped.chain(shorter).chain([longer]).collect()
}

#[test]
fn python_and_rust_refuse_by_the_same_name_and_leave_no_file() {
    let python = python();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fixture = Fixture::new(99);
    let case = spliced("image", 2, shape([1, 17, 31], 1, SampleType::U8, ByteOrder::Little, ChannelOrder::Interleaved));
    let sealed = fixture.seal(&case.description, &case.payload);
    let (path, opened) = (folder.path().join("image.msl"), folder.path().join("image.opened"));
    let key = hex::encode(fixture.key.as_bytes());
    let mut names = std::collections::BTreeSet::new();
    let mut check = |what: &str, bytes: &[u8], key: &str, expected: String| {
        std::fs::write(&path, bytes).expect("a writable folder");
        let output = open(&python, &path, &opened, &["--key", key]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{what}: {said}");
        let name: String = said.chars().take_while(char::is_ascii_alphanumeric).collect();
        assert_eq!(name, expected, "{what}: {said}");
        let left: Vec<_> = std::fs::read_dir(folder.path()).expect("our folder").flatten().collect();
        assert_eq!(left.len(), 1, "{what}: only the sealed image is left, found {left:?}");
        names.insert(expected);
    };
    for (what, bytes) in damaged(&sealed) {
        check(&what, &bytes, &key, fixture.open(&bytes).expect_err("it was changed"));
    }
    let other = Fixture { key: Fixture::new(98).key, ..Fixture::new(99) };
    check("another key", &sealed, &hex::encode(other.key.as_bytes()), other.open(&sealed).expect_err("another key"));
    assert!(names.len() >= 11, "many kinds of refusal: {names:?}");
    // The twin: unchanged, it opens.
    std::fs::write(&path, &sealed).expect("a writable folder");
    assert_opens(&python, &path, &["--key", &key], &case.file);
}
