//! The statistics of many keys, collected image by image.

use std::collections::{BTreeMap, HashSet};

use alloy::primitives::{Address, B256};
use sha2::{Digest, Sha256};

use super::{Change, ChangedFolds, Draws, Subject};
use crate::cipher::ImageKey;
use crate::envelope::ImageContext;
use crate::keygen::{DeriveInputs, Fold, KeygenError, Partial, SenderSecret, Tout, Vit, derive};
use crate::metrics::{Differences, KeyBits, Measurement};

/// Bits of a derived key.
const KEY_BITS: usize = 256;

/// Raw bits and derived keys of the images that were added, and of their changes.
#[derive(Debug)]
pub struct KeySurvey<'a> {
    vit: &'a mut Vit,
    draws: Draws,
    seen: HashSet<[u8; 32]>,
    repeated: usize,
    changes: u64,
    raw: Collected,
    keys: Collected,
}

/// What was collected of keys of one length.
#[derive(Debug)]
struct Collected {
    images: KeyBits,
    flips: BTreeMap<Change, Differences>,
}

/// The statistics of all images.
#[derive(Debug, Clone)]
pub struct KeyReport {
    /// Unlike images.
    pub images: usize,
    /// Images left out, because their fold is that of an earlier one.
    pub repeated: usize,
    /// Signs of the transformer's logits.
    pub raw_bits: KeySection,
    /// Image keys, derived with the same partial, `r`, salt and context for all: only fold and
    /// `Tout` tell them apart.
    pub derived_keys: KeySection,
}

/// The statistics of keys of one length.
#[derive(Debug, Clone)]
pub struct KeySection {
    /// Bits of a key.
    pub bits: usize,
    /// Balance, correlation and distance of the images' keys.
    pub images: Vec<Measurement>,
    /// In how many bits each two of them differ.
    pub distances: Differences,
    /// What one grey level in one sample does, all such changes together.
    pub levels: Vec<Measurement>,
    /// How many bits each of them flips.
    pub flips: Differences,
    /// Each kind of change by itself.
    pub changes: BTreeMap<Change, Differences>,
}

impl<'a> KeySurvey<'a> {
    /// Nothing collected yet. The seed decides which samples are changed.
    ///
    /// # Errors
    /// As [`Vit::tout`].
    pub fn new(vit: &'a mut Vit, seed: u64) -> Result<Self, KeygenError> {
        let bits = 8 * vit.tout(&crate::keygen::fold_bytes(&[]))?.as_bytes().len();
        Ok(Self {
            vit,
            draws: Draws::new(seed),
            seen: HashSet::new(),
            repeated: 0,
            changes: 0,
            raw: Collected::new(bits),
            keys: Collected::new(KEY_BITS),
        })
    }

    /// Adds an image with so many changes; one whose fold is known already is only counted.
    ///
    /// # Errors
    /// As [`Vit::tout`], or as [`derive()`].
    pub fn add(&mut self, mut subject: Subject, changes: u64) -> Result<(), KeygenError> {
        if !self.seen.insert(Sha256::digest(subject.fold().to_bytes()).into()) {
            self.repeated += 1;
            return Ok(());
        }
        let ChangedFolds { bases, changed } = subject.neighbours(self.changes, changes, &mut self.draws);
        self.changes += changes;
        let bases = self.keys_of(&bases)?;
        let kinds: Vec<(Change, usize)> = changed.iter().map(|(change, base, _)| (*change, *base)).collect();
        let folds: Vec<Fold> = changed.into_iter().map(|(_, _, fold)| fold).collect();
        let (tout, key) = &bases[0];
        self.raw.images.push(tout.as_bytes());
        self.keys.images.push(key.as_bytes());
        for ((change, base), (tout, key)) in kinds.into_iter().zip(self.keys_of(&folds)?) {
            self.raw.count(change, bases[base].0.as_bytes(), tout.as_bytes());
            self.keys.count(change, bases[base].1.as_bytes(), key.as_bytes());
        }
        Ok(())
    }

