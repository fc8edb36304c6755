//! Checks values against the document's schemas, for its tests. It knows the keywords that the document uses; another one
//! fails the test, so that none is passed over.

use regex_lite::Regex;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// What says nothing of a value.
const ANNOTATIONS: [&str; 3] = ["description", "example", "examples"];

/// All that is wrong with a value under a schema of the document, each fault with its JSON Pointer.
pub(super) fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, value, "", &mut found);
    found
}

/// Checks the value at a pointer.
fn check(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().unwrap_or_else(|| panic!("{at}: {schema} is no schema")) {
        let holds = match keyword.as_str() {
            "$ref" => {
                let pointer = rule.as_str().unwrap().trim_start_matches('#');
                check(document, document.pointer(pointer).unwrap(), value, at, found);
                true
            }
            "oneOf" => {
                let choices = rule.as_array().unwrap().iter();
                choices.filter(|choice| faults(document, choice, value).is_empty()).count() == 1
            }
            // Both are about the members, and are looked at together.
            "additionalProperties" if schema.get("properties").is_some() => true,
            "properties" | "additionalProperties" => {
                check_members(document, schema, value, at, found);
                true
            }
            "propertyNames" => {
                for name in
                    value.as_object().into_iter().flatten().map(|(name, _)| Value::from(name.as_str()))
                {
                    check(document, rule, &name, at, found);
                }
                true
            }
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(document, rule, item, &format!("{at}/{number}"), found);
                }
                true
            }
            _ => ANNOTATIONS.contains(&keyword.as_str()) || holds_for_itself(keyword, rule, value),
        };
        if !holds {
            found.push(format!("{at}: {value} breaks {keyword} {rule}"));
        }
    }
}

fn check_members(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (name, member) in value.as_object().into_iter().flatten() {
        let at = format!("{at}/{name}");
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Null | Value::Bool(true)) => {}
            (Value::Null, Value::Bool(false)) => found.push(format!("{at}: is not a member")),
            (Value::Null, others) => check(document, others, member, &at, found),
            (own, _) => check(document, own, member, &at, found),
        }
    }
}

/// A keyword that is about a value as a whole. Those about another type than the value's hold.
fn holds_for_itself(keyword: &str, rule: &Value, value: &Value) -> bool {
    let length = value.as_str().map(|text| text.chars().count());
    let at_most = |size: Option<usize>| size.is_none_or(|size| size as u64 <= rule.as_u64().unwrap());
    match keyword {
        "type" => match rule {
            Value::Array(kinds) => kinds.iter().any(|kind| is_of(kind, value)),
            kind => is_of(kind, value),
        },
        "enum" => rule.as_array().unwrap().contains(value),
        "required" => {
            let names = rule.as_array().unwrap().iter().filter_map(Value::as_str);
            value.as_object().is_none_or(|members| names.into_iter().all(|name| members.contains_key(name)))
        }
        "format" => value.as_str().is_none_or(|text| match rule.as_str().unwrap() {
            "date-time" => OffsetDateTime::parse(text, &Rfc3339).is_ok(),
            "uuid" => Uuid::try_parse(text).is_ok(),
            other => panic!("the format {other} is not known here"),
        }),
        "pattern" => {
            value.as_str().is_none_or(|text| Regex::new(rule.as_str().unwrap()).unwrap().is_match(text))
        }
        "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
        "maximum" => value.as_i64().is_none_or(|number| number <= rule.as_i64().unwrap()),
        "minLength" => length.is_none_or(|length| length as u64 >= rule.as_u64().unwrap()),
        "maxLength" => at_most(length),
        "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
        "maxItems" => at_most(value.as_array().map(Vec::len)),
        "maxProperties" => at_most(value.as_object().map(serde_json::Map::len)),
        other => panic!("the keyword {other} is not known here"),
    }
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is not known here"),
    }
}

/// The checker tells good values from bad ones, by each keyword.
#[test]
fn each_keyword_is_checked() {
    use serde_json::json;
    let document = json!({"word": {"enum": ["a", "b"]}});
    for (schema, good, bad) in [
        (json!({"type": "integer", "minimum": 1, "maximum": 3}), json!(3), json!(4)),
        (json!({"type": ["string", "null"]}), json!(null), json!(1)),
        (json!({"$ref": "#/word"}), json!("a"), json!("c")),
        (json!({"oneOf": [{"$ref": "#/word"}, {"type": "null"}]}), json!(null), json!("c")),
        (json!({"items": {"$ref": "#/word"}, "maxItems": 2}), json!(["a", "b"]), json!(["a", "b", "a"])),
        (json!({"items": {"$ref": "#/word"}}), json!([]), json!(["c"])),
        (json!({"required": ["a"]}), json!({"a": 1}), json!({"b": 1})),
        (
            json!({"properties": {"a": {"type": "string"}}, "additionalProperties": false}),
            json!({"a": ""}),
            json!({"b": ""}),
        ),
        (json!({"additionalProperties": {"maxLength": 1}}), json!({"a": "x"}), json!({"a": "xy"})),
        (json!({"properties": {"a": {"minLength": 1}}}), json!({"b": ""}), json!({"a": ""})),
        (json!({"maxProperties": 1}), json!({"a": 1}), json!({"a": 1, "b": 2})),
        (json!({"format": "date-time"}), json!("2026-12-01T09:00:00+01:00"), json!("2026-12-01T09:00:00")),
        (json!({"format": "uuid"}), json!("4b22997d-a5f7-5483-b720-2dee50154e74"), json!("4b22")),
        (json!({"pattern": "^[0-9]+$"}), json!("12"), json!("1a")),
    ] {
        assert_eq!(faults(&document, &schema, &good), [""; 0], "{schema}");
        assert_eq!(faults(&document, &schema, &bad).len(), 1, "{schema}");
    }
}
