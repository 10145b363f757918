//! The key file of a Key Generation Center: only its owner can read it, and it is encrypted unless
//! told otherwise.
//!
//! JSON, with the public half in the open and the secrets under AES-256-GCM-SIV. The key for that
//! comes from a passphrase by Argon2id, whose cost stands in the file. Without a passphrase it is
//! 32 zero bytes: then only the file's mode keeps the secrets, and the encryption does no more than
//! notice damage.
//!
//! Keys of one epoch stand in a file of version 1, those of several in one of version 2.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use alloy::primitives::{Address, B256, Bytes, FixedBytes};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::keys::SECRET_BYTES;
use super::passphrase::{PassphraseCost, PassphraseError, PassphraseLine, Secret};
use super::{KgcIdentity, KgcKeys};
use crate::cipher::length_prefixed;
use crate::envelope::capsules::CryptoRng;
use crate::files::{Existing, folder_of, make_private_folder, write_whole};

/// The newest version of the file.
const VERSION: u32 = 2;
/// Secrets and tag.
const SEALED_BYTES: usize = SECRET_BYTES + 16;
/// Longest file that is read.
pub(super) const FILE_BYTES: usize = 64 * 1024;
/// Keeps what a passphrase gives here from what it gives elsewhere.
const LABEL: &[u8] = b"medseal/v1/kgc-key-file";

/// Why a key file is not made or not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// There is no such file.
    #[error("no key file at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is one: it is never overwritten.
    #[error("{} exists and is not overwritten", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others than its owner may use the file.
    #[error("the mode of {} is {mode:o}, expected 600: others may use the keys", path.display())]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file cannot be read or written.
    #[error("the key file {} cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not a key file.
    #[error("{} is not a key file", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What does not parse.
        source: serde_json::Error,
    },
    /// The file is longer than any key file.
    #[error("{} is longer than {limit} bytes and not a key file", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Longest key file in bytes.
        limit: u64,
    },
    /// Another version of the file.
    #[error("expected a key file of version 1 to {expected}, found {found}")]
    Version {
        /// The newest version that this program reads.
        expected: u32,
        /// The version of the file.
        found: u32,
    },
    /// The cost of the passphrase is outside its limits.
    #[error("the passphrase's cost is outside its limits: {cost:?}")]
    Cost {
        /// The cost.
        cost: PassphraseCost,
    },
    /// The file needs a passphrase.
    #[error("the key file needs a passphrase")]
    PassphraseNeeded,
    /// The file is not encrypted, where a passphrase for it was given.
    #[error("{} is not encrypted, and a passphrase for it was given", path.display())]
    NotEncrypted {
        /// The file.
        path: PathBuf,
    },
    /// An empty passphrase protects nothing.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// The passphrase is wrong, or its check value in the file was changed.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The file was changed or damaged.
    #[error("the key file was changed or damaged")]
    Tampered,
}

impl From<PassphraseError> for KeyFileError {
    fn from(error: PassphraseError) -> Self {
        match error {
            PassphraseError::Empty => Self::EmptyPassphrase,
            PassphraseError::Cost(cost) => Self::Cost { cost },
            PassphraseError::Wrong => Self::WrongPassphrase,
        }
    }
}

/// What protects the secrets in a key file.
#[derive(Clone, Copy)]
pub enum Protection<'a> {
    /// A passphrase, and what a guess at it costs: [`PassphraseCost::RECOMMENDED`] but in tests.
    Passphrase(&'a str, PassphraseCost),
    /// The file's mode alone.
    FileModeOnly,
}

/// A file of version 1: the keys of one epoch.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct OneEpoch {
    version: u32,
    kgc_id: B256,
    epoch: u32,
    x25519: B256,
    receipt_signer: Address,
    /// None where the file's mode alone keeps the secrets.
    passphrase: Option<PassphraseLine>,
    nonce: FixedBytes<12>,
    secrets: FixedBytes<SEALED_BYTES>,
}

/// A file of version 2: the keys of several epochs.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Epochs {
    version: u32,
    kgc_id: B256,
    epochs: Vec<PublicEpoch>,
    /// None where the file's mode alone keeps the secrets.
    passphrase: Option<PassphraseLine>,
    nonce: FixedBytes<12>,
    secrets: Bytes,
}

/// The public half of an epoch's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PublicEpoch {
    pub(super) epoch: u32,
    x25519: B256,
    receipt_signer: Address,
}

impl PublicEpoch {
    /// The public halves of all epochs.
    pub(super) fn all(keys: &KgcKeys) -> Vec<Self> {
        let one = |identity: KgcIdentity| Self {
            epoch: identity.epoch,
            x25519: identity.public.as_bytes().into(),
            receipt_signer: identity.receipt_signer,
        };
        keys.identities().into_iter().map(one).collect()
    }
}

