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
    text.chars()
        .flat_map(|c| if is_hidden(c) { Shown::Escaped(c.escape_debug()) } else { Shown::AsIs(Some(c)) })
        .collect()
}

/// Returns `text` as [`escaped`] does, but for the ends of its lines, which stay.
pub fn escaped_lines(text: &str) -> String {
    text.split('\n').map(escaped).collect::<Vec<_>>().join("\n")
}

/// Returns the text of a JSON value, which means the same and in which no terminal finds anything
/// to obey.
pub fn escaped_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            // The writer of JSON leaves it to separate values only.
            '\n' => text.push(c),
            // Each of them is one UTF-16 unit.
            c if is_hidden(c) => text += &format!("\\u{:04x}", u32::from(c)),
            c => text.push(c),
        }
    }
    text
}

/// Whether a terminal obeys it, or shows nothing and turns what follows.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The innermost cause of an error, which is the one that helps ("connection refused") and that
/// never repeats a URL; one line.
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    one_line(&innermost.to_string())
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
    fn lines_stay_lines_and_json_stays_the_same_value() {
        assert_eq!(escaped_lines("a\nb\u{1b}[2J\r\nc"), "a\nb\\u{1b}[2J\\r\nc");
        let value = serde_json::json!({ "O'Neil\u{9b}2J\n": ["\u{1b}[2J\u{7f}", "\u{202e}脳\u{feff}\u{61c}\u{2028}"] });
        let shown = escaped_json(&value.to_string());
        assert!(!shown.chars().any(is_hidden), "{shown}");
        assert!(shown.contains("O'Neil\\u009b2J\\n") && shown.contains("\\u202e脳\\ufeff"), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).expect("JSON"), value);
    }

    #[test]
    fn a_line_has_200_characters_at_most() {
        assert_eq!(one_line(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(one_line(&"x".repeat(201)), "x".repeat(200) + "...");
        assert_eq!(one_line(&"脳".repeat(1 << 20)).chars().count(), 203);
    }
}
