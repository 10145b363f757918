//! The key file: what it keeps, and each way in which it is refused.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::*;

const CHEAP: PassphraseCost = PassphraseCost { memory_kib: 64, passes: 1, lanes: 1 };
const LOCKED: Protection<'_> = Protection::Passphrase("correct horse", CHEAP);

struct Place {
    folder: tempfile::TempDir,
    keys: KgcKeys,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), keys: KgcKeys::generate(&mut os_random()) }
    }

    fn with_file(protection: Protection<'_>) -> Self {
        let place = Self::new();
        place.create(protection).expect("a new file");
        place
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("kgc").join("kgc.json")
    }

    fn create(&self, protection: Protection<'_>) -> Result<(), KeyFileError> {
        create_key_file(&self.path(), &self.keys, protection, &mut os_random())
    }

    fn open(&self, passphrase: Option<&str>) -> Result<KgcKeys, KeyFileError> {
        open_key_file(&self.path(), passphrase)
    }

    /// Changes the file as JSON.
    fn edit(&self, change: impl FnOnce(&mut serde_json::Value)) {
        let mut json = serde_json::from_slice(&fs::read(self.path()).expect("the file")).expect("JSON");
        change(&mut json);
        fs::write(self.path(), json.to_string()).expect("written");
    }
}

/// Changes one hex digit of a value that begins with 0x.
fn flip(value: &mut serde_json::Value) {
    let text = value.as_str().expect("hex").to_owned();
    let digit = if text.ends_with('0') { "1" } else { "0" };
    *value = format!("{}{digit}", &text[..text.len() - 1]).into();
}

#[test]
fn what_is_kept_comes_back() {
    for (protection, passphrase) in [
        (LOCKED, Some("correct horse")),
        (Protection::FileModeOnly, None),
        (Protection::Passphrase("correct horse", PassphraseCost::RECOMMENDED), Some("correct horse")),
    ] {
        let place = Place::with_file(protection);
        let opened = place.open(passphrase).expect("opens");
        assert_eq!(opened.identity(), place.keys.identity());
        assert_eq!(opened.to_secret_bytes(), place.keys.to_secret_bytes());
    }
}

#[test]
fn recommended_cost_is_that_of_rfc_9106() {
    assert_eq!(PassphraseCost::RECOMMENDED, PassphraseCost { memory_kib: 65_536, passes: 3, lanes: 4 });
}

#[test]
fn only_the_owner_can_read_it_and_nothing_else_is_left() {
    let place = Place::with_file(LOCKED);
    let mode = |path: &Path| fs::metadata(path).expect("exists").permissions().mode() & 0o7777;
    assert_eq!(mode(&place.path()), 0o600);
    assert_eq!(mode(place.path().parent().expect("its folder")), 0o700);
    assert_eq!(fs::read_dir(place.path().parent().expect("its folder")).expect("readable").count(), 1);
}

#[test]
fn secrets_do_not_lie_open_under_a_passphrase() {
    let place = Place::with_file(LOCKED);
    let text = fs::read_to_string(place.path()).expect("the file");
    for secret in place.keys.to_secret_bytes().chunks(32) {
        assert!(!text.contains(&alloy::hex::encode(secret)));
    }
}

#[test]
fn it_is_never_overwritten() {
    let place = Place::with_file(LOCKED);
    let before = fs::read(place.path()).expect("the file");
    assert!(
        matches!(place.create(Protection::FileModeOnly), Err(KeyFileError::Exists { path }) if path == place.path())
    );
    assert_eq!(fs::read(place.path()).expect("the file"), before);
}

/// Whoever can write the folder could put it there, with keys of their own.
#[test]
fn an_unencrypted_file_is_refused_where_there_is_a_passphrase_for_it() {
    let place = Place::with_file(Protection::FileModeOnly);
    for passphrase in ["correct horse", ""] {
        let refused = place.open(Some(passphrase));
        assert!(matches!(refused, Err(KeyFileError::NotEncrypted { path }) if path == place.path()));
    }
    place.open(None).expect("nobody has a passphrase");
}

#[test]
fn a_missing_file_a_missing_and_a_wrong_passphrase_are_told_apart() {
    let place = Place::new();
    assert!(matches!(place.open(None), Err(KeyFileError::Missing { path }) if path == place.path()));
    place.create(LOCKED).expect("a new file");
    assert!(matches!(place.open(None), Err(KeyFileError::PassphraseNeeded)));
    assert!(matches!(place.open(Some("wrong horse")), Err(KeyFileError::WrongPassphrase)));
    assert!(matches!(place.open(Some("")), Err(KeyFileError::WrongPassphrase)));
    let empty = Place::new().create(Protection::Passphrase("", CHEAP));
    assert!(matches!(empty, Err(KeyFileError::EmptyPassphrase)));
}

