//! Schemas that are made from the lists which the program itself uses.

use utoipa::openapi::KnownFormat;
use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, SchemaFormat, SchemaType, Type};

use crate::booking::AttendeeRole;
use crate::meeting::{CheckName, CheckStatus, CreatedBy, Failure, Status};

/// A booking's status.
pub(crate) fn status() -> Object {
    one_of(
        "`pending`: no meeting yet. `provisioned`: the meeting is as the booking wants it. `updating`, `cancelling`: the \
         meeting is being changed or removed. `cancelled`: it is removed. `failed`: parked, an administrator must act, \
         and `lastError` says what to do.",
        Status::ALL.map(Status::as_str).to_vec(),
    )
}

/// An attendee's role.
pub(crate) fn role() -> Object {
    let roles = [AttendeeRole::Attendee, AttendeeRole::Presenter, AttendeeRole::Coorganizer];
    one_of("What the person may do in the meeting.", roles.map(AttendeeRole::as_str).to_vec())
}

/// How a meeting came to be.
pub(crate) fn created_by() -> Object {
    one_of(
        "`this-request`: Graph made the meeting when it was asked for this booking. `existing`: Graph had it already, \
         for example from an attempt whose answer was lost.",
        [CreatedBy::ThisRequest, CreatedBy::Existing].map(CreatedBy::as_str).to_vec(),
    )
}

/// The code of a booking's last failure.
pub(crate) fn failure() -> Object {
    one_of(
        "The kind of failure. `graph-throttled`, `graph-unavailable` and `graph-outcome-unknown` are retried by this \
         service; `/problems/{code}` explains the others.",
        Failure::ALL.map(Failure::code).to_vec(),
    )
}

/// What is checked about an organizer.
pub(crate) fn check_name() -> Object {
    one_of(
        "`token`: whether this service gets a token. `permissions`: whether the token holds the application permissions. \
         `organizer`: whether the user exists. `access-policy`: whether an application access policy covers the \
         organizer. `recent-attempts`: how the latest bookings went.",
        CheckName::ALL.map(CheckName::as_str).to_vec(),
    )
}

/// The result of a check.
pub(crate) fn check_status() -> Object {
    one_of(
        "`ok`: as bookings need it, as far as can be known without making one. `failed`: no booking can work. \
         `unknown`: it can't be known now.",
        CheckStatus::ALL.map(CheckStatus::as_str).to_vec(),
    )
}

/// What an audit event says beyond the members that can be searched by.
pub(crate) fn audit_event_details() -> Object {
    object("Everything else that is known of the event; absent members are not known.")
        .property(
            "requestId",
            text("The request that caused it, by the id that its answer and the log of this service carry."),
        )
        .property("traceparent", text("The request's W3C `traceparent`."))
        .property(
            "requested",
            object(
                "What the request asked for, as it is stored: a booking's members, `organizer` as \
                 `{\"userId\"}` or `{\"upn\"}`, `chatThreadId` for `chatInfo.threadId`, times in UTC; \
                 `effectiveSettings` with the defaults at that time.",
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
                .description(Some("How the meeting that Graph returned differed from the booking.")),
        )
        .property(
            "driftPolicy",
            text("What was done about a meeting that had drifted from its booking: mend, report or adopt."),
        )
        .property("next", next())
        .property("note", text("A sentence for people, where the other members don't say enough."))
        .build()
}

fn attempt() -> Object {
    object("The attempt: one call to Graph.")
        .property("id", text("Its id, sent to Graph as `client-request-id`."))
        .property("number", number("The number of the attempt within this booking, from 1."))
        .property("call", text("Which call: find-organizer, create-or-get, change, look or remove."))
        .property("startedAt", time("When it began."))
        .build()
}

fn graph() -> Object {
    object("What Graph answered; Microsoft support asks for the ids and the date.")
        .property("startedAt", time("When the call began."))
        .property("durationMilliseconds", number("How long it took."))
        .property("status", number("HTTP status; absent when no answer came."))
        .property("code", text("Graph's error code."))
        .property("message", text("Graph's message, or what failed on the way to Graph."))
        .property("requestId", text("The header `request-id`."))
        .property("clientRequestId", text("The header `client-request-id`."))
        .property("date", text("The header `Date`."))
        .property("retryAfter", text("The header `Retry-After`, as Graph sent it."))
        .property("diagnostic", text("The header `x-ms-ags-diagnostic`."))
        .property("throttleScope", text("The header `x-ms-throttle-scope`: which limit was exceeded."))
        .build()
}

fn next() -> Object {
    object("What was decided next.")
        .property("status", text("The booking's status after this event."))
        .property("call", text("The next call, where one follows at once."))
        .property("dueAt", time("When Graph is asked again, if it is."))
        .build()
}

fn one_of(description: &str, words: Vec<&'static str>) -> Object {
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
