//! The document, and what follows in it from rules: the credential, closed request objects, problems and headers.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::schema::{AdditionalProperties, Schema};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi as _, PartialSchema, ToSchema};

use super::absent::Absent;
use super::forms::{Forms, is_request};
use super::problem_example::{Answerer, problem_example};
use super::words;
use crate::access::Action;
use crate::api::bookings::{
    self, check_booking, create_booking, delete_booking, get_booking, list_bookings, put_booking,
    retry_booking,
};
use crate::api::callers::get_caller;
use crate::api::documents::get_root;
use crate::api::history::{list_audit_events, list_booking_audit_events};
use crate::api::organizers::get_organizer_readiness;
use crate::api::problems::{ProblemBody, ProblemCode, get_problem, list_problems};

/// The document as it is served and reviewed, with a line feed at its end. Characters beyond U+FFFF, which stand in patterns and
/// which no editor shows, are written as escapes (RFC 8259, 7).
pub(crate) fn openapi_json() -> String {
    let text = Document::openapi().to_pretty_json().unwrap_or_default();
    let mut shown = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if u32::from(c) <= 0xFFFF {
            shown.push(c);
        } else {
            shown.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")));
        }
    }
    shown.push('\n');
    shown
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
            Times are RFC 3339, answered in UTC.\n\nEvery answer carries `X-Request-Id`, a new one for each request: an \
            `X-Request-Id` of yours is not read. Send a W3C `traceparent` instead; the history keeps it and Graph gets it.\n\n\
            Later versions under /v1 may add members, words, codes, event types and headers: ignore what you don't know.",
        license(name = "MIT", identifier = "MIT"),
    ),
    paths(
        create_booking::create_booking,
        list_bookings::list_bookings,
        get_booking::get_booking,
        put_booking::put_booking,
        delete_booking::delete_booking,
        retry_booking::retry_booking,
        check_booking::check_booking,
        list_booking_audit_events::list_booking_audit_events,
        list_audit_events::list_audit_events,
        get_organizer_readiness::get_organizer_readiness,
        get_caller::get_caller,
        list_problems::list_problems,
        get_problem::get_problem,
        get_root::get_root,
    ),
    servers((url = "/", description = "The service that answers with this document.")),
    external_docs(url = "/problems", description = "Every problem, explained."),
    components(schemas(ProblemBody<'static>)),
    tags(
        (name = "Bookings", description = "Bookings and their meetings."),
        (name = "History", description = "What happened, who requested it, and what Graph answered."),
        (name = "Organizers", description = "Whether bookings for an organizer would work."),
        (name = "Problems", description = "What went wrong, explained."),
        (name = "Service", description = "What this service is, and where its documents are."),
    ),
    modifiers(&Credentials, &Words, &Absent, &Closed, &Forms, &BookingHeaders, &Problems, &RequestIds, &RateLimits),
)]
struct Document;

/// How callers authenticate.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = |format: &str, description: &str| {
            let mut bearer = Http::new(HttpAuthScheme::Bearer);
            bearer.bearer_format = Some(format.to_owned());
            bearer.description = Some(description.to_owned());
            SecurityScheme::Http(bearer)
        };
        let components = document.components.get_or_insert_default();
        let of_key = "An API key, which the operator of this service gives you.";
        components.add_security_scheme("apiKey", scheme("mpk_…", of_key));
        let of_token = "An access token of an OpenID provider that the operator of this service has named, such as one of \
                        Entra ID by client credentials, whose audience is this service.";
        components.add_security_scheme("token", scheme("JWT", of_token));
        let of_certificate = "A client certificate over TLS, where the service speaks TLS itself and the operator has named what your \
                              certificate says. It counts for requests without `Authorization`.";
        let certificate = SecurityScheme::MutualTls {
            description: Some(of_certificate.to_owned()),
            extensions: None,
            deprecated: None,
        };
        components.add_security_scheme("certificate", certificate);
    }
}

/// Every list of words has its name, once.
struct Words;

impl Modify for Words {
    fn modify(&self, document: &mut OpenApi) {
        words::add_to(document.components.get_or_insert_default());
    }
}

/// A request's objects have no members but those that are listed.
struct Closed;

