//! Where the list of bookings is read from: the index that serves a search best.

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::search_bounds::{are_few, count_of, few_limit};
use super::sought_organizer::SoughtOrganizer;
use crate::booking::{BookingId, ExternalId, SourceSystem};
use crate::meeting::{BookingFilter, Status};
use crate::store::StoreError;
use crate::store::connections::Connection;

/// Where bookings are read from, before the other filters are applied.
#[derive(Debug)]
pub(super) enum BookingSource {
    /// Few that an index finds.
    Few(FewBookings),
    /// An index that has the list's order.
    Along(BookingIndex),
}

/// Few bookings that an index finds.
#[derive(Debug)]
pub(super) enum FewBookings {
    /// Those that a unique key finds, or all generations of one booking.
    Named,
    /// Those that are due or failed.
    Unsettled,
    /// Those that have been failing.
    Failing,
    /// Those that were changed in a period.
    Updated,
    /// Those of some users.
    OfOrganizer(SoughtOrganizer),
}

/// An index that has the order of the list.
#[derive(Debug, Clone, Copy)]
pub(super) enum BookingIndex {
    /// Of one user's bookings.
    Organizer(Uuid),
    /// Of the failed ones.
    Failed,
    /// Of those that have been failing.
    Failing,
    /// Of one source system's.
    SourceSystem,
    /// Of all.
    All,
}

impl BookingSource {
    /// The best one for these filters.
    pub(super) async fn of(
        filter: &BookingFilter,
        organizer: Option<SoughtOrganizer>,
        connection: &mut Connection,
    ) -> Result<Self, StoreError> {
        if filter.booking_id.is_some() || filter.external_id.is_some() || filter.meeting_id.is_some() {
            return Ok(Self::Few(FewBookings::Named));
        }
        let is_failing = filter.failing_before.is_some();
        let is_unsettled = !filter.statuses.is_empty() && filter.statuses.iter().copied().all(is_unfinished);
        for (applies, few) in [(is_failing, FewBookings::Failing), (is_unsettled, FewBookings::Unsettled)] {
            if applies && few.are_few(filter, connection).await? {
                return Ok(Self::Few(few));
            }
        }
        if let Some(organizer) = organizer {
            if let Some(id) = organizer.only_id(connection).await? {
                return Ok(Self::Along(BookingIndex::Organizer(id)));
            }
            let few = FewBookings::OfOrganizer(organizer);
            if few.are_few(filter, connection).await? {
                return Ok(Self::Few(few));
            }
        }
        if is_failing {
            return Ok(Self::Along(BookingIndex::Failing));
        }
        if filter.statuses == [Status::Failed] {
            return Ok(Self::Along(BookingIndex::Failed));
        }
        if filter.updated_from.is_some() && FewBookings::Updated.are_few(filter, connection).await? {
            return Ok(Self::Few(FewBookings::Updated));
        }
        let has_source_system = filter.source_system.is_some();
        Ok(Self::Along(if has_source_system { BookingIndex::SourceSystem } else { BookingIndex::All }))
    }
}

impl FewBookings {
    async fn are_few(&self, filter: &BookingFilter, connection: &mut Connection) -> Result<bool, StoreError> {
        let mut query = count_of();
        self.push(filter, "1", &mut query);
        are_few(connection, query).await
    }

    /// Reads them: along their index, and one more than are few.
    pub(super) fn push(&self, filter: &BookingFilter, select: &str, query: &mut QueryBuilder<Postgres>) {
        match self {
            Self::Named => {
                query.push(format_args!("select {select} from booking where "));
                push_key(filter, query);
                query.push(" offset 0");
            }
            Self::Unsettled => {
                let failed = filter.statuses.contains(&Status::Failed);
                let due = filter.statuses.iter().any(|status| *status != Status::Failed);
                if due {
                    push_first(select, "due_at is not null", "due_at", query);
                }
                if due && failed {
                    query.push(" union all ");
                }
                if failed {
                    push_first(select, "status = 'failed'", "created_at, external_id", query);
                }
            }
            Self::Failing => {
                push_first(select, "failing_since is not null", "created_at, external_id", query);
            }
            Self::Updated => {
                query.push(format_args!("select {select} from booking where updated_at >= "));
                query.push_bind(filter.updated_from);
                if let Some(before) = filter.updated_before {
                    query.push(" and updated_at < ").push_bind(before);
                }
                query.push(" order by updated_at limit ").push_bind(few_limit());
            }
            Self::OfOrganizer(organizer) => organizer.push_some(select, query),
        }
    }
}

impl BookingIndex {
    /// Whether these filters leave out some of what it has.
    pub(super) fn is_narrowed_by(self, filter: &BookingFilter) -> bool {
        let mut others = filter.clone();
        match self {
            Self::SourceSystem => others.source_system = None,
            Self::Failed => others.statuses.clear(),
            Self::Organizer(_) => others.organizer = None,
            Self::Failing | Self::All => {}
        }
        others != BookingFilter::default()
    }

    /// The column that stands before those of the order. Its value is not a condition by itself but part of the places: that leaves
    /// Postgres no other way than along the index, however many rows it expects.
    pub(super) fn leading_column(self) -> Option<&'static str> {
        match self {
            Self::Organizer(_) => Some("organizer_id"),
            Self::SourceSystem => Some("source_system"),
            Self::Failed | Self::Failing | Self::All => None,
        }
    }

    /// The value of that column.
    pub(super) fn push_leading_value(self, filter: &BookingFilter, query: &mut QueryBuilder<Postgres>) {
        if let Self::Organizer(id) = self {
            query.push_bind(id);
        } else {
            query.push_bind(filter.source_system.as_ref().map(SourceSystem::as_str));
        }
    }

    /// The condition that a row of `booking` is in it, but for the leading column.
    pub(super) fn condition(self) -> &'static str {
        match self {
            Self::Organizer(_) => "organizer_id is not null",
            Self::Failed => "status = 'failed'",
            Self::Failing => "failing_since is not null",
            Self::SourceSystem | Self::All => "true",
        }
    }
}

fn push_first(select: &str, condition: &str, order: &str, query: &mut QueryBuilder<Postgres>) {
    query.push(format_args!("(select {select} from booking where {condition} order by {order} limit "));
    query.push_bind(few_limit()).push(")");
}

/// Whether a booking of this status is due or failed.
fn is_unfinished(status: Status) -> bool {
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
