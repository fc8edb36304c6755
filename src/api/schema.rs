//! The parts of the OpenAPI document that are made from lists which the program itself goes by.

use utoipa::openapi::KnownFormat;
use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, SchemaFormat, SchemaType, Type};

use crate::booking::AttendeeRole;
use crate::meeting::{CheckName, CheckStatus, CreatedBy, Failure, Status};

/// A booking's status.
pub(super) fn status() -> Object {
    words(
        "`pending`: no meeting yet. `provisioned`: the meeting is what was asked for. `updating`, `cancelling`: the \
         meeting is being changed or removed. `cancelled`: it is removed. `failed`: parked, somebody must act, and \
         `lastError` says what and how.",
        Status::ALL.map(Status::as_str).to_vec(),
    )
}

/// An attendee's role.
pub(super) fn role() -> Object {
    let roles = [AttendeeRole::Attendee, AttendeeRole::Presenter, AttendeeRole::Coorganizer];
    words("What the person may do in the meeting.", roles.map(AttendeeRole::as_str).to_vec())
}

/// Who made a meeting.
pub(super) fn created_by() -> Object {
    words(
        "`this-request`: Graph made the meeting when it was asked for this booking. `existing`: Graph had it already, \
         for instance from an attempt whose answer was lost.",
        [CreatedBy::ThisRequest, CreatedBy::Existing].map(CreatedBy::as_str).to_vec(),
    )
}

/// The code of a booking's last failure.
pub(super) fn failure() -> Object {
    words(
        "What kind of failure. `graph-throttled`, `graph-unavailable` and `graph-outcome-unknown` pass by themselves; \
         what the others mean stands under `/problems/{code}`.",
        Failure::ALL.map(Failure::code).to_vec(),
    )
}

/// What is looked at of an organizer.
pub(super) fn check_name() -> Object {
    words(
        "`token`: whether this service gets a token. `permissions`: whether the token holds the application permissions. \
         `organizer`: whether there is such a user. `access-policy`: whether an application access policy covers the \
         organizer. `recent-attempts`: how the bookings of the last days went.",
        CheckName::ALL.map(CheckName::as_str).to_vec(),
    )
}

/// How a check came out.
pub(super) fn check_status() -> Object {
    words(
        "`ok`: as bookings need it, as far as anyone can tell without trying. `failed`: no booking can work like this. \
         `unknown`: nobody can tell.",
        CheckStatus::ALL.map(CheckStatus::as_str).to_vec(),
    )
}

/// What an audit event says beyond the members that can be searched for.
pub(super) fn audit_event_details() -> Object {
    object("Everything else that is known of the event; absent members are not known.")
        .property(
            "requestId",
            text("The request behind it, as its answer and the log of this service name it."),
        )
        .property("traceparent", text("The request's W3C `traceparent`."))
        .property(
            "requested",
            object(
                "What was asked of the service, as it is kept: a booking's members, `organizer` as \
                    `{\"userId\"}` or `{\"upn\"}`, `chatThreadId` for `chatInfo.threadId`, times in UTC; \
                    `effectiveSettings` with the defaults of then.",
            )
            .build(),
        )
        .property("attempt", attempt())
        .property("graph", graph())
        .property(
            "differsIn",
            ArrayBuilder::new()
                .items(text("A member of the booking."))
                .description(Some("The members of the booking that were changed.")),
        )
        .property(
            "differences",
            ArrayBuilder::new()
                .items(utoipa::openapi::Ref::from_schema_name("MeetingDifference"))
                .description(Some("In what the meeting that Graph told of differed from the booking.")),
        )
        .property(
            "driftPolicy",
            text(
                "What was done about a meeting that had moved away from its booking: mend, report or adopt.",
            ),
        )
        .property("next", next())
        .property("note", text("A sentence for a reader, where the rest doesn't say it."))
        .build()
}

fn attempt() -> Object {
    object("The attempt: one call to Graph.")
        .property("id", text("Its id, sent to Graph as `client-request-id`."))
        .property("number", number("The how-manieth of this booking."))
        .property("call", text("Which call: find-organizer, create-or-get, change, look or remove."))
        .property("startedAt", time("When it was begun."))
        .build()
}

fn graph() -> Object {
    object("What Graph answered; Microsoft support asks for the ids and the date.")
        .property("startedAt", time("When the call was begun."))
        .property("durationMilliseconds", number("How long it took."))
        .property("status", number("HTTP status; absent when no answer came."))
        .property("code", text("Graph's error code."))
        .property("message", text("Graph's message, or what broke on the way."))
        .property("requestId", text("The header `request-id`."))
        .property("clientRequestId", text("The header `client-request-id`."))
        .property("date", text("The header `Date`."))
        .property("retryAfter", text("The header `Retry-After`, as it stood there."))
        .property("diagnostic", text("The header `x-ms-ags-diagnostic`."))
        .property("throttleScope", text("The header `x-ms-throttle-scope`: whose calls are too many."))
        .build()
}

fn next() -> Object {
    object("What was decided then.")
        .property("status", text("The booking's status from here on."))
        .property("call", text("The next call, where one follows at once."))
        .property("dueAt", time("When Graph is asked again, if it is."))
        .build()
}

fn words(description: &str, words: Vec<&'static str>) -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .description(Some(description))
        .enum_values(Some(words))
        .build()
}

fn object(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::Object)).description(Some(description))
}

fn text(description: &str) -> Object {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).description(Some(description)).build()
}

fn number(description: &str) -> Object {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).description(Some(description)).build()
}

fn time(description: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .description(Some(description))
        .build()
}
