//! The OpenAPI document and the service agree: what is made from the document's schemas is taken, what breaks one of their
//! rules is refused by the name of the member.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use reqwest::Method;
use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::support::{ApiResponse, TestApp, Who};

/// How many bodies each schema makes. Which they are is the same in every run.
const BODIES: usize = 60;

/// The schemas of the served document.
struct Schemas {
    document: Value,
}

impl Schemas {
    async fn of(app: &TestApp) -> Self {
        Self { document: app.get(Who::Anonymous, "/openapi.json").await.expect(200).json() }
    }

    fn named(&self, name: &str) -> &Value {
        &self.document["components"]["schemas"][name]
    }

    /// The schema itself where another one names it, or lets null pass as well.
    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let choices = schema["oneOf"].as_array().into_iter().flatten();
        let only = choices.into_iter().find(|choice| !takes_null(choice)).unwrap_or(schema);
        match only["$ref"].as_str() {
            Some(pointer) => self.document.pointer(pointer.trim_start_matches('#')).unwrap(),
            None => only,
        }
    }

    /// Values that keep to a schema. A keyword that is not known here fails, so that none is passed over.
    fn values(&self, schema: &Value) -> BoxedStrategy<Value> {
        let schema = self.resolved(schema);
        for keyword in schema.as_object().unwrap().keys() {
            assert!(KEYWORDS.contains(&keyword.as_str()), "the keyword {keyword} is not known here");
        }
        if let Some(words) = schema["enum"].as_array() {
            return prop::sample::select(words.clone()).boxed();
        }
        let number = |keyword: &str| schema[keyword].as_u64();
        match kind_of(schema) {
            "boolean" => any::<bool>().prop_map(Value::from).boxed(),
            "integer" => {
                (number("minimum").unwrap()..=number("maximum").unwrap()).prop_map(Value::from).boxed()
            }
            "string" => texts(schema),
            // A thousand would be more than a body may hold.
            "array" => {
                prop::collection::vec(self.values(&schema["items"]), 0..4).prop_map(Value::from).boxed()
            }
            "object" if schema["properties"].is_object() => self.objects(schema),
            "object" => {
                let most = usize::try_from(number("maxProperties").unwrap()).unwrap().min(4);
                let names =
                    texts(&schema["propertyNames"]).prop_map(|name| name.as_str().unwrap().to_owned());
                let pairs =
                    prop::collection::vec((names, self.values(&schema["additionalProperties"])), 0..=most);
                pairs.prop_map(|pairs| Value::Object(pairs.into_iter().collect())).boxed()
            }
            other => panic!("the type {other} is not known here"),
        }
    }

    /// Objects with the required members, and some of the others.
    fn objects(&self, schema: &Value) -> BoxedStrategy<Value> {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap()).collect();
        let mut objects = Just(Map::new()).boxed();
        for (name, member) in schema["properties"].as_object().unwrap() {
            let values = self.values(member);
            let (is_required, takes_null) = (required.contains(&name.as_str()), takes_null(member));
            let values = prop_oneof![
                4 => values.prop_map(Some),
                u32::from(takes_null) => Just(Some(Value::Null)),
                3 * u32::from(!is_required) => Just(None),
            ];
            let name = name.clone();
            objects = (objects, values)
                .prop_map(move |(mut object, value)| {
                    object.extend(value.map(|value| (name.clone(), value)));
                    object
                })
                .boxed();
        }
        objects.prop_map(Value::Object).boxed()
    }

    /// Every value that breaks one rule of one member, with the member's JSON Pointer; `at` is the object's own.
    fn broken(&self, schema: &Value, at: &str) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        for (name, member) in self.resolved(schema)["properties"].as_object().unwrap() {
            let at = format!("{at}/{name}");
            if !takes_null(member) {
                found.push((at.clone(), Value::Null));
            }
            let member = self.resolved(member);
            let kind = kind_of(member);
            for (other, value) in [
                ("boolean", json!(true)),
                ("integer", json!(7)),
                ("string", json!("text")),
                ("array", json!([])),
                ("object", json!({})),
            ] {
                if other != kind {
                    found.push((at.clone(), value));
                }
            }
            if member["enum"].is_array() {
                found.push((at.clone(), json!("no such word")));
            }
            let text = |length: u64| json!("x".repeat(usize::try_from(length).unwrap()));
            found.extend(member["maxLength"].as_u64().map(|most| (at.clone(), text(most + 1))));
            found.extend(member["minLength"].as_u64().map(|least| (at.clone(), text(least - 1))));
            found.extend(
                member["format"].as_str().filter(|_| kind == "string").map(|_| (at.clone(), json!("1"))),
            );
            found.extend(member["pattern"].as_str().map(|_| (at.clone(), json!("\0"))));
            found.extend(member["minimum"].as_i64().map(|least| (at.clone(), json!(least - 1))));
            found.extend(member["maximum"].as_i64().map(|most| (at.clone(), json!(most + 1))));
            if kind == "object" && member["properties"].is_object() {
                found.extend(self.broken(member, &at));
                found.push((format!("{at}/unheardOf"), json!(1)));
            }
        }
        found
    }
}

/// Whether null keeps to a schema.
fn takes_null(schema: &Value) -> bool {
    schema["type"] == "null"
        || schema["type"].as_array().into_iter().flatten().any(|kind| kind == "null")
        || schema["oneOf"].as_array().into_iter().flatten().any(takes_null)
}

