use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;

fn as_value() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

/// The document that is served is the reviewed one.
#[test]
fn the_document_is_the_reviewed_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
    let reviewed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        reviewed == openapi_json(),
        "the OpenAPI document has changed; review the difference that this makes:\n    \
         cargo run -- openapi > docs/openapi.json && git diff docs/openapi.json"
    );
}

/// It is OpenAPI 3.1, and everything that it refers to is in it.
#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member.as_str() {
                        Some(text) if name == "$ref" => found.push(text.to_owned()),
                        _ => references(member, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = as_value();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

/// Every operation says what it does, how it is answered well and badly, and what each parameter means.
#[test]
fn every_operation_is_described() {
    let document = as_value();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            let at = format!("{method} {path}");
            for member in ["operationId", "summary", "description"] {
                assert!(operation[member].as_str().is_some_and(|text| text.len() > 5), "{at}: {member}");
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["description"].is_string(), "{at}: {parameter}");
            }
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')), "{at}");
            if path.starts_with("/v1/") {
                for status in ["401", "500", "503"] {
                    assert!(responses.contains_key(status), "{at}: {status}");
                }
                assert_eq!(responses.contains_key("403"), path != "/v1/me", "{at}: every role may ask");
                assert_eq!(operation["security"][0]["apiKey"], json!([]), "{at}");
            }
        }
    }
    assert_eq!(operations, 14);
}

/// Every problem in the table is documented at the operations that answer with it; a method that is not allowed belongs
/// to no operation.
#[test]
fn every_problem_is_documented() {
    let document = as_value();
    let mut found = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            for response in operation["responses"].as_object().unwrap().values() {
                let examples = response["content"]["application/problem+json"]["examples"].as_object();
                found.extend(examples.into_iter().flat_map(|examples| examples.keys().cloned()));
            }
        }
    }
    for code in ProblemCode::ALL {
        let expected = code != ProblemCode::MethodNotAllowed;
        assert_eq!(found.contains(code.as_str()), expected, "{}", code.as_str());
    }
}

/// An answer that is a booking has the headers that the responder writes, at every operation.
#[test]
fn answers_with_a_booking_have_their_headers() {
    let document = as_value();
    let headers = |path: &str, status: &str| {
        let (method, path) = path.split_once(' ').unwrap();
        let headers = &document["paths"][path][method]["responses"][status]["headers"];
        let mut headers: BTreeSet<_> =
            headers.as_object().into_iter().flat_map(|headers| headers.keys().cloned()).collect();
        assert!(headers.remove("X-Request-Id"), "every answer carries the request's id");
        for limit in ["RateLimit", "RateLimit-Policy"] {
            assert_eq!(headers.remove(limit), path.starts_with("/v1/"), "{path} {limit}");
        }
        headers
    };
    for (operation, status, expected) in [
        ("post /v1/bookings", "201", &["ETag", "Location", "Preference-Applied"][..]),
        ("post /v1/bookings", "200", &["ETag", "Idempotent-Replayed", "Preference-Applied"]),
        ("put /v1/bookings/{bookingId}", "202", &["ETag", "Location", "Preference-Applied", "Retry-After"]),
        ("delete /v1/bookings/{bookingId}", "200", &["ETag", "Preference-Applied"]),
        (
            "post /v1/bookings/{bookingId}/retry",
            "202",
            &["ETag", "Location", "Preference-Applied", "Retry-After"],
        ),
        ("post /v1/bookings/{bookingId}/check", "200", &["ETag", "Preference-Applied", "Retry-After"]),
        ("get /v1/bookings/{bookingId}", "200", &["ETag", "Preference-Applied", "Retry-After"]),
        ("get /v1/bookings/{bookingId}", "304", &["ETag", "Preference-Applied"]),
        ("get /v1/bookings", "200", &[]),
        ("get /", "303", &["Location"]),
    ] {
        let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(headers(operation, status), expected, "{operation} {status}");
    }
}

fn snake_case(name: &str) -> String {
    name.chars().fold(String::new(), |snake, c| {
        if c.is_ascii_uppercase() {
            format!("{snake}_{}", c.to_ascii_lowercase())
        } else {
            format!("{snake}{c}")
        }
    })
}

/// The menu in the charter of `api` leads from every operation to the file that is named for it.
#[test]
fn every_operation_is_on_the_menu() {
    let menu = include_str!("../mod.rs");
    for (path, item) in as_value()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let file = snake_case(operation["operationId"].as_str().unwrap());
            let route = format!("//! | `{} {path}` |", method.to_uppercase());
            let row = menu.lines().find(|line| line.starts_with(&route));
            assert!(row.is_some_and(|row| row.ends_with(&format!("/{file}.rs` |"))), "{route} {file}.rs");
        }
    }
}