/// A file that was read: what is in the open, and what is sealed.
struct KeyFile {
    version: u32,
    kgc_id: B256,
    epochs: Vec<PublicEpoch>,
    passphrase: Option<PassphraseLine>,
    nonce: FixedBytes<12>,
    secrets: Vec<u8>,
}

/// Writes a new key file: whole or not at all, never over another, readable by its owner only.
/// Makes its folder.
///
/// # Errors
/// `Exists`, `EmptyPassphrase`, `Cost`, `Io`.
pub fn create_key_file(
    path: &Path,
    keys: &KgcKeys,
    protection: Protection<'_>,
    rng: &mut impl CryptoRng,
) -> Result<(), KeyFileError> {
    let io = |source: std::io::Error| match source.kind() {
        ErrorKind::AlreadyExists => KeyFileError::Exists { path: path.to_owned() },
        _ => KeyFileError::Io { path: path.to_owned(), source },
    };
    // Checked early, to spare the wait for Argon2id; `Existing::Keep` makes sure that no file is
    // overwritten.
    if path.try_exists().map_err(io)? {
        return Err(KeyFileError::Exists { path: path.to_owned() });
    }
    let json = sealed(keys, protection, rng)?.to_json().map_err(|error| io(error.into()))?;
    make_private_folder(folder_of(path)).and_then(|()| write_whole(path, &json, Existing::Keep)).map_err(io)
}

/// Writes keys over a key file, in one step, under the passphrase that it has, which costs as much
/// as it did; the old file is kept as [`file_before`], unless one is kept there.
///
/// # Errors
/// Those of [`open_key_file`]; `Io`.
pub fn replace_key_file(
    path: &Path,
    keys: &KgcKeys,
    passphrase: Option<&str>,
    rng: &mut impl CryptoRng,
) -> Result<(), KeyFileError> {
    let io = |source: std::io::Error| KeyFileError::Io { path: path.to_owned(), source };
    let before = read(path)?;
    let file = KeyFile::from_json(path, &before)?;
    // Nobody's file is written under another passphrase than it had.
    file.open(path, passphrase)?;
    let protection = match (passphrase, &file.passphrase) {
        (Some(passphrase), Some(line)) => Protection::Passphrase(passphrase, line.argon2id),
        _ => Protection::FileModeOnly,
    };
    let json = sealed(keys, protection, rng)?.to_json().map_err(|error| io(error.into()))?;
    match write_whole(&file_before(path), &before, Existing::Keep) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(io(error)),
        _ => {}
    }
    write_whole(path, &json, Existing::Replace).map_err(io)
}

/// Where the old key file is kept until the chain has the newest key.
pub fn file_before(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".before");
    name.into()
}

/// Returns the keys in a key file. Whoever has a passphrase for it gets none from a file without
/// one: somebody may have put it there.
///
/// # Errors
/// `Missing`, `Permissions`, `Io`, `TooLong`, `Format`, `Version`, `PassphraseNeeded`,
/// `NotEncrypted`, `Cost`, `WrongPassphrase`, `Tampered`.
pub fn open_key_file(path: &Path, passphrase: Option<&str>) -> Result<KgcKeys, KeyFileError> {
    KeyFile::from_json(path, &read(path)?)?.open(path, passphrase)
}

/// Returns the bytes of a file that only its owner may use.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, KeyFileError> {
    let io = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => KeyFileError::Missing { path: path.to_owned() },
        _ => KeyFileError::Io { path: path.to_owned(), source },
    };
    let file = File::open(path).map_err(io)?;
    let mode = file.metadata().map_err(io)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Permissions { path: path.to_owned(), mode });
    }
    // Room for all of it: a vector that grows leaves a copy behind, and shares lie open in files.
    let mut json = Vec::with_capacity(2 * FILE_BYTES);
    file.take(FILE_BYTES as u64 + 1).read_to_end(&mut json).map_err(io)?;
    if json.len() > FILE_BYTES {
        return Err(KeyFileError::TooLong { path: path.to_owned(), limit: FILE_BYTES as u64 });
    }
    Ok(json)
}

/// Returns the file with these keys sealed in it.
fn sealed(keys: &KgcKeys, protection: Protection<'_>, rng: &mut impl CryptoRng) -> Result<KeyFile, KeyFileError> {
    let (passphrase, key) = match protection {
        Protection::FileModeOnly => (None, Zeroizing::new([0; 32])),
        Protection::Passphrase(passphrase, cost) => {
            let (line, key) = PassphraseLine::new(LABEL, passphrase, cost, rng)?;
            (Some(line), key)
        }
    };
    let epochs = PublicEpoch::all(keys);
    let version = if epochs.len() == 1 { 1 } else { VERSION };
    let (kgc_id, nonce) = (keys.identity().id, FixedBytes::ZERO);
    let mut file = KeyFile { version, kgc_id, epochs, passphrase, nonce, secrets: Vec::new() };
    rng.fill_bytes(file.nonce.as_mut());
    file.secrets = match version {
        1 => seal_bytes(&key, file.nonce, keys.to_secret_bytes().as_slice(), &file.associated_data()),
        _ => seal_bytes(&key, file.nonce, &keys.to_bytes(), &file.associated_data()),
    };
    Ok(file)
}

