//! The document's examples fit its schemas, and its problems are those that are answered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::body::to_bytes;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::document::openapi_json;
use super::forms::is_request;
use super::problem_example::{Answerer, problem_example};
use super::{example, schema_check, words};
use crate::api::bookings::BookingResponder;
use crate::api::fixture::{caller, failed, provisioned, remedies};
use crate::api::problems::{Problem, ProblemCode, overloaded, rate_limited, refused_problem};
use crate::booking::{
    Dtstamp, MeetingSettings, MessageOrder, OrganizerPattern, Reach, Reaches, Sequence, Upn, differences,
    parse_with_id,
};
use crate::meeting::{DesiredState, Failure};
use crate::provisioning::{LookupFailure, Refused};

fn document() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

/// Where in the document a value stands, and the schema that is about it.
struct Example<'a> {
    at: String,
    schema: &'a Value,
    value: &'a Value,
}

/// The examples beside a schema, in a body or a parameter.
fn beside<'a>(at: &str, holder: &'a Value) -> Vec<Example<'a>> {
    let schema = &holder["schema"];
    let named = holder["examples"].as_object().into_iter().flatten();
    let named = named.map(|(name, one)| (name.clone(), &one["value"]));
    let only = holder.get("example").map(|value| ("example".to_owned(), value));
    named.chain(only).map(|(name, value)| Example { at: format!("{at} {name}"), schema, value }).collect()
}

/// Every example of the document.
fn examples(document: &Value) -> Vec<Example<'_>> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let at = format!("{method} {path}");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                found.extend(beside(&format!("{at} {}", parameter["name"]), parameter));
            }
            let responses = operation["responses"].as_object().unwrap().iter();
            let bodies = responses.map(|(status, response)| (status.as_str(), response));
            for (name, holder) in bodies.chain([("request", &operation["requestBody"])]) {
                for content in holder["content"].as_object().into_iter().flat_map(|content| content.values())
                {
                    found.extend(beside(&format!("{at} {name}"), content));
                }
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (member, schema) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = schema.get("example") {
                found.push(Example { at: format!("{name}.{member}"), schema, value });
            }
        }
    }
    found
}

/// Every example is valid under the schema beside it.
#[test]
fn every_example_fits_its_schema() {
    let document = document();
    let examples = examples(&document);
    assert!(examples.len() > 120, "{}", examples.len());
    for Example { at, schema, value } in examples {
        assert_eq!(schema_check::faults(&document, schema, value), [""; 0], "{at}");
    }
}

/// Each list of words stands in the document once, by its name, and is the list that the program uses.
#[test]
fn every_list_of_words_is_the_programs_own() {
    fn lists(value: &Value, found: &mut Vec<Vec<String>>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::Array(words)) = members.get("enum") {
                    found.push(words.iter().map(|word| word.as_str().unwrap().to_owned()).collect());
                }
                members.values().for_each(|member| lists(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| lists(item, found)),
            _ => {}
        }
    }
    let document = document();
    for (name, words) in words::all() {
        assert_eq!(document["components"]["schemas"][name]["enum"], json!(words), "{name}");
    }
    let mut found = Vec::new();
    lists(&document, &mut found);
    let named = document["components"]["schemas"].as_object().unwrap().values();
    assert_eq!(found.len(), named.filter(|schema| schema.get("enum").is_some()).count(), "each has its name");
    let different: BTreeSet<_> = found.iter().collect();
    assert_eq!(found.len(), different.len(), "none stands there twice");
}

/// A member that an answer may leave out is absent then, not null, so that generators make plain types of it. One that a request
/// may leave out may be null, and no other.
#[test]
fn what_may_be_absent_is_null_in_requests_alone() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (member, schema) in schema["properties"].as_object().into_iter().flatten() {
            let (is_required, is_request) = (required.contains(&json!(member)), is_request(name));
            if is_request || !is_required && member != "onlineMeeting" && schema.get("type").is_some() {
                let takes_null = schema_check::faults(&document, schema, &Value::Null).is_empty();
                assert_eq!(takes_null, is_request && !is_required, "{name}.{member}");
            }
        }
    }
}

/// PUT takes what POST takes, and does not need the id, which the path says.
#[test]
fn put_takes_what_post_takes() {
    let document = document();
    let [post, put] =
        ["BookingRequest", "PutBookingRequest"].map(|name| &document["components"]["schemas"][name]);
    let names =
        |schema: &Value| schema["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(post), names(put));
    assert!(names(put).contains(&"settings".to_owned()));
    assert_eq!(
        (post["required"].as_array().unwrap().len(), put["required"].as_array().unwrap().len()),
        (3, 2)
    );
    // What the schema allows is what the program reads: a body with every member, and none without a schema.
    let body = example::channel_request();
    let members: BTreeSet<_> = body.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, names(post).into_iter().collect());
    parse_with_id(body).unwrap();
}

async fn body(problem: Problem, path: &str) -> Value {
    let answer = problem.answer(&TestRequest::with_uri(path).to_http_request());
    serde_json::from_slice(&to_bytes(answer.into_body()).await.unwrap()).unwrap()
}

