//! How an image key is shared: threshold, number, and a commitment to each share.

use alloy::primitives::B256;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::CapsuleError;
use super::holder::Holder;
use super::shamir::{MAX_SHARES, Share, check_threshold};
use crate::cipher::length_prefixed;

/// Type code of the commitments.
pub(super) const SHARES: u8 = 5;

/// How a key is shared: how many shares give it, and the commitment to each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareSet {
    threshold: u8,
    /// Of share 1 first.
    commitments: Vec<[u8; 32]>,
}

/// Shares that do not belong together.
fn wrong<T>(reason: &'static str) -> Result<T, CapsuleError> {
    Err(CapsuleError::ShareSet { reason })
}

impl ShareSet {
    /// Commits to all shares of an image's key, share 1 first.
    pub(super) fn of(image_id: &B256, threshold: u8, shares: &[Share]) -> Self {
        let number = u8::try_from(shares.len()).expect("at most 16");
        let of = |share: &Share| commitment(image_id, share.index, threshold, number, &share.bytes);
        Self { threshold, commitments: shares.iter().map(of).collect() }
    }

    /// How many shares give the key.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// How many shares there are.
    pub fn number(&self) -> u8 {
        u8::try_from(self.commitments.len()).expect("at most 16")
    }

    /// Checks a share of this image's key against its commitment, in constant time.
    ///
    /// # Errors
    /// `ShareMismatch`.
    pub fn check_share(&self, image_id: &B256, share: &Share) -> Result<(), CapsuleError> {
        let Share { index, ref bytes } = *share;
        let expected = usize::from(index).checked_sub(1).and_then(|at| self.commitments.get(at));
        let found = commitment(image_id, index, self.threshold, self.number(), bytes);
        match expected.is_some_and(|expected| expected.ct_eq(&found).into()) {
            true => Ok(()),
            false => Err(CapsuleError::ShareMismatch { index }),
        }
    }

    pub(super) fn has_length(body: usize) -> bool {
        (2..=usize::from(MAX_SHARES)).any(|shares| body == 2 + 32 * shares)
    }

    /// The stanza's bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let length = u16::try_from(2 + 32 * self.commitments.len()).expect("at most 514");
        let fixed = [&[SHARES][..], &[0; 36], &length.to_be_bytes(), &[self.threshold, self.number()]].concat();
        [fixed, self.commitments.concat()].concat()
    }

    /// Reads the stanzas of type 5: key id, epoch and body, whose length was checked, of each.
    pub(super) fn decode(stanzas: &[(B256, u32, &[u8])]) -> Result<Option<Self>, CapsuleError> {
        let (id, epoch, body) = match *stanzas {
            [] => return Ok(None),
            [one] => one,
            _ => return wrong("their commitments stand twice"),
        };
        if (id, epoch) != (B256::ZERO, 0) {
            return wrong("their commitments have a key id or an epoch");
        }
        let [threshold, number, ref commitments @ ..] = *body else { return wrong("their commitments are empty") };
        let (commitments, _) = commitments.as_chunks::<32>();
        if commitments.len() != usize::from(number) {
            return wrong("there are not as many commitments as shares");
        }
        if check_threshold(threshold, number.into()).is_err() {
            return wrong("the threshold is below 2 or above the number of shares");
        }
        Ok(Some(Self { threshold, commitments: commitments.to_vec() }))
    }

    /// Checks that the stanzas for KGCs are those of this set: whole, each share one KGC's, in
    /// order of id.
    pub(super) fn check(set: Option<&Self>, holders: impl Iterator<Item = Holder>) -> Result<(), CapsuleError> {
        let mut holders = holders;
        let Some(set) = set else {
            let any = holders.any(|holder| matches!(holder, Holder::Share { .. }));
            return if any { wrong("their commitments are missing") } else { Ok(()) };
        };
        let mut shares: Vec<(u8, B256)> = Vec::new();
        for holder in holders {
            match holder {
                Holder::Share { threshold, .. } if threshold != set.threshold => {
                    return wrong("a share has another threshold than the commitments");
                }
                Holder::Share { id, index, .. } => shares.push((index, id)),
                Holder::Kgc { .. } => return wrong("a KGC has the whole key"),
                _ => {}
            }
        }
        // One KGC may have the same share in several epochs.
        shares.sort_unstable();
        shares.dedup();
        if !shares.iter().map(|(index, _)| *index).eq(1..=set.number()) {
            return wrong("not each of the numbers 1 to N is the share of one KGC");
        }
        if !shares.is_sorted_by(|(_, left), (_, right)| left < right) {
            return wrong("they do not stand in the order of their KGCs, one for each");
        }
        Ok(())
    }
}

fn commitment(image_id: &B256, index: u8, threshold: u8, number: u8, share: &[u8]) -> [u8; 32] {
    let which = [index, threshold, number];
    let bytes = Zeroizing::new(length_prefixed(&[b"medseal/v1/share-commitment", image_id.as_slice(), &which, share]));
    Sha256::digest(&*bytes).into()
}

#[cfg(test)]
mod tests {
    use crate::envelope::capsules::{CapsuleError, Capsules};

