//! Shamir's secret sharing, byte by byte over GF(2^8) with the polynomial 0x11b: any `threshold` of
//! the shares give the secret, fewer say nothing about it.
//!
//! The arithmetic and the polynomials are `vsss-rs`'s, from 6.0.1 on: every coefficient is uniform
//! over all 256 values, zero included, the leading one too. Versions that drew odd or non-zero ones
//! gave the secret away bit by bit (RUSTSEC-2024-0398 is the same fault in another crate).
//!
//! A share says nothing of whether it is right: whoever needs to know keeps a commitment to it.

use hpke::rand_core::CryptoRng;
use vsss_rs::{Gf256, IdentifierGf256};
use zeroize::Zeroizing;

/// Most shares of one secret.
pub const MAX_SHARES: u8 = 16;

/// One share: the polynomials' values at `index`. Wiped on drop, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Share {
    /// Where the polynomials were evaluated: never 0, which is the secret's own place.
    pub index: u8,
    /// As many bytes as the secret has.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Share").field("index", &self.index).finish_non_exhaustive()
    }
}

/// Why a secret is not shared, or shares give none.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShamirError {
    /// A threshold or a number of shares that cannot be.
    #[error("expected 2 <= threshold <= shares <= {MAX_SHARES}, found threshold {threshold}, {shares} shares")]
    Threshold {
        /// How many shares give the secret.
        threshold: u8,
        /// How many there are.
        shares: usize,
    },
    /// More or fewer shares than give the secret.
    #[error("expected exactly {threshold} shares, found {found}")]
    ShareCount {
        /// How many shares give the secret.
        threshold: u8,
        /// How many there are.
        found: usize,
    },
    /// A share at the secret's own place.
    #[error("a share has index 0")]
    IndexZero,
    /// Two shares with one index.
    #[error("two shares have index {index}")]
    IndexTwice {
        /// The index.
        index: u8,
    },
    /// No bytes, or shares of different lengths.
    #[error("expected as many bytes, and at least one, in each: found {found}")]
    Length {
        /// The length that does not fit.
        found: usize,
    },
}

/// Returns shares 1 to `shares` of a secret, any `threshold` of which give it.
///
/// # Errors
/// `Threshold`; `Length` for an empty secret.
pub fn split(secret: &[u8], threshold: u8, shares: u8, rng: &mut impl CryptoRng) -> Result<Vec<Share>, ShamirError> {
    check_threshold(threshold, shares.into())?;
    if secret.is_empty() {
        return Err(ShamirError::Length { found: 0 });
    }
    let ids = (1..=shares).map(|index| IdentifierGf256(Gf256(index)));
    let split = Gf256::split_bytes_with_participant_ids_iter(threshold.into(), shares.into(), secret, rng, ids)
        .expect("threshold, ids and length were checked");
    let share = |bytes: Vec<u8>| {
        let bytes = Zeroizing::new(bytes);
        Share { index: bytes[0], bytes: Zeroizing::new(bytes[1..].to_vec()) }
    };
    Ok(split.into_iter().map(share).collect())
}

/// Returns the secret in exactly `threshold` shares. Shares of another secret, or a share that was
/// changed, give another secret without notice.
///
/// # Errors
/// `Threshold`, `ShareCount`, `IndexZero`, `IndexTwice`, `Length`.
pub fn combine(threshold: u8, shares: &[Share]) -> Result<Zeroizing<Vec<u8>>, ShamirError> {
    check_threshold(threshold, MAX_SHARES.into())?;
    if shares.len() != usize::from(threshold) {
        return Err(ShamirError::ShareCount { threshold, found: shares.len() });
    }
    for (at, share) in shares.iter().enumerate() {
        if share.index == 0 {
            return Err(ShamirError::IndexZero);
        }
        if shares[..at].iter().any(|other| other.index == share.index) {
            return Err(ShamirError::IndexTwice { index: share.index });
        }
        if share.bytes.is_empty() || share.bytes.len() != shares[0].bytes.len() {
            return Err(ShamirError::Length { found: share.bytes.len() });
        }
    }
    let points: Zeroizing<Vec<Vec<u8>>> =
        Zeroizing::new(shares.iter().map(|share| [&[share.index], &share.bytes[..]].concat()).collect());
    Ok(Zeroizing::new(Gf256::combine_bytes(&*points).expect("number, indices and lengths were checked")))
}

/// Checks that there may be such a threshold of so many shares.
///
/// # Errors
/// `Threshold`.
pub fn check_threshold(threshold: u8, shares: usize) -> Result<(), ShamirError> {
    let fits = threshold >= 2 && usize::from(threshold) <= shares && shares <= MAX_SHARES.into();
    if fits { Ok(()) } else { Err(ShamirError::Threshold { threshold, shares }) }
}

#[cfg(test)]
mod tests {
    use hpke::rand_core::{Infallible, TryCryptoRng, TryRng, UnwrapErr};

    use super::*;

    /// Draws the same byte for every coefficient.
    struct Fixed(u8);

    impl TryRng for Fixed {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(self.0.into())
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(self.0.into())
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    impl TryCryptoRng for Fixed {}

    fn random() -> impl CryptoRng {
        UnwrapErr(getrandom::SysRng)
    }

    fn share(index: u8, bytes: &[u8]) -> Share {
        Share { index, bytes: Zeroizing::new(bytes.to_vec()) }
    }

