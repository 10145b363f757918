//! What is changed in an image, and where.

use std::fmt;

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