/// The type of what isn't null.
fn kind_of(schema: &Value) -> &str {
    let kinds = schema["type"].as_array().into_iter().flatten().chain([&schema["type"]]);
    kinds.filter_map(Value::as_str).find(|kind| *kind != "null").unwrap()
}

const KEYWORDS: [&str; 18] = [
    "$ref",
    "additionalProperties",
    "description",
    "enum",
    "example",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minLength",
    "minimum",
    "pattern",
    "properties",
    "propertyNames",
    "required",
    "type",
];

/// Texts of a format, a pattern or any characters. A time of the years that the document allows is made of the number of its
/// second and an offset.
fn texts(schema: &Value) -> BoxedStrategy<Value> {
    let length = |keyword: &str| schema[keyword].as_u64().map(|length| usize::try_from(length).unwrap());
    let (least, most) = (length("minLength").unwrap_or(0), length("maxLength").unwrap_or(usize::MAX));
    match (schema["format"].as_str(), schema["pattern"].as_str()) {
        (Some("date-time"), Some(_)) => (-2_145_916_800_i64..253_000_000_000, -23_i32..24)
            .prop_map(|(second, hours)| {
                let time = OffsetDateTime::from_unix_timestamp(second).unwrap();
                let local = time.to_offset(time::UtcOffset::from_whole_seconds(hours * 3_600).unwrap());
                Value::from(local.format(&Rfc3339).unwrap())
            })
            .boxed(),
        (Some("uuid"), None) => any::<u128>().prop_map(|bits| json!(uuid::Uuid::from_u128(bits))).boxed(),
        (None, Some(pattern)) => {
            let inner = pattern.trim_start_matches('^').trim_end_matches('$');
            let texts =
                prop::string::string_regex(inner).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            texts
                .prop_map(move |text| text.chars().take(most).collect::<String>())
                .prop_filter("the pattern and the lengths", {
                    let pattern = regex_lite::Regex::new(pattern).unwrap();
                    move |text| text.chars().count() >= least && pattern.is_match(text)
                })
                .prop_map(Value::from)
                .boxed()
        }
        other => panic!("{other:?} is not known here"),
    }
}

/// Brings a body into line with the rules between members, which a schema can't say: it ends after it starts, no attendee comes
/// twice, and it names the booking of the path.
fn in_line(mut body: Value, booking_id: &str) -> Value {
    if body["endDateTime"].is_string() {
        let start = OffsetDateTime::parse(body["startDateTime"].as_str().unwrap(), &Rfc3339).unwrap();
        body["endDateTime"] = json!((start + Duration::days(400)).format(&Rfc3339).unwrap());
    }
    if let Some(attendees) = body["attendees"].as_array_mut() {
        let mut seen = BTreeSet::new();
        attendees.retain(|person| seen.insert(person["upn"].as_str().unwrap().to_lowercase()));
    }
    if body["bookingId"].is_string() {
        body["bookingId"] = json!(booking_id);
    }
    body
}

/// What is made from the schemas is a booking: both parsers take it. Nothing is asked of Graph here, for only the form counts.
#[tokio::test]
async fn what_keeps_to_the_schemas_is_taken() {
    let app = TestApp::start().await;
    let schemas = Schemas::of(&app).await;
    let mut runner = TestRunner::deterministic();
    for (method, name) in [(Method::POST, "BookingRequest"), (Method::PUT, "PutBookingRequest")] {
        let bodies = schemas.values(schemas.named(name));
        for number in 0..BODIES {
            let id = format!("{name}-{number}");
            let body = in_line(bodies.new_tree(&mut runner).unwrap().current(), &id);
            let path =
                if method == Method::PUT { format!("/v1/bookings/{id}") } else { "/v1/bookings".to_owned() };
            let request = app.request(Who::Desk, method.clone(), &path).header("Prefer", "respond-async");
            let answer = ApiResponse::read(request.json(&body).send().await.unwrap()).await;
            assert!(
                [201, 202].contains(&answer.status),
                "{method} {body:#}: {} {}",
                answer.status,
                answer.json()
            );
        }
    }
    app.end_with_work_left().await;
}

/// One broken rule at a time is refused, and the answer names the member.
#[tokio::test]
async fn what_breaks_a_schema_is_refused_by_name() {
    let app = TestApp::start().await;
    let schemas = Schemas::of(&app).await;
    let good = crate::support::booking_with("BK-1", json!({}));
    let cases = schemas.broken(schemas.named("BookingRequest"), "");
    assert!(cases.len() > 100, "{}", cases.len());
    assert!(cases.contains(&("/chatInfo/threadId".to_owned(), Value::Null)));
    for (pointer, value) in cases {
        let mut body = good.clone();
        put(&mut body, &pointer, value.clone());
        let problem = app.book(Who::Desk, &body).await.problem(422, "invalid-booking");
        let errors = problem["errors"].as_array().unwrap();
        assert!(errors.iter().any(|error| error["pointer"] == *pointer), "{pointer} {value}: {errors:?}");
    }
    let schema = schemas.named("BookingRequest");
    for name in schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()) {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name);
        let problem = app.book(Who::Desk, &body).await.problem(422, "invalid-booking");
        assert_eq!(problem["errors"][0]["pointer"], json!(format!("/{name}")));
    }
    app.end().await;
}

/// Puts a value at a JSON Pointer, making the objects on the way.
fn put(body: &mut Value, pointer: &str, value: Value) {
    let mut at = body;
    for name in pointer.split('/').skip(1) {
        if at.is_null() {
            *at = json!({});
        }
        at = &mut at[name];
    }
    *at = value;
}
