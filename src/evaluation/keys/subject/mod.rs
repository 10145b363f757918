//! The input of a key (an image or a file), and changed copies of it.

use super::change::{ChangedSamples, SampleKind};
use super::draws::Draws;
use crate::imaging::{ByteOrder, ChannelOrder, Geometry, Image, SampleType};
use crate::keygen::{Fold, fold_bytes, fold_image};
use zeroize::Zeroizing;

/// The input of a key.
#[derive(Debug, Clone)]
pub enum Subject {
    /// Decoded samples.
    Image(Image),
    /// A file that is not decoded.
    Bytes(Zeroizing<Vec<u8>>),
}

impl Subject {
    /// The fold.
    pub fn fold(&self) -> Fold {
        match self {
            Self::Image(image) => fold_image(image),
            Self::Bytes(bytes) => fold_bytes(bytes),
        }
    }

    pub(super) fn kind(&self) -> SampleKind {
        match self {
            Self::Bytes(_) => SampleKind::Byte,
            Self::Image(image) => match image.sample_type().bytes() {
                1 => SampleKind::Eight,
                2 => SampleKind::Sixteen,
                _ => SampleKind::Wider,
            },
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Image(image) => image.samples(),
            Self::Bytes(bytes) => bytes,
        }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Image(image) => image.samples_mut(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// Bytes of a sample.
    fn width(&self) -> usize {
        match self {
            Self::Image(image) => image.sample_type().bytes(),
            Self::Bytes(_) => 1,
        }
    }

    fn samples(&self) -> usize {
        self.bytes().len() / self.width()
    }

    /// The bits of the sample that stands at `at` in the file, as an unsigned integer.
    fn bits(&self, at: usize) -> u64 {
        let bytes = &self.bytes()[at * self.width()..][..self.width()];
        let number = |bits: u64, byte: &u8| bits << 8 | u64::from(*byte);
        match self.byte_order() {
            ByteOrder::Big => bytes.iter().fold(0, number),
            ByteOrder::Little => bytes.iter().rev().fold(0, number),
        }
    }

    fn set_bits(&mut self, at: usize, bits: u64) {
        let (width, order) = (self.width(), self.byte_order());
        let target = &mut self.bytes_mut()[at * width..][..width];
        match order {
            ByteOrder::Big => target.copy_from_slice(&bits.to_be_bytes()[8 - width..]),
            ByteOrder::Little => target.copy_from_slice(&bits.to_le_bytes()[..width]),
        }
    }

    fn byte_order(&self) -> ByteOrder {
        match self {
            Self::Image(image) => image.byte_order(),
            Self::Bytes(_) => ByteOrder::Little,
        }
    }

    /// The lowest and the highest value of a sample, as its bits.
    fn ends(&self) -> (u64, u64) {
        let Self::Image(image) = self else { return (0, 0xff) };
        let top = u64::MAX >> (64 - u32::from(image.bits_stored()));
        match image.sample_type() {
            SampleType::I8 | SampleType::I16 | SampleType::I32 | SampleType::I64 => {
                let all = u64::MAX >> (64 - 8 * self.width());
                (all - (top >> 1), top >> 1)
            }
            _ => (0, top),
        }
    }

    /// Where a sample stands in the file.
    pub(super) fn pick(&self, place: ChangedSamples, draws: &mut Draws) -> usize {
        let Self::Image(image) = self else {
            return match place {
                ChangedSamples::Background => self.darkest(draws),
                _ => part(self.samples(), place, draws),
            };
        };
        if place == ChangedSamples::Background {
            return self.darkest(draws);
        }
        let Geometry { depth, height, width, channels } = image.geometry();
        let (height, width, channels) = (height as usize, width as usize, usize::from(channels));
        let (slice, channel) = (draws.below(depth as usize), draws.below(channels));
        let (y, x) = (part(height, place, draws), part(width, place, draws));
        let in_slice = match image.channel_order() {
            ChannelOrder::Interleaved => (y * width + x) * channels + channel,
            ChannelOrder::Planar => (channel * height + y) * width + x,
        };
        slice * height * width * channels + in_slice
    }

    /// Any of the samples of the lowest value.
    fn darkest(&self, draws: &mut Draws) -> usize {
        let sign = match self {
            Self::Image(image) => sign_bit(image.sample_type()),
            Self::Bytes(_) => 0,
        };
        // With the sign turned over, signed numbers sort as unsigned ones do, and floating-point
        // ones from minus zero on.
        let level = |at: &usize| self.bits(*at) ^ sign;
        let lowest = (0..self.samples()).map(|at| level(&at)).min().expect("a sample");
        let count = (0..self.samples()).filter(|at| level(at) == lowest).count();
        let chosen = draws.below(count);
        (0..self.samples()).filter(|at| level(at) == lowest).nth(chosen).expect("as many as were counted")
    }

    /// The fold after one sample went up or down by one level; the sample is then as before.
    pub(super) fn with_level_changed(&mut self, at: usize, draws: &mut Draws) -> Fold {
        let bits = self.bits(at);
        self.set_bits(at, self.next_level(bits, draws));
        let fold = self.fold();
        self.set_bits(at, bits);
        fold
    }

    fn next_level(&self, bits: u64, draws: &mut Draws) -> u64 {
        let (low, high) = self.ends();
        let up = draws.next() & 1 == 1;
        let next = if bits != high && (up || bits == low) { bits.wrapping_add(1) } else { bits.wrapping_sub(1) };
        next & u64::MAX >> (64 - 8 * self.width())
    }

    /// The fold after two unlike samples changed places; they are then as before. None where no
    /// unlike ones were found.
    pub(super) fn with_two_swapped(&mut self, draws: &mut Draws) -> Option<Fold> {
        let one = draws.below(self.samples());
        let mut others = std::iter::repeat_with(|| draws.below(self.samples())).take(64);
        let other = others.find(|other| self.bits(*other) != self.bits(one))?;
        let (a, b) = (self.bits(one), self.bits(other));
        self.set_bits(one, b);
        self.set_bits(other, a);
        let fold = self.fold();
        self.set_bits(one, a);
        self.set_bits(other, b);
        Some(fold)
    }

    /// Every row moved by one pixel, its last one to its front. None where that is the same image.
    pub(super) fn shifted(&self) -> Option<Self> {
        let mut shifted = self.clone();
        let (row, pixel) = match self {
            Self::Bytes(bytes) => (bytes.len(), 1),
            Self::Image(image) => {
                let Geometry { width, channels, .. } = image.geometry();
                let together = match image.channel_order() {
                    ChannelOrder::Interleaved => usize::from(channels),
                    ChannelOrder::Planar => 1,
                };
                let pixel = together * self.width();
                (width as usize * pixel, pixel)
            }
        };
        shifted.bytes_mut().chunks_exact_mut(row).for_each(|row| row.rotate_right(pixel));
        (shifted.bytes() != self.bytes()).then_some(shifted)
    }

    /// Two images of the size of this one: all at the level of one of its samples, and all a level
    /// further.
    pub(super) fn constants(&self, draws: &mut Draws) -> (Self, Self) {
        let level = self.bits(draws.below(self.samples()));
        let next = self.next_level(level, draws);
        let constant = |level: u64| {
            let mut constant = self.clone();
            (0..self.samples()).for_each(|at| constant.set_bits(at, level));
            constant
        };
        (constant(level), constant(next))
    }

    /// The image at 16 bit instead of 8, or the other way round; what has neither stays as it is.
    pub(super) fn at_other_depth(&self) -> Self {
        let Self::Image(image) = self else { return self.clone() };
        let signed = sign_bit(image.sample_type()) != 0;
        let sample_type = match (self.kind(), signed) {
            (SampleKind::Eight, false) => SampleType::U16,
            (SampleKind::Eight, true) => SampleType::I16,
            (SampleKind::Sixteen, false) => SampleType::U8,
            (SampleKind::Sixteen, true) => SampleType::I8,
            _ => return self.clone(),
        };
        let bytes = sample_type.bytes();
        let stored = u32::from(image.bits_stored());
        // The highest stored bit becomes the highest one.
        let moved = |bits: u64| match bytes {
            1 => (bits << 16 >> stored >> 8).to_le_bytes(),
            _ => (bits << (16 - stored)).to_le_bytes(),
        };
        let samples = (0..self.samples()).flat_map(|at| moved(self.bits(at)).into_iter().take(bytes)).collect();
        let bits = if bytes == 1 { 8 } else { 16 };
        let image = Image::new(image.geometry(), sample_type, ByteOrder::Little, image.channel_order(), bits, samples);
        Self::Image(image.expect("as many samples of the other width"))
    }
}

/// Where in `length` rows or columns, or bytes, a place lies.
fn part(length: usize, place: ChangedSamples, draws: &mut Draws) -> usize {
    let eighth = (length / 8).max(1);
    match place {
        ChangedSamples::Anywhere | ChangedSamples::Background => draws.below(length),
        ChangedSamples::Corner => match draws.below(2) {
            0 => draws.below(eighth),
            _ => length - 1 - draws.below(eighth),
        },
        ChangedSamples::Centre => (length - eighth) / 2 + draws.below(eighth),
    }
}

/// The bit that is set in negative values.
fn sign_bit(sample_type: SampleType) -> u64 {
    match sample_type {
        SampleType::U8 | SampleType::U16 | SampleType::U32 | SampleType::U64 => 0,
        signed => 1 << (8 * signed.bytes() - 1),
    }
}

#[cfg(test)]
mod tests;