impl Modify for Closed {
    fn modify(&self, document: &mut OpenApi) {
        for (name, schema) in &mut document.components.get_or_insert_default().schemas {
            if let RefOr::T(Schema::Object(object)) = schema
                && is_request(name)
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
            let prefers = has_parameter(operation, "Prefer");
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

pub(super) fn operations(document: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    let items = document.paths.paths.values_mut();
    items.flat_map(|item| [&mut item.get, &mut item.post, &mut item.put, &mut item.delete]).flatten()
}

/// Whether an operation has a parameter of this name.
pub(super) fn has_parameter(operation: &Operation, name: &str) -> bool {
    let parameters = operation.parameters.iter().flatten();
    parameters.into_iter().any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == name))
}

fn holds_booking(response: &Response) -> bool {
    let names = [bookings::BookingBody::name(), bookings::CancelledBody::name()];
    let bookings = names.map(|name| Ref::from_schema_name(name).ref_location);
    response.content.values().any(|content| {
        matches!(content, RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. })
            if bookings.contains(&schema.ref_location))
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

/// Every answer carries the request's id.
struct RequestIds;

impl Modify for RequestIds {
    fn modify(&self, document: &mut OpenApi) {
        let responses = operations(document).flat_map(|operation| operation.responses.responses.values_mut());
        for response in responses {
            if let RefOr::T(response) = response {
                let header = text_header("The request's id, by which the operator finds it in the log.");
                response.headers.insert("X-Request-Id".to_owned(), RefOr::T(header));
            }
        }
    }
}

/// Every answer to a source system whose requests are limited tells how many it may send.
struct RateLimits;

impl Modify for RateLimits {
    fn modify(&self, document: &mut OpenApi) {
        let limited = document.paths.paths.iter_mut().filter(|(path, _)| path.starts_with("/v1/"));
        let operations =
            limited.flat_map(|(_, item)| [&mut item.get, &mut item.post, &mut item.put, &mut item.delete]);
        let responses = operations.flatten().flat_map(|operation| operation.responses.responses.iter_mut());
        for (status, response) in responses {
            // Who is not known has no limit.
            if let RefOr::T(response) = response
                && status != "401"
            {
                let told = "where your source system's requests are limited (draft-ietf-httpapi-ratelimit-headers-10)";
                let policy =
                    format!("`\"requests\";q=100;w=5`: 100 requests in 5 seconds are allowed; {told}.");
                let left = format!("`\"requests\";r=42;t=3`: 42 more in the next 3 seconds; {told}.");
                response.headers.insert("RateLimit-Policy".to_owned(), RefOr::T(text_header(&policy)));
                response.headers.insert("RateLimit".to_owned(), RefOr::T(text_header(&left)));
            }
        }
    }
}

/// Every problem that an operation can answer with, and what each code brings, from the table.
struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
            operations.into_iter().flatten().for_each(|operation| add_problems(path, operation));
        }
        let schemas = &mut document.components.get_or_insert_default().schemas;
        if let Some(RefOr::T(Schema::Object(problem))) = schemas.get_mut(ProblemBody::name().as_ref()) {
            problem.description = Some(format!(
                "What went wrong (RFC 9457). The members up to `requestId` are always there; {}.",
                what_codes_bring()
            ));
        }
    }
}

/// Which members which codes bring, as a sentence.
fn what_codes_bring() -> String {
    let members = ProblemCode::ALL.iter().flat_map(|problem| problem.brings());
    let members: BTreeSet<_> = members.collect();
    let of = |member: &&str| {
        let codes = ProblemCode::ALL.iter().filter(|problem| problem.brings().contains(member));
        let codes: Vec<_> = codes.map(|problem| format!("`{}`", problem.as_str())).collect();
        format!("`{member}` with {}", codes.join(", "))
    };
    members.iter().map(|member| of(member)).collect::<Vec<_>>().join("; ")
}

fn add_problems(path: &str, operation: &mut Operation) {
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let groups = problems_of(id);
    let mut by_status: BTreeMap<u16, Vec<ProblemCode>> = BTreeMap::new();
    let documented = |code: &ProblemCode| groups.iter().any(|group| group.contains(code));
    for problem in ProblemCode::ALL.into_iter().filter(documented) {
        by_status.entry(problem.texts().status).or_default().push(problem);
    }
    let parameter = operation.parameters.iter().flatten().rev().find_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => Some(parameter.name.clone()),
        _ => None,
    });
    let answerer = Answerer { path, role: role_of(id), parameter: parameter.as_deref() };
    for (status, problems) in by_status {
        let response = RefOr::T(response(status, &problems, answerer));
        operation.responses.responses.insert(status.to_string(), response);
    }
}

/// The role that a refused caller is told to ask for.
fn role_of(operation_id: &str) -> &'static str {
    let action = match operation_id {
        "createBooking" | "putBooking" | "deleteBooking" => Action::WriteBookings,
        "retryBooking" | "checkBooking" => Action::RetryBookings,
        "listAuditEvents" | "listBookingAuditEvents" => Action::ReadAudit,
        "getOrganizerReadiness" => Action::CheckOrganizers,
        _ => Action::ReadBookings,
    };
    action.needed_role().as_str()
}

/// The problems of an operation, as its own file lists them.
fn problems_of(operation_id: &str) -> &'static [&'static [ProblemCode]] {
    match operation_id {
        "createBooking" => create_booking::PROBLEMS,
        "listBookings" => list_bookings::PROBLEMS,
        "getBooking" => get_booking::PROBLEMS,
        "putBooking" => put_booking::PROBLEMS,
        "retryBooking" => retry_booking::PROBLEMS,
        "checkBooking" => check_booking::PROBLEMS,
        "deleteBooking" => delete_booking::PROBLEMS,
        "listBookingAuditEvents" => list_booking_audit_events::PROBLEMS,
        "listAuditEvents" => list_audit_events::PROBLEMS,
        "getOrganizerReadiness" => get_organizer_readiness::PROBLEMS,
        "getCaller" => get_caller::PROBLEMS,
        "getProblem" => get_problem::PROBLEMS,
        _ => &[],
    }
}

fn response(status: u16, problems: &[ProblemCode], answerer: Answerer<'_>) -> Response {
    let described: Vec<_> = problems
        .iter()
        .map(|problem| format!("`{}`: {}.", problem.as_str(), problem.texts().title))
        .collect();
    let schema = Ref::from_schema_name(ProblemBody::name());
    let examples = problems.iter().map(|problem| {
        let example = utoipa::openapi::example::ExampleBuilder::new()
            .summary(problem.texts().title)
            .value(Some(problem_example(*problem, answerer)))
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
    if status == 429 || status == 503 {
        response = response.header(
            "Retry-After",
            number_header("After how many seconds to send the request again, if known."),
        );
    }
    response.build()
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
