//! Text from nodes, stores and other people's data, made fit to be shown: one short line that no
//! terminal obeys.

/// Most characters that are shown of such text.
const MOST_SHOWN: usize = 200;

/// Returns `text` as one line of at most 200 characters, with control characters escaped; what was
/// cut shows as `...`.
pub fn one_line(text: &str) -> String {
    let mut shown: String = text.chars().take(MOST_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    escaped(&shown)
}

/// Returns `text` with each control character, and each that would turn the reading direction, as
/// an escape.
pub fn escaped(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.chars()
        .flat_map(|c| if is_hidden(c) { Shown::Escaped(c.escape_debug()) } else { Shown::AsIs(Some(c)) })
        .collect()
}

enum Shown {
    AsIs(Option<char>),
    Escaped(std::char::EscapeDebug),
}

impl Iterator for Shown {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self {
            Self::AsIs(c) => c.take(),
            Self::Escaped(c) => c.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_a_terminal_is_escaped_and_the_rest_stays() {
        for (text, shown) in [
            ("plain \"words\", O'Neil, 12 µm, 脳", "plain \"words\", O'Neil, 12 µm, 脳"),
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("\u{1b}[2J\u{7}\u{9b}0m", r"\u{1b}[2J\u{7}\u{9b}0m"),
            ("right\u{202e}left\u{2066}\u{200b}", r"right\u{202e}left\u{2066}\u{200b}"),
        ] {
            assert_eq!(escaped(text), shown);
            assert_eq!(one_line(text), shown);
        }
    }

    #[test]
    fn a_line_has_200_characters_at_most() {
        assert_eq!(one_line(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(one_line(&"x".repeat(201)), "x".repeat(200) + "...");
        assert_eq!(one_line(&"脳".repeat(1 << 20)).chars().count(), 203);
    }
}
