//! The key that a passphrase gives, by Argon2id.

use alloy::primitives::{B256, FixedBytes};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::cipher::{hkdf_sha256, length_prefixed};
use crate::envelope::capsules::CryptoRng;

/// 32 bytes that are wiped on drop.
pub(super) type Secret = Zeroizing<[u8; 32]>;

/// Why a passphrase gives no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PassphraseError {
    /// It protects nothing.
    Empty,
    /// The cost is outside its limits.
    Cost(PassphraseCost),
    /// It is another one.
    Wrong,
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

    fn params(self) -> Result<Params, PassphraseError> {
        let most = Self::MOST;
        let allowed = self.memory_kib <= most.memory_kib && self.passes <= most.passes && self.lanes <= most.lanes;
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok().filter(|_| allowed);
        params.ok_or(PassphraseError::Cost(self))
    }
}

/// How a file says that a passphrase locks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PassphraseLine {
    pub(super) argon2id: PassphraseCost,
    salt: FixedBytes<16>,
    /// Tells a wrong passphrase from a changed file. It helps a guesser no more than the tag of the
    /// secrets does.
    check: B256,
}

impl PassphraseLine {
    /// Returns the line for a passphrase, and the key that it gives. `label` keeps one kind of file
    /// from another.
    ///
    /// # Errors
    /// `Empty`, `Cost`.
    pub(super) fn new(
        label: &[u8],
        passphrase: &str,
        argon2id: PassphraseCost,
        rng: &mut impl CryptoRng,
    ) -> Result<(Self, Secret), PassphraseError> {
        if passphrase.is_empty() {
            return Err(PassphraseError::Empty);
        }
        let mut salt = FixedBytes::ZERO;
        rng.fill_bytes(salt.as_mut());
        let (key, check) = stretch(label, passphrase, argon2id, &salt)?;
        Ok((Self { argon2id, salt, check: B256::from(*check) }, key))
    }

    /// Returns the key that a passphrase gives.
    ///
    /// # Errors
    /// `Wrong`, `Cost`.
    pub(super) fn key(&self, label: &[u8], passphrase: &str) -> Result<Secret, PassphraseError> {
        let (key, check) = stretch(label, passphrase, self.argon2id, &self.salt)?;
        if bool::from(check.ct_eq(self.check.as_slice())) { Ok(key) } else { Err(PassphraseError::Wrong) }
    }
}

/// Returns what a passphrase gives: the key of the secrets, and the check value.
fn stretch(
    label: &[u8],
    passphrase: &str,
    cost: PassphraseCost,
    salt: &FixedBytes<16>,
) -> Result<(Secret, Secret), PassphraseError> {
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
        .map_err(|_| PassphraseError::Cost(cost))?;
    let part = |part: &[u8]| hkdf_sha256(&[], stretched.as_ref(), &length_prefixed(&[label, part]));
    Ok((part(b"key"), part(b"check")))
}
