//! Where the list of bookings is read from: the index that serves a search best.

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::search_bounds::{are_few, candidates};
use super::sought_organizer::SoughtOrganizer;
use crate::booking::{BookingId, ExternalId, SourceSystem};
use crate::meeting::{BookingFilter, Status};
use crate::store::StoreError;
use crate::store::connections::Connection;

/// Where bookings are read from, before the other filters are applied.
#[derive(Debug)]
pub(super) enum BookingSource {
    /// The few that a unique key finds, or all generations of one booking.
    Named,
    /// The few that are due or failed.
    Unsettled,
    /// The few that have failed since before a time.
    FailingBefore,
    /// The few that were changed in a period.
    Updated,
    /// The few of some users.
    OfOrganizer(SoughtOrganizer),
    /// One user's, in their order.
    AlongOrganizer(Uuid),
    /// The failed ones, in their order.
    AlongFailed,
    /// Those that have been failing, in their order.
    AlongFailing,
    /// One source system's, in their order.
    AlongSourceSystem,
    /// All of them, in their order.
    AlongAll,
}

impl BookingSource {
    /// The best one for these filters.
    pub(super) async fn of(
        filter: &BookingFilter,
        organizer: Option<SoughtOrganizer>,
        connection: &mut Connection,
    ) -> Result<Self, StoreError> {
        if filter.booking_id.is_some() || filter.external_id.is_some() || filter.meeting_id.is_some() {
            return Ok(Self::Named);
        }
        let is_failing = filter.failing_before.is_some();
        let is_unsettled = !filter.statuses.is_empty() && filter.statuses.iter().all(is_unfinished);
        for (applies, source) in [(is_failing, Self::FailingBefore), (is_unsettled, Self::Unsettled)] {
            if applies && source.is_of_few(filter, connection).await? {
                return Ok(source);
            }
        }
        if let Some(organizer) = organizer {
            if let Some(id) = organizer.only_id(connection).await? {
                return Ok(Self::AlongOrganizer(id));
            }
            let few = Self::OfOrganizer(organizer);
            if few.is_of_few(filter, connection).await? {
                return Ok(few);
            }
        }
        if is_failing {
            return Ok(Self::AlongFailing);
        }
        if filter.statuses == [Status::Failed] {
            return Ok(Self::AlongFailed);
        }
        if filter.updated_from.is_some() && Self::Updated.is_of_few(filter, connection).await? {
            return Ok(Self::Updated);
        }
        Ok(if filter.source_system.is_some() { Self::AlongSourceSystem } else { Self::AlongAll })
    }

    async fn is_of_few(
        &self,
        filter: &BookingFilter,
        connection: &mut Connection,
    ) -> Result<bool, StoreError> {
        let mut query = candidates("booking where ");
        self.push_condition(filter, &mut query);
        are_few(connection, query).await
    }

    /// Whether it has the order of the list, and may have very many.
    pub(super) fn is_along(&self) -> bool {
        match self {
            Self::Named | Self::Unsettled | Self::FailingBefore | Self::Updated | Self::OfOrganizer(_) => {
                false
            }
            Self::AlongOrganizer(_)
            | Self::AlongFailed
            | Self::AlongFailing
            | Self::AlongSourceSystem
            | Self::AlongAll => true,
        }
    }

    /// Whether these filters leave out some of what it has.
    pub(super) fn is_narrowed_by(&self, filter: &BookingFilter) -> bool {
        let mut others = filter.clone();
        match self {
            Self::AlongSourceSystem => others.source_system = None,
            Self::AlongFailed => others.statuses.clear(),
            Self::AlongOrganizer(_) => others.organizer = None,
            _ => {}
        }
        others != BookingFilter::default()
    }

    /// The column that stands before those of the order in the index along which this is read. Its value is not a condition by
    /// itself but part of the places: that leaves Postgres no other way than along the index, however many rows it expects.
    pub(super) fn leading_column(&self) -> Option<&'static str> {
        match self {
            Self::AlongOrganizer(_) => Some("organizer_id"),
            Self::AlongSourceSystem => Some("source_system"),
            _ => None,
        }
    }

    /// The value of that column.
    pub(super) fn push_leading_value(&self, filter: &BookingFilter, query: &mut QueryBuilder<Postgres>) {
        if let Self::AlongOrganizer(id) = self {
            query.push_bind(*id);
        } else {
            query.push_bind(filter.source_system.as_ref().map(SourceSystem::as_str));
        }
    }

    /// The condition that a row of `booking` is one of these, but for the leading column.
    pub(super) fn push_condition(&self, filter: &BookingFilter, query: &mut QueryBuilder<Postgres>) {
        match self {
            Self::Named => push_key(filter, query),
            Self::Unsettled => push_unsettled(filter, query),
            Self::FailingBefore => {
                query.push("failing_since is not null and failing_since < ").push_bind(filter.failing_before);
            }
            Self::Updated => push_updated(filter, query),
            Self::OfOrganizer(organizer) => organizer.push_is_theirs(query),
            Self::AlongOrganizer(_) => {
                query.push("organizer_id is not null");
            }
            Self::AlongFailed => {
                query.push("status = 'failed'");
            }
            Self::AlongFailing => {
                query.push("failing_since is not null");
            }
            Self::AlongSourceSystem | Self::AlongAll => {
                query.push("true");
            }
        }
    }
}

/// Whether a booking of this status is due or failed.
fn is_unfinished(status: &Status) -> bool {
    !matches!(status, Status::Provisioned | Status::Cancelled)
}

fn push_key(filter: &BookingFilter, query: &mut QueryBuilder<Postgres>) {
    if let Some(external_id) = filter.external_id.map(ExternalId::uuid) {
        query.push("external_id = ").push_bind(external_id);
    } else if let Some(meeting_id) = filter.meeting_id.as_deref() {
        query.push("meeting_id = ").push_bind(meeting_id);
    } else {
        query.push("booking_id = ").push_bind(filter.booking_id.as_ref().map(BookingId::as_str));
    }
}

/// In the words of the partial indexes of what is due and what has failed.
fn push_unsettled(filter: &BookingFilter, query: &mut QueryBuilder<Postgres>) {
    let failed = filter.statuses.contains(&Status::Failed);
    let due = filter.statuses.iter().any(|status| *status != Status::Failed);
    query.push(match (due, failed) {
        (true, true) => "(due_at is not null or status = 'failed')",
        (false, true) => "status = 'failed'",
        (_, false) => "due_at is not null",
    });
}

fn push_updated(filter: &BookingFilter, query: &mut QueryBuilder<Postgres>) {
    query.push("updated_at >= ").push_bind(filter.updated_from);
    if let Some(before) = filter.updated_before {
        query.push(" and updated_at < ").push_bind(before);
    }
}
