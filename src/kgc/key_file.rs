//! The key file of a Key Generation Center: only its owner can read it, and it is encrypted unless
//! told otherwise.
//!
//! JSON, with the public half in the open and the secrets under AES-256-GCM-SIV. The key for that
//! comes from a passphrase by Argon2id, whose cost stands in the file. Without a passphrase it is
//! 32 zero bytes: then only the file's mode keeps the secrets, and the encryption does no more than
//! notice damage.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use alloy::primitives::{Address, B256, FixedBytes};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::KgcKeys;
use super::keys::SECRET_BYTES;
use crate::cipher::{hkdf_sha256, length_prefixed};
use crate::envelope::capsules::CryptoRng;
use crate::files::{Existing, folder_of, make_private_folder, write_whole};

/// The version of the file.
const VERSION: u32 = 1;
/// Secrets and tag.
const SEALED_BYTES: usize = SECRET_BYTES + 16;
/// 32 bytes that are wiped on drop.
type Secret = Zeroizing<[u8; 32]>;
/// Longest file that is read.
const FILE_BYTES: u64 = 16 * 1024;

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
    #[error("expected a key file of version {expected}, found {found}")]
    Version {
        /// The version that this program reads.
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

/// What one guess at a passphrase costs, by Argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PassphraseCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl PassphraseCost {
    /// RFC 9106, the second recommended option: 64 MiB, 3 passes, 4 lanes.
    pub const RECOMMENDED: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };
    /// The most that a file may ask for: 1 GiB, 16 passes, 16 lanes.
    pub const MOST: Self = Self { memory_kib: 1024 * 1024, passes: 16, lanes: 16 };

    fn params(self) -> Result<Params, KeyFileError> {
        let most = Self::MOST;
        let allowed = self.memory_kib <= most.memory_kib && self.passes <= most.passes && self.lanes <= most.lanes;
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok().filter(|_| allowed);
        params.ok_or(KeyFileError::Cost { cost: self })
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

/// The file as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct KeyFile {
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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PassphraseLine {
    argon2id: PassphraseCost,
    salt: FixedBytes<16>,
    /// Tells a wrong passphrase from a changed file. It helps a guesser no more than the tag of the
    /// secrets does.
    check: B256,
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
    let json = serde_json::to_vec_pretty(&sealed(keys, protection, rng)?).map_err(|error| io(error.into()))?;
    make_private_folder(folder_of(path)).and_then(|()| write_whole(path, &json, Existing::Keep)).map_err(io)
}

/// Returns the keys in a key file. Whoever has a passphrase for it gets none from a file without
/// one: somebody may have put it there.
///
/// # Errors
/// `Missing`, `Permissions`, `Io`, `TooLong`, `Format`, `Version`, `PassphraseNeeded`,
/// `NotEncrypted`, `Cost`, `WrongPassphrase`, `Tampered`.
pub fn open_key_file(path: &Path, passphrase: Option<&str>) -> Result<KgcKeys, KeyFileError> {
    let json = read(path)?;
    let file: KeyFile =
        serde_json::from_slice(&json).map_err(|source| KeyFileError::Format { path: path.to_owned(), source })?;
    if file.version != VERSION {
        return Err(KeyFileError::Version { expected: VERSION, found: file.version });
    }
    let key = match (&file.passphrase, passphrase) {
        (None, None) => Zeroizing::new([0; 32]),
        (None, Some(_)) => return Err(KeyFileError::NotEncrypted { path: path.to_owned() }),
        (Some(_), None) => return Err(KeyFileError::PassphraseNeeded),
        (Some(line), Some(passphrase)) => {
            let (key, check) = stretch(passphrase, line.argon2id, &line.salt)?;
            if !bool::from(check.ct_eq(line.check.as_slice())) {
                return Err(KeyFileError::WrongPassphrase);
            }
            key
        }
    };
    let payload = Payload { msg: file.secrets.as_slice(), aad: &file.associated_data() };
    let opened = cipher(&key).decrypt(&Nonce::from(file.nonce.0), payload).map_err(|_| KeyFileError::Tampered)?;
    let opened = Zeroizing::new(opened);
    let secrets = opened.as_slice().try_into().map_err(|_| KeyFileError::Tampered)?;
    KgcKeys::from_secret_bytes(file.kgc_id, file.epoch, secrets).ok_or(KeyFileError::Tampered)
}

/// Returns the bytes of a file that only its owner may use.
fn read(path: &Path) -> Result<Vec<u8>, KeyFileError> {
    let io = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => KeyFileError::Missing { path: path.to_owned() },
        _ => KeyFileError::Io { path: path.to_owned(), source },
    };
    let file = File::open(path).map_err(io)?;
    let mode = file.metadata().map_err(io)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Permissions { path: path.to_owned(), mode });
    }
    let mut json = Vec::new();
    file.take(FILE_BYTES + 1).read_to_end(&mut json).map_err(io)?;
    if json.len() as u64 > FILE_BYTES {
        return Err(KeyFileError::TooLong { path: path.to_owned(), limit: FILE_BYTES });
    }
    Ok(json)
}

