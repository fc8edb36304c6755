//! Places in lists of events.

use super::audit_event_row::AuditEventRow;
use super::event_place::EventPlace;
use super::timeline::Timeline;

/// A place in a list of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditEventPosition {
    /// On which timeline of the database it was given; nothing newest first, where nothing can be passed over, and where
    /// Postgres did not say.
    pub(crate) timeline: Option<Timeline>,
    /// The place.
    pub(crate) reached: Reached,
}

/// How far a reader has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reached {
    /// Right behind an event.
    Behind(EventPlace),
    /// In the history of one booking, oldest first.
    Numbers {
        /// How many events of each generation were read, from generation 0 on, which are the cancels that came before the
        /// booking.
        numbers: Vec<i32>,
        /// The latest transaction that wrote one of them; 0 before the first.
        transaction_id: i64,
    },
}

impl AuditEventPosition {
    /// Right behind this event.
    pub(super) fn behind(timeline: Option<Timeline>, row: &AuditEventRow) -> Self {
        Self { timeline, reached: Reached::Behind(row.place()) }
    }

    /// How many events of each generation were read, with these rows.
    pub(super) fn read_with(timeline: Option<Timeline>, from: Option<&Self>, rows: &[AuditEventRow]) -> Self {
        let mut numbers = Self::numbers(from).to_vec();
        let mut transaction_id = from.map_or(0, Self::transaction_id);
        for row in rows {
            let generation = usize::try_from(row.generation).unwrap_or(0);
            numbers.resize(numbers.len().max(generation + 1), 0);
            numbers[generation] = row.number;
            transaction_id = transaction_id.max(row.transaction_id);
        }
        Self { timeline, reached: Reached::Numbers { numbers, transaction_id } }
    }

    /// The place in a list that is ordered by transactions or events; `other` where it is one of another list.
    pub(super) fn place_or(from: Option<&Self>, other: EventPlace) -> EventPlace {
        match from.map(|from| &from.reached) {
            Some(&Reached::Behind(place)) => place,
            Some(Reached::Numbers { .. }) | None => other,
        }
    }

    /// The numbers of the events of each generation that were read.
    pub(super) fn numbers(from: Option<&Self>) -> &[i32] {
        match from.map(|from| &from.reached) {
            Some(Reached::Numbers { numbers, .. }) => numbers,
            Some(Reached::Behind(_)) | None => &[],
        }
    }

    /// The latest transaction that it knows of.
    pub(super) fn transaction_id(&self) -> i64 {
        match self.reached {
            Reached::Behind(place) => place.transaction_id,
            Reached::Numbers { transaction_id, .. } => transaction_id,
        }
    }

    /// Whether all that was read was written before this transaction.
    pub(super) fn is_before(&self, transaction_id: i64) -> bool {
        match self.reached {
            Reached::Behind(place) => place <= EventPlace::beginning_of(transaction_id),
            Reached::Numbers { transaction_id: latest, .. } => latest < transaction_id,
        }
    }
}