#[test]
fn a_file_that_others_may_use_is_refused() {
    let place = Place::with_file(LOCKED);
    for mode in [0o644, 0o640, 0o604, 0o660, 0o601, 0o610, 0o602] {
        fs::set_permissions(place.path(), Permissions::from_mode(mode)).expect("our file");
        let refused = place.open(Some("correct horse"));
        assert!(
            matches!(refused, Err(KeyFileError::Permissions { mode: found, .. }) if found == mode),
            "mode {mode:o}"
        );
    }
    for mode in [0o600, 0o400] {
        fs::set_permissions(place.path(), Permissions::from_mode(mode)).expect("our file");
        assert!(place.open(Some("correct horse")).is_ok());
    }
}

#[test]
fn every_change_is_noticed() {
    for (protection, passphrase) in [(LOCKED, Some("correct horse")), (Protection::FileModeOnly, None)] {
        for field in ["kgcId", "x25519", "receiptSigner", "nonce", "secrets"] {
            let place = Place::with_file(protection);
            place.edit(|json| flip(&mut json[field]));
            assert!(matches!(place.open(passphrase), Err(KeyFileError::Tampered)), "{field}");
        }
        let place = Place::with_file(protection);
        place.edit(|json| json["epoch"] = 2.into());
        assert!(matches!(place.open(passphrase), Err(KeyFileError::Tampered)));
    }
    let changes: [fn(&mut serde_json::Value); 3] = [
        |json| flip(&mut json["passphrase"]["salt"]),
        |json| flip(&mut json["passphrase"]["check"]),
        |json| json["passphrase"]["argon2id"]["passes"] = 2.into(),
    ];
    for change in changes {
        let place = Place::with_file(LOCKED);
        place.edit(change);
        assert!(matches!(place.open(Some("correct horse")), Err(KeyFileError::WrongPassphrase)));
    }
    let place = Place::with_file(LOCKED);
    place.edit(|json| json["passphrase"] = serde_json::Value::Null);
    assert!(matches!(place.open(Some("correct horse")), Err(KeyFileError::NotEncrypted { .. })));
    assert!(matches!(place.open(None), Err(KeyFileError::Tampered)));
}

#[test]
fn what_is_not_a_key_file_is_refused() {
    let changes: [fn(&mut serde_json::Value); 4] = [
        |json| json["more"] = 1.into(),
        |json| json["secrets"] = "0x00".into(),
        |json| drop(json.as_object_mut().expect("an object").remove("epoch")),
        |json| json["passphrase"]["argon2id"]["memoryKib"] = (-1).into(),
    ];
    for change in changes {
        let place = Place::with_file(LOCKED);
        place.edit(change);
        assert!(matches!(place.open(Some("correct horse")), Err(KeyFileError::Format { .. })));
    }
    let place = Place::with_file(LOCKED);
    for (version, found) in [(0, 0), (3, 3), (u32::MAX, u32::MAX)] {
        place.edit(|json| json["version"] = version.into());
        let refused = place.open(Some("correct horse"));
        assert!(matches!(refused, Err(KeyFileError::Version { expected: 2, found: other }) if other == found));
    }
    place.edit(|json| json["version"] = 2.into());
    assert!(matches!(place.open(Some("correct horse")), Err(KeyFileError::Format { .. })));
    fs::write(place.path(), vec![b' '; 64 * 1024 + 1]).expect("written");
    assert!(matches!(place.open(None), Err(KeyFileError::TooLong { limit: 65_536, .. })));
    fs::write(place.path(), vec![b' '; 64 * 1024]).expect("written");
    assert!(matches!(place.open(None), Err(KeyFileError::Format { .. })));
}

#[test]
fn the_cost_of_a_passphrase_has_limits() {
    let most = PassphraseCost::MOST;
    for cost in [
        PassphraseCost { memory_kib: most.memory_kib + 1, ..CHEAP },
        PassphraseCost { passes: most.passes + 1, ..CHEAP },
        PassphraseCost { lanes: most.lanes + 1, memory_kib: 65_536, passes: 1 },
        PassphraseCost { memory_kib: 7, ..CHEAP },
        PassphraseCost { passes: 0, ..CHEAP },
        PassphraseCost { lanes: 0, ..CHEAP },
    ] {
        let place = Place::with_file(LOCKED);
        place.edit(|json| json["passphrase"]["argon2id"] = serde_json::to_value(cost).expect("JSON"));
        let refused = place.open(Some("correct horse"));
        assert!(matches!(refused, Err(KeyFileError::Cost { cost: found }) if found == cost));
        let refused = Place::new().create(Protection::Passphrase("correct horse", cost));
        assert!(matches!(refused, Err(KeyFileError::Cost { cost: found }) if found == cost));
    }
}

