//! What `scripts/bench rewrap` measures: a KGC's capsules sealed to its next key, from bytes to
//! bytes, on as many threads as are named; beside it the HPKE alone that this takes.
//!
//! ```text
//! rewrap SETS THREADS
//! ```

use std::hint::black_box;
use std::time::Instant;

use alloy::primitives::{Address, B256};
use medseal::cipher::{ImageKey, key_commitment};
use medseal::envelope::ImageContext;
use medseal::envelope::capsules::{Capsules, Recipient, X25519Secret, open_secret, seal_capsule, seal_secret};
use medseal::kgc::{KgcKeys, os_random};

/// One image's capsules, and what they are bound to.
struct Set {
    bytes: Vec<u8>,
    context: ImageContext,
    commitment: [u8; 32],
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    // `cargo bench` alone names none.
    let [count, threads] = numbers[..] else { return };
    let old = KgcKeys::generate(&mut os_random());
    let keys = old.with_next_epoch(&mut os_random()).expect("two epochs");
    let sets: Vec<Set> = (0..count).map(|number| set(&old, number)).collect();
    let whole = rate(&sets, threads, |set| {
        let capsules = Capsules::decode(&set.bytes).expect("whole");
        let new = keys.rewrap(&capsules, &set.context, &set.commitment).expect("opens").expect("an old one");
        black_box((new.encode(), new.hash()));
    });
    let secret = X25519Secret::generate(&mut os_random());
    let (public, info) = (secret.public(), [7; 300]);
    let sealed = seal_secret(&[7; 32], &public, &info, &mut os_random());
    let alone = rate(&sets, threads, |_| {
        let opened = open_secret(&sealed, &secret, &info).expect("opens");
        black_box(seal_secret(&opened, &public, &info, &mut os_random()));
    });
    say(&format!("{whole:.0} {alone:.0}"));
}

#[allow(clippy::print_stdout)] // what scripts/bench reads
fn say(line: &str) {
    println!("{line}");
}

/// How many a second, on so many threads.
fn rate(sets: &[Set], threads: usize, work: impl Fn(&Set) + Sync) -> f64 {
    let began = Instant::now();
    std::thread::scope(|scope| {
        for part in sets.chunks(sets.len().div_ceil(threads)) {
            scope.spawn(|| part.iter().for_each(&work));
        }
    });
    sets.len() as f64 / began.elapsed().as_secs_f64()
}

fn set(kgc: &KgcKeys, number: usize) -> Set {
    let mut salt = B256::ZERO;
    salt[..8].copy_from_slice(&(number as u64).to_be_bytes());
    let context = ImageContext::new(1, Address::repeat_byte(1), Address::repeat_byte(2), salt);
    let (key, identity) = (ImageKey::from_bytes(salt.0), kgc.identity());
    let commitment = key_commitment(&context.image_id, &key);
    let recipient = Recipient::Kgc { id: identity.id, epoch: identity.epoch, public: identity.public };
    let stanza = seal_capsule(&key, &recipient, &context, &commitment, &mut os_random()).expect("the right key");
    Set { bytes: Capsules::new(vec![stanza]).expect("one").encode(), context, commitment }
}
