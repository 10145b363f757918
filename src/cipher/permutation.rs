//! Confusion, eq. (5): whole samples of a frame change places under a key; eq. (10) is the way
//! back.
//!
//! `FORMAT.md`, section 6.1, specifies it completely; `research` gave its statistics: they equal
//! Fisher-Yates'.
//! DIFFERENCE: the paper leaves the permutation's construction open. This one keeps samples whole
//! and needs no floating-point map. Secrecy never rests on it: its memory accesses depend on the
//! key.

use super::stream::Stream;
use zeroize::Zeroizing;

const PAGE_BYTES: usize = 4096;
const PAGE_LINES: usize = 32;
const LINE_PIECES: usize = 8;
const PIECE_BYTES: usize = 16;
/// Pages that one group shuffles among themselves: 512 KiB.
const GROUP_PAGES: usize = 128;

/// The permutation of one frame: `y[d] = x[source[d]]`.
pub struct Permutation {
    source: Zeroizing<Vec<u32>>,
    sample_bytes: usize,
}

impl Permutation {
    /// Returns the permutation of `samples` samples of `sample_bytes` (1, 2, 4 or 8) bytes in frame
    /// number `frame`.
    ///
    /// - `key`: `subkey("confusion")`.
    ///
    /// # Panics
    /// If `sample_bytes` is another number, or there are 2^32 samples or more.
    pub fn draw(key: &[u8; 32], frame: u64, samples: usize, sample_bytes: usize) -> Self {
        assert!(matches!(sample_bytes, 1 | 2 | 4 | 8), "samples of {sample_bytes} bytes");
        let count = u32::try_from(samples).expect("a frame holds fewer than 2^32 samples");
        let mut stream = Stream::new(key, frame);
        let mut source = Zeroizing::new((0..count).collect::<Vec<u32>>());
        let pages = samples * sample_bytes / PAGE_BYTES;
        let paged = pages * PAGE_BYTES / sample_bytes;
        if pages > 0 {
            let passes = if pages < 16 { 3 } else { 2 };
            for _ in 0..passes {
                let pass = draw_pass(&mut stream, pages, PIECE_BYTES / sample_bytes);
                let composed = Zeroizing::new(pass.iter().map(|&s| source[s as usize]).collect::<Vec<u32>>());
                source[..paged].copy_from_slice(&composed);
            }
        }
        for i in paged..samples {
            let other = stream.below(i + 1);
            source.swap(i, other);
        }
        Self { source, sample_bytes }
    }

    /// Eq. (5): the samples in their new places.
    ///
    /// # Panics
    /// If `plain` has another length than the permutation was drawn for.
    pub fn forward(&self, plain: &[u8]) -> Vec<u8> {
        self.check(plain);
        let mut permuted = vec![0; plain.len()];
        for (to, &from) in permuted.chunks_exact_mut(self.sample_bytes).zip(self.source.iter()) {
            to.copy_from_slice(self.sample(plain, from));
        }
        permuted
    }

    /// Eq. (10): the samples back in their old places.
    ///
    /// # Panics
    /// If `permuted` has another length than the permutation was drawn for.
    pub fn inverse(&self, permuted: &[u8]) -> Vec<u8> {
        self.check(permuted);
        let mut plain = vec![0; permuted.len()];
        for (from, &to) in permuted.chunks_exact(self.sample_bytes).zip(self.source.iter()) {
            let start = to as usize * self.sample_bytes;
            plain[start..start + self.sample_bytes].copy_from_slice(from);
        }
        plain
    }

    fn sample<'a>(&self, bytes: &'a [u8], index: u32) -> &'a [u8] {
        let start = index as usize * self.sample_bytes;
        &bytes[start..start + self.sample_bytes]
    }

    fn check(&self, bytes: &[u8]) {
        assert_eq!(bytes.len(), self.source.len() * self.sample_bytes, "a frame of another length");
    }
}

/// `PASS()`: the source index of every sample that lies in a whole page. `piece` is p, the samples
/// of 16 bytes.
fn draw_pass(stream: &mut Stream, pages: usize, piece: usize) -> Zeroizing<Vec<u32>> {
    let groups = pages.div_ceil(GROUP_PAGES);
    let mut page_order: Vec<usize> = (0..pages).collect();
    if groups > 1 {
        for i in (1..pages).rev() {
            page_order.swap(i, stream.below(i + 1));
        }
    }
    let mut source = Zeroizing::new(vec![0; pages * PAGE_LINES * LINE_PIECES * piece]);
    for group in 0..groups {
        let first = group * pages / groups;
        let end = (group + 1) * pages / groups;
        let lines = LineGroup::draw(stream, PAGE_LINES * (end - first), piece);
        lines.scatter(&page_order[first..end], first, &mut source);
    }
    source
}

