//! Answers and requests held against OpenAPI slices made from Microsoft's own metadata.
//!
//! The slices are data beside the repository, not in it: a clone alone does not have them. Where they are missing the
//! test says so and passes. `GRAPH_OPENAPI_DIR` names another place.

use std::io::Write as _;
use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::fixture::{ANNA, Fixture, encoded, read};

#[expect(clippy::disallowed_methods, reason = "a test has no settings to read this from")]
fn slice(version: &str) -> Option<Value> {
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
fn faults(slice: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
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

const COLLECTION: &str = "/paths/~1users~1{user-id}~1onlineMeetings~1createOrGet/post";
const ITEM: &str = "/paths/~1users~1{user-id}~1onlineMeetings~1{onlineMeeting-id}";

fn schema<'a>(slice: &'a Value, of: &str) -> &'a Value {
    slice.pointer(&format!("{of}/content/application~1json/schema")).unwrap_or_else(|| panic!("no {of}"))
}

/// Microsoft's own example of createOrGet; the chat belongs to beta.
fn example(version: &str) -> Value {
    let mut body = json!({
        "startDateTime": "2020-02-06T01:49:21.3524945+00:00",
        "endDateTime": "2020-02-06T02:19:21.3524945+00:00",
        "subject": "Create a meeting with customId provided",
        "externalId": "7eb8263f-d0e0-4149-bb1c-1f0476083c56",
        "participants": { "attendees": [{
            "identity": { "user": { "id": "1f35f2e6-9cab-44ad-8d5a-b74c14720000" } },
            "role": "presenter",
            "upn": "test1@contoso.com",
        }] },
    });
    if version == "beta" {
        body["chatInfo"] = json!({ "threadId": "19:7ebda77322dd4505ac4dedb5b67df076@thread.tacv2" });
    }
    body
}

#[tokio::test]
async fn every_answer_keeps_to_microsofts_metadata() {
    for version in ["v1.0", "beta"] {
        let Some(slice) = slice(version) else { continue };
        let fixture = Fixture::start().await;
        let create = format!("/{version}/users/{ANNA}/onlineMeetings/createOrGet");
        let body = example(version);
        let wanted = schema(&slice, &format!("{COLLECTION}/requestBody"));
        assert_eq!(faults(&slice, wanted, &body, ""), [""; 0]);
        let mut id = String::new();
        for status in ["201", "200"] {
            let answer = fixture.send(Method::POST, &create, Some(&body)).await.unwrap();
            assert_eq!(answer.status().as_str(), status);
            let meeting = read(answer).await.1;
            assert_eq!(
                faults(&slice, schema(&slice, &format!("{COLLECTION}/responses/{status}")), &meeting, ""),
                [""; 0]
            );
            assert_eq!(meeting["startDateTime"], "2020-02-06T01:49:21.3524945Z");
            meeting["id"].as_str().unwrap().clone_into(&mut id);
        }
        let item = format!("/{version}/users/{ANNA}/onlineMeetings/{}", encoded(&id));
        let change =
            json!({ "lobbyBypassSettings": { "scope": "organizer" }, "allowedPresenters": "organizer" });
        let wanted = schema(&slice, &format!("{ITEM}/patch/requestBody"));
        assert_eq!(faults(&slice, wanted, &change, ""), [""; 0]);
        for (method, name, body) in [(Method::GET, "get", None), (Method::PATCH, "patch", Some(&change))] {
            let meeting = read(fixture.send(method, &item, body).await.unwrap()).await.1;
            let wanted = schema(&slice, &format!("{ITEM}/{name}/responses/200"));
            assert_eq!(faults(&slice, wanted, &meeting, ""), [""; 0]);
        }
        let refusal = read(fixture.send(Method::POST, &create, Some(&json!({}))).await.unwrap()).await.1;
        let wanted = schema(&slice, "/components/responses/error");
        assert_eq!(faults(&slice, wanted, &refusal, ""), [""; 0]);
    }
}

#[tokio::test]
async fn create_or_get_takes_exactly_the_parameters_of_the_metadata() {
    for version in ["v1.0", "beta"] {
        let Some(slice) = slice(version) else { continue };
        let listed = schema(&slice, &format!("{COLLECTION}/requestBody"))["properties"].clone();
        let fixture = Fixture::start().await;
        let path = format!("/{version}/users/{ANNA}/onlineMeetings/createOrGet");
        let candidates =
            ["externalId", "subject", "startDateTime", "endDateTime", "participants", "chatInfo", "id"];
        for (index, name) in candidates.into_iter().enumerate() {
            let mut body =
                json!({ "externalId": index.to_string(), "startDateTime": "2020-01-01T00:00:00Z" });
            if name != "externalId" {
                body[name] = example("beta").get(name).cloned().unwrap_or_default();
            }
            let status = fixture.send(Method::POST, &path, Some(&body)).await.unwrap().status();
            assert_eq!(status == 201, listed.get(name).is_some(), "{version} {name}: {status}");
        }
    }
}

#[test]
fn the_check_itself_finds_what_is_wrong() {
    let slice = json!({});
    let schema = json!({
        "type": "object", "required": ["a"],
        "properties": { "b": { "type": "string", "enum": ["x"] }, "c": { "type": "string", "format": "date-time" } },
    });
    let found = faults(&slice, &schema, &json!({ "b": "y", "c": "soon" }), "");
    assert_eq!(found.len(), 3, "{found:?}");
}
