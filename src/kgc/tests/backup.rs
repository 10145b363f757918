//! Backups: the three ways back, and what gives no keys.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::*;

const CHEAP: PassphraseCost = PassphraseCost { memory_kib: 64, passes: 1, lanes: 1 };

struct Place {
    folder: tempfile::TempDir,
    keys: KgcKeys,
}

impl Place {
    fn new() -> Self {
        let keys = KgcKeys::generate(&mut os_random()).with_next_epoch(&mut os_random()).expect("two epochs");
        Self { folder: tempfile::tempdir().expect("a folder"), keys }
    }

    /// Makes a backup, and returns its files.
    fn made(&self, name: &str, lock: BackupLock<'_>) -> Vec<PathBuf> {
        let files = make_backup(&self.keys, lock, NOW, &mut os_random()).expect("made");
        let file = |(at, bytes): (usize, &zeroize::Zeroizing<Vec<u8>>)| {
            let path = self.folder.path().join(format!("{name}-{at}"));
            write(&path, bytes);
            path
        };
        files.iter().enumerate().map(file).collect()
    }

    fn shares(&self, name: &str) -> Vec<PathBuf> {
        self.made(name, BackupLock::Shares { threshold: 2, shares: 3 })
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("our file");
}

fn open(paths: &[PathBuf], unlock: Unlock<'_>) -> Result<KgcKeys, BackupError> {
    Backup::read(paths)?.open(unlock)
}

#[track_caller]
fn refused(paths: &[PathBuf], unlock: Unlock<'_>) -> BackupError {
    open(paths, unlock).expect_err("no keys")
}

fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut json = serde_json::from_slice(&fs::read(path).expect("the file")).expect("JSON");
    change(&mut json);
    fs::write(path, json.to_string()).expect("written");
}

/// Changes the last digit.
fn flip(value: &mut Value) {
    let text = value.as_str().expect("hex").to_owned();
    let digit = if text.ends_with('0') { "1" } else { "0" };
    *value = format!("{}{digit}", &text[..text.len() - 1]).into();
}

#[test]
fn all_keys_come_back_in_three_ways() {
    let place = Place::new();
    let recovery = X25519Secret::from_bytes([9; 32]);
    let same = |opened: KgcKeys| assert_eq!(*opened.to_bytes(), *place.keys.to_bytes());
    let locked = place.made("locked", BackupLock::Passphrase("correct horse", CHEAP));
    assert_eq!(Backup::read(&locked).expect("read").needs(), BackupNeeds::Passphrase);
    same(open(&locked, Unlock::Passphrase("correct horse")).expect("opens"));
    check_backup(&place.keys, &locked, Unlock::Passphrase("correct horse")).expect("good");
    let sealed = place.made("sealed", BackupLock::Recovery(recovery.public()));
    let needs = BackupNeeds::Recovery(recovery.public().key_id());
    assert_eq!(Backup::read(&sealed).expect("read").needs(), needs);
    same(open(&sealed, Unlock::Recovery(&recovery)).expect("opens"));
    check_backup(&place.keys, &sealed, Unlock::Nothing).expect("as far as can be told");
    let shares = place.shares("share");
    assert_eq!(shares.len(), 3);
    check_backup(&place.keys, &shares, Unlock::Nothing).expect("good");
    for first in 0..3 {
        for second in (0..3).filter(|second| *second != first) {
            same(open(&[&shares[first], &shares[second]].map(Clone::clone), Unlock::Nothing).expect("two are enough"));
        }
    }
    same(open(&shares, Unlock::Nothing).expect("all three"));
}

/// No secret lies open in a backup, and a share is none.
#[test]
fn secrets_do_not_lie_open_in_it() {
    let place = Place::new();
    let public = X25519Secret::from_bytes([9; 32]).public();
    let paths = [
        place.made("locked", BackupLock::Passphrase("correct horse", CHEAP)),
        place.made("sealed", BackupLock::Recovery(public)),
        place.shares("share"),
    ];
    for path in paths.concat() {
        let text = fs::read_to_string(path).expect("the file");
        for secret in place.keys.to_bytes().chunks(100).flat_map(|epoch| epoch[4..].chunks(32)) {
            assert!(!text.contains(&alloy::hex::encode(secret)));
        }
        assert!(!text.contains("correct horse"));
    }
}

