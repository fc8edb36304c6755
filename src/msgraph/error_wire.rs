//! Graph's error envelope, in all its spellings.

use serde_json::{Map, Value};

use super::text::{clean, without_mark};

/// How much of an answer that is no envelope is kept, in characters: enough to recognize a proxy's page.
const FOREIGN_CHARACTERS_MAX: usize = 200;

/// What an error answer says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct GraphError {
    /// Graph's code; none when empty, which it may be.
    pub(super) code: Option<String>,
    /// Its message.
    pub(super) message: Option<String>,
    /// `request-id` of the inner error, for answers without that header.
    pub(super) request_id: Option<String>,
}

/// Whether this is Graph's envelope: an `error` with a `code` that is text, be it empty. Gateways of other makers number
/// theirs.
pub(super) fn is_envelope(body: &[u8]) -> bool {
    error(body).is_some_and(|error| member(&error, "code").is_some_and(Value::is_string))
}

/// Reads `{"error": {"code", "message", "innerError" | "innererror": {…}}}`; never fails.
pub(super) fn read(body: &[u8]) -> GraphError {
    if says_nothing(body) {
        return GraphError::default();
    }
    let Some(error) = &error(body) else {
        let message = excerpt(body).map(|text| format!("not Graph's error envelope: {text}"));
        return GraphError { message, ..GraphError::default() };
    };
    let inner = match member(error, "innererror") {
        Some(Value::Object(inner)) => Some(inner),
        _ => None,
    };
    let inner_text = |name| inner.and_then(|inner| text(inner, name));
    GraphError {
        code: text(error, "code").or_else(|| inner_text("code")),
        message: text(error, "message").or_else(|| inner_text("message")),
        request_id: inner_text("request-id"),
    }
}

/// Whether a body holds nothing at all: no byte but blanks and a byte order mark, or JSON without a value in it, such as
/// `null`, `{}`, `""` or `{"error": {}}`.
pub(super) fn says_nothing(body: &[u8]) -> bool {
    let body = without_mark(body).trim_ascii();
    if body.is_empty() {
        return true;
    }
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return false };
    let mut left = vec![&value];
    while let Some(value) = left.pop() {
        match value {
            Value::Null => {}
            Value::String(text) if text.trim().is_empty() => {}
            Value::Array(values) => left.extend(values),
            Value::Object(members) => left.extend(members.values()),
            Value::String(_) | Value::Bool(_) | Value::Number(_) => return false,
        }
    }
    true
}

/// The beginning of an answer that is not Graph's; none of an empty one.
pub(super) fn excerpt(body: &[u8]) -> Option<String> {
    let text: String = String::from_utf8_lossy(body).trim().chars().take(FOREIGN_CHARACTERS_MAX).collect();
    (!text.is_empty()).then(|| clean(&text))
}

fn error(body: &[u8]) -> Option<Map<String, Value>> {
    let Ok(Value::Object(mut envelope)) = serde_json::from_slice(without_mark(body)) else { return None };
    let name = envelope.keys().find(|name| name.eq_ignore_ascii_case("error"))?.clone();
    match envelope.remove(&name) {
        Some(Value::Object(error)) => Some(error),
        _ => None,
    }
}

fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn text(object: &Map<String, Value>, name: &str) -> Option<String> {
    member(object, name)?.as_str().filter(|text| !text.is_empty()).map(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: Option<&str>, message: Option<&str>, request_id: Option<&str>) -> GraphError {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        GraphError { code: owned(code), message: owned(message), request_id: owned(request_id) }
    }

    /// Both spellings of the inner error, empty codes, nulls, and answers that aren't Graph's at all.
    #[test]
    fn every_spelling_of_the_envelope_is_read() {
        let table = [
            (
                r#"{"error":{"code":"Forbidden","message":"No.","innerError":{"request-id":"r1","date":"d"}}}"#,
                error(Some("Forbidden"), Some("No."), Some("r1")),
            ),
            (
                r#"{"error":{"code":"","message":null,"innererror":{"code":"Inner","request-id":"r2"},"x":1}}"#,
                error(Some("Inner"), None, Some("r2")),
            ),
            (
                r#"{"error":{"code":"UnknownError","message":"","innerError":null}}"#,
                error(Some("UnknownError"), None, None),
            ),
            (r#"{"Error":{"Code":"A","Message":"B"}}"#, error(Some("A"), Some("B"), None)),
            (r#"{"error":{}}"#, error(None, None, None)),
            ("\u{feff}{\"error\":{\"code\":\"A\"}}", error(Some("A"), None, None)),
            ("", error(None, None, None)),
            (" \r\n", error(None, None, None)),
            ("\u{feff}", error(None, None, None)),
            ("\u{feff}{}", error(None, None, None)),
            ("null", error(None, None, None)),
            (r#""""#, error(None, None, None)),
            ("[]", error(None, None, None)),
            ("[{}]", error(None, None, None)),
            (r#"{"error":null}"#, error(None, None, None)),
            (r#"{"error":""}"#, error(None, None, None)),
            (r#"{"error":{"innerError":{"request-id":"r3"}}}"#, error(None, None, Some("r3"))),
            ("{\"error\":7}", error(None, Some("not Graph's error envelope: {\"error\":7}"), None)),
            ("{\"error\":\"x\"}", error(None, Some("not Graph's error envelope: {\"error\":\"x\"}"), None)),
            ("<html>", error(None, Some("not Graph's error envelope: <html>"), None)),
            (r#"{"error":{"message":"a\u0000b"}}"#, error(None, Some("a\u{fffd}b"), None)),
        ];
        for (body, expected) in table {
            assert_eq!(read(body.as_bytes()), expected, "{body}");
        }
        let long = format!(r#"{{"error":{{"message":"{}"}}}}"#, "é".repeat(3_000));
        assert_eq!(read(long.as_bytes()).message.unwrap().chars().count(), 2_000);
        assert!(read("ü".repeat(3_000).as_bytes()).message.unwrap().chars().count() < 300);
    }
}
