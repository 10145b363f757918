use alloy::primitives::{Address, b256};

use super::*;
use crate::imaging::{ByteOrder, ChannelOrder, Geometry, Image, SampleType};
use crate::keygen::{fold_bytes, fold_image};

/// Owned inputs, to change one at a time.
struct Inputs {
    salt: B256,
    partials: Vec<(B256, Partial)>,
    sender_secret: SenderSecret,
    fold: Fold,
    tout: Tout,
    model_digest: B256,
    context: ImageContext,
}

type Change = fn(&mut Inputs);

impl Inputs {
    fn new() -> Self {
        let geometry = Geometry { depth: 1, height: 1, width: 1, channels: 1 };
        let image = Image::new(geometry, SampleType::U8, ByteOrder::Little, ChannelOrder::Interleaved, 8, vec![1]);
        Self {
            salt: B256::repeat_byte(0x44),
            partials: vec![
                (B256::repeat_byte(2), Partial::from_bytes([0x52; 32])),
                (B256::repeat_byte(1), Partial::from_bytes([0x51; 32])),
            ],
            sender_secret: SenderSecret::from_bytes([0x66; 32]),
            fold: fold_image(&image.expect("one pixel")),
            tout: Tout::from_bytes([0x77; 32]),
            // The first release's model: the expected key below stays, whatever the model.
            model_digest: b256!("467090fed8af97ca3d60abd31eda0501ba0c659cc2c5322cafacf5da55985513"),
            context: ImageContext {
                chain_id: 31337,
                registry: Address::repeat_byte(0x11),
                sender: Address::repeat_byte(0x33),
                image_id: B256::repeat_byte(0x22),
            },
        }
    }

    fn derive(&self) -> Result<[u8; 32], KeygenError> {
        derive(&DeriveInputs {
            salt: &self.salt,
            partials: &self.partials,
            sender_secret: &self.sender_secret,
            fold: &self.fold,
            tout: &self.tout,
            model_digest: &self.model_digest,
            context: &self.context,
        })
        .map(|key| *key.as_bytes())
    }
}

#[test]
fn the_key_equals_an_independent_program() {
    // From a Python program that was written from FORMAT.md; it hands the partials over in order of
    // KGC id.
    let expected = b256!("49939104eda6590a2d06df1ba9623a92f183d01061fedab63a672834277b1586");
    assert_eq!(Inputs::new().derive().expect("a key"), expected);
}

#[test]
fn every_part_changes_the_key() {
    let changes: [(&str, Change); 13] = [
        ("salt", |i| i.salt.0[31] ^= 1),
        ("first partial", |i| i.partials[0].1.0[0] ^= 1),
        ("second partial", |i| i.partials[1].1.0[31] ^= 0x80),
        ("number of partials", |i| i.partials.truncate(1)),
        ("whose partial", |i| i.partials[0].0 = B256::ZERO),
        ("sender's secret", |i| i.sender_secret.0[16] ^= 1),
        ("fold", |i| i.fold = fold_bytes(&[1])),
        ("Tout", |i| i.tout = Tout::from_bytes([0x76; 32])),
        ("model digest", |i| i.model_digest.0[0] ^= 1),
        ("chain", |i| i.context.chain_id += 1),
        ("registry", |i| i.context.registry.0[19] ^= 1),
        ("sender", |i| i.context.sender.0[0] ^= 1),
        ("image id", |i| i.context.image_id.0[0] ^= 1),
    ];
    let mut keys = vec![("nothing", Inputs::new().derive().expect("a key"))];
    for (name, change) in changes {
        let mut inputs = Inputs::new();
        change(&mut inputs);
        let key = inputs.derive().expect("a key");
        for (other, seen) in &keys {
            assert_ne!(&key, seen, "{name} and {other} give one key");
        }
        keys.push((name, key));
    }
}

#[test]
fn the_order_of_partials_does_not_matter() {
    let mut inputs = Inputs::new();
    inputs.partials.reverse();
    assert_eq!(inputs.derive().expect("a key"), Inputs::new().derive().expect("a key"));
}

#[test]
fn a_key_needs_one_partial_of_each_kgc() {
    let mut inputs = Inputs::new();
    inputs.partials.push((B256::repeat_byte(2), Partial::from_bytes([0x53; 32])));
    match inputs.derive() {
        Err(KeygenError::DuplicateKgc { kgc_id }) => assert_eq!(kgc_id, B256::repeat_byte(2)),
        other => panic!("expected DuplicateKgc, found {other:?}"),
    }
    inputs.partials.clear();
    assert!(matches!(inputs.derive(), Err(KeygenError::NoPartials)));
}

#[test]
fn secrets_are_not_printed() {
    let inputs = Inputs::new();
    assert_eq!(format!("{:?} {:?}", inputs.partials[0].1, inputs.sender_secret), "Partial(..) SenderSecret(..)");
}