#[test]
fn what_is_wrong_with_shares_is_named() {
    let place = Place::new();
    let (shares, others) = (place.shares("share"), place.shares("other"));
    let pair = |one: &PathBuf, other: &PathBuf| [one.clone(), other.clone()];
    for paths in [vec![shares[1].clone()], vec![shares[1].clone(); 2]] {
        let few = refused(&paths, Unlock::Nothing);
        assert!(matches!(few, BackupError::TooFewShares { threshold: 2, found: 1, .. }), "{few}");
    }
    let other = refused(&pair(&shares[0], &others[1]), Unlock::Nothing);
    assert!(matches!(other, BackupError::OtherBackup { ref path, .. } if *path == others[1]), "{other}");
    // An epoch later: a backup of its own, and the message has both epochs.
    let later = Place { keys: place.keys.with_next_epoch(&mut os_random()).expect("three"), ..Place::new() };
    let later = later.shares("later").iter().map(|path| fs::read(path).expect("read")).collect::<Vec<_>>();
    let path = place.folder.path().join("later");
    write(&path, &later[1]);
    let other = refused(&pair(&shares[0], &path), Unlock::Nothing).to_string();
    assert!(other.contains("(epoch 2), found") && other.ends_with("(epoch 3)"), "{other}");
    let whole = place.made("locked", BackupLock::Passphrase("correct horse", CHEAP));
    for paths in [pair(&shares[0], &whole[0]), pair(&whole[0], &shares[0])] {
        let refused = refused(&paths, Unlock::Nothing);
        assert!(matches!(refused, BackupError::NotAShare { ref path } if *path == whole[0]), "{refused}");
    }
    for (threshold, shares) in [(1, 3), (0, 3), (4, 3), (2, 17)] {
        let lock = BackupLock::Shares { threshold, shares };
        assert!(matches!(make_backup(&place.keys, lock, NOW, &mut os_random()), Err(BackupError::Shares(_))));
    }
}

