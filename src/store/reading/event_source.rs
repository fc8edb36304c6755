//! Where the list of events is read from: the index that serves a search best.

use sqlx::{Postgres, QueryBuilder};

use super::search_bounds::{are_few, count_of, few_limit};
use super::sought_organizer::SoughtOrganizer;
use crate::audit::{AuditEventFilter, EventKind};
use crate::booking::{BookingId, ExternalId, SourceSystem};
use crate::store::StoreError;
use crate::store::connections::Connection;

/// The events that every booking has. No index finds them: in the order of all they are everywhere.
const IN_EVERY_BOOKING: [EventKind; 2] = [EventKind::BookingAccepted, EventKind::MeetingCreated];

/// Where events are read from, before the other filters are applied.
#[derive(Debug)]
pub(super) enum EventSource {
    /// The history of one booking, in the order in which its events were numbered.
    OfOneBooking,
    /// Those of the bookings with an id, whosever it is.
    OfBookingId,
    /// Those of the generation with an external id.
    OfExternalId,
    /// Those of the generation with a meeting.
    OfMeetingId,
    /// Those that a request has caused.
    OfRequest,
    /// Those of the few bookings that some users have, or that bore one of their names.
    OfOrganizer(SoughtOrganizer),
    /// Those of one type, in the order of all.
    AlongType,
    /// Those of one source system, in the order of all.
    AlongSourceSystem,
    /// All of them, in their order.
    AlongAll,
}

impl EventSource {
    /// The best one for these filters.
    pub(super) async fn of(
        filter: &AuditEventFilter,
        organizer: Option<SoughtOrganizer>,
        connection: &mut Connection,
    ) -> Result<Self, StoreError> {
        if filter.booking_id.is_some() {
            let is_one = filter.source_system.is_some();
            return Ok(if is_one { Self::OfOneBooking } else { Self::OfBookingId });
        }
        let named = [
            (filter.external_id.is_some(), Self::OfExternalId),
            (filter.meeting_id.is_some(), Self::OfMeetingId),
            (filter.request_id.is_some(), Self::OfRequest),
        ];
        if let Some((_, source)) = named.into_iter().find(|(applies, _)| *applies) {
            return Ok(source);
        }
        if let Some(organizer) = organizer {
            let mut query = count_of();
            push_bookings_of(&organizer, &mut query);
            if are_few(connection, query).await? {
                return Ok(Self::OfOrganizer(organizer));
            }
        }
        let is_rare = |kind: &String| IN_EVERY_BOOKING.iter().all(|usual| usual.as_str() != kind);
        Ok(if filter.kind.as_ref().is_some_and(is_rare) {
            Self::AlongType
        } else if filter.source_system.is_some() {
            Self::AlongSourceSystem
        } else {
            Self::AlongAll
        })
    }

    /// Whether it has the order of the list, and may have very many.
    pub(super) fn is_along(&self) -> bool {
        matches!(self, Self::AlongType | Self::AlongSourceSystem | Self::AlongAll)
    }

    /// Whether these filters leave out some of what it has.
    pub(super) fn is_narrowed_by(&self, filter: &AuditEventFilter) -> bool {
        let mut others = filter.clone();
        match self {
            Self::AlongType => others.kind = None,
            Self::AlongSourceSystem => others.source_system = None,
            _ => {}
        }
        others != AuditEventFilter::default()
    }

    /// The column that stands before those of the order in the index along which this is read. Its value is not a condition by
    /// itself but part of the places: that leaves Postgres no other way than along the index, however many rows it expects.
    pub(super) fn leading_column(&self) -> Option<&'static str> {
        match self {
            Self::AlongType => Some("event_type"),
            Self::AlongSourceSystem => Some("source_system"),
            _ => None,
        }
    }

    /// The value of that column.
    pub(super) fn leading_value<'a>(&self, filter: &'a AuditEventFilter) -> Option<&'a str> {
        match self {
            Self::AlongType => filter.kind.as_deref(),
            Self::AlongSourceSystem => filter.source_system.as_ref().map(SourceSystem::as_str),
            _ => None,
        }
    }

    /// A `from` and a `where`, which may go on with `and`; but for the leading column.
    pub(super) fn push(&self, filter: &AuditEventFilter, query: &mut QueryBuilder<Postgres>) {
        match self {
            Self::OfOneBooking | Self::OfBookingId => {
                let booking_id = filter.booking_id.as_ref().map(BookingId::as_str);
                query.push("audit_event where booking_id = ").push_bind(booking_id);
                if matches!(self, Self::OfOneBooking) {
                    let source_system = filter.source_system.as_ref().map(SourceSystem::as_str);
                    query.push(" and source_system = ").push_bind(source_system);
                }
            }
            Self::OfExternalId => {
                query.push("(select source_system, booking_id, generation from booking where external_id = ");
                query.push_bind(filter.external_id.map(ExternalId::uuid)).push(OF_THESE);
            }
            Self::OfMeetingId => {
                query.push("(select source_system, booking_id, generation from booking where meeting_id = ");
                query.push_bind(filter.meeting_id.as_deref()).push(OF_THESE);
            }
            Self::OfRequest => {
                let request_id = filter.request_id.map(|id| id.to_string());
                query.push("audit_event where payload->>'requestId' = ").push_bind(request_id);
            }
            Self::OfOrganizer(organizer) => {
                query.push("(");
                push_bookings_of(organizer, query);
                query.push(OF_THESE);
            }
            Self::AlongType => {
                let [accepted, created] = IN_EVERY_BOOKING.map(EventKind::as_str);
                query.push(format_args!("audit_event where event_type not in ('{accepted}', '{created}')"));
            }
            Self::AlongSourceSystem | Self::AlongAll => {
                query.push("audit_event where true");
            }
        }
    }
}

/// The events of bookings that a subquery found.
const OF_THESE: &str =
    ") as theirs join audit_event using (source_system, booking_id, generation) where true";

/// Some bookings of some users, and some that once bore one of their names: their events may be about them.
fn push_bookings_of(organizer: &SoughtOrganizer, query: &mut QueryBuilder<Postgres>) {
    query.push("select source_system, booking_id, generation from (");
    organizer.push_some("source_system, booking_id, generation", query);
    query.push(
        ") as present union select source_system, booking_id, generation from (
            select * from former_organizer where name = any(",
    );
    query.push_bind(organizer.names.clone()).push(") limit ").push_bind(few_limit()).push(") as former");
}
