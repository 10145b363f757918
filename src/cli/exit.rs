//! Exit codes of `medseal` (README.md beside this file, "Exit codes").

use crate::view::Meaning;

/// Stored or given bytes are not what was registered.
pub(super) const INVALID: u8 = of(Meaning::Invalid);
/// It failed, and none of the others says how.
pub(super) const FAILURE: u8 = of(Meaning::Failure);
/// The command line or a setting makes no sense.
pub(super) const USAGE: u8 = of(Meaning::Usage);

/// The exit code of a failure that means this.
pub(super) const fn of(meaning: Meaning) -> u8 {
    match meaning {
        Meaning::Failure => 1,
        Meaning::Usage => 2,
        Meaning::Invalid => 3,
        Meaning::NotAuthorized => 4,
        Meaning::NotFound => 5,
        Meaning::Unreachable => 6,
        Meaning::WrongChain => 7,
        Meaning::Exists => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::view::Meaning;

    #[test]
    fn the_page_lists_exactly_these() {
        let page = include_str!("README.md");
        let (_, page) = page.split_once("\n## Exit codes\n").expect("its heading");
        let (page, _) = page.split_once("\n## ").expect("the next heading");
        let listed = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |")?.0.parse().ok());
        let ours = [0].into_iter().chain(Meaning::ALL.map(of));
        assert_eq!(listed.collect::<Vec<u8>>(), ours.collect::<Vec<u8>>());
    }
}
