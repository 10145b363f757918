//! The least changes of an image: what a key must notice.

use std::fmt;

use super::Subject;
use super::draws::Draws;
use crate::keygen::Fold;

/// Where a sample is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangedSamples {
    /// Any sample.
    Anywhere,
    /// In an eighth of the height and of the width at one of the four corners.
    Corner,
    /// In an eighth of the height and of the width around the middle.
    Centre,
    /// One of the darkest samples: the background.
    Background,
}

/// What a sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SampleKind {
    /// 8 bit, signed or not.
    Eight,
    /// 16 bit, signed or not.
    Sixteen,
    /// More bits, or a floating-point number: a level is its next value.
    Wider,
    /// A byte of a file that is not decoded.
    Byte,
}

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// One sample by one grey level, up or down.
    Level(SampleKind, ChangedSamples),
    /// Two unlike samples changed places.
    Swap,
    /// Every row moved by one pixel, its last one to its front.
    Shift,
    /// An image of one level, of the size of this one, by one level in every sample.
    Constant,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, place) = match self {
            Self::Level(kind, place) => (kind, place),
            Self::Swap => return f.write_str("two samples swapped"),
            Self::Shift => return f.write_str("shifted by a pixel"),
            Self::Constant => return f.write_str("a constant, every level"),
        };
        let kind = match kind {
            SampleKind::Eight => "8 bit",
            SampleKind::Sixteen => "16 bit",
            SampleKind::Wider => "wider samples",
            SampleKind::Byte => "plain bytes",
        };
        let place = match place {
            ChangedSamples::Anywhere => "anywhere",
            ChangedSamples::Corner => "corner",
            ChangedSamples::Centre => "centre",
            ChangedSamples::Background => "background",
        };
        write!(f, "one level, {kind}, {place}")
    }
}

/// A subject's fold, and the folds of its changes.
#[derive(Debug)]
pub struct Neighbours {
    /// What was changed: the subject itself first, then it at another depth, and constants.
    pub bases: Vec<Fold>,
    /// What was changed in which of the bases, and what came of it.
    pub changed: Vec<(Change, usize, Fold)>,
}

/// One grey level at 8 and at 16 bit in four places each, and three more: a round of changes.
const ROUND: u64 = 11;
const PLACES: [ChangedSamples; 4] =
    [ChangedSamples::Anywhere, ChangedSamples::Corner, ChangedSamples::Centre, ChangedSamples::Background];

impl Subject {
    /// Returns the fold, and the folds of `count` changes, all that are possible and unlike: the numbers `first ..` of an endless round over depths, places and kinds of change.
    ///
    /// An image of 8 or 16 bit is changed at both depths: at the other one after its samples were moved to it, their highest bits first.
    pub fn neighbours(&mut self, first: u64, count: u64, draws: &mut Draws) -> Neighbours {
        let mut found = Neighbours { bases: vec![self.fold()], changed: Vec::new() };
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
