//! The document, and what follows in it from rules: the credential, closed request objects, problems and headers.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{AdditionalProperties, Schema};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi as _, PartialSchema, ToSchema};

use super::example;
use crate::api::bookings::{
    self, create_booking, delete_booking, get_booking, list_bookings, put_booking, retry_booking,
};
use crate::api::documents::get_root;
use crate::api::history::{list_audit_events, list_booking_audit_events};
use crate::api::organizers::get_organizer_readiness;
use crate::api::problems::{ProblemBody, ProblemCode, get_problem, list_problems};

/// The document as it is served and reviewed, with a line feed at its end.
pub(crate) fn openapi_json() -> String {
    let mut text = Document::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Meeting Provisioner API",
        description = "One booking, one Microsoft Teams meeting, a complete history.\n\nA booking is named by its source \
            system, which the credential says, and its own `bookingId`. A request that is sent again under the same name \
            is about the same booking: repeat any request as often as you like, it can't make a second meeting.\n\nErrors \
            are problems (RFC 9457): decide on `code`; every code is explained under `/problems/{code}`. A path that does \
            not exist answers `not-found`, a method that is not possible `method-not-allowed` with the header `Allow`. \
            Any path may answer `overloaded` (503): send the same request again. \
            Times are RFC 3339, answered in UTC.",
        license(name = "MIT", identifier = "MIT"),
    ),
    paths(
        create_booking::create_booking,
        list_bookings::list_bookings,
        get_booking::get_booking,
        put_booking::put_booking,
        delete_booking::delete_booking,
        retry_booking::retry_booking,
        list_booking_audit_events::list_booking_audit_events,
        list_audit_events::list_audit_events,
        get_organizer_readiness::get_organizer_readiness,
        list_problems::list_problems,
        get_problem::get_problem,
        get_root::get_root,
    ),
    components(schemas(ProblemBody<'static>)),
    tags(
        (name = "Bookings", description = "Bookings and their meetings."),
        (name = "History", description = "What happened, who requested it, and what Graph answered."),
        (name = "Organizers", description = "Whether bookings for an organizer would work."),
        (name = "Problems", description = "What went wrong, explained."),
        (name = "Service", description = "What this service is, and where its documents are."),
    ),
    modifiers(&Credentials, &Closed, &BookingHeaders, &Problems),
)]
struct Document;

/// How callers authenticate.
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

/// The headers of every answer that is a booking, as `BookingResponder` writes them.
struct BookingHeaders;

impl Modify for BookingHeaders {
    fn modify(&self, document: &mut OpenApi) {
        for operation in operations(document) {
            let prefers = operation
                .parameters
                .iter()
                .flatten()
                .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == "Prefer"));
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response
                    && (holds_booking(response) || status == "304")
                {
                    add_booking_headers(status, response, prefers);
                }
            }
        }
    }
}

fn operations(document: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    let items = document.paths.paths.values_mut();
    items.flat_map(|item| [&mut item.get, &mut item.post, &mut item.put, &mut item.delete]).flatten()
}

fn holds_booking(response: &Response) -> bool {
    let booking = Ref::from_schema_name(bookings::BookingBody::name());
    response.content.values().any(|content| {
        matches!(content, RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. })
            if schema.ref_location == booking.ref_location)
    })
}

fn add_booking_headers(status: &str, response: &mut Response, prefers: bool) {
    let mut add = |name: &str, header: Header| {
        response.headers.insert(name.to_owned(), RefOr::T(header));
    };
    add("ETag", text_header("`\"<generation>.<revision>\"`."));
    match status {
        "201" => add("Location", text_header("The booking.")),
        "202" => {
            add("Location", text_header("The booking, for polling."));
            add("Retry-After", number_header("After how many seconds to poll again."));
        }
        _ => {}
    }
    if prefers {
        add("Preference-Applied", text_header("The preferences that were applied, if any."));
    }
}

fn text_header(description: &str) -> Header {
    HeaderBuilder::new().schema(Some(String::schema())).description(Some(description)).build()
}

fn number_header(description: &str) -> Header {
    HeaderBuilder::new().schema(Some(u64::schema())).description(Some(description)).build()
}

/// Every problem that an operation can answer with, from the table.
struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut OpenApi) {
        for operation in operations(document) {
            let groups = operation.operation_id.as_deref().map_or(&[][..], problems_of);
            let mut by_status: BTreeMap<u16, Vec<ProblemCode>> = BTreeMap::new();
            let documented = |code: &ProblemCode| groups.iter().any(|group| group.contains(code));
            for problem in ProblemCode::ALL.into_iter().filter(documented) {
                by_status.entry(problem.texts().status).or_default().push(problem);
            }
            for (status, problems) in by_status {
                let response = RefOr::T(response(status, &problems));
                operation.responses.responses.insert(status.to_string(), response);
            }
        }
    }
}

/// The problems of an operation, as its own file lists them.
fn problems_of(operation_id: &str) -> &'static [&'static [ProblemCode]] {
    match operation_id {
        "createBooking" => create_booking::PROBLEMS,
        "listBookings" => list_bookings::PROBLEMS,
        "getBooking" => get_booking::PROBLEMS,
        "putBooking" => put_booking::PROBLEMS,
        "retryBooking" => retry_booking::PROBLEMS,
        "deleteBooking" => delete_booking::PROBLEMS,
        "listBookingAuditEvents" => list_booking_audit_events::PROBLEMS,
        "listAuditEvents" => list_audit_events::PROBLEMS,
        "getOrganizerReadiness" => get_organizer_readiness::PROBLEMS,
        "getProblem" => get_problem::PROBLEMS,
        _ => &[],
    }
}

fn response(status: u16, problems: &[ProblemCode]) -> Response {
    let described: Vec<_> = problems
        .iter()
        .map(|problem| format!("`{}`: {}.", problem.as_str(), problem.texts().title))
        .collect();
    let schema = Ref::from_schema_name(ProblemBody::name());
    let examples = problems.iter().map(|problem| {
        let example = utoipa::openapi::example::ExampleBuilder::new()
            .summary(problem.texts().title)
            .value(Some(example(*problem)))
            .build();
        (problem.as_str().to_owned(), example)
    });
    let content = ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples).build();
    let mut response =
        ResponseBuilder::new().description(described.join(" ")).content("application/problem+json", content);
    if status == 401 {
        response =
            response.header("WWW-Authenticate", text_header("`Bearer realm=\"meeting-provisioner\"`."));
    }
    if status == 503 {
        response = response.header(
            "Retry-After",
            text_header("After how many seconds to send the request again, if known."),
        );
    }
    response.build()
}

fn example(problem: ProblemCode) -> serde_json::Value {
    let texts = problem.texts();
    let mut example = json!({
        "type": format!("/problems/{}", texts.code),
        "title": texts.title,
        "status": texts.status,
        "detail": texts.meaning,
        "instance": "/v1/bookings",
        "code": texts.code,
        "retryable": texts.retryable,
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
            let booking = example::failed();
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
#[path = "document_tests.rs"]
mod tests;