/// Returns the file with these keys sealed in it.
fn sealed(keys: &KgcKeys, protection: Protection<'_>, rng: &mut impl CryptoRng) -> Result<KeyFile, KeyFileError> {
    let (key, passphrase) = match protection {
        Protection::FileModeOnly => (Zeroizing::new([0; 32]), None),
        Protection::Passphrase("", _) => return Err(KeyFileError::EmptyPassphrase),
        Protection::Passphrase(passphrase, argon2id) => {
            let mut salt = FixedBytes::ZERO;
            rng.fill_bytes(salt.as_mut());
            let (key, check) = stretch(passphrase, argon2id, &salt)?;
            (key, Some(PassphraseLine { argon2id, salt, check: B256::from(*check) }))
        }
    };
    let identity = keys.identity();
    let mut file = KeyFile {
        version: VERSION,
        kgc_id: identity.id,
        epoch: identity.epoch,
        x25519: identity.public.as_bytes().into(),
        receipt_signer: identity.receipt_signer,
        passphrase,
        nonce: FixedBytes::ZERO,
        secrets: FixedBytes::ZERO,
    };
    rng.fill_bytes(file.nonce.as_mut());
    let secrets = keys.to_secret_bytes();
    let payload = Payload { msg: secrets.as_slice(), aad: &file.associated_data() };
    let sealed = cipher(&key).encrypt(&Nonce::from(file.nonce.0), payload).expect("96 bytes are not too long");
    file.secrets = FixedBytes::from_slice(&sealed);
    Ok(file)
}

impl KeyFile {
    /// All of the file that is not sealed or used to seal.
    fn associated_data(&self) -> Vec<u8> {
        length_prefixed(&[
            b"medseal/v1/kgc-key-file",
            &self.version.to_be_bytes(),
            self.kgc_id.as_slice(),
            &self.epoch.to_be_bytes(),
            self.x25519.as_slice(),
            self.receipt_signer.as_slice(),
        ])
    }
}

/// Returns what a passphrase gives: the key of the secrets, and the check value.
fn stretch(passphrase: &str, cost: PassphraseCost, salt: &FixedBytes<16>) -> Result<(Secret, Secret), KeyFileError> {
    let mut stretched = Zeroizing::new([0; 32]);
    let params = cost.params()?;
    // The library would give its memory back as it is.
    let mut memory = Zeroizing::new(vec![Block::new(); params.block_count()]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(
            passphrase.as_bytes(),
            salt.as_slice(),
            stretched.as_mut(),
            memory.as_mut_slice(),
        )
        .map_err(|_| KeyFileError::Cost { cost })?;
    let part =
        |label: &[u8]| hkdf_sha256(&[], stretched.as_ref(), &length_prefixed(&[b"medseal/v1/kgc-key-file", label]));
    Ok((part(b"key"), part(b"check")))
}

fn cipher(key: &[u8; 32]) -> Aes256GcmSiv {
    Aes256GcmSiv::new(key.into())
}