    /// How many unlike images were added.
    pub fn images(&self) -> usize {
        self.raw.images.len()
    }

    /// The raw bits of the images, in the order in which they were added.
    pub fn raw_bits(&self) -> &KeyBits {
        &self.raw.images
    }

    /// Returns the statistics.
    pub fn report(&self) -> KeyReport {
        KeyReport {
            images: self.images(),
            repeated: self.repeated,
            raw_bits: self.raw.section(),
            derived_keys: self.keys.section(),
        }
    }

    /// `Tout` and key of each fold. Partial, `r` and context are zeros, so these are nobody's keys.
    fn keys_of(&mut self, folds: &[Fold]) -> Result<Vec<(Tout, ImageKey)>, KeygenError> {
        let digest = self.vit.model_digest();
        let salt = B256::ZERO;
        let context = ImageContext::new(0, Address::ZERO, Address::ZERO, salt);
        let touts = self.vit.touts(folds)?;
        let key = |(fold, tout): (&Fold, Tout)| {
            let key = derive(&DeriveInputs {
                salt: &salt,
                partials: &[(B256::ZERO, Partial::from_bytes([0; 32]))],
                sender_secret: &SenderSecret::from_bytes([0; 32]),
                fold,
                tout: &tout,
                model_digest: &digest,
                context: &context,
            })?;
            Ok((tout, key))
        };
        folds.iter().zip(touts).map(key).collect()
    }
}

impl Collected {
    fn new(bits: usize) -> Self {
        Self { images: KeyBits::new(bits), flips: BTreeMap::new() }
    }

    fn count(&mut self, change: Change, before: &[u8], after: &[u8]) {
        let flips = self.flips.entry(change).or_insert_with(|| Differences::new(self.images.bits()));
        flips.add(before, after);
    }

    fn section(&self) -> KeySection {
        let mut flips = Differences::new(self.images.bits());
        let levels = self.flips.iter().filter(|(change, _)| matches!(change, Change::Level(..)));
        levels.for_each(|(_, some)| flips.extend(some));
        let distances = self.images.distances();
        KeySection {
            bits: self.images.bits(),
            images: self.images.rows().into_iter().chain(distances.distance_rows()).collect(),
            distances,
            levels: flips.flip_rows().to_vec(),
            flips,
            changes: self.flips.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::keys::small_phantom;
    use crate::metrics::BandVerdict;

    fn survey(vit: &mut Vit, seed: u64) -> KeyReport {
        let mut survey = KeySurvey::new(vit, seed).expect("the model runs");
        for number in [0, 1, 2, 1, 3, 4, 5, 6, 7, 8, 9] {
            survey.add(small_phantom(number), 22).expect("the model runs");
        }
        survey
            .add(Subject::Bytes((0..=255).cycle().take(5000).collect::<Vec<u8>>().into()), 22)
            .expect("the model runs");
        survey.report()
    }

    #[test]
    fn a_few_phantoms_look_like_fair_coins() {
        let mut vit = Vit::embedded().expect("the embedded model");
        let report = survey(&mut vit, 1);
        assert_eq!((report.images, report.repeated), (11, 1));
        for (section, bits) in [(&report.raw_bits, 768), (&report.derived_keys, 256)] {
            assert_eq!((section.bits, section.distances.total()), (bits, 55));
            assert_eq!(section.changes.len(), 15, "8 of images, 4 of bytes, swap, shift, constant");
            assert!((160..=11 * 16).contains(&section.flips.total()), "{}", section.flips.total());
            for row in section.images.iter().chain(&section.levels) {
                assert_ne!(row.verdict, BandVerdict::Outside, "{bits} bits: {row}");
            }
        }
        assert_ne!(report.raw_bits.flips, survey(&mut vit, 2).raw_bits.flips, "other samples are changed");
    }
}
