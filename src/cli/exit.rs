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
    use crate::cli::page::section;
    use crate::view::{Code, Meaning};
    use std::collections::BTreeMap;

    #[test]
    fn the_page_lists_exactly_these() {
        let listed =
            section("Exit codes").lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |")?.0.parse().ok());
        let ours = [0].into_iter().chain(Meaning::ALL.map(of));
        assert_eq!(listed.collect::<Vec<u8>>(), ours.collect::<Vec<u8>>());
    }

    /// The names are literals of the page: none can change, appear or go, nor get another exit
    /// code, without it.
    #[test]
    fn the_page_lists_every_code_once_by_its_exit_code() {
        let text = section("Error codes").replace("\n  ", " ");
        let mut listed = BTreeMap::<&str, Vec<&str>>::new();
        for (exit, codes) in text.lines().filter_map(|line| line.strip_prefix("- ")?.split_once(": ")) {
            let names = codes.trim_end_matches('.').split(", ").map(|code| code.trim_matches('`'));
            listed.entry(exit).or_default().extend(names);
        }
        let mut ours = BTreeMap::<String, Vec<&str>>::new();
        for code in Code::ALL {
            let exit = code.meaning().map(|meaning| of(meaning).to_string());
            ours.entry(exit.unwrap_or("by its cause 1, 4, 5, 6 or 7".to_owned())).or_default().push(code.name());
        }
        ours.values_mut().for_each(|names| names.sort_unstable());
        let ours: Vec<_> = ours.iter().map(|(exit, names)| (exit.as_str(), names.as_slice())).collect();
        assert_eq!(listed.iter().map(|(exit, names)| (*exit, names.as_slice())).collect::<Vec<_>>(), ours);
        assert_eq!(listed.values().flatten().count(), 111);
    }
}
