//! The JSON files of `tests/vectors`, as its README describes them.
//!
//! The compiler reports a member that no test looks at.

use alloy::primitives::{Address, B256, Bytes, FixedBytes};
use medseal::cipher::{ImageKey, Subkeys, key_commitment};
use medseal::envelope::{Description, ImageContext, Layout, Shape};
use medseal::imaging::{ByteOrder, ChannelOrder, Format, Geometry, SampleType};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::common::{read, root};

/// Reads a JSON file under `tests/vectors`.
#[track_caller]
pub(super) fn load<T: DeserializeOwned>(path: &str) -> T {
    serde_json::from_slice(&read(root("tests/vectors").join(path))).unwrap_or_else(|error| panic!("{path}: {error}"))
}

macro_rules! schema {
    ($($(#[$note:meta])* struct $name:ident { $($body:tt)* })*) => {
        $($(#[$note])*
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub(super) struct $name { $($body)* })*
    };
}

schema! {
    struct CipherFile {
        pub(super) permutations: Vec<PermutationVector>,
        pub(super) s_boxes: Vec<SBoxVector>,
    }
    struct PermutationVector {
        pub(super) key: B256,
        pub(super) frame: u64,
        pub(super) samples: usize,
        pub(super) sample_width: usize,
        pub(super) first: Vec<u64>,
        pub(super) fnv1a64: FixedBytes<8>,
    }
    /// Matrices and constants are left out: the table is made of nothing else.
    struct SBoxVector {
        pub(super) key: B256,
        pub(super) redrawn_a: u32,
        pub(super) redrawn_b: u32,
        pub(super) table: Bytes,
    }
    struct DerivationFile {
        pub(super) image_folds: Vec<ImageFold>,
        pub(super) byte_folds: Vec<ByteFold>,
        pub(super) image_keys: Vec<ImageKeyVector>,
    }
    struct FoldVector {
        pub(super) first: Vec<u16>,
        pub(super) sha256: B256,
    }
    struct ImageFold {
        pub(super) name: String,
        #[serde(flatten)]
        pub(super) shape: ShapeVector,
        pub(super) samples: Bytes,
        pub(super) fold: FoldVector,
    }
    struct ByteFold {
        pub(super) name: String,
        pub(super) length: usize,
        pub(super) fold: FoldVector,
    }
    struct ShapeVector {
        pub(super) depth: u32,
        pub(super) height: u32,
        pub(super) width: u32,
        pub(super) channels: u16,
        pub(super) sample_type: String,
        pub(super) bits_stored: u8,
        pub(super) byte_order: String,
        pub(super) channel_order: String,
    }
    struct ImageKeyVector {
        pub(super) name: String,
        #[serde(flatten)]
        pub(super) identity: Identity,
        pub(super) partials: Vec<B256>,
        pub(super) r: B256,
        pub(super) fold_of: String,
        pub(super) tout: Bytes,
        pub(super) image_key: B256,
        pub(super) subkeys: SubkeyVector,
    }
    struct FromSamplesFile {
        pub(super) images: Vec<FromSamplesImage>,
        pub(super) files: Vec<FromSamplesBytes>,
    }
    struct FromSamplesImage {
        pub(super) name: String,
        #[serde(flatten)]
        pub(super) shape: ShapeVector,
        pub(super) samples: Bytes,
        #[serde(flatten)]
        pub(super) key: FromSamplesKey,
    }
    struct FromSamplesBytes {
        pub(super) name: String,
        pub(super) length: usize,
        #[serde(flatten)]
        pub(super) key: FromSamplesKey,
    }
    struct FromSamplesKey {
        pub(super) fold: Bytes,
        #[serde(flatten)]
        pub(super) identity: Identity,
        pub(super) partials: Vec<B256>,
        pub(super) r: B256,
        pub(super) tout: Bytes,
        pub(super) ikm_bytes: usize,
        pub(super) ikm_sha256: B256,
        pub(super) info: Bytes,
        pub(super) image_key: B256,
        pub(super) subkeys: SubkeyVector,
    }
    struct Identity {
        pub(super) chain_id: u64,
        pub(super) registry: Address,
        pub(super) sender: Address,
        pub(super) salt: B256,
        pub(super) model_digest: B256,
        pub(super) image_id: B256,
        pub(super) context: Bytes,
    }
    struct SubkeyVector {
        pub(super) key_commitment: B256,
        pub(super) confusion: B256,
        pub(super) substitution: B256,
        pub(super) diffusion: B256,
    }
    /// What cases in `good.json` and `large.json` have in common.
    struct SealedCase {
        pub(super) name: String,
        #[serde(flatten)]
        pub(super) identity: Identity,
        pub(super) partials: Vec<B256>,
        pub(super) r: B256,
        pub(super) fold_sha256: B256,
        pub(super) tout: Bytes,
        pub(super) image_key: B256,
        pub(super) subkeys: SubkeyVector,
        pub(super) header_hash: B256,
        pub(super) sealed_bytes: usize,
        pub(super) sealed_sha256: B256,
        pub(super) description: DescriptionVector,
        pub(super) description_plaintext: Bytes,
    }
    struct GoodCase {
        #[serde(flatten)]
        pub(super) case: SealedCase,
        pub(super) file: String,
        pub(super) frames: Vec<FrameVector>,
        pub(super) opened: Bytes,
    }
    struct FrameVector {
        pub(super) plaintext: Bytes,
        pub(super) permuted: Bytes,
        pub(super) substituted: Bytes,
    }
    struct LargeCase {
        #[serde(flatten)]
        pub(super) case: SealedCase,
        pub(super) frames: Vec<FrameHashes>,
        pub(super) opened_sha256: B256,
    }
    struct FrameHashes {
        pub(super) plaintext_sha256: B256,
        pub(super) permuted_sha256: B256,
        pub(super) substituted_sha256: B256,
        pub(super) sealed_sha256: B256,
    }
    struct DescriptionVector {
        pub(super) layout: String,
        pub(super) format: String,
        #[serde(flatten)]
        pub(super) shape: ShapeVector,
        pub(super) payload_bytes: u64,
        pub(super) file_name: String,
        pub(super) head: Bytes,
        pub(super) tail: Bytes,
    }
    struct BadCase {
        pub(super) name: String,
        pub(super) file: String,
        pub(super) image_key: B256,
        pub(super) error: String,
    }
}

/// A file that holds nothing but cases.
#[derive(Deserialize)]
pub(super) struct Cases<T> {
    pub(super) cases: Vec<T>,
}

impl Identity {
    /// The context, its id and bytes compared with the vector's.
    #[track_caller]
    pub(super) fn check(&self) -> ImageContext {
        let context = ImageContext::new(self.chain_id, self.registry, self.sender, self.salt);
        assert_eq!(context.image_id, self.image_id);
        assert_eq!(context.to_bytes()[..], self.context[..]);
        context
    }
}

impl SubkeyVector {
    /// Compares the subkeys of the image key with the vector's.
    #[track_caller]
    pub(super) fn check(&self, image_id: &B256, key: &ImageKey) -> Subkeys {
        let subkeys = Subkeys::derive(image_id, key);
        assert_eq!(key_commitment(image_id, key), self.key_commitment);
        assert_eq!(*subkeys.confusion(), self.confusion);
        assert_eq!(*subkeys.substitution(), self.substitution);
        assert_eq!(*subkeys.diffusion(), self.diffusion);
        subkeys
    }
}

impl ShapeVector {
    #[track_caller]
    pub(super) fn shape(&self) -> Shape {
        let Self { depth, height, width, channels, bits_stored, .. } = *self;
        let sample_type = SampleType::ALL.into_iter().find(|sample_type| sample_type.name() == self.sample_type);
        Shape {
            geometry: Geometry { depth, height, width, channels },
            sample_type: sample_type.expect("a known sample type"),
            byte_order: match self.byte_order.as_str() {
                "little" => ByteOrder::Little,
                "big" => ByteOrder::Big,
                other => panic!("byte order {other}"),
            },
            channel_order: match self.channel_order.as_str() {
                "interleaved" => ChannelOrder::Interleaved,
                "planar" => ChannelOrder::Planar,
                other => panic!("channel order {other}"),
            },
            bits_stored,
        }
    }
}

impl DescriptionVector {
    #[track_caller]
    pub(super) fn description(&self) -> Description {
        let format = Format::ALL.into_iter().find(|format| format!("{format:?}").to_lowercase() == self.format);
        let layout = match self.layout.as_str() {
            "bytes" => Layout::Bytes { length: self.payload_bytes },
            "spliced" => Layout::Spliced {
                shape: self.shape.shape(),
                head: self.head.to_vec().into(),
                tail: self.tail.to_vec().into(),
            },
            "pixels" => Layout::Pixels { shape: self.shape.shape() },
            other => panic!("layout {other}"),
        };
        Description { format: format.expect("a known format"), file_name: self.file_name.clone(), layout }
    }
}