/// A problem about a booking is answered as its example says, to the letter.
#[actix_web::test]
async fn problems_about_bookings_are_answered_as_in_their_examples() {
    let request = TestRequest::default().to_http_request();
    request.extensions_mut().insert(caller());
    let (booking, remedies) = (provisioned(), remedies());
    let mut cancelled = provisioned();
    cancelled.wanted.desired_state = DesiredState::Cancelled;
    cancelled.observed.meeting.as_mut().unwrap().removed = true;
    (cancelled.revision, cancelled.attempts) = (5, 3);
    let responder = BookingResponder { request: &request, remedies: &remedies, now: booking.updated_at };
    let differing = |member: &str, value: &str| {
        let mut other = example::request();
        other[member] = json!(value);
        differences(&booking.wanted.spec, &parse_with_id(other).unwrap().1)
    };
    let late = MessageOrder {
        sequence: Sequence::new(0),
        dtstamp: Some(Dtstamp::parse("2026-11-23T09:30:00Z").unwrap()),
    };
    let late = late.lateness(booking.wanted.spec.order()).unwrap();
    let because = failed(Failure::GraphUnavailable, Some(503), None).last_error.unwrap();
    let name = Upn::parse("megan@contoso.com").unwrap();
    let failure = LookupFailure { name, because, retry_after: Some(Duration::from_millis(6_500)) };
    for (code, problem) in [
        (
            ProblemCode::BookingDiffers,
            responder.differing(
                ProblemCode::BookingDiffers,
                &booking,
                &differing("startDateTime", "2026-12-01T09:15:00+01:00"),
            ),
        ),
        (
            ProblemCode::OrganizerImmutable,
            responder.organizer_fixed(&booking, &differing("organizer", "megan@contoso.com")),
        ),
        (ProblemCode::GraphUnavailable, responder.unresolved(&booking, &failure)),
        (ProblemCode::BookingCancelled, responder.cancelled(&cancelled)),
        (ProblemCode::StaleSequence, responder.stale(&booking, late)),
        (ProblemCode::RevisionMismatch, responder.revision_mismatch(&booking)),
        (ProblemCode::NothingToRetry, responder.nothing_to_retry(&booking)),
    ] {
        let answerer = Answerer { path: "/v1/bookings/{bookingId}", role: "", parameter: None };
        let mut example = problem_example(code, answerer);
        let mut found = body(problem, "/v1/bookings/BK-1001").await;
        for problem in [&mut example, &mut found] {
            // Of Graph's answer the fixture has only a part.
            (problem["requestId"], problem["graph"]) = (Value::Null, Value::Null);
        }
        assert_eq!(found, example, "{}", code.as_str());
    }
}

/// What a source system may not have, or not so much of, is refused as the examples say, to the letter.
#[actix_web::test]
async fn refusals_are_answered_as_in_their_examples() {
    let spec = |settings: Value| {
        let mut booking = example::smallest_request();
        (booking["organizer"], booking["settings"]) = (json!("megan@contoso.com"), settings);
        parse_with_id(booking).unwrap().1
    };
    let of = caller().source_system;
    let reach = |organizers: &str| {
        let fixed_settings = MeetingSettings::parse(json!({"recordAutomatically": false}), "").unwrap();
        let organizers = vec![OrganizerPattern::parse(organizers).unwrap()];
        let reach = Reach { organizers, channels: false, fixed_settings };
        Reaches::of(BTreeMap::from([(of.clone(), reach)]))
    };
    let organizer = reach("fabrikam.com").check(&of, &spec(json!({}))).unwrap_err();
    let member = reach("*").check(&of, &spec(json!({"recordAutomatically": true}))).unwrap_err();
    let day =
        Refused::Day { source_system: of.clone(), limit: 500, until: Duration::from_millis(50_399_001) };
    let answerer = Answerer { path: "/v1/bookings", role: "", parameter: None };
    for (code, problem) in [
        (ProblemCode::OrganizerNotAllowed, refused_problem(organizer.into())),
        (ProblemCode::MemberNotAllowed, refused_problem(member.into())),
        (ProblemCode::BookingsPerDayExceeded, refused_problem(day)),
    ] {
        let mut example = problem_example(code, answerer);
        let mut found = body(problem, "/v1/bookings").await;
        (example["requestId"], found["requestId"]) = (Value::Null, Value::Null);
        assert_eq!(found, example, "{}", code.as_str());
    }
    let request = TestRequest::with_uri("/v1/bookings").to_http_request();
    let found = to_bytes(rate_limited(&request, 1).into_body()).await.unwrap();
    let mut found: Value = serde_json::from_slice(&found).unwrap();
    let mut example = problem_example(ProblemCode::RateLimited, answerer);
    (example["requestId"], found["requestId"]) = (Value::Null, Value::Null);
    assert_eq!(found, example);
}

/// An example has the members that its code may bring, and no others.
#[actix_web::test]
async fn examples_bring_what_their_codes_bring() {
    let always = ["type", "title", "status", "detail", "instance", "code", "retryable", "requestId"];
    let answerer = Answerer { path: "/v1/bookings", role: "bookings.read", parameter: None };
    for code in ProblemCode::ALL {
        let example = problem_example(code, answerer);
        let expected: BTreeSet<_> = always.iter().chain(code.brings()).copied().collect();
        let found: BTreeSet<_> = example.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(found, expected, "{}", code.as_str());
    }
    let request = TestRequest::with_uri("/v1/bookings").to_http_request();
    let found = to_bytes(overloaded(&request, false).into_body()).await.unwrap();
    let found: Value = serde_json::from_slice(&found).unwrap();
    let example = problem_example(ProblemCode::Overloaded, answerer);
    assert_eq!(
        (&found["detail"], &found["retryAfterSeconds"]),
        (&example["detail"], &example["retryAfterSeconds"])
    );
}
