//! OpenAPI slices made from Microsoft's own metadata, and the check of a JSON value against them.
//!
//! The slices are data beside the repository, not in it: a clone alone does not have them. Where they are missing the
//! tests say so and pass. `GRAPH_OPENAPI_DIR` names another place.

use std::io::Write as _;
use std::path::PathBuf;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The slice of a version, where it is there.
#[expect(clippy::disallowed_methods, reason = "a test has no settings to read this from")]
pub fn slice(version: &str) -> Option<Value> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/graph");
    let folder = std::env::var_os("GRAPH_OPENAPI_DIR").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let path = folder.join(format!("graph-{version}-onlinemeeting.openapi.json"));
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) => {
            // Written past the test harness, which swallows what a passing test prints.
            let told =
                format!("\n*** NOT CHECKED against Microsoft's metadata: {}: {error} ***\n", path.display());
            std::io::stderr().write_all(told.as_bytes()).unwrap();
            None
        }
    }
}

/// Everything in `value` that does not keep to `schema`. Members that the schema does not list are allowed, as they
/// are in Graph's answers, unless `closed`.
pub fn faults(slice: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = slice.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
        return faults(slice, target, value, at);
    }
    if value.is_null() {
        let nullable = schema["nullable"] == true;
        return if nullable { Vec::new() } else { vec![format!("{at} is null")] };
    }
    let mut found = Vec::new();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        found.extend(faults(slice, part, value, at));
    }
    let right_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        _ => true,
    };
    if !right_type {
        found.push(format!("{at} is not of type {}: {value}", schema["type"]));
    }
    if let (Some("date-time"), Some(text)) = (schema["format"].as_str(), value.as_str())
        && OffsetDateTime::parse(text, &Rfc3339).is_err()
        && !at.ends_with("innerError/date")
    {
        found.push(format!("{at} is no time: {text}"));
    }
    if schema["enum"].as_array().is_some_and(|names| !names.contains(value)) {
        found.push(format!("{at} is not one of {}: {value}", schema["enum"]));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            found.push(format!("{at}/{name} is missing"));
        }
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            found.extend(faults(slice, member, value, &format!("{at}/{name}")));
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        found.extend(faults(slice, &schema["items"], item, &format!("{at}/{index}")));
    }
    found
}

/// `createOrGet` in a slice.
pub const COLLECTION: &str = "/paths/~1users~1{user-id}~1onlineMeetings~1createOrGet/post";
/// A meeting in a slice.
pub const ITEM: &str = "/paths/~1users~1{user-id}~1onlineMeetings~1{onlineMeeting-id}";

/// The schema of a body.
pub fn schema<'a>(slice: &'a Value, of: &str) -> &'a Value {
    slice.pointer(&format!("{of}/content/application~1json/schema")).unwrap_or_else(|| panic!("no {of}"))
}
