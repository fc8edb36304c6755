//! The schema of what an audit event says; `audit::EventPayload` is what is written.

use std::borrow::Cow;

use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{KnownFormat, Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::words;

/// What an audit event says beyond the members that can be searched by.
pub(crate) enum AuditEventDetails {}

impl ToSchema for AuditEventDetails {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("AuditEventDetails")
    }
}

impl PartialSchema for AuditEventDetails {
    fn schema() -> RefOr<Schema> {
        RefOr::T(audit_event_details().into())
    }
}

fn audit_event_details() -> Object {
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
        .property(
            "sequence",
            number("The SEQUENCE of the message that cancelled the booking, where it had one."),
        )
        .property("dtstamp", time("Its DTSTAMP, likewise."))
        .property("attempt", attempt())
        .property("graph", graph())
        .property(
            "joinWebUrlSha256",
            text(
                "The SHA-256 of the meeting's `joinWebUrl`, in hexadecimal digits, where Graph made, found or changed the meeting.",
            ),
        )
        .property(
            "differsIn",
            ArrayBuilder::new()
                .items(text("A member of the booking."))
                .description(Some("The members of the booking that were changed.")),
        )
        .property(
            "differences",
            ArrayBuilder::new()
                .items(Ref::from_schema_name("MeetingDifference"))
                .description(Some("How the meeting that Graph returned differed from the booking.")),
        )
        .property(
            "driftPolicy",
            of_words::<words::DriftPolicyWord>(
                "What was done about a meeting that had drifted from its booking.",
            ),
        )
        .property("next", next())
        .property("note", text("A sentence for people, where the other members don't say enough."))
        .build()
}

fn attempt() -> Object {
    object("The attempt: one call to Graph.")
        .property("id", text("Its id, sent to Graph as `client-request-id`."))
        .property("number", number("The number of the attempt within this booking, from 1."))
        .property("call", of_words::<words::CallWord>("Which call."))
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
        .property("status", of_words::<words::StatusWord>("The booking's status after this event."))
        .property("call", of_words::<words::CallWord>("The next call, where one follows at once."))
        .property("dueAt", time("When Graph is asked again, if it is."))
        .build()
}

fn of_words<T: ToSchema>(description: &str) -> Ref {
    Ref::builder().ref_location_from_schema_name(T::name()).description(Some(description)).build()
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
