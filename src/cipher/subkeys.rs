//! What is derived from the image key: one subkey for each layer, and the commitment (`FORMAT.md`,
//! section 5).

use alloy::primitives::B256;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{ImageKey, SUITE};

/// The secret keys of the three layers of suite 1: wiped on drop, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Subkeys {
    confusion: [u8; 32],
    substitution: [u8; 32],
    diffusion: [u8; 32],
}

impl Subkeys {
    /// Returns the subkeys of the image with this id and key.
    pub fn derive(image_id: &B256, key: &ImageKey) -> Self {
        Self {
            confusion: *subkey(image_id, key, "confusion"),
            substitution: *subkey(image_id, key, "substitution"),
            diffusion: *subkey(image_id, key, "diffusion"),
        }
    }

    /// The key of the permutation, eq. (5) and (10).
    pub fn confusion(&self) -> &[u8; 32] {
        &self.confusion
    }

    /// The key of the S-box, eq. (6) and (9).
    pub fn substitution(&self) -> &[u8; 32] {
        &self.substitution
    }

    /// The key of AES-256-GCM-SIV, eq. (7) and (8).
    pub fn diffusion(&self) -> &[u8; 32] {
        &self.diffusion
    }
}

impl std::fmt::Debug for Subkeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subkeys(..)")
    }
}

/// Returns the public commitment to the key of this image: nobody finds a second key with the same
/// one.
///
/// Whoever compares it with a header's does so in constant time.
pub fn key_commitment(image_id: &B256, key: &ImageKey) -> [u8; 32] {
    *subkey(image_id, key, "key-commitment")
}

/// `HKDF(salt = image id, ikm = Ke, info = LP("medseal/v1/" || label) || LP(u16 suite))`.
fn subkey(image_id: &B256, key: &ImageKey, label: &str) -> Zeroizing<[u8; 32]> {
    let label = ["medseal/v1/", label].concat();
    hkdf_sha256(image_id.as_slice(), key.as_bytes(), &length_prefixed(&[label.as_bytes(), &SUITE.to_be_bytes()]))
}

/// Returns the 32 bytes of `HKDF(salt, ikm, info)` (`FORMAT.md`, section 1).
pub(crate) fn hkdf_sha256(salt: &[u8], ikm: &[u8], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut output = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(salt), ikm).expand(info, output.as_mut()).expect("HKDF-SHA256 gives up to 8160 bytes");
    output
}

/// Returns `LP(part) || LP(part) || ...` (`FORMAT.md`, section 1).
///
/// # Panics
/// If a part is 4 GiB or longer: every part here is a label, an id or a key.
pub(crate) fn length_prefixed(parts: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(parts.iter().map(|part| 4 + part.len()).sum());
    for part in parts {
        joined.extend_from_slice(&u32::try_from(part.len()).expect("a part is short").to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::hex;

    fn subkeys_of(image_id: u8, key: u8) -> [[u8; 32]; 4] {
        let (image_id, key) = (B256::repeat_byte(image_id), ImageKey::from_bytes([key; 32]));
        let subkeys = Subkeys::derive(&image_id, &key);
        [*subkeys.confusion(), *subkeys.substitution(), *subkeys.diffusion(), key_commitment(&image_id, &key)]
    }

    #[test]
    fn lengths_stand_before_the_parts() {
        assert_eq!(length_prefixed(&[b"ab", b"", b"c"]), b"\0\0\0\x02ab\0\0\0\0\0\0\0\x01c");
    }

    #[test]
    fn subkeys_differ_by_label_image_and_key() {
        let mut all = [subkeys_of(1, 1), subkeys_of(2, 1), subkeys_of(1, 2)].concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 12);
    }

    #[test]
    fn values_are_those_of_an_independent_hkdf() {
        // Python: hmac over hashlib.sha256, image id 11 x 32, Ke 22 x 32.
        let expected = [
            hex!("177834ffa97374b00bd516860b5eeab74373324e7b0d1adb3d172b9e5b93a3f1"),
            hex!("c93a18f54053d9a26b1f7a27c31a57c8f2787fa35302dbc236cf1d5847b91b0e"),
            hex!("eb0eda859ea5e50c39f4e581331d06cd4658259902092222893246b547480e15"),
            hex!("ae33585c16f4680b82bdbe769e807925af24373cf33c1c9040b44d213c6e2089"),
        ];
        assert_eq!(subkeys_of(0x11, 0x22), expected);
    }

    #[test]
    fn secrets_are_not_printed() {
        let subkeys = Subkeys::derive(&B256::ZERO, &ImageKey::from_bytes([7; 32]));
        assert_eq!(format!("{subkeys:?}"), "Subkeys(..)");
    }
}
