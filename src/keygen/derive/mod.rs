//! The image key: `FORMAT.md`, section 4.3.

use alloy::primitives::B256;
use hkdf::HkdfExtract;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Fold, KeygenError, Tout};
use crate::cipher::{ImageKey, SUITE, length_prefixed};
use crate::envelope::ImageContext;

/// What a KGC issues for (sender, image id): 32 secret bytes, wiped on drop, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Partial([u8; 32]);

/// `r`: 32 secret random bytes of the sender, wiped on drop, never printed, never stored.
///
/// Without it, whoever holds a KGC's root secret could guess images and check the guess against the
/// key commitment.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SenderSecret([u8; 32]);

macro_rules! secret_bytes {
    ($name:ident, $shown:literal) => {
        impl $name {
            /// Wraps 32 secret bytes.
            pub fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The secret bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($shown)
            }
        }
    };
}

secret_bytes!(Partial, "Partial(..)");
secret_bytes!(SenderSecret, "SenderSecret(..)");

/// All that enters an image key.
#[derive(Debug, Clone, Copy)]
pub struct DeriveInputs<'a> {
    /// The header's salt, the one that the context's image id is made of.
    pub salt: &'a B256,
    /// KGC id on chain and its partial, in any order.
    pub partials: &'a [(B256, Partial)],
    /// `r`.
    pub sender_secret: &'a SenderSecret,
    /// The samples, folded.
    pub fold: &'a Fold,
    /// The transformer's output for `fold`.
    pub tout: &'a Tout,
    /// SHA-256 of the model that gave `tout`.
    pub model_digest: &'a B256,
    /// Chain, registry, image id and sender.
    pub context: &'a ImageContext,
}

/// Returns the image key `Ke`, eq. (4).
///
/// `HKDF(salt, ikm = LP(partials in order of KGC id) || LP(r) || LP(fold) || LP(Tout), info)`,
/// `info` naming suite, model and context.
/// DIFFERENCE: the paper's key is `Decoder(Tout)` alone, which anybody with the model and a guess
/// of the image has too. Here the partials and `r` make the key secret, and the fold binds it to
/// every sample whatever the model does.
///
/// Does not check that `tout` belongs to `fold`, nor `salt` to the image id.
///
/// # Errors
/// [`KeygenError::NoPartials`] or [`KeygenError::DuplicateKgc`].
pub fn derive(inputs: &DeriveInputs<'_>) -> Result<ImageKey, KeygenError> {
    let partials = in_order(inputs.partials)?;
    let mut extract = HkdfExtract::<Sha256>::new(Some(inputs.salt.as_slice()));
    for (_, partial) in partials {
        input(&mut extract, partial.as_bytes());
    }
    input(&mut extract, inputs.sender_secret.as_bytes());
    input(&mut extract, &inputs.fold.to_bytes());
    input(&mut extract, inputs.tout.as_bytes());
    let (mut pseudorandom_key, hkdf) = extract.finalize();
    pseudorandom_key.as_mut_slice().zeroize();

    let context = inputs.context.to_bytes();
    let parts: [&[u8]; 4] = [b"medseal/v1/image-key", &SUITE.to_be_bytes(), inputs.model_digest.as_slice(), &context];
    let info = length_prefixed(&parts);
    let mut key = [0; 32];
    hkdf.expand(&info, &mut key).expect("HKDF-SHA256 gives up to 8160 bytes");
    let image_key = ImageKey::from_bytes(key);
    key.zeroize();
    Ok(image_key)
}

/// Returns the partials in order of KGC id.
fn in_order(partials: &[(B256, Partial)]) -> Result<Vec<&(B256, Partial)>, KeygenError> {
    if partials.is_empty() {
        return Err(KeygenError::NoPartials);
    }
    let mut ordered: Vec<_> = partials.iter().collect();
    ordered.sort_by_key(|(kgc_id, _)| *kgc_id);
    match ordered.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(KeygenError::DuplicateKgc { kgc_id: pair[0].0 }),
        None => Ok(ordered),
    }
}

/// Feeds `LP(part)`.
fn input(extract: &mut HkdfExtract<Sha256>, part: &[u8]) {
    let length = u32::try_from(part.len()).expect("every part is at most 8192 bytes");
    extract.input_ikm(&length.to_be_bytes());
    extract.input_ikm(part);
}

#[cfg(test)]
mod tests;
