//! An image key that several KGCs hold together: a share for each, and a commitment to each share
//! (`FORMAT.md`, section 7, "Shares").

use alloy::primitives::B256;
use zeroize::Zeroizing;

use super::shamir::{ShamirError, Share, combine, split};
use super::share_set::ShareSet;
use super::{
    CapsuleError, Capsules, CryptoRng, Holder, Stanza, X25519Public, X25519Secret, check_commitment, info, open_secret,
    seal_secret,
};
use crate::cipher::ImageKey;
use crate::envelope::ImageContext;

/// Returns the capsules that share `key` among these KGCs, any `threshold` of which give it: ids,
/// epochs and keys, from the chain.
///
/// # Errors
/// `WrongKey` where the key does not give `commitment`; `Shamir` for a threshold that cannot be;
/// `ShareSet` for a KGC that is named twice.
pub fn seal_shares(
    key: &ImageKey,
    threshold: u8,
    kgcs: &[(B256, u32, X25519Public)],
    context: &ImageContext,
    commitment: &[u8; 32],
    rng: &mut impl CryptoRng,
) -> Result<Capsules, CapsuleError> {
    check_commitment(key, context, commitment)?;
    let mut kgcs = kgcs.to_vec();
    kgcs.sort_unstable_by_key(|(id, ..)| *id);
    let number = u8::try_from(kgcs.len()).unwrap_or(u8::MAX);
    let shares = split(key.as_bytes(), threshold, number, rng)?;
    let mut stanzas = Vec::new();
    for (share, (id, epoch, public)) in shares.iter().zip(&kgcs) {
        let (id, epoch, index) = (*id, *epoch, share.index);
        let holder = Holder::Share { id, epoch, index, threshold };
        let secret = secret_of(share)?;
        let sealed = seal_secret(&secret, public, &info(context, &holder, commitment), rng);
        stanzas.push(Stanza { holder, sealed });
    }
    Capsules::shared(stanzas, ShareSet::of(&context.image_id, threshold, &shares))
}

/// Returns the share in the capsule for this KGC and epoch, whose secret key this is; checked
/// against its commitment.
///
/// # Errors
/// `NoMatchingStanza`, `CapsuleNotAuthentic`, `ShareMismatch`.
pub fn open_share(
    capsules: &Capsules,
    kgc: (B256, u32),
    secret: &X25519Secret,
    context: &ImageContext,
    commitment: &[u8; 32],
) -> Result<Share, CapsuleError> {
    let none = CapsuleError::NoMatchingStanza { key_id: kgc.0, epoch: kgc.1 };
    let own = capsules.stanzas().iter().find_map(|stanza| match stanza.holder {
        Holder::Share { id, epoch, index, .. } if (id, epoch) == kgc => Some((stanza, index)),
        _ => None,
    });
    let (Some((stanza, index)), Some(set)) = (own, capsules.shares()) else { return Err(none) };
    let info = info(context, &stanza.holder, commitment);
    let opened = open_secret(&stanza.sealed, secret, &info).ok_or(CapsuleError::CapsuleNotAuthentic)?;
    let share = Share { index, bytes: Zeroizing::new(opened.to_vec()) };
    set.check_share(&context.image_id, &share)?;
    Ok(share)
}

/// Returns the image key that these shares give: as many as the threshold, no more.
///
/// # Errors
/// `Shamir`; `WrongKey` where they give another key than the header commits to: each fits its own
/// commitment, so the sender is to blame.
pub fn combine_shares(
    set: &ShareSet,
    shares: &[Share],
    context: &ImageContext,
    commitment: &[u8; 32],
) -> Result<ImageKey, CapsuleError> {
    let secret = combine(set.threshold(), shares)?;
    let found = secret.len();
    let key = Zeroizing::new(<[u8; 32]>::try_from(&secret[..]).map_err(|_| ShamirError::Length { found })?);
    let key = ImageKey::from_bytes(*key);
    check_commitment(&key, context, commitment)?;
    Ok(key)
}

