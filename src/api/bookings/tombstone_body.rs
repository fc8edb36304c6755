//! A cancel that came before its booking, as the answer to it shows it.

use std::borrow::Cow;

use serde::Serialize;
use time::OffsetDateTime;
use utoipa::openapi::schema::{OneOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::booking_body::BookingBody;
use crate::api::openapi::words;
use crate::booking::{Dtstamp, Sequence};
use crate::meeting::{Status, Tombstone};

/// The answer to a cancel of a booking that is not known: it is kept, so that an older create makes no meeting. A booking has
/// no `receivedAt`, by which the two are told apart.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = KeptCancel)]
pub(crate) struct TombstoneBody<'a> {
    /// The booking's name in its source system.
    booking_id: &'a str,
    /// The booking system that cancelled it, by its credential.
    source_system: &'a str,
    /// Always `cancelled`.
    #[schema(value_type = words::StatusWord)]
    status: &'static str,
    /// iCalendar's SEQUENCE of the newest cancel.
    #[schema(required, minimum = 0)]
    sequence: Option<u32>,
    /// Its DTSTAMP, in UTC, to the microsecond.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    dtstamp: Option<OffsetDateTime>,
    /// When it was received.
    #[serde(with = "time::serde::rfc3339")]
    received_at: OffsetDateTime,
    /// What follows from it.
    notice: &'static str,
}

/// The answer to a cancel: a booking, or a cancel that is kept. Only described here.
pub(crate) enum CancelledBody {}

impl ToSchema for CancelledBody {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Cancelled")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        BookingBody::schemas(schemas);
        schemas.push((TombstoneBody::name().into_owned(), TombstoneBody::schema()));
    }
}

impl PartialSchema for CancelledBody {
    fn schema() -> RefOr<Schema> {
        let one_of = OneOfBuilder::new()
            .item(Ref::from_schema_name(BookingBody::name()))
            .item(Ref::from_schema_name(TombstoneBody::name()))
            .description(Some("The booking; or, where no such booking is known, the cancel that is kept."));
        RefOr::T(Schema::OneOf(one_of.build()))
    }
}

impl<'a> TombstoneBody<'a> {
    /// The cancel as it is kept.
    pub(crate) fn of(tombstone: &'a Tombstone) -> Self {
        Self {
            booking_id: tombstone.key.booking_id.as_str(),
            source_system: tombstone.key.source_system.as_str(),
            status: Status::Cancelled.as_str(),
            sequence: tombstone.order.sequence.map(Sequence::number),
            dtstamp: tombstone.order.dtstamp.map(Dtstamp::time),
            received_at: tombstone.received_at,
            notice: "No booking of this id is known. The cancel is kept: a create that is not newer makes no meeting.",
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::api::fixture::provisioned;
    use crate::booking::MessageOrder;

    /// The example of the OpenAPI document is the real answer.
    #[test]
    fn a_kept_cancel_reads_as_documented() {
        let dtstamp = Dtstamp::parse("2026-11-23T10:59:59+01:00").ok();
        let tombstone = Tombstone {
            key: provisioned().key,
            revision: 1,
            order: MessageOrder { sequence: Sequence::new(1), dtstamp },
            received_at: datetime!(2026-11-23 10:00 UTC),
            request_id: None,
        };
        let body = serde_json::to_value(TombstoneBody::of(&tombstone)).unwrap();
        assert_eq!(body, crate::api::openapi::example::kept_cancel());
    }
}