#[test]
fn every_change_of_a_share_is_noticed_and_its_file_named() {
    type Change = (&'static str, fn(&mut Value));
    let changes: [Change; 12] = [
        ("share", |json| flip(&mut json["lock"]["share"]["share"])),
        ("checksum", |json| flip(&mut json["lock"]["share"]["checksum"])),
        ("index", |json| json["lock"]["share"]["index"] = 3.into()),
        ("index 0", |json| json["lock"]["share"]["index"] = 0.into()),
        ("threshold", |json| json["lock"]["share"]["threshold"] = 3.into()),
        ("shares", |json| json["lock"]["share"]["shares"] = 4.into()),
        ("id", |json| flip(&mut json["backupId"])),
        ("time", |json| json["madeAt"] = 7.into()),
        ("kgc", |json| flip(&mut json["kgcId"])),
        ("epoch", |json| json["epochs"][0]["epoch"] = 7.into()),
        ("nonce", |json| flip(&mut json["nonce"])),
        ("secrets", |json| flip(&mut json["secrets"])),
    ];
    for (what, change) in changes {
        let place = Place::new();
        let shares = place.shares("share");
        edit(&shares[1], change);
        for paths in [[shares[0].clone(), shares[1].clone()], [shares[1].clone(), shares[2].clone()]] {
            let refused = refused(&paths, Unlock::Nothing);
            assert!(
                matches!(refused, BackupError::ShareAltered { ref path } if *path == shares[1]),
                "{what}: {refused}"
            );
        }
    }
}

/// Whoever changes a share can make its checksum anew: the secrets do not open with it.
#[test]
fn a_share_with_a_checksum_of_its_own_gives_no_keys() {
    let (place, other) = (Place::new(), Place::new());
    let shares = place.shares("share");
    let theirs: Value = serde_json::from_slice(&fs::read(&other.shares("share")[1]).expect("read")).expect("JSON");
    edit(&shares[1], |json| json["lock"]["share"]["share"] = theirs["lock"]["share"]["share"].clone());
    let backup = Backup::read(&shares[1..2]);
    assert!(matches!(backup, Err(BackupError::ShareAltered { .. })));
    let mut file: Backup = Backup::read(&[shares[0].clone(), shares[2].clone()]).expect("read");
    file.spoil_a_share();
    assert!(matches!(file.open(Unlock::Nothing), Err(BackupError::Tampered)));
}

#[test]
fn every_change_of_a_whole_backup_is_noticed() {
    let recovery = X25519Secret::from_bytes([9; 32]);
    let fields: [fn(&mut Value); 7] = [
        |json| flip(&mut json["backupId"]),
        |json| json["madeAt"] = 7.into(),
        |json| flip(&mut json["kgcId"]),
        |json| json["epochs"][1]["epoch"] = 7.into(),
        |json| flip(&mut json["epochs"][0]["x25519"]),
        |json| flip(&mut json["nonce"]),
        |json| flip(&mut json["secrets"]),
    ];
    for change in fields {
        let place = Place::new();
        let locked = place.made("locked", BackupLock::Passphrase("correct horse", CHEAP));
        edit(&locked[0], change);
        assert!(matches!(refused(&locked, Unlock::Passphrase("correct horse")), BackupError::Tampered));
        let sealed = place.made("sealed", BackupLock::Recovery(recovery.public()));
        edit(&sealed[0], change);
        assert!(matches!(refused(&sealed, Unlock::Recovery(&recovery)), BackupError::Tampered));
    }
    let place = Place::new();
    let sealed = place.made("sealed", BackupLock::Recovery(recovery.public()));
    edit(&sealed[0], |json| flip(&mut json["lock"]["recovery"]["sealed"]));
    assert!(matches!(refused(&sealed, Unlock::Recovery(&recovery)), BackupError::Tampered));
}

#[test]
fn the_wrong_key_and_what_is_no_backup_are_told_apart() {
    use BackupError as E;
    let place = Place::new();
    let recovery = X25519Secret::from_bytes([9; 32]);
    let locked = place.made("locked", BackupLock::Passphrase("correct horse", CHEAP));
    let wrong = refused(&locked, Unlock::Passphrase("wrong horse"));
    assert!(matches!(wrong, E::File(KeyFileError::WrongPassphrase)));
    assert!(matches!(refused(&locked, Unlock::Nothing), E::File(KeyFileError::PassphraseNeeded)));
    let empty = make_backup(&place.keys, BackupLock::Passphrase("", CHEAP), NOW, &mut os_random());
    assert!(matches!(empty, Err(E::File(KeyFileError::EmptyPassphrase))));
    let sealed = place.made("sealed", BackupLock::Recovery(recovery.public()));
    let other = X25519Secret::from_bytes([8; 32]);
    assert!(matches!(refused(&sealed, Unlock::Recovery(&other)), E::OtherRecoveryKey { .. }));
    assert!(matches!(refused(&sealed, Unlock::Nothing), E::RecoveryKeyNeeded { .. }));
    fs::set_permissions(&sealed[0], fs::Permissions::from_mode(0o640)).expect("our file");
    let loose = refused(&sealed, Unlock::Recovery(&recovery));
    assert!(matches!(loose, E::File(KeyFileError::Permissions { mode: 0o640, .. })));
    assert!(matches!(
        refused(&[place.folder.path().join("none")], Unlock::Nothing),
        E::File(KeyFileError::Missing { .. })
    ));
    assert!(matches!(refused(&[], Unlock::Nothing), E::File(KeyFileError::Missing { .. })));
    edit(&locked[0], |json| json["kgcBackup"] = 2.into());
    assert!(matches!(refused(&locked, Unlock::Nothing), E::Version { found: 2, .. }));
    // The key file itself is none.
    let path = place.folder.path().join("kgc.json");
    create_key_file(&path, &place.keys, Protection::FileModeOnly, &mut os_random()).expect("written");
    assert!(matches!(refused(&[path], Unlock::Nothing), E::Format { .. }));
}

#[test]
fn a_backup_of_other_keys_is_noticed_when_it_is_checked() {
    let place = Place::new();
    let older = place.keys.up_to(1).expect("one");
    let shares = place.shares("share");
    assert!(matches!(check_backup(&older, &shares, Unlock::Nothing), Err(BackupError::DoesNotComeBack)));
    let sealed = place.made("sealed", BackupLock::Recovery(X25519Secret::from_bytes([9; 32]).public()));
    assert!(matches!(check_backup(&older, &sealed, Unlock::Nothing), Err(BackupError::DoesNotComeBack)));
    edit(&shares[2], |json| flip(&mut json["lock"]["share"]["share"]));
    assert!(matches!(check_backup(&place.keys, &shares, Unlock::Nothing), Err(BackupError::ShareAltered { .. })));
}
