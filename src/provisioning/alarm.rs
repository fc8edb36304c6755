//! Wakes the worker in time for what will be due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::clock::Timestamp;

/// Most times that are kept; what is due at a later one is found by the worker's regular look.
const TIMES_MAX: usize = 1_000_000;

/// The times at which something is known to be due in this process. Each stays until it has come: a look before it takes
/// nothing away.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    times: Mutex<BinaryHeap<Reverse<Timestamp>>>,
    earlier: Notify,
}

impl Alarm {
    /// Something will be due at this time.
    pub(crate) fn set(&self, at: Timestamp) {
        let mut times = self.times();
        let is_earliest = times.peek().is_none_or(|Reverse(earliest)| at < *earliest);
        if is_earliest || times.len() < TIMES_MAX {
            times.push(Reverse(at));
        }
        if is_earliest {
            self.earlier.notify_one();
        }
    }

    /// Takes the times that have come, to be looked after now.
    pub(crate) fn take_due(&self, now: Timestamp) {
        let mut times = self.times();
        while times.peek().is_some_and(|Reverse(at)| *at <= now) {
            times.pop();
        }
    }

    /// The earliest time.
    pub(crate) fn earliest(&self) -> Option<Timestamp> {
        self.times().peek().map(|Reverse(at)| *at)
    }

    /// Waits until an earlier time is set.
    pub(crate) async fn earlier(&self) {
        self.earlier.notified().await;
    }

    fn times(&self) -> MutexGuard<'_, BinaryHeap<Reverse<Timestamp>>> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::macros::datetime;

    use super::*;

    const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);

    fn seconds(count: u64) -> Timestamp {
        NOW + Duration::from_secs(count)
    }

    /// A look before its time takes no alarm away, and later ones are not forgotten for an earlier one.
    #[test]
    fn each_time_stays_until_it_has_come() {
        let alarm = Alarm::default();
        for count in [9, 3, 60, 3] {
            alarm.set(seconds(count));
        }
        for (now, earliest) in [
            (NOW, Some(seconds(3))),
            (seconds(2), Some(seconds(3))),
            (seconds(3), Some(seconds(9))),
            (seconds(59), Some(seconds(60))),
            (seconds(61), None),
        ] {
            alarm.take_due(now);
            assert_eq!(alarm.earliest(), earliest, "{now}");
        }
    }

    /// Only an earlier time wakes; a time that is set before anyone waits is not missed.
    #[tokio::test]
    async fn an_earlier_time_wakes() {
        let alarm = Alarm::default();
        alarm.set(seconds(9));
        alarm.earlier().await;
        alarm.set(seconds(10));
        let woken = tokio::time::timeout(Duration::ZERO, alarm.earlier()).await;
        assert!(woken.is_err());
        alarm.set(seconds(8));
        alarm.earlier().await;
    }
}
