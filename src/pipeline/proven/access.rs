//! Grants late, revocations at once: what two access words say, the newest and one of a block that
//! the chain calls safe.

use crate::contract::slots::AccessWord;

/// What the newest access word alone says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Newest {
    /// This is the last second of the access; 0 where there is none.
    Decided(u64),
    /// It is too new to count by itself: what did the word say in this block?
    AsOf(u64),
}

/// What the newest word says, where grants count that were made up to block `safe`.
pub(super) fn newest(word: AccessWord, safe: Option<u64>) -> Newest {
    match safe {
        // A revocation counts wherever it stands.
        _ if word.expiry == 0 => Newest::Decided(0),
        Some(safe) if word.block <= safe => Newest::Decided(word.expiry),
        Some(safe) => Newest::AsOf(safe),
        // Nothing is safe yet: no grant is.
        None => Newest::Decided(0),
    }
}

/// The last second of an access whose newest word is too new, and that stood like this in the safe
/// block. One change since can only have prolonged or shortened what was granted there; two may
/// hide a revocation.
pub(super) fn since(newest: AccessWord, in_safe: AccessWord) -> u64 {
    match in_safe.seq.checked_add(1) == Some(newest.seq) {
        true => newest.expiry.min(in_safe.expiry),
        false => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRANTED: u128 = (3 << 96) | (0x1234 << 32) | 1;

    fn word(expiry: u64, seq: u128, block: u64) -> AccessWord {
        AccessWord { expiry, seq, block }
    }

    #[test]
    fn a_revocation_counts_at_once_and_a_grant_from_the_safe_block_on() {
        let mut checked = 0;
        for (written, safe, expected) in [
            (100, Some(100), Newest::Decided(500)),
            (100, Some(99), Newest::AsOf(99)),
            (100, Some(101), Newest::Decided(500)),
            (100, Some(200), Newest::Decided(500)),
            (100, Some(1), Newest::AsOf(1)),
            (100, None, Newest::Decided(0)),
            (0, None, Newest::Decided(0)),
        ] {
            assert_eq!(newest(word(500, GRANTED, written), safe), expected, "{written} {safe:?}");
            // A revocation of the same block, whatever is safe.
            assert_eq!(newest(word(0, 4 << 96, written), safe), Newest::Decided(0), "{written} {safe:?}");
            checked += 1;
        }
        assert_eq!(checked, 7);
    }

    #[test]
    fn one_change_prolongs_and_two_are_not_looked_through() {
        let old = word(500, GRANTED, 90);
        assert_eq!(since(word(900, GRANTED + 1, 100), old), 500, "prolonged: the old end counts until it is safe");
        assert_eq!(since(word(300, GRANTED + 1, 100), old), 300, "shortened");
        assert_eq!(since(word(900, GRANTED + 2, 100), old), 0, "two changes");
        assert_eq!(since(word(900, GRANTED, 100), old), 0, "the number must rise");
        // Granted, revoked, granted again: the number is drawn anew.
        assert_eq!(since(word(900, (4 << 96) | (0x9999 << 32) | 1, 100), old), 0);
        // Nothing in the safe block, or a revocation: the grant since is new.
        assert_eq!(since(word(900, 1, 100), AccessWord::default()), 0);
        assert_eq!(since(word(900, (4 << 96) + 1, 100), word(0, 4 << 96, 90)), 0);
        assert_eq!(since(word(900, 0, 100), word(500, u128::MAX, 90)), 0);
    }
}
