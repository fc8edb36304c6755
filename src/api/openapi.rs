//! The OpenAPI 3.1 document, generated from the endpoints, the bodies and the table of problems.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{AdditionalProperties, Schema};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi as _, PartialSchema, ToSchema};

use super::body::ProblemBody;
use super::problem::ProblemCode;
use super::{
    delete_booking, get_audit_events, get_booking, get_booking_history, get_bookings, get_problems,
    get_readiness, post_bookings, post_retry, put_booking,
};

/// The document as it is served and kept under review, with a line feed at its end.
pub(crate) fn openapi_json() -> String {
    let mut text = document().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

fn document() -> OpenApi {
    Document::openapi()
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Meeting Provisioner API",
        description = "One booking, one Microsoft Teams meeting, a complete history.\n\nA booking is named by its source \
            system, which the credential says, and its own `bookingId`. Whatever is sent again under the same name is \
            the same booking: repeat any request as often as you like, it can't make a second meeting.\n\nErrors are \
            problems (RFC 9457): decide on `code`; every code is explained under `/problems/{code}`. A path that does \
            not exist answers `not-found`, a method that is not possible `method-not-allowed` with the header `Allow`. \
            Any path may answer `overloaded` (503): send the same again. \
            Times are RFC 3339, answered in UTC.",
        license(name = "MIT", identifier = "MIT"),
    ),
    paths(
        post_bookings::post_bookings,
        get_bookings::get_bookings,
        get_booking::get_booking,
        put_booking::put_booking,
        delete_booking::delete_booking,
        post_retry::post_retry,
        get_booking_history::get_booking_history,
        get_audit_events::get_audit_events,
        get_readiness::get_readiness,
        get_problems::get_problems,
        get_problems::get_problem,
    ),
    components(schemas(ProblemBody<'static>)),
    tags(
        (name = "Bookings", description = "Bookings and their meetings."),
        (name = "History", description = "What happened, who asked for it, and what Graph answered."),
        (name = "Organizers", description = "Whether bookings for an organizer would work."),
        (name = "Problems", description = "What went wrong, explained."),
    ),
    modifiers(&Credentials, &Closed, &Problems),
)]
struct Document;

/// How callers show who they are.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut OpenApi) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.bearer_format = Some("mpk_…".to_owned());
        bearer.description = Some("An API key, which the operator of this service gives you.".to_owned());
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("apiKey", SecurityScheme::Http(bearer));
    }
}

/// A request's objects have no members but those that are listed.
struct Closed;

impl Modify for Closed {
    fn modify(&self, document: &mut OpenApi) {
        for (name, schema) in &mut document.components.get_or_insert_default().schemas {
            if let RefOr::T(Schema::Object(object)) = schema
                && name.starts_with("BookingRequest")
            {
                object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
            }
        }
    }
}

/// Every problem that an operation can answer with, from the table.
struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut OpenApi) {
        for item in document.paths.paths.values_mut() {
            for operation in
                [&mut item.get, &mut item.post, &mut item.put, &mut item.delete].into_iter().flatten()
            {
                let problems = operation.operation_id.as_deref().map_or(&[][..], problems_of);
                add(operation, problems);
            }
        }
    }
}

/// The problems of an operation, as its own file lists them.
fn problems_of(operation_id: &str) -> &'static [ProblemCode] {
    match operation_id {
        "createBooking" => post_bookings::PROBLEMS,
        "listBookings" => get_bookings::PROBLEMS,
        "getBooking" => get_booking::PROBLEMS,
        "putBooking" => put_booking::PROBLEMS,
        "retryBooking" => post_retry::PROBLEMS,
        "deleteBooking" => delete_booking::PROBLEMS,
        "listBookingAuditEvents" => get_booking_history::PROBLEMS,
        "listAuditEvents" => get_audit_events::PROBLEMS,
        "getOrganizerReadiness" => get_readiness::PROBLEMS,
        "getProblem" => get_problems::PROBLEMS,
        _ => &[],
    }
}

fn add(operation: &mut Operation, problems: &[ProblemCode]) {
    let mut by_status: BTreeMap<u16, Vec<ProblemCode>> = BTreeMap::new();
    for problem in problems {
        by_status.entry(problem.words().status).or_default().push(*problem);
    }
    for (status, problems) in by_status {
        operation.responses.responses.insert(status.to_string(), RefOr::T(response(status, &problems)));
    }
}

fn response(status: u16, problems: &[ProblemCode]) -> Response {
    let described: Vec<_> = problems
        .iter()
        .map(|problem| format!("`{}`: {}.", problem.as_str(), problem.words().title))
        .collect();
    let schema = Ref::from_schema_name(ProblemBody::name());
    let examples = problems.iter().map(|problem| {
        let example = utoipa::openapi::example::ExampleBuilder::new()
            .summary(problem.words().title)
            .value(Some(example(*problem)))
            .build();
        (problem.as_str().to_owned(), example)
    });
    let content = ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples).build();
    let mut response =
        ResponseBuilder::new().description(described.join(" ")).content("application/problem+json", content);
    let header = |description: &str| {
        HeaderBuilder::new().schema(Some(String::schema())).description(Some(description)).build()
    };
    if status == 401 {
        response = response.header("WWW-Authenticate", header("`Bearer realm=\"meeting-provisioner\"`."));
    }
    if status == 503 {
        response = response.header("Retry-After", header("After how many seconds to ask again, if known."));
    }
    response.build()
}

fn example(problem: ProblemCode) -> serde_json::Value {
    let words = problem.words();
    let mut example = json!({
        "type": format!("/problems/{}", words.code),
        "title": words.title,
        "status": words.status,
        "detail": words.meaning,
        "instance": "/v1/bookings",
        "code": words.code,
        "retryable": words.retryable,
        "requestId": "019ab0f2-69d0-7f43-8a51-6d0b3c9e2f10",
    });
    let more = match problem {
        ProblemCode::InvalidBooking => {
            json!({"errors": [
                {"pointer": "/organizer", "detail": "is required"},
                {"pointer": "/endDatetime", "detail": "is not a member here; did you mean \"endDateTime\"?"},
            ]})
        }
        ProblemCode::BookingDiffers => json!({"differences": [{
            "field": "startDateTime", "stored": "2026-12-01T08:00:00Z", "requested": "2026-12-01T09:00:00Z",
        }]}),
        ProblemCode::OrganizerNotFound => {
            let booking = super::example::failed();
            let error = &booking["lastError"];
            json!({"graph": error["graph"].clone(), "remedy": error["remedy"].clone(), "booking": booking})
        }
        ProblemCode::StoreUnavailable | ProblemCode::Overloaded => json!({"retryAfterSeconds": 1}),
        _ => json!({}),
    };
    if let (Some(example), serde_json::Value::Object(more)) = (example.as_object_mut(), more) {
        example.extend(more);
    }
    example
}

#[cfg(test)]
#[path = "openapi_tests.rs"]
mod tests;
