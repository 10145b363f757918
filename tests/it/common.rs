//! What several of these tests need.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use alloy::primitives::{Address, B256};
use medseal::cipher::ImageKey;
use medseal::envelope::{Description, ImageContext, SealedImage, Sealing, Shape, seal};
use medseal::imaging::{ByteOrder, ChannelOrder, Geometry, SampleType};
use sha2::{Digest, Sha256};

/// A path under the crate's root.
pub(crate) fn root(path: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The bytes of a file; the path is in the message where it cannot be read.
#[track_caller]
pub(crate) fn read(path: impl AsRef<Path>) -> Vec<u8> {
    let path = path.as_ref();
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn sha256(bytes: impl AsRef<[u8]>) -> B256 {
    B256::from_slice(&Sha256::digest(bytes))
}

/// The name of an error's kind: its variant as `Debug` writes it.
pub(crate) fn variant(error: &impl Debug) -> String {
    format!("{error:?}").chars().take_while(|c| c.is_ascii_alphanumeric()).collect()
}

/// `length` bytes of SplitMix64: the same for the same seed.
pub(crate) fn random(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0xd605_bbb5_8c8a_bcdd);
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).to_le_bytes()
    });
    words.flatten().take(length).collect()
}

/// 32 bytes of [`random`].
pub(crate) fn random_word(seed: u64) -> B256 {
    B256::from_slice(&random(seed, 32))
}

/// An image that somebody seals: context, salt and key, all of one seed.
pub(crate) struct Fixture {
    pub(crate) context: ImageContext,
    pub(crate) salt: B256,
    pub(crate) key: ImageKey,
}

impl Fixture {
    pub(crate) fn new(seed: u64) -> Self {
        let salt = random_word(seed ^ (1 << 63));
        let context = ImageContext::new(31337, Address::repeat_byte(0x11), Address::repeat_byte(0x22), salt);
        Self { context, salt, key: ImageKey::from_bytes(random_word(seed).0) }
    }

    /// The sealed image: the same bytes for the same seed, description and payload.
    #[track_caller]
    pub(crate) fn seal(&self, description: &Description, payload: &[u8]) -> Vec<u8> {
        let (context, salt, key) = (&self.context, self.salt, &self.key);
        let sealing =
            Sealing { context, salt, key, model_digest: medseal::keygen::MODEL_DIGEST.0, description, payload };
        seal(&sealing).expect("a valid description and its payload")
    }

    /// Opens `sealed`, or gives the name of the refusal.
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<(Description, Vec<u8>), String> {
        let opened = SealedImage::decode(sealed).and_then(|image| image.open(&self.key));
        opened.map(|opened| (opened.description, opened.payload.to_vec())).map_err(|error| variant(&error))
    }
}

/// A shape of full-width samples: `(D, H, W, C)`, type, byte order, channel order.
pub(crate) fn shape(
    [depth, height, width]: [u32; 3],
    channels: u16,
    sample_type: SampleType,
    byte_order: ByteOrder,
    channel_order: ChannelOrder,
) -> Shape {
    let geometry = Geometry { depth, height, width, channels };
    let bits_stored = u8::try_from(8 * sample_type.bytes()).expect("at most 64");
    Shape { geometry, sample_type, byte_order, channel_order, bits_stored }
}