/// The draws of one group: its lines' order, the turn inside each, and the rotation of each segment
/// it is written to.
struct LineGroup {
    piece: usize,
    rotations: Vec<usize>,
    order: Vec<usize>,
    turns: Vec<usize>,
}

impl LineGroup {
    fn draw(stream: &mut Stream, count: usize, piece: usize) -> Self {
        let line = LINE_PIECES * piece;
        let rotations = (0..piece).map(|_| stream.below(count / piece)).collect();
        let mut order: Vec<usize> = (0..count).collect();
        let mut turns = vec![0; count];
        for i in (0..count).rev() {
            let value = stream.below(line * (i + 1));
            order.swap(i, value / line);
            turns[i] = value % line;
        }
        Self { piece, rotations, order, turns }
    }

    /// Writes the source of each sample of the pages from `first_page` on; `pages` are the pages
    /// that are read.
    fn scatter(&self, pages: &[usize], first_page: usize, source: &mut [u32]) {
        let (count, piece) = (self.order.len(), self.piece);
        let line = LINE_PIECES * piece;
        let segment = count / piece;
        for k in 0..count {
            for q in 0..LINE_PIECES {
                let j = (k + q * count / LINE_PIECES) % count;
                let read = pages[self.order[j] / PAGE_LINES] * PAGE_LINES + self.order[j] % PAGE_LINES;
                for a in 0..piece {
                    let written = first_page * PAGE_LINES + a * segment + (k / piece + self.rotations[a]) % segment;
                    let from = read * line + ((q * piece + a) ^ self.turns[j]);
                    source[written * line + q * piece + k % piece] =
                        u32::try_from(from).expect("a frame holds fewer than 2^32 samples");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> [u8; 32] {
        std::array::from_fn(|i| u8::try_from(i).expect("an index below 32"))
    }

    /// FNV-1a 64 over the sources as little-endian u64.
    fn fnv(permutation: &Permutation) -> u64 {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for &source in permutation.source.iter() {
            for byte in u64::from(source).to_le_bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
            }
        }
        hash
    }

    #[test]
    fn check_values_of_the_specification() {
        let small = Permutation::draw(&key(), 1, 16, 1);
        assert_eq!(small.source[..6], [0, 14, 4, 9, 15, 7]);
        let large = Permutation::draw(&key(), 1, 300_001, 4);
        assert_eq!(large.source[..2], [175_501, 208_702]);
        for (samples, bytes, expected) in [
            (16, 1, 0x11b1_89d2_2b1e_4e45),
            (4096, 1, 0x9f4b_719d_2c66_c84d),
            (4099, 2, 0x9f6e_39bb_671d_5f0a),
            (70_000, 1, 0x9091_d434_b7d4_7b55),
            (300_001, 4, 0xa27d_ef5e_1abd_0ce8),
        ] {
            assert_eq!(fnv(&Permutation::draw(&key(), 1, samples, bytes)), expected, "{samples} of {bytes} bytes");
        }
    }

    #[test]
    fn is_a_bijection_at_every_small_size() {
        for bytes in [1, 2, 4, 8] {
            for samples in (0..1100).chain([2047, 2048, 2049, 4095, 4096, 4097, 8191, 16_384, 65_537, 600_001]) {
                let permutation = Permutation::draw(&key(), 7, samples, bytes);
                let mut seen = vec![false; samples];
                for &source in permutation.source.iter() {
                    assert!(!std::mem::replace(&mut seen[source as usize], true), "{samples} of {bytes} bytes");
                }
            }
        }
    }

    #[test]
    fn frames_and_keys_give_other_permutations() {
        let one = fnv(&Permutation::draw(&key(), 1, 5000, 2));
        assert_ne!(one, fnv(&Permutation::draw(&key(), 2, 5000, 2)));
        assert_ne!(one, fnv(&Permutation::draw(&[9; 32], 1, 5000, 2)));
    }

    proptest! {
        #[test]
        fn inverse_undoes_forward(
            key in any::<[u8; 32]>(), frame in any::<u64>(), width in 0_u32..4,
            plain in prop::collection::vec(any::<u8>(), 0..20_000),
        ) {
            let bytes = 1 << width;
            let plain = &plain[..plain.len() / bytes * bytes];
            let permutation = Permutation::draw(&key, frame, plain.len() / bytes, bytes);
            prop_assert_eq!(permutation.inverse(&permutation.forward(plain)), plain);
        }
    }
}
