//! The signature of a webhook: HMAC-SHA256 over time and body, keyed with a secret that the
//! receiver has too.

use super::NotifyError;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// Least and most bytes of a secret.
const LEAST_BYTES: usize = 16;
const MOST_BYTES: u64 = 4096;

/// A secret that sender and receiver share.
pub struct Secret(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// The secret in a file that its owner alone may read: all of its bytes but a line end after
    /// them.
    ///
    /// # Errors
    /// [`NotifyError::Io`], [`NotifyError::Permissions`], [`NotifyError::ShortSecret`].
    pub fn read(path: &Path) -> Result<Self, NotifyError> {
        let io = |source| NotifyError::Io { what: "secret", source };
        let file = std::fs::File::open(path).map_err(io)?;
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(NotifyError::Permissions { path: path.to_owned(), mode });
        }
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(io)?;
        while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            bytes.pop();
        }
        match bytes.len() {
            found if found < LEAST_BYTES => {
                Err(NotifyError::ShortSecret { path: path.to_owned(), found, least: LEAST_BYTES })
            }
            _ => Ok(Self(bytes)),
        }
    }

    /// The header's value: `t=SECONDS,v1=HEX`, where HEX is HMAC-SHA256 of `SECONDS.BODY`.
    pub fn sign(&self, unix_secs: u64, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{unix_secs}.").as_bytes());
        mac.update(body.as_bytes());
        format!("t={unix_secs},v1={}", alloy::hex::encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions, write};

    #[test]
    fn it_signs_as_others_do() {
        let secret = Secret(Zeroizing::new(b"0123456789abcdef".to_vec()));
        // python3 -c 'import hmac; print(hmac.new(b"0123456789abcdef", b"1795824000.{\"a\":1}",
        // "sha256").hexdigest())'
        let expected = "t=1795824000,v1=6360796dec415937aa8d3cd4e63fd35cb164c81c1959f23877f07e43b7d790e4";
        assert_eq!(secret.sign(1_795_824_000, "{\"a\":1}"), expected);
        assert_ne!(secret.sign(1_795_824_001, "{\"a\":1}")[13..], expected[13..]);
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }

    #[test]
    fn a_secret_is_its_owners_and_long_enough() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        assert!(matches!(Secret::read(&path), Err(NotifyError::Io { .. })));
        write(&path, "0123456789abcdef\n").expect("written");
        for mode in [0o640, 0o604, 0o620] {
            set_permissions(&path, Permissions::from_mode(mode)).expect("set");
            assert!(matches!(Secret::read(&path), Err(NotifyError::Permissions { mode: found, .. }) if found == mode));
        }
        set_permissions(&path, Permissions::from_mode(0o600)).expect("set");
        assert_eq!(Secret::read(&path).expect("read").0.as_slice(), b"0123456789abcdef");
        write(&path, "0123456789abcde\n").expect("written");
        assert!(matches!(Secret::read(&path), Err(NotifyError::ShortSecret { found: 15, least: 16, .. })));
    }
}
