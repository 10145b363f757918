//! The smallest changes of an image, each of which must change its key.

use super::change::{Change, ChangedSamples, SampleKind};
use super::draws::Draws;
use super::subject::Subject;
use crate::keygen::Fold;

/// A subject's fold, and the folds of its changes.
#[derive(Debug)]
pub struct ChangedFolds {
    /// The folds before a change: of the subject itself, then of it at another depth, and of
    /// constant images.
    pub bases: Vec<Fold>,
    /// Each change, the index of the base that was changed, and the fold after it.
    pub changed: Vec<(Change, usize, Fold)>,
}

/// One grey level at 8 and at 16 bit in four places each, and three more: a round of changes.
const ROUND: u64 = 11;
const PLACES: [ChangedSamples; 4] =
    [ChangedSamples::Anywhere, ChangedSamples::Corner, ChangedSamples::Centre, ChangedSamples::Background];

impl Subject {
    /// Returns the fold, and the folds of `count` changes, all that are possible and unlike: the
    /// numbers `first ..` of an endless round over depths, places and kinds of change.
    ///
    /// An image of 8 or 16 bit is changed at both depths: at the other one after its samples were
    /// moved to it, their highest bits first.
    pub fn neighbours(&mut self, first: u64, count: u64, draws: &mut Draws) -> ChangedFolds {
        let mut found = ChangedFolds { bases: vec![self.fold()], changed: Vec::new() };
        let mut other: Option<(Self, usize)> = None;
        for number in first..first + count {
            let (change, base, fold) = match number % ROUND {
                turn @ 0..8 => {
                    let asked = if turn < 4 { SampleKind::Eight } else { SampleKind::Sixteen };
                    let place = PLACES[(turn % 4) as usize];
                    let (subject, base) = match (self.kind(), &mut other) {
                        (SampleKind::Wider | SampleKind::Byte, _) => (&mut *self, 0),
                        (kind, _) if kind == asked => (&mut *self, 0),
                        (_, Some((subject, base))) => (subject, *base),
                        (_, none) => {
                            let subject = self.at_other_depth();
                            found.bases.push(subject.fold());
                            let (subject, base) = none.insert((subject, found.bases.len() - 1));
                            (subject, *base)
                        }
                    };
                    let at = subject.pick(place, draws);
                    (Change::Level(subject.kind(), place), base, subject.with_level_changed(at, draws))
                }
                8 => match self.with_two_swapped(draws) {
                    Some(fold) => (Change::Swap, 0, fold),
                    None => continue,
                },
                9 => match self.shifted() {
                    Some(shifted) => (Change::Shift, 0, shifted.fold()),
                    None => continue,
                },
                _ => {
                    let (constant, changed) = self.constants(draws);
                    found.bases.push(constant.fold());
                    (Change::Constant, found.bases.len() - 1, changed.fold())
                }
            };
            // Of a small image the same change may be drawn again.
            if found.changed.iter().all(|(_, _, known)| *known != fold) {
                found.changed.push((change, base, fold));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
