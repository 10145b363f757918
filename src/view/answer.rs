//! What a command answers: its result, or why there is none.

use super::code::Code;
use super::values::SCHEMA;
use serde::Serialize;

/// The result of a command.
#[derive(Debug, Clone, Serialize)]
pub struct AnswerView<'a, T> {
    schema: &'static str,
    command: &'a str,
    result: T,
}

impl<'a, T> AnswerView<'a, T> {
    /// The answer of this command.
    pub fn new(command: &'a str, result: T) -> Self {
        Self { schema: SCHEMA, command, result }
    }
}

/// A command that came to nothing.
#[derive(Debug, Clone, Serialize)]
pub struct RefusalView<'a> {
    schema: &'static str,
    /// Null where what was asked for names no command.
    command: Option<&'a str>,
    error: ErrorView,
}

impl<'a> RefusalView<'a> {
    /// Why this command came to nothing.
    pub fn new(command: Option<&'a str>, error: ErrorView) -> Self {
        Self { schema: SCHEMA, command, error }
    }
}

/// An error: its code, what went wrong, and what to do where something is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorView {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;

    #[test]
    fn answers_look_as_they_always_did() {
        let result = serde_json::json!({ "b": 1, "a": null });
        assert_eq!(
            json(AnswerView::new("show", result)).to_string(),
            r#"{"command":"show","result":{"a":null,"b":1},"schema":"medseal/cli/v1"}"#
        );
        let error = |hint: Option<&str>| ErrorView {
            code: Code::UnknownImage,
            message: "no such image".to_owned(),
            hint: hint.map(str::to_owned),
        };
        assert_eq!(
            json(RefusalView::new(Some("show"), error(Some("look again")))).to_string(),
            concat!(
                r#"{"command":"show","error":{"code":"UNKNOWN_IMAGE","hint":"look again","#,
                r#""message":"no such image"},"schema":"medseal/cli/v1"}"#,
            )
        );
        assert_eq!(
            json(RefusalView::new(None, error(None))).to_string(),
            concat!(
                r#"{"command":null,"error":{"code":"UNKNOWN_IMAGE","hint":null,"message":"no such image"},"#,
                r#""schema":"medseal/cli/v1"}"#,
            )
        );
    }
}
