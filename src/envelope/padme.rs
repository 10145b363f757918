//! Padmé (Nikitin et al. 2019): lengths that tell little about what they pad.

/// Returns the padded length: at least `length`, at most 12 % above it (`FORMAT.md`, section 3).
pub(super) fn padme(length: u64) -> u64 {
    let Some(exponent @ 1..) = length.checked_ilog2() else { return length };
    let kept_bits = exponent.ilog2() + 1;
    length.next_multiple_of(1 << exponent.saturating_sub(kept_bits))
}

#[cfg(test)]
mod tests {
    use super::padme;

    #[test]
    fn boundaries() {
        for (length, padded) in [
            (0, 0),
            (1, 1),
            (2, 2),
            (3, 3),
            (9, 10),
            (17, 18),
            (33, 36),
            (100, 104),
            (1000, 1024),
            (1025, 1088),
            (5000, 5120),
            (65_537, 67_584),
            (1_048_575, 1_048_576),
            (1_048_576, 1_048_576),
        ] {
            assert_eq!(padme(length), padded, "padme({length})");
        }
    }
}
