//! Backups of a KGC's keys, of all epochs, and what each needs to be opened: a passphrase, shares,
//! or an offline key.
//!
//! JSON, with the public half in the open and the secrets under AES-256-GCM-SIV with a key of the
//! backup's own. That key follows from a passphrase (Argon2id); or each of several files holds a
//! Shamir share of it; or it is sealed (HPKE, as capsules are) to an X25519 key that lies offline.

use std::path::{Path, PathBuf};

use alloy::primitives::{B256, Bytes, FixedBytes};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::KgcKeys;
use super::backup_error::BackupError;
use super::key_file::{FILE_BYTES, KeyFileError, PublicEpoch, open_bytes, public_bytes, read, seal_bytes};
use super::passphrase::{PassphraseCost, PassphraseLine, Secret};
use crate::cipher::length_prefixed;
use crate::envelope::capsules::shamir::{Share, combine, split};
use crate::envelope::capsules::{CryptoRng, SEALED_BYTES, X25519Public, X25519Secret, open_secret, seal_secret};

const VERSION: u32 = 1;
const LABEL: &[u8] = b"medseal/v1/kgc-backup";
const SHARE_LABEL: &[u8] = b"medseal/v1/kgc-backup-share";

/// What a backup's secrets are to be opened with.
#[derive(Clone, Copy)]
pub enum BackupLock<'a> {
    /// A passphrase, and what a guess costs.
    Passphrase(&'a str, PassphraseCost),
    /// So many of so many files.
    Shares {
        /// How many are needed.
        threshold: u8,
        /// How many there are.
        shares: u8,
    },
    /// A key that lies offline.
    Recovery(X25519Public),
}

