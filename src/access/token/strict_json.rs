//! Reads the JSON of a token, which a stranger may have written: no member twice, and no deep nesting.

use serde_json::{Map, Value};

use crate::booking::read_json;

/// How deep objects and lists may be nested. Keycloak's `resource_access` needs three levels.
const DEPTH_MAX: u32 = 8;

/// Reads one whole JSON object. `None` where it is not one: not JSON, a member that appears twice (readers disagree on
/// which one counts), or nested deeper than [`DEPTH_MAX`].
pub(super) fn read_object(bytes: &[u8]) -> Option<Map<String, Value>> {
    let (value, faults) = read_json(bytes).ok()?;
    match value {
        Value::Object(_) if !faults.is_empty() || !is_within(&value, DEPTH_MAX) => None,
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Whether a value has so many levels of objects and lists at most.
fn is_within(value: &Value, levels: u32) -> bool {
    match (value, levels.checked_sub(1)) {
        (Value::Object(_) | Value::Array(_), None) => false,
        (Value::Object(members), Some(inner)) => members.values().all(|value| is_within(value, inner)),
        (Value::Array(items), Some(inner)) => items.iter().all(|item| is_within(item, inner)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_plain_objects_are_read() {
        let nested = |levels: usize| format!("{}{}", "{\"a\":".repeat(levels) + "1", "}".repeat(levels));
        let depth_max = usize::try_from(DEPTH_MAX).unwrap();
        for (text, is_read) in [
            (r#"{"a":1,"b":[true,null,-1,1.5,"\u00fc"],"c":{}}"#, true),
            (&nested(depth_max), true),
            (&nested(depth_max + 1), false),
            (&format!("{{\"a\":{}1{}}}", "[".repeat(depth_max), "]".repeat(depth_max)), false),
            (&"[".repeat(100_000), false),
            (&nested(10_000), false),
            (r#"{"a":1,"a":1}"#, false),
            (r#"{"a":{"b":1,"b":2}}"#, false),
            (r#"{"a":1,"\u0061":2}"#, false),
            (r#"{"a":1} x"#, false),
            ("[]", false),
            ("1", false),
            ("", false),
            ("{\"a\":NaN}", false),
            ("{\"a\":1e999}", false),
        ] {
            let read = read_object(text.as_bytes());
            assert_eq!(read.is_some(), is_read, "{}", &text[..text.len().min(60)]);
            if let Some(read) = read {
                assert_eq!(Value::Object(read), serde_json::from_str::<Value>(text).unwrap());
            }
        }
        assert!(read_object(b"{\"a\":\"\xff\"}").is_none());
    }

    proptest! {
        /// Whatever the bytes, the reader ends, and what it reads a plain reader reads, too.
        #[test]
        fn what_is_read_is_what_a_plain_reader_reads(text in "[{}\\[\\]\":,a0-9 ]{0,60}") {
            if let Some(read) = read_object(text.as_bytes()) {
                prop_assert_eq!(Value::Object(read), serde_json::from_str::<Value>(&text).unwrap());
            }
        }
    }
}
