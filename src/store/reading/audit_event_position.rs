//! Places in lists of events.

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

/// Where an event stands, or may be recorded: the events of all bookings are in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EventPlace {
    /// The transaction that wrote it.
    pub(crate) transaction_id: i64,
    /// Its number.
    pub(crate) event_id: i64,
}

impl EventPlace {
    /// Before every event.
    pub(super) const BEGINNING: Self = Self { transaction_id: 0, event_id: 0 };
    /// Behind every event.
    pub(super) const END: Self = Self { transaction_id: i64::MAX, event_id: i64::MAX };
}

impl AuditEventPosition {
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
            Reached::Behind(place) => place <= EventPlace { transaction_id, event_id: 0 },
            Reached::Numbers { transaction_id: latest, .. } => latest < transaction_id,
        }
    }
}
