//! A pseudorandom generator with the same numbers on every machine: it decides which changes are
//! tried.

/// SplitMix64: the same numbers for the same seed on every machine.
#[derive(Debug, Clone)]
pub struct Draws(u64);

impl Draws {
    /// The draws of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, all of them about as often.
    pub(super) fn below(&mut self, end: usize) -> usize {
        #[allow(clippy::cast_possible_truncation)] // below `end`
        let drawn = ((u128::from(self.next()) * end as u128) >> 64) as usize;
        drawn
    }
}