impl KeyFile {
    fn from_json(path: &Path, json: &[u8]) -> Result<Self, KeyFileError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let format = |source| KeyFileError::Format { path: path.to_owned(), source };
        match serde_json::from_slice::<Versioned>(json).map_err(format)?.version {
            1 => {
                let OneEpoch { version, kgc_id, epoch, x25519, receipt_signer, passphrase, nonce, secrets } =
                    serde_json::from_slice(json).map_err(format)?;
                let epochs = vec![PublicEpoch { epoch, x25519, receipt_signer }];
                Ok(Self { version, kgc_id, epochs, passphrase, nonce, secrets: secrets.to_vec() })
            }
            VERSION => {
                let Epochs { version, kgc_id, epochs, passphrase, nonce, secrets } =
                    serde_json::from_slice(json).map_err(format)?;
                Ok(Self { version, kgc_id, epochs, passphrase, nonce, secrets: secrets.to_vec() })
            }
            found => Err(KeyFileError::Version { expected: VERSION, found }),
        }
    }

    fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let Self { version, kgc_id, nonce, .. } = *self;
        let passphrase = self.passphrase.clone();
        match &self.epochs[..] {
            [PublicEpoch { epoch, x25519, receipt_signer }] if version == 1 => serde_json::to_vec_pretty(&OneEpoch {
                version,
                kgc_id,
                epoch: *epoch,
                x25519: *x25519,
                receipt_signer: *receipt_signer,
                passphrase,
                nonce,
                secrets: FixedBytes::from_slice(&self.secrets),
            }),
            epochs => {
                let (epochs, secrets) = (epochs.to_vec(), self.secrets.clone().into());
                serde_json::to_vec_pretty(&Epochs { version, kgc_id, epochs, passphrase, nonce, secrets })
            }
        }
    }

    fn open(&self, path: &Path, passphrase: Option<&str>) -> Result<KgcKeys, KeyFileError> {
        let key = match (&self.passphrase, passphrase) {
            (None, None) => Zeroizing::new([0; 32]),
            (None, Some(_)) => return Err(KeyFileError::NotEncrypted { path: path.to_owned() }),
            (Some(_), None) => return Err(KeyFileError::PassphraseNeeded),
            (Some(line), Some(passphrase)) => line.key(LABEL, passphrase)?,
        };
        let opened = open_bytes(&key, self.nonce, &self.secrets, &self.associated_data());
        let opened = opened.ok_or(KeyFileError::Tampered)?;
        let keys = match (self.version, &self.epochs[..]) {
            (1, [PublicEpoch { epoch, .. }]) => {
                let secrets = opened.as_slice().try_into().map_err(|_| KeyFileError::Tampered)?;
                KgcKeys::from_secret_bytes(self.kgc_id, *epoch, secrets)
            }
            _ => KgcKeys::from_bytes(self.kgc_id, &opened),
        };
        keys.ok_or(KeyFileError::Tampered)
    }

    /// All of the file that is not sealed or used to seal.
    fn associated_data(&self) -> Vec<u8> {
        let version = self.version.to_be_bytes();
        public_bytes(&[LABEL, &version, self.kgc_id.as_slice()], &self.epochs)
    }
}

/// `first` and the public half of each epoch, each with its length before it.
pub(super) fn public_bytes(first: &[&[u8]], epochs: &[PublicEpoch]) -> Vec<u8> {
    let numbers: Vec<[u8; 4]> = epochs.iter().map(|one| one.epoch.to_be_bytes()).collect();
    let mut parts = first.to_vec();
    for (one, number) in epochs.iter().zip(&numbers) {
        parts.extend([number.as_slice(), one.x25519.as_slice(), one.receipt_signer.as_slice()]);
    }
    length_prefixed(&parts)
}

/// Seals with AES-256-GCM-SIV.
pub(super) fn seal_bytes(key: &Secret, nonce: FixedBytes<12>, msg: &[u8], aad: &[u8]) -> Vec<u8> {
    cipher(key).encrypt(&Nonce::from(nonce.0), Payload { msg, aad }).expect("keys of a few epochs are not too long")
}

/// Opens what [`seal_bytes`] sealed; nothing where a bit is another.
pub(super) fn open_bytes(key: &Secret, nonce: FixedBytes<12>, msg: &[u8], aad: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    cipher(key).decrypt(&Nonce::from(nonce.0), Payload { msg, aad }).ok().map(Zeroizing::new)
}

fn cipher(key: &[u8; 32]) -> Aes256GcmSiv {
    Aes256GcmSiv::new(key.into())
}