fn secret_of(share: &Share) -> Result<Zeroizing<[u8; 32]>, ShamirError> {
    let found = share.bytes.len();
    Ok(Zeroizing::new(<[u8; 32]>::try_from(&share.bytes[..]).map_err(|_| ShamirError::Length { found })?))
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Address;
    use hpke::rand_core::UnwrapErr;

    use super::*;
    use crate::cipher::key_commitment;

    const THRESHOLD: u8 = 2;
    const KGCS: [u8; 3] = [3, 5, 9];

    fn random() -> impl CryptoRng {
        UnwrapErr(getrandom::SysRng)
    }

    fn secret(kgc: u8) -> X25519Secret {
        X25519Secret::from_bytes([kgc; 32])
    }

    fn id(kgc: u8) -> B256 {
        B256::repeat_byte(kgc)
    }

    fn context(image: u8) -> ImageContext {
        ImageContext::new(31337, Address::repeat_byte(1), Address::repeat_byte(2), B256::repeat_byte(image))
    }

    fn key() -> ImageKey {
        ImageKey::from_bytes([0x5a; 32])
    }

    /// Shared among three, who are named in another order than that of their ids.
    fn shared(context: &ImageContext) -> (Capsules, [u8; 32]) {
        let commitment = key_commitment(&context.image_id, &key());
        let [a, b, c] = KGCS.map(|kgc| (id(kgc), 1, secret(kgc).public()));
        let capsules = seal_shares(&key(), THRESHOLD, &[c, a, b], context, &commitment, &mut random());
        (capsules.expect("2 of 3"), commitment)
    }

    fn share(capsules: &Capsules, kgc: u8, context: &ImageContext, commitment: &[u8; 32]) -> Share {
        open_share(capsules, (id(kgc), 1), &secret(kgc), context, commitment).expect("its own share")
    }

    #[test]
    fn any_two_of_three_kgcs_give_the_key() {
        let context = context(3);
        let (capsules, commitment) = shared(&context);
        let shares = KGCS.map(|kgc| share(&capsules, kgc, &context, &commitment));
        assert_eq!(shares.each_ref().map(|share| share.index), [1, 2, 3]);
        let set = capsules.shares().expect("shared");
        for pair in [[0, 1], [0, 2], [1, 2], [2, 0]] {
            let pair = pair.map(|at| shares[at].clone());
            let opened = combine_shares(set, &pair, &context, &commitment).expect("two shares");
            assert_eq!(opened.as_bytes(), key().as_bytes());
        }
        let three = combine_shares(set, &shares, &context, &commitment).expect_err("more than it takes");
        assert_eq!(three, ShamirError::ShareCount { threshold: 2, found: 3 }.into());
        assert_eq!(Capsules::decode(&capsules.encode()), Ok(capsules));
    }

    #[test]
    fn a_thousand_transplants_give_no_share() {
        let (capsules, commitment) = shared(&context(3));
        let (other, _) = shared(&context(4));
        let mut rng = random();
        let mut any = || B256::from_slice(X25519Secret::generate(&mut rng).as_bytes());
        let (mut refused, mut rounds) = (0, 0);
        for round in 0..1000_usize {
            let here = context(3);
            let kgc = KGCS[round % 3];
            // The stanza of another image, sender, registry, chain, index, threshold, KGC or epoch.
            let there = match round % 8 {
                0 => ImageContext { image_id: any(), ..here },
                1 => ImageContext { sender: Address::from_word(any()), ..here },
                2 => ImageContext { registry: Address::from_word(any()), ..here },
                3 => ImageContext { chain_id: 1 + u64::try_from(round).expect("small"), ..here },
                _ => here,
            };
            let mut stanzas = capsules.stanzas().to_vec();
            let (at, number) = (round % 3, u8::try_from(round % 3).expect("small"));
            match round % 8 {
                4 => stanzas[at].sealed = other.stanzas()[at].sealed,
                5 => stanzas[at].sealed = capsules.stanzas()[(at + 1) % 3].sealed,
                6 => stanzas[at].holder = Holder::Share { id: id(kgc), epoch: 2, index: number + 1, threshold: 2 },
                7 => {
                    // With index and threshold of another set, whose HPKE is for these.
                    let holder = Holder::Share { id: id(kgc), epoch: 1, index: (number + 1) % 3 + 1, threshold: 2 };
                    let bound = info(&here, &holder, &commitment);
                    stanzas[at].sealed = seal_secret(&any().0, &secret(kgc).public(), &bound, &mut random());
                }
                _ => {}
            }
            let epoch = if round % 8 == 6 { 2 } else { 1 };
            let moved = Capsules::shared(stanzas, capsules.shares().expect("shared").clone()).expect("it parses");
            rounds += 1;
            let opened = open_share(&moved, (id(kgc), epoch), &secret(kgc), &there, &commitment);
            refused += u32::from(opened == Err(CapsuleError::CapsuleNotAuthentic));
        }
        assert_eq!((rounds, refused), (1000, 1000));
    }

    #[test]
    fn a_share_that_is_not_committed_to_is_refused() {
        let context = context(3);
        let (capsules, commitment) = shared(&context);
        let set = capsules.shares().expect("shared");
        let right = share(&capsules, 3, &context, &commitment);
        let index = right.index;
        assert_eq!(set.check_share(&context.image_id, &right), Ok(()));
        // Another image's, another number's, another share.
        assert_eq!(set.check_share(&id(1), &right), Err(CapsuleError::ShareMismatch { index }));
        for index in [0, 2, 3, 4, 255] {
            let moved = Share { index, ..right.clone() };
            assert_eq!(set.check_share(&context.image_id, &moved), Err(CapsuleError::ShareMismatch { index }));
        }
        // A sender who seals another share than it commits to.
        let stanza = &capsules.stanzas()[0];
        let bound = info(&context, &stanza.holder, &commitment);
        let sealed = seal_secret(&[7; 32], &secret(3).public(), &bound, &mut random());
        let stanzas = [&[Stanza { sealed, ..stanza.clone() }], &capsules.stanzas()[1..]].concat();
        let bad = Capsules::shared(stanzas, set.clone()).expect("it parses");
        let opened = open_share(&bad, (id(3), 1), &secret(3), &context, &commitment);
        assert_eq!(opened, Err(CapsuleError::ShareMismatch { index: 1 }));
    }

    #[test]
    fn shares_of_another_key_than_the_header_commits_to_give_none() {
        let context = context(3);
        let (capsules, _) = shared(&context);
        let other = key_commitment(&context.image_id, &ImageKey::from_bytes([1; 32]));
        let kgcs = KGCS.map(|kgc| (id(kgc), 1, secret(kgc).public()));
        let sealed = seal_shares(&key(), THRESHOLD, &kgcs, &context, &other, &mut random());
        assert_eq!(sealed, Err(CapsuleError::WrongKey));
        let shares = split(&[0x77; 32], 2, 3, &mut random()).expect("2 of 3");
        let set = ShareSet::of(&context.image_id, 2, &shares);
        assert!(shares.iter().all(|share| set.check_share(&context.image_id, share).is_ok()));
        let opened = combine_shares(&set, &shares[1..], &context, &other);
        assert_eq!(opened.expect_err("another key"), CapsuleError::WrongKey);
        assert_eq!(capsules.kgcs().collect::<Vec<_>>(), KGCS.map(|kgc| (id(kgc), 1)));
    }

    #[test]
    fn a_kgc_has_one_share_and_there_are_two_to_sixteen() {
        let context = context(3);
        let commitment = key_commitment(&context.image_id, &key());
        let seal = |threshold, kgcs: &[u8]| {
            let kgcs: Vec<_> = kgcs.iter().map(|kgc| (id(*kgc), 1, secret(*kgc).public())).collect();
            seal_shares(&key(), threshold, &kgcs, &context, &commitment, &mut random())
        };
        assert!(matches!(seal(2, &[3, 3]), Err(CapsuleError::ShareSet { .. })));
        for (threshold, kgcs) in [(1, vec![3, 4]), (3, vec![3, 4]), (2, vec![3]), (2, (1..=17).collect())] {
            let shares = kgcs.len();
            assert_eq!(seal(threshold, &kgcs), Err(ShamirError::Threshold { threshold, shares }.into()));
        }
        assert_eq!(seal(16, &(1..=16).collect::<Vec<_>>()).map(|capsules| capsules.stanzas().len()), Ok(16));
    }
}