    #[test]
    fn products_are_those_of_fips_197() {
        // Section 4.2: {57} times {02}, {04}, {08}, {10}; {57} times {83} is {c1}, times {13} is {fe}.
        let shares = split(&[0x99], 2, 16, &mut Fixed(0x57)).expect("2 of 16");
        assert_eq!(shares.len(), 16);
        assert_eq!(shares.iter().map(|share| share.index).collect::<Vec<_>>(), (1..=16).collect::<Vec<u8>>());
        for (index, product) in [(1_u8, 0x57), (2, 0xae), (4, 0x47), (8, 0x8e), (16, 0x07)] {
            assert_eq!(*shares[usize::from(index) - 1].bytes, [0x99 ^ product]);
        }
        let of = |left: &Share, right: &Share| combine(2, &[left.clone(), right.clone()]).expect("two shares");
        assert_eq!(*of(&share(0x83, &[0x99 ^ 0xc1]), &share(0x13, &[0x99 ^ 0xfe])), [0x99]);
        assert_eq!(*of(&share(0x13, &[0x99 ^ 0xfe]), &shares[7]), [0x99]);
    }

    #[test]
    fn every_threshold_of_the_shares_gives_the_secret() {
        let secret: Vec<u8> = (0..32).map(|byte| byte * 7 + 1).collect();
        let (mut subsets, mut gave) = (0, 0);
        for (threshold, number) in [(2, 2), (2, 3), (3, 5), (5, 5), (4, 8), (9, 16), (16, 16)] {
            let shares = split(&secret, threshold, number, &mut random()).expect("a threshold of a number");
            for mask in (0_u32..1 << number).filter(|mask| mask.count_ones() == u32::from(threshold)) {
                let chosen: Vec<Share> =
                    shares.iter().filter(|share| mask >> (share.index - 1) & 1 == 1).cloned().collect();
                subsets += 1;
                gave += u32::from(*combine(threshold, &chosen).expect("as many as it takes") == secret);
                // One fewer is refused, and gives something else where nobody asks how many it takes.
                let fewer = &chosen[1..];
                let found = fewer.len();
                assert_eq!(combine(threshold, fewer), Err(ShamirError::ShareCount { threshold, found }));
                if threshold > 2 {
                    assert_ne!(*combine(threshold - 1, fewer).expect("of a lower threshold"), secret);
                }
            }
        }
        assert_eq!((subsets, gave), (1 + 3 + 10 + 1 + 70 + 11_440 + 1, subsets));
    }

    /// 255 degrees of freedom: over 430 comes once in 10^11 runs.
    #[track_caller]
    fn assert_uniform(counts: &[u32; 256]) {
        let expected = f64::from(counts.iter().sum::<u32>()) / 256.0;
        let chi_square: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        assert!(chi_square < 430.0, "chi-square {chi_square}");
    }

    #[test]
    fn shares_and_coefficients_are_uniform() {
        let times_two = |byte: u8| (byte << 1) ^ if byte >> 7 == 1 { 0x1b } else { 0 };
        let secret = [0xd4; 1000];
        let (mut linear, mut first, mut second, mut leading) = ([0; 256], [0; 256], [0; 256], [0; 256]);
        for _ in 0..334 {
            let [one, _, three] = &split(&secret, 2, 3, &mut random()).expect("2 of 3")[..] else { panic!("three") };
            one.bytes.iter().chain(&*three.bytes).for_each(|byte| linear[usize::from(*byte)] += 1);
            let shares = split(&secret, 3, 3, &mut random()).expect("3 of 3");
            for (one, two) in shares[0].bytes.iter().zip(&*shares[1].bytes) {
                first[usize::from(*one)] += 1;
                second[usize::from(*two)] += 1;
                // f = s + ax + bx^2: 2 (f(1) - s) - (f(2) - s) is 6 b, uniform if b is.
                leading[usize::from(times_two(one ^ 0xd4) ^ two ^ 0xd4)] += 1;
            }
        }
        assert!([linear, first, second].concat().iter().sum::<u32>() >= 1_000_000);
        [linear, first, second, leading].iter().for_each(assert_uniform);
    }

    #[test]
    fn what_gives_no_secret_is_refused() {
        let of = |shares: &[Share]| combine(2, shares).expect_err("refused");
        assert_eq!(of(&[share(0, &[1]), share(1, &[2])]), ShamirError::IndexZero);
        assert_eq!(of(&[share(3, &[1]), share(0, &[2])]), ShamirError::IndexZero);
        assert_eq!(of(&[share(3, &[1]), share(3, &[1])]), ShamirError::IndexTwice { index: 3 });
        assert_eq!(of(&[share(3, &[1]), share(4, &[1, 2])]), ShamirError::Length { found: 2 });
        assert_eq!(of(&[share(3, &[]), share(4, &[])]), ShamirError::Length { found: 0 });
        let three = [share(1, &[1]), share(2, &[2]), share(3, &[3])];
        assert_eq!(of(&three), ShamirError::ShareCount { threshold: 2, found: 3 });
        assert_eq!(combine(1, &three[..1]), Err(ShamirError::Threshold { threshold: 1, shares: 16 }));
        for (threshold, shares) in [(0, 3), (1, 3), (4, 3), (2, 1), (2, 17), (2, 0)] {
            let refused = split(&[1], threshold, shares, &mut random()).expect_err("no such threshold");
            assert_eq!(refused, ShamirError::Threshold { threshold, shares: shares.into() });
        }
        assert_eq!(split(&[], 2, 3, &mut random()), Err(ShamirError::Length { found: 0 }));
    }

    #[test]
    fn a_share_is_not_printed() {
        assert_eq!(format!("{:?}", share(7, &[0x5a; 32])), "Share { index: 7, .. }");
    }
}
