//! Places in the order of all events.

use crate::audit::Order;

/// Where an event stands, or may be recorded: the events of all bookings are in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
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

    /// Before every event of a transaction, and behind those of every earlier one.
    pub(super) fn beginning_of(transaction_id: i64) -> Self {
        Self { transaction_id, event_id: 0 }
    }

    fn next_to(self, step: i64) -> Self {
        Self { transaction_id: self.transaction_id, event_id: self.event_id.saturating_add(step) }
    }
}

/// The events behind one place and before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Between {
    pub(super) behind: EventPlace,
    pub(super) before: EventPlace,
}

impl Between {
    /// All events.
    pub(super) const ALL: Self = Self { behind: EventPlace::BEGINNING, before: EventPlace::END };

    /// Of these the ones from this transaction on; none of them where there is no such transaction.
    pub(super) fn written_from(self, transaction_id: Option<i64>) -> Self {
        let first = transaction_id.map_or(EventPlace::END, EventPlace::beginning_of);
        Self { behind: self.behind.max(first), ..self }
    }

    /// Of these the ones up to this transaction; none of them where there is no such transaction.
    pub(super) fn written_up_to(self, transaction_id: Option<i64>) -> Self {
        let behind_last = transaction_id.map(|id| EventPlace::beginning_of(id.saturating_add(1)));
        Self { before: self.before.min(behind_last.unwrap_or(EventPlace::BEGINNING)), ..self }
    }

    /// Of these the ones before this transaction.
    pub(super) fn written_before(self, transaction_id: i64) -> Self {
        Self { before: self.before.min(EventPlace::beginning_of(transaction_id)), ..self }
    }

    /// Of these the ones that follow a place in this order.
    pub(super) fn behind(self, place: EventPlace, order: Order) -> Self {
        match order {
            Order::Ascending => Self { behind: self.behind.max(place), ..self },
            Order::Descending => Self { before: self.before.min(place), ..self },
        }
    }

    /// Of these the ones up to a place in this order, and the event there.
    pub(super) fn up_to(self, place: EventPlace, order: Order) -> Self {
        match order {
            Order::Ascending => Self { before: self.before.min(place.next_to(1)), ..self },
            Order::Descending => Self { behind: self.behind.max(place.next_to(-1)), ..self },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(transaction_id: i64, event_id: i64) -> EventPlace {
        EventPlace { transaction_id, event_id }
    }

    fn has(between: Between, place: EventPlace) -> bool {
        between.behind < place && place < between.before
    }

    /// What is cut off stands on the side that the order says, and a place that was reached is not cut off itself.
    #[test]
    fn the_events_between_two_places() {
        let (earlier, reached, later) = (at(7, 2), at(7, 3), at(8, 1));
        for (between, expected) in [
            (Between::ALL, [true, true, true]),
            (Between::ALL.behind(reached, Order::Ascending), [false, false, true]),
            (Between::ALL.behind(reached, Order::Descending), [true, false, false]),
            (Between::ALL.up_to(reached, Order::Ascending), [true, true, false]),
            (Between::ALL.up_to(reached, Order::Descending), [false, true, true]),
            (Between::ALL.written_before(8), [true, true, false]),
            (Between::ALL.written_from(Some(8)), [false, false, true]),
            (Between::ALL.written_from(None), [false, false, false]),
            (Between::ALL.written_up_to(Some(7)), [true, true, false]),
            (Between::ALL.written_up_to(None), [false, false, false]),
        ] {
            assert_eq!([earlier, reached, later].map(|place| has(between, place)), expected, "{between:?}");
        }
    }
}