/// Files as `kgc init` wrote them before there were epochs.
#[test]
fn files_of_version_1_are_still_read() {
    for (text, passphrase) in
        [(include_str!("key-file-v1.json"), None), (include_str!("key-file-v1-passphrase.json"), Some("correct horse"))]
    {
        let place = Place::new();
        fs::create_dir(place.path().parent().expect("its folder")).expect("made");
        fs::write(place.path(), text).expect("written");
        fs::set_permissions(place.path(), Permissions::from_mode(0o600)).expect("our file");
        let keys = place.open(passphrase).expect("opens");
        let json: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let identity = keys.identity();
        assert_eq!(json["kgcId"], format!("{}", identity.id));
        assert_eq!(json["x25519"], format!("{}", B256::from(identity.public.as_bytes())));
        assert_eq!(json["receiptSigner"], format!("{:#x}", identity.receipt_signer));
        assert_eq!((identity.epoch, keys.identities().len()), (1, 1));
    }
}

#[test]
fn keys_of_several_epochs_come_back_and_every_change_is_noticed() {
    for (protection, passphrase) in [(LOCKED, Some("correct horse")), (Protection::FileModeOnly, None)] {
        let next = |keys: &KgcKeys| keys.with_next_epoch(&mut os_random()).expect("one more");
        let place = Place { keys: next(&next(&Place::new().keys)), ..Place::new() };
        place.create(protection).expect("a new file");
        let opened = place.open(passphrase).expect("opens");
        assert_eq!(*opened.to_bytes(), *place.keys.to_bytes());
        let whole = fs::read(place.path()).expect("the file");
        let changes: [fn(&mut serde_json::Value); 8] = [
            |json| flip(&mut json["kgcId"]),
            |json| flip(&mut json["nonce"]),
            |json| flip(&mut json["secrets"]),
            |json| json["epochs"][0]["epoch"] = 9.into(),
            |json| flip(&mut json["epochs"][1]["x25519"]),
            |json| flip(&mut json["epochs"][2]["receiptSigner"]),
            |json| json["epochs"].as_array_mut().expect("a list").swap(0, 1),
            |json| drop(json["epochs"].as_array_mut().expect("a list").pop()),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            fs::write(place.path(), &whole).expect("written");
            place.edit(change);
            assert!(matches!(place.open(passphrase), Err(KeyFileError::Tampered)), "{number}");
        }
        place.edit(|json| json["version"] = 1.into());
        assert!(matches!(place.open(passphrase), Err(KeyFileError::Format { .. })));
    }
}

/// A file of as many epochs as are kept is one that is read.
#[test]
fn the_largest_file_is_read() {
    let mut keys = KgcKeys::generate(&mut os_random());
    while let Some(more) = keys.with_next_epoch(&mut os_random()) {
        keys = more;
    }
    assert_eq!(keys.identities().len(), MAX_EPOCHS);
    let place = Place { keys, ..Place::new() };
    place.create(LOCKED).expect("a new file");
    assert_eq!(place.open(Some("correct horse")).expect("opens").identities().len(), MAX_EPOCHS);
}

#[test]
fn a_file_is_replaced_under_its_own_passphrase_and_the_old_one_kept() {
    let place = Place::with_file(LOCKED);
    let (before, next) = (fs::read(place.path()).expect("read"), place.keys.with_next_epoch(&mut os_random()));
    let next = next.expect("two");
    let replace = |passphrase| replace_key_file(&place.path(), &next, passphrase, &mut os_random());
    assert!(matches!(replace(Some("wrong horse")), Err(KeyFileError::WrongPassphrase)));
    assert!(matches!(replace(None), Err(KeyFileError::PassphraseNeeded)));
    assert_eq!(fs::read(place.path()).expect("read"), before);
    assert!(!file_before(&place.path()).exists());
    replace(Some("correct horse")).expect("replaced");
    assert_eq!(*place.open(Some("correct horse")).expect("opens").to_bytes(), *next.to_bytes());
    let json: serde_json::Value = serde_json::from_slice(&fs::read(place.path()).expect("read")).expect("JSON");
    assert_eq!((&json["version"], &json["passphrase"]["argon2id"]["memoryKib"]), (&2.into(), &64.into()));
    let kept = file_before(&place.path());
    assert_eq!(
        (kept.file_name().expect("a name"), fs::read(&kept).expect("read")),
        ("kgc.json.before".as_ref(), before)
    );
    for path in [&place.path(), &kept] {
        assert_eq!(fs::metadata(path).expect("exists").permissions().mode() & 0o7777, 0o600);
    }
    // What is kept is from before the first of several.
    let third = next.with_next_epoch(&mut os_random()).expect("three");
    replace_key_file(&place.path(), &third, Some("correct horse"), &mut os_random()).expect("replaced");
    assert_eq!(open_key_file(&kept, Some("correct horse")).expect("opens").identities().len(), 1);
    let open = Place::with_file(Protection::FileModeOnly);
    let stays = replace_key_file(&open.path(), &next, Some("correct horse"), &mut os_random());
    assert!(matches!(stays, Err(KeyFileError::NotEncrypted { .. })));
}