    fn stanza(kind: u8, key_id: u8, epoch: u32, length: u16, body: &[u8]) -> Vec<u8> {
        [&[kind][..], &[key_id; 32], &epoch.to_be_bytes(), &length.to_be_bytes(), body].concat()
    }

    fn file(stanzas: &[Vec<u8>]) -> Vec<u8> {
        let count = u16::try_from(stanzas.len()).expect("few");
        [&b"MEDKEYS\n\0\x01"[..], &count.to_be_bytes(), &stanzas.concat()].concat()
    }

    #[track_caller]
    fn refused(bytes: &[u8]) -> CapsuleError {
        Capsules::decode(bytes).expect_err("these capsules are refused")
    }

    #[test]
    fn shares_that_do_not_belong_together_are_refused() {
        let share =
            |kgc, epoch, index, threshold| stanza(4, kgc, epoch, 82, &[&[index, threshold][..], &[0; 80]].concat());
        let of = |key_id, epoch, threshold, number: u8, length: u16| {
            stanza(5, key_id, epoch, length, &[&[threshold, number][..], &vec![0; usize::from(length) - 2]].concat())
        };
        let two_of = |threshold| of(0, 0, threshold, 2, 66);
        let good = [share(1, 1, 1, 2), share(2, 1, 2, 2), two_of(2)];
        let read = Capsules::decode(&file(&good)).expect("2 of 2");
        assert_eq!(read.shares().map(|set| (set.threshold(), set.number())), Some((2, 2)));
        assert_eq!(read.encode(), file(&good));
        // The same share in two epochs, wherever it stands.
        let epochs =
            [two_of(2), share(2, 7, 2, 2), share(1, 1, 1, 2), share(2, 1, 2, 2), stanza(2, 1, 0, 80, &[0; 80])];
        assert_eq!(Capsules::decode(&file(&epochs)).expect("three epochs").kgcs().count(), 3);

        let mut faults = 0;
        for (reason, stanzas) in [
            ("missing", vec![share(1, 1, 1, 2), share(2, 1, 2, 2)]),
            ("twice", vec![share(1, 1, 1, 2), share(2, 1, 2, 2), two_of(2), of(1, 0, 2, 2, 66)]),
            ("key id", vec![share(1, 1, 1, 2), share(2, 1, 2, 2), of(1, 0, 2, 2, 66)]),
            ("epoch", vec![share(1, 1, 1, 2), share(2, 1, 2, 2), of(0, 1, 2, 2, 66)]),
            ("as many", vec![share(1, 1, 1, 2), share(2, 1, 2, 2), of(0, 0, 2, 3, 66)]),
            ("as many", vec![share(1, 1, 1, 2), share(2, 1, 2, 2), of(0, 0, 2, 2, 98)]),
            ("threshold", vec![share(1, 1, 1, 0), share(2, 1, 2, 0), two_of(0)]),
            ("threshold", vec![share(1, 1, 1, 1), share(2, 1, 2, 1), two_of(1)]),
            ("threshold", vec![share(1, 1, 1, 3), share(2, 1, 2, 3), two_of(3)]),
            ("another threshold", vec![share(1, 1, 1, 2), share(2, 1, 2, 1), two_of(2)]),
            ("whole key", vec![share(1, 1, 1, 2), share(2, 1, 2, 2), two_of(2), stanza(1, 3, 1, 80, &[0; 80])]),
            ("1 to N", vec![share(1, 1, 0, 2), share(2, 1, 1, 2), two_of(2)]),
            ("1 to N", vec![share(1, 1, 1, 2), share(2, 1, 3, 2), two_of(2)]),
            ("1 to N", vec![share(1, 1, 1, 2), share(2, 1, 1, 2), two_of(2)]),
            ("1 to N", vec![share(1, 1, 1, 2), two_of(2)]),
            ("1 to N", vec![two_of(2)]),
            ("in the order", vec![share(1, 1, 2, 2), share(2, 1, 1, 2), two_of(2)]),
            ("in the order", vec![share(1, 1, 1, 2), share(1, 1, 2, 2), two_of(2)]),
            ("in the order", vec![share(1, 1, 1, 2), share(1, 2, 2, 2), two_of(2)]),
        ] {
            match refused(&file(&stanzas)) {
                CapsuleError::ShareSet { reason: found } if found.contains(reason) => faults += 1,
                other => panic!("{reason}: {other}"),
            }
        }
        assert_eq!(faults, 19);
        assert_eq!(
            refused(&file(&[share(1, 1, 1, 2), share(1, 1, 1, 2)])),
            CapsuleError::DuplicateStanza { stanza: 1 }
        );
        assert_eq!(refused(&file(&[two_of(2), two_of(2)])), CapsuleError::DuplicateStanza { stanza: 1 });
        for length in [2_u16, 34, 65, 67, 2 + 32 * 17] {
            let found = length.into();
            assert_eq!(
                refused(&file(&[of(0, 0, 2, 2, length)])),
                CapsuleError::StanzaLength { stanza: 0, kind: 5, found }
            );
        }
    }
}
