//! What this replica knows of requests that wait at other replicas.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::booking::ExternalId;

/// Most bookings that are kept in memory. A request that waits for one more finds out by looking.
const AWAITED_MAX: usize = 100_000;
/// Overdue entries are dropped whenever there are this many more than were left by the time before.
const FORGET_AFTER: usize = 1_024;
/// How long a settlement is remembered, for requests whose notice is on its way meanwhile.
const SETTLED_KEPT: Duration = Duration::from_secs(2);

/// Which bookings other replicas wait for, and which were settled here a moment ago.
///
/// A request publishes first that it waits, and looks at the booking then. A settlement that is committed before the look
/// is seen by it. One that is committed later is published, if the request's notice arrived before it; and if the notice
/// arrived after, it finds the settlement here.
#[derive(Debug, Default)]
pub(super) struct RemoteWaiters {
    awaited: HashMap<ExternalId, Instant>,
    forget_at: usize,
    settled: HashMap<ExternalId, Instant>,
    settled_order: VecDeque<(Instant, ExternalId)>,
}

impl RemoteWaiters {
    /// Notes that a request elsewhere waits for this booking until then. Says whether it was settled here a moment ago, so
    /// that the request can be told at once.
    pub(super) fn register(&mut self, external_id: ExternalId, until: Instant, now: Instant) -> bool {
        self.forget_settled(now);
        // Once is enough: every request that missed that settlement listens by now, and hears that it is published. One that
        // is woken and finds that it has to wait on says so again.
        if self.settled.remove(&external_id).is_some() {
            return true;
        }
        if self.awaited.len() >= self.forget_at {
            self.awaited.retain(|_, until| *until > now);
            self.forget_at = self.awaited.len() + FORGET_AFTER;
        }
        if self.awaited.len() < AWAITED_MAX {
            let known = self.awaited.entry(external_id).or_insert(until);
            *known = until.max(*known);
        }
        false
    }

    /// Notes that this booking is settled here. Says whether a request elsewhere waits for it, which is to be told now and
    /// will wait anew if that is not enough.
    pub(super) fn settled(&mut self, external_id: ExternalId, now: Instant) -> bool {
        self.forget_settled(now);
        self.settled.insert(external_id, now);
        self.settled_order.push_back((now, external_id));
        self.awaited.remove(&external_id).is_some_and(|until| until > now)
    }

    fn forget_settled(&mut self, now: Instant) {
        while let Some((at, external_id)) = self.settled_order.front().copied() {
            if at + SETTLED_KEPT > now {
                break;
            }
            self.settled_order.pop_front();
            // It may have been settled again since; that is further behind in the order.
            if self.settled.get(&external_id) == Some(&at) {
                self.settled.remove(&external_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const BOOKING: ExternalId = ExternalId::new(Uuid::from_u128(1));

    #[test]
    fn a_waiting_request_is_told_once_and_in_time_only() {
        let (mut remote_waiters, now) = (RemoteWaiters::default(), Instant::now());
        assert!(!remote_waiters.settled(BOOKING, now), "no request waits");
        let later = now + SETTLED_KEPT;
        assert!(!remote_waiters.register(BOOKING, later + Duration::from_secs(1), later));
        assert!(remote_waiters.settled(BOOKING, later));
        assert!(!remote_waiters.settled(BOOKING, later), "a request that is told tells anew");
        let late = later + SETTLED_KEPT;
        assert!(!remote_waiters.register(BOOKING, late + Duration::from_secs(1), late));
        assert!(
            !remote_waiters.settled(BOOKING, late + Duration::from_secs(1)),
            "no request waits any longer"
        );
    }

    /// The notice is on its way while the booking is settled: the settlement is found when the notice arrives.
    #[test]
    fn a_notice_that_comes_late_finds_the_settlement() {
        let (mut remote_waiters, now) = (RemoteWaiters::default(), Instant::now());
        remote_waiters.settled(BOOKING, now);
        let again = now + Duration::from_secs(1);
        remote_waiters.settled(BOOKING, again);
        let arrived = now + SETTLED_KEPT;
        let until = arrived + Duration::from_secs(1);
        assert!(remote_waiters.register(BOOKING, until, arrived));
        assert!(
            !remote_waiters.register(BOOKING, until, arrived),
            "it is told once, or both would publish without end"
        );
        assert!(
            remote_waiters.settled(BOOKING, arrived),
            "and a request that waits on is told of the next one"
        );
        let forgotten = arrived + SETTLED_KEPT;
        assert!(!remote_waiters.register(BOOKING, forgotten + Duration::from_secs(1), forgotten));
    }

    #[test]
    fn what_is_remembered_stays_bounded() {
        let (mut remote_waiters, mut now) = (RemoteWaiters::default(), Instant::now());
        for number in 0..500_000 {
            now += Duration::from_micros(100);
            let external_id = ExternalId::new(Uuid::from_u128(number));
            remote_waiters.settled(external_id, now);
            remote_waiters.register(ExternalId::new(Uuid::from_u128(number << 64)), now + SETTLED_KEPT, now);
        }
        assert!(remote_waiters.settled.len() <= 20_001, "{}", remote_waiters.settled.len());
        assert!(remote_waiters.awaited.len() <= 42_000, "{}", remote_waiters.awaited.len());
    }
}