/// What a backup is opened with, besides its files.
#[derive(Clone, Copy)]
pub enum Unlock<'a> {
    /// Nothing: shares are enough.
    Nothing,
    /// A passphrase.
    Passphrase(&'a str),
    /// The key that lies offline.
    Recovery(&'a X25519Secret),
}

/// What a backup needs to be opened, besides its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupNeeds {
    /// Nothing more.
    Nothing,
    /// Its passphrase.
    Passphrase,
    /// The secret key with this id.
    Recovery(B256),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct BackupFile {
    kgc_backup: u32,
    backup_id: FixedBytes<16>,
    /// Unix seconds.
    made_at: u64,
    kgc_id: B256,
    epochs: Vec<PublicEpoch>,
    lock: Lock,
    nonce: FixedBytes<12>,
    secrets: Bytes,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Lock {
    Passphrase(PassphraseLine),
    Share { index: u8, threshold: u8, shares: u8, share: ShareHex, checksum: B256 },
    Recovery { key_id: B256, sealed: FixedBytes<SEALED_BYTES> },
}

/// A share in hex, wiped on drop.
struct ShareHex(Zeroizing<Vec<u8>>);

impl Serialize for ShareHex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = Zeroizing::new(alloy::hex::encode_prefixed(&*self.0));
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for ShareHex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let mut bytes = Zeroizing::new(vec![0; 32]);
        alloy::hex::decode_to_slice(text.as_bytes(), &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

/// The files of a new backup, not yet written: one, or as many as there are shares.
///
/// # Errors
/// `File` for an empty passphrase or a cost outside its limits; `Shares`.
pub fn make_backup(
    keys: &KgcKeys,
    lock: BackupLock<'_>,
    now: u64,
    rng: &mut impl CryptoRng,
) -> Result<Vec<Zeroizing<Vec<u8>>>, BackupError> {
    let (mut backup_id, mut nonce) = (FixedBytes::ZERO, FixedBytes::ZERO);
    rng.fill_bytes(backup_id.as_mut());
    rng.fill_bytes(nonce.as_mut());
    let (kgc_id, epochs) = (keys.identity().id, PublicEpoch::all(keys));
    let mut key: Secret = Zeroizing::new([0; 32]);
    rng.fill_bytes(key.as_mut());
    let mut locks = Vec::new();
    match lock {
        BackupLock::Passphrase(passphrase, cost) => {
            let (line, stretched) = PassphraseLine::new(LABEL, passphrase, cost, rng).map_err(KeyFileError::from)?;
            (key, locks) = (stretched, vec![Lock::Passphrase(line)]);
        }
        BackupLock::Shares { threshold, shares } => {
            for Share { index, bytes } in split(&*key, threshold, shares, rng)? {
                let checksum = B256::ZERO;
                locks.push(Lock::Share { index, threshold, shares, share: ShareHex(bytes), checksum });
            }
        }
        BackupLock::Recovery(public) => {
            let info = recovery_info(backup_id, kgc_id);
            let sealed = seal_secret(&key, &public, &info, rng).into();
            locks.push(Lock::Recovery { key_id: public.key_id(), sealed });
        }
    }
    let mut files = Vec::new();
    for lock in locks {
        let (epochs, secrets) = (epochs.clone(), Bytes::new());
        let mut file =
            BackupFile { kgc_backup: VERSION, backup_id, made_at: now, kgc_id, epochs, lock, nonce, secrets };
        file.secrets = seal_bytes(&key, nonce, &keys.to_bytes(), &file.associated_data()).into();
        let sum = file.checksum();
        if let Lock::Share { checksum, .. } = &mut file.lock {
            *checksum = sum;
        }
        let mut json = Zeroizing::new(Vec::with_capacity(FILE_BYTES));
        serde_json::to_writer_pretty(&mut *json, &file).expect("numbers and hex are JSON");
        files.push(json);
    }
    Ok(files)
}

/// Checks that a new backup gives the keys that it was made of; one to an offline key is checked
/// as far as can be without that.
///
/// # Errors
/// `DoesNotComeBack`; what reading or opening it comes to.
pub fn check_backup(keys: &KgcKeys, paths: &[PathBuf], unlock: Unlock<'_>) -> Result<(), BackupError> {
    let same = |paths: &[PathBuf]| -> Result<bool, BackupError> {
        let backup = Backup::read(paths)?;
        match (backup.needs(), unlock) {
            (BackupNeeds::Recovery(_), Unlock::Nothing) => Ok(backup.first.epochs == PublicEpoch::all(keys)),
            _ => Ok(*backup.open(unlock)?.to_bytes() == *keys.to_bytes()),
        }
    };
    // Each share is once among those that are needed.
    let needed = Backup::read(paths)?.needed();
    for first in 0..paths.len() {
        let chosen: Vec<PathBuf> = paths.iter().cycle().skip(first).take(needed).cloned().collect();
        if !same(&chosen)? {
            return Err(BackupError::DoesNotComeBack);
        }
    }
    Ok(())
}

/// A backup that was read, from one file or from as many shares as were given.
pub struct Backup {
    first: BackupFile,
    shares: Vec<Share>,
}

impl Backup {
    /// Reads the files of one backup, of which others may read none.
    ///
    /// # Errors
    /// `File`, `Format`, `Version`, `ShareAltered`, `OtherBackup`, `NotAShare`.
    pub fn read(paths: &[PathBuf]) -> Result<Self, BackupError> {
        let mut found: Option<Self> = None;
        for path in paths {
            let file = read_file(path)?;
            let share = match &file.lock {
                Lock::Share { index, share, checksum, .. } => {
                    if file.checksum() != *checksum {
                        return Err(BackupError::ShareAltered { path: path.clone() });
                    }
                    Some(Share { index: *index, bytes: share.0.clone() })
                }
                _ if paths.len() > 1 => return Err(BackupError::NotAShare { path: path.clone() }),
                _ => None,
            };
            match &mut found {
                None => found = Some(Self { first: file, shares: Vec::from_iter(share) }),
                Some(Self { first, .. }) if !first.is_same_backup(&file) => {
                    let (expected, found) = (first.named(), file.named());
                    return Err(BackupError::OtherBackup { path: path.clone(), expected, found });
                }
                Some(Self { shares, .. }) => {
                    let is_new = |new: &Share| shares.iter().all(|share| share.index != new.index);
                    if let Some(share) = share.filter(is_new) {
                        shares.push(share);
                    }
                }
            }
        }
        let none = || KeyFileError::Missing { path: PathBuf::new() };
        found.ok_or_else(|| none().into())
    }

    /// What it needs to be opened.
    pub fn needs(&self) -> BackupNeeds {
        match &self.first.lock {
            Lock::Passphrase(_) => BackupNeeds::Passphrase,
            Lock::Share { .. } => BackupNeeds::Nothing,
            Lock::Recovery { key_id, .. } => BackupNeeds::Recovery(*key_id),
        }
    }

    /// Its id.
    pub fn id(&self) -> FixedBytes<16> {
        self.first.backup_id
    }

    /// When it was made, unix seconds.
    pub fn made_at(&self) -> u64 {
        self.first.made_at
    }

    /// How many of its files are needed.
    fn needed(&self) -> usize {
        match self.first.lock {
            Lock::Share { threshold, .. } => threshold.into(),
            _ => 1,
        }
    }

    /// Returns the keys in it.
    ///
    /// # Errors
    /// `File` for a wrong passphrase or none; `TooFewShares`, `RecoveryKeyNeeded`,
    /// `OtherRecoveryKey`, `Tampered`.
    pub fn open(&self, unlock: Unlock<'_>) -> Result<KgcKeys, BackupError> {
        let file = &self.first;
        let key: Secret = match (&file.lock, unlock) {
            (Lock::Passphrase(line), Unlock::Passphrase(passphrase)) => {
                line.key(LABEL, passphrase).map_err(KeyFileError::from)?
            }
            (Lock::Passphrase(_), _) => return Err(KeyFileError::PassphraseNeeded.into()),
            (Lock::Share { threshold, .. }, _) => self.combined(*threshold)?,
            (Lock::Recovery { key_id, sealed }, Unlock::Recovery(secret)) => {
                let (expected, found) = (*key_id, secret.public().key_id());
                if expected != found {
                    return Err(BackupError::OtherRecoveryKey { expected, found });
                }
                let info = recovery_info(file.backup_id, file.kgc_id);
                open_secret(&sealed.0, secret, &info).ok_or(BackupError::Tampered)?
            }
            (Lock::Recovery { key_id, .. }, _) => return Err(BackupError::RecoveryKeyNeeded { key_id: *key_id }),
        };
        let opened = open_bytes(&key, file.nonce, &file.secrets, &file.associated_data());
        let opened = opened.ok_or(BackupError::Tampered)?;
        KgcKeys::from_bytes(file.kgc_id, &opened).ok_or(BackupError::Tampered)
    }

    fn combined(&self, threshold: u8) -> Result<Secret, BackupError> {
        let (backup, found, needed) = (self.first.backup_id, self.shares.len(), usize::from(threshold));
        let chosen = self.shares.get(..needed).ok_or(BackupError::TooFewShares { backup, threshold, found })?;
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(&combine(threshold, chosen)?);
        Ok(key)
    }
}

fn read_file(path: &Path) -> Result<BackupFile, BackupError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Versioned {
        kgc_backup: u32,
    }
    let json = Zeroizing::new(read(path)?);
    let format = |source| BackupError::Format { path: path.to_owned(), source };
    let Versioned { kgc_backup: found } = serde_json::from_slice(&json).map_err(format)?;
    if found != VERSION {
        return Err(BackupError::Version { path: path.to_owned(), expected: VERSION, found });
    }
    serde_json::from_slice(&json).map_err(format)
}

impl BackupFile {
    /// All that is in the open, and the same in each file of the backup.
    fn associated_data(&self) -> Vec<u8> {
        let (version, made_at) = (self.kgc_backup.to_be_bytes(), self.made_at.to_be_bytes());
        let numbers = match self.lock {
            Lock::Share { threshold, shares, .. } => [threshold, shares],
            _ => [0, 0],
        };
        let first = [LABEL, &version, self.backup_id.as_slice(), &made_at, &numbers, self.kgc_id.as_slice()];
        public_bytes(&first, &self.epochs)
    }

    /// Shows that a share is as it was made: SHA-256 of all of the file.
    fn checksum(&self) -> B256 {
        let Lock::Share { index, share, .. } = &self.lock else { return B256::ZERO };
        let (data, secrets) = (self.associated_data(), &self.secrets);
        let all = Zeroizing::new(length_prefixed(&[SHARE_LABEL, &[*index], &share.0, &self.nonce.0, &data, secrets]));
        B256::from_slice(&Sha256::digest(&*all))
    }

    fn is_same_backup(&self, other: &Self) -> bool {
        self.associated_data() == other.associated_data()
            && (self.nonce, &self.secrets) == (other.nonce, &other.secrets)
    }

    fn named(&self) -> String {
        format!("{} (epoch {})", self.backup_id, self.epochs.last().map_or(0, |one| one.epoch))
    }
}

/// Binds the sealed key to its backup.
fn recovery_info(backup_id: FixedBytes<16>, kgc_id: B256) -> Vec<u8> {
    length_prefixed(&[LABEL, backup_id.as_slice(), kgc_id.as_slice()])
}

#[cfg(test)]
impl Backup {
    /// Changes a share after its checksum was looked at.
    pub(super) fn spoil_a_share(&mut self) {
        self.shares[0].bytes[0] ^= 1;
    }
}
