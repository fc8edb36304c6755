//! An example of every problem, with the words with which it is really answered. Tests compare them with real answers.

use serde_json::{Value, json};

use super::example;
use crate::api::problems::ProblemCode;

/// The operation that answers with a problem.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answerer<'a> {
    /// Its path, with names in braces.
    pub(super) path: &'a str,
    /// The role to ask the operator for.
    pub(super) role: &'a str,
    /// One of its parameters in the query, if it has any.
    pub(super) parameter: Option<&'a str>,
}

/// The problem as one operation answers it.
pub(super) fn problem_example(problem: ProblemCode, answerer: Answerer<'_>) -> Value {
    let texts = problem.texts();
    let mut example = json!({
        "type": format!("/problems/{}", texts.code),
        "title": texts.title,
        "status": texts.status,
        "instance": instance(answerer.path),
        "code": texts.code,
        "retryable": texts.retryable,
        "requestId": "019ab0f2-69d0-7f43-8a51-6d0b3c9e2f10",
    });
    let particular = particular(problem, answerer);
    if let (Some(example), Value::Object(particular)) = (example.as_object_mut(), particular) {
        example.extend(particular);
    }
    if let Some(booking) = example.get_mut("booking").and_then(Value::as_object_mut) {
        booking.remove("attendees");
    }
    example
}

/// The path of a request to the operation.
fn instance(path: &str) -> String {
    path.replace("{bookingId}", "BK-1001")
        .replace("{organizer}", "megan@contoso.com")
        .replace("{code}", "other")
}

/// What the problem says of this one request.
fn particular(problem: ProblemCode, answerer: Answerer<'_>) -> Value {
    match problem {
        ProblemCode::InvalidRequest => json!({
            "detail": "The query can't be read; `errors` names each parameter.",
            "errors": [match answerer.parameter {
                Some(name) => json!({"parameter": name, "detail": "must not appear more than once"}),
                None => json!({"parameter": "limit", "detail": "is not a parameter here; there are none"}),
            }],
        }),
        ProblemCode::InvalidBooking => json!({
            "detail": "The booking is not valid; `errors` names each member.",
            "errors": [
                {"pointer": "/organizer", "detail": "is required"},
                {"pointer": "/endDatetime", "detail": "is not a member here; did you mean \"endDateTime\"?"},
            ],
        }),
        ProblemCode::CursorOutdated => json!({
            "detail": "Since this cursor was given, the database was restored to an earlier moment, moved, or failed over. Begin \
                       again without a cursor, with `from` and the time 2026-11-23T05:00:00Z, and replace what you have kept of \
                       the events from then on.",
        }),
        ProblemCode::Unauthenticated => json!({"detail": "This call needs a valid credential."}),
        ProblemCode::Forbidden => json!({"detail": format!("This call needs the role {}.", answerer.role)}),
        ProblemCode::OrganizerNotAllowed => json!({
            "detail": "The source system room-booking may not act for megan@contoso.com: neither this name nor its domain is among \
                       its organizers. The operator sets `organizers` in [source_system.room-booking].",
        }),
        ProblemCode::MemberNotAllowed => json!({
            "detail": "The source system room-booking may not have this booking like that; `errors` names each member.",
            "errors": [{
                "pointer": "/settings/recordAutomatically",
                "detail": "must be false, or be left out: it is fixed for this source system",
            }],
        }),
        ProblemCode::NotFound if answerer.path.starts_with("/problems") => {
            json!({"detail": "There is no problem of this code; /problems lists them all."})
        }
        ProblemCode::NotFound => json!({"detail": "There is no such booking."}),
        ProblemCode::BodyTooLarge => json!({"detail": "The body is larger than 262144 bytes."}),
        ProblemCode::BodyTooSlow => json!({"detail": "The body was not complete after 10 seconds."}),
        ProblemCode::UnsupportedMediaType => {
            json!({"detail": "The header Content-Type must be application/json."})
        }
        ProblemCode::NotAcceptable => json!({"detail": "The history is available as application/json only."}),
        ProblemCode::MethodNotAllowed => json!({"detail": "This path allows GET, HEAD only."}),
        ProblemCode::IssuerUnavailable
        | ProblemCode::RateLimited
        | ProblemCode::BookingsPerDayExceeded
        | ProblemCode::StoreUnavailable
        | ProblemCode::Overloaded => for_now(problem),
        ProblemCode::InternalError => {
            json!({"detail": "The log of this service says why, under the requestId."})
        }
        about_a_booking => of_a_booking(about_a_booking),
    }
}

