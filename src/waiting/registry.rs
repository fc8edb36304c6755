//! Which requests of this process wait for which booking, and which bookings are worked on here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::booking::ExternalId;

/// The bookings that requests wait for, and those that are worked on.
#[derive(Debug, Default)]
pub(super) struct WaitRegistry(Mutex<HashMap<ExternalId, Entry>>);

/// One booking; its entry goes when the last request has left and the last work has ended.
#[derive(Debug, Default)]
struct Entry {
    notify: Arc<Notify>,
    waiting: usize,
    working: usize,
}

impl WaitRegistry {
    /// Wakes all requests that wait for this booking.
    pub(super) fn wake(&self, external_id: ExternalId) {
        if let Some(entry) = self.entries().get(&external_id) {
            entry.notify.notify_waiters();
        }
    }

    /// Wakes all requests that wait, to look again.
    pub(super) fn wake_all(&self) {
        for entry in self.entries().values() {
            entry.notify.notify_waiters();
        }
    }

    /// Notes that a request waits for this booking until the guard is dropped.
    pub(super) fn wait_for(&self, external_id: ExternalId) -> WaitGuard<'_> {
        let mut entries = self.entries();
        let entry = entries.entry(external_id).or_default();
        entry.waiting += 1;
        WaitGuard { registry: self, external_id, notify: Arc::clone(&entry.notify) }
    }

    /// Notes that the booking is worked on here until the guard is dropped.
    pub(super) fn working_on(&self, external_id: ExternalId) -> WorkGuard<'_> {
        self.entries().entry(external_id).or_default().working += 1;
        WorkGuard { registry: self, external_id }
    }

    /// Whether the booking is worked on here.
    pub(super) fn is_worked_on(&self, external_id: ExternalId) -> bool {
        self.entries().get(&external_id).is_some_and(|entry| entry.working > 0)
    }

    fn leave(&self, external_id: ExternalId, leave: impl FnOnce(&mut Entry)) {
        let mut entries = self.entries();
        if let Some(entry) = entries.get_mut(&external_id) {
            leave(entry);
            if entry.waiting == 0 && entry.working == 0 {
                entries.remove(&external_id);
            }
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<ExternalId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that waits.
pub(super) struct WaitGuard<'a> {
    registry: &'a WaitRegistry,
    external_id: ExternalId,
    /// Wakes it.
    pub(super) notify: Arc<Notify>,
}

impl Drop for WaitGuard<'_> {
    fn drop(&mut self) {
        self.registry.leave(self.external_id, |entry| entry.waiting -= 1);
    }
}

/// Work on a booking. When it is dropped, all requests that wait for the booking are woken.
pub(crate) struct WorkGuard<'a> {
    registry: &'a WaitRegistry,
    external_id: ExternalId,
}

impl Drop for WorkGuard<'_> {
    fn drop(&mut self) {
        self.registry.leave(self.external_id, |entry| {
            entry.working -= 1;
            entry.notify.notify_waiters();
        });
    }
}
