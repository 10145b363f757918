use super::*;
use crate::evaluation::keys::small_phantom;
use crate::imaging::phantom;
use std::collections::BTreeMap;

/// How many changes of each kind.
fn kinds(subject: &mut Subject, first: u64, count: u64) -> BTreeMap<Change, usize> {
    let mut kinds = BTreeMap::new();
    for (change, _, _) in subject.neighbours(first, count, &mut Draws::new(1)).changed {
        *kinds.entry(change).or_default() += 1;
    }
    kinds
}

#[test]
fn a_round_has_both_depths_every_place_and_three_more() {
    for bits in [8, 12] {
        let mut subject = Subject::Image(phantom(40, 40, bits, 1));
        let found = kinds(&mut subject, 0, 3 * ROUND);
        // A shift is the same each time.
        assert_eq!((found.len(), found.values().sum::<usize>(), found[&Change::Shift]), (11, 31, 1), "{found:?}");
        for kind in [SampleKind::Eight, SampleKind::Sixteen] {
            assert!(PLACES.iter().all(|place| found[&Change::Level(kind, *place)] == 3), "{found:?}");
        }
        assert_eq!(
            kinds(&mut subject, 8, 3).into_keys().collect::<Vec<_>>(),
            [Change::Swap, Change::Shift, Change::Constant]
        );
    }
    let mut bytes = Subject::Bytes((0..=255).cycle().take(5000).collect::<Vec<u8>>().into());
    let found = kinds(&mut bytes, 0, ROUND);
    assert!(PLACES.iter().all(|place| found[&Change::Level(SampleKind::Byte, *place)] == 2), "{found:?}");
}

#[test]
fn every_change_changes_its_own_base() {
    let mut subject = small_phantom(3);
    let before = subject.fold();
    let ChangedFolds { bases, changed } = subject.neighbours(0, 44, &mut Draws::new(5));
    assert_eq!(bases[0], before);
    assert_eq!(subject.fold(), before, "the subject is as before");
    assert_eq!(bases.len(), 1 + 1 + 4, "itself, at the other depth, four constants");
    for (change, base, fold) in &changed {
        assert_ne!(fold, &bases[*base], "{change}");
        let differing =
            bases[*base].to_bytes().chunks(2).zip(fold.to_bytes().chunks(2)).filter(|(a, b)| a != b).count();
        let expected = match change {
            Change::Level(..) => 1..=1,
            Change::Swap => 1..=2,
            Change::Shift | Change::Constant => 100..=4096,
        };
        assert!(expected.contains(&differing), "{change}: {differing} cells differ");
    }
}

#[test]
fn what_is_impossible_is_left_out() {
    // One pixel: nothing to swap or to shift, and one level up or down is all that there is.
    let mut pixel = Subject::Image(phantom(1, 1, 8, 1));
    let found = kinds(&mut pixel, 0, 10 * ROUND);
    assert!(!found.contains_key(&Change::Swap) && !found.contains_key(&Change::Shift), "{found:?}");
    assert!(found.values().sum::<usize>() <= 2 + 2 + 2, "{found:?}");
}
