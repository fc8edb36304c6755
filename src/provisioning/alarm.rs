//! Wakes the worker in time for what will be due.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::clock::Timestamp;

/// The earliest time at which something is known to be due in this process.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    earliest: Mutex<Option<Timestamp>>,
    changed: Notify,
}

impl Alarm {
    /// Something will be due at this time.
    pub(crate) fn set(&self, at: Timestamp) {
        let mut earliest = self.earliest.lock().unwrap_or_else(PoisonError::into_inner);
        if earliest.is_none_or(|known| at < known) {
            *earliest = Some(at);
            self.changed.notify_one();
        }
    }

    /// Takes the earliest time away, to be looked after.
    pub(crate) fn take(&self) -> Option<Timestamp> {
        self.earliest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The earliest time.
    pub(crate) fn earliest(&self) -> Option<Timestamp> {
        *self.earliest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until an earlier time is set.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}