/// What a problem says that passes by itself.
fn for_now(problem: ProblemCode) -> Value {
    match problem {
        ProblemCode::IssuerUnavailable => json!({
            "detail": "The keys of the token's issuer are not known now. Nothing was done; send the same request again.",
            "retryAfterSeconds": 5,
        }),
        ProblemCode::RateLimited => json!({
            "detail": "Your source system sends more requests a second than it may. Nothing was done; send the same request again \
                       after the time in Retry-After, and fewer at once.",
            "retryAfterSeconds": 1,
        }),
        ProblemCode::BookingsPerDayExceeded => json!({
            "detail": "The source system room-booking has stored 500 bookings today (UTC), and may store no more: the operator \
                       sets `bookings_per_day`. Nothing was stored; what is known already is answered as ever.",
            "retryAfterSeconds": 50_400,
        }),
        ProblemCode::StoreUnavailable => json!({
            "detail": "The database can't be reached. Send the same request again: if a booking was accepted after \
                       all, it is found again.",
            "retryAfterSeconds": 1,
        }),
        _ => json!({
            "detail": "This replica is answering too many requests. Nothing was done; send the same request again.",
            "retryAfterSeconds": 1,
        }),
    }
}

/// What a problem says of a booking that is stored.
fn of_a_booking(problem: ProblemCode) -> Value {
    match problem {
        ProblemCode::BookingDiffers => json!({
            "detail": "Booking BK-1001 exists, and differs in startDateTime. It is unchanged.",
            "differences": [{
                "field": "startDateTime", "stored": "2026-12-01T08:00:00Z", "requested": "2026-12-01T08:15:00Z",
            }],
            "booking": example::provisioned(),
        }),
        ProblemCode::BookingCancelled => json!({
            "detail": "Booking BK-1001 exists, and was cancelled.",
            "booking": example::cancelled(),
        }),
        ProblemCode::StaleSequence => json!({
            "detail": "Booking BK-1001 has sequence 0 and dtstamp 2026-11-23T09:59:59Z; this message has sequence 0 and \
                       dtstamp 2026-11-23T09:30:00Z. By its dtstamp it is older: it came late, and was ignored.",
            "booking": example::provisioned(),
        }),
        ProblemCode::OrganizerImmutable => json!({
            "detail": "Booking BK-1001 exists, and differs in organizer. It is unchanged. With ?organizerChange=replace it gets \
                       another meeting, with another link, of that organizer.",
            "differences": [{
                "field": "organizer",
                "stored": "1f35f2e6-9cab-44ad-8d5a-b74c14720000", "requested": "megan@contoso.com",
            }],
            "booking": example::provisioned(),
        }),
        ProblemCode::NothingToRetry => json!({
            "detail": "Booking BK-1001 is provisioned: by what Graph last told it has what is wanted, as far as it can, so \
                       there is nothing to retry. It is unchanged.",
            "booking": example::provisioned(),
        }),
        ProblemCode::RevisionMismatch => json!({
            "detail": "Booking BK-1001 is at \"1.3\" now. It is unchanged.",
            "booking": example::provisioned(),
        }),
        ProblemCode::GraphUnavailable => json!({
            "detail": "Booking BK-1001 has another name for its organizer than megan@contoso.com, and Graph did not tell \
                       whose name that is; graph says why. It is unchanged.",
            "graph": example::failed_with("graph-unavailable")["lastError"]["graph"],
            "retryAfterSeconds": 7,
            "booking": example::provisioned(),
        }),
        parks => parked(parks),
    }
}

/// The problem of a parked booking says what its `lastError` says.
fn parked(problem: ProblemCode) -> Value {
    let booking = example::failed_with(problem.as_str());
    let error = &booking["lastError"];
    let mut particular = json!({"detail": error["detail"], "graph": error["graph"]});
    if error["remedy"].is_string() {
        particular["remedy"] = error["remedy"].clone();
    }
    particular["booking"] = booking;
    particular
}
