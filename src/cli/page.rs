//! The page of the command line: tests compare it with the program, and manual pages quote it.

/// The text of a section, without its heading.
pub(super) fn section(heading: &str) -> &'static str {
    let page = include_str!("README.md");
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).expect("the heading is there");
    rest.split_once("\n## ").map_or(rest, |(section, _)| section)
}
