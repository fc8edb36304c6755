//! When the pauses that other replicas were asked for are read from the store.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::Timestamp;

/// When the pauses were read last. Those that Graph asked of this replica hold at once and need no reading.
#[derive(Debug)]
pub(crate) struct PauseReads {
    period: Duration,
    /// None until they were read while notices were delivered: only from then on does this replica miss none.
    last: Mutex<Option<Timestamp>>,
    /// Another replica told that there is a pause more.
    told: Notify,
}

impl PauseReads {
    /// Read once a period while notices are delivered.
    pub(crate) fn every(period: Duration) -> Self {
        Self { period, last: Mutex::new(None), told: Notify::new() }
    }

    /// Whether a look of the worker is to read them.
    pub(super) fn is_due(&self, now: Timestamp, are_notices_delivered: bool) -> bool {
        !are_notices_delivered || self.last().is_none_or(|last| now < last || now - last >= self.period)
    }

    /// Notes that they were read, by a statement that began at this time.
    pub(super) fn note(&self, began_at: Timestamp, were_notices_delivered: bool) {
        *self.last() = were_notices_delivered.then_some(began_at);
    }

    /// Notes that another replica told of a pause.
    pub(super) fn tell(&self) {
        self.told.notify_one();
    }

    /// Waits until another replica has told of a pause since this was called last; of however many it is told once.
    pub(super) async fn told(&self) {
        self.told.notified().await;
    }

    fn last(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);

    /// Once a period where notices are delivered, at each look where they are not, and once more when they are again.
    #[test]
    fn pauses_are_read_once_a_period_unless_notices_may_be_missed() {
        let reads = PauseReads::every(Duration::from_millis(750));
        for (milliseconds, are_notices_delivered, is_due) in [
            (0, false, true),
            (1, false, true),
            (2, true, true),
            (3, true, false),
            (751, true, false),
            (752, true, true),
            (753, true, false),
            (754, false, true),
            (755, true, true),
            (756, true, false),
            // The clock was set back.
            (10, true, true),
            (11, true, false),
            (60_000, true, true),
        ] {
            let now = NOW + Duration::from_millis(milliseconds);
            assert_eq!(reads.is_due(now, are_notices_delivered), is_due, "{milliseconds}");
            if is_due {
                reads.note(now, are_notices_delivered);
            }
        }
    }
}
