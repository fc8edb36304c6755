//! Waits for a booking that somebody else works on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Provisioning;
use crate::booking::ExternalId;
use crate::meeting::{Booking, Progress, Status};
use crate::under_way::{Counted, UnderWay};

/// How often a waiting request looks for itself where nobody would tell it. The first looks come soon, for calls that
/// take milliseconds; later ones cost a busy Postgres little.
const LOOKS: [Duration; 4] = [
    Duration::from_millis(15),
    Duration::from_millis(40),
    Duration::from_millis(100),
    Duration::from_millis(250),
];

/// So many waiting requests look as often as is said; twice as many look half as often, and so on, so that the looks of all
/// of them together cost Postgres the same.
const POLL_SCALE: usize = 1_000;

/// Who waits for which booking in this process, and which are worked on here.
#[derive(Debug)]
pub(crate) struct WaitRegistry {
    entries: Mutex<HashMap<ExternalId, Entry>>,
    requests: Arc<UnderWay>,
    most: usize,
    /// Looks at once: they must leave connections to those who accept and settle.
    looks: Semaphore,
    over: CancellationToken,
}

/// Where those are who have to do with one booking; it is gone when the last of them leaves.
#[derive(Debug, Default)]
struct Entry {
    notify: Arc<Notify>,
    waiting: usize,
    working: usize,
}

impl WaitRegistry {
    /// Nobody waits yet. The requests that do are counted in `requests`; at most so many may, and so many of them may look
    /// at the store at once.
    pub(crate) fn of(requests: Arc<UnderWay>, most: usize, looks: usize) -> Self {
        let (entries, over) = (Mutex::default(), CancellationToken::new());
        Self { entries, requests, most, looks: Semaphore::new(looks.max(1)), over }
    }

    /// Whoever waits is answered at once, now and from now on, with how the booking stands.
    pub(crate) fn end(&self) {
        self.over.cancel();
        self.wake_all();
    }

    /// By how much the looks are rarer for all who wait.
    fn poll_factor(&self) -> u32 {
        u32::try_from(1 + self.requests.count() / POLL_SCALE).unwrap_or(u32::MAX)
    }

    /// Wakes everybody who waits for this booking.
    pub(super) fn wake(&self, external_id: ExternalId) {
        if let Some(entry) = self.entries().get(&external_id) {
            entry.notify.notify_waiters();
        }
    }

    /// Wakes everybody, to look again.
    pub(super) fn wake_all(&self) {
        for entry in self.entries().values() {
            entry.notify.notify_waiters();
        }
    }

    /// The booking is worked on here until what is handed back is dropped, which wakes everybody who waits for it.
    pub(super) fn working_on(&self, external_id: ExternalId) -> WorkGuard<'_> {
        self.entries().entry(external_id).or_default().working += 1;
        WorkGuard { waiting: self, external_id }
    }

    fn register(&self, external_id: ExternalId) -> WaitGuard<'_> {
        let mut entries = self.entries();
        let entry = entries.entry(external_id).or_default();
        entry.waiting += 1;
        WaitGuard { waiting: self, external_id, notify: Arc::clone(&entry.notify) }
    }

    fn is_worked_on(&self, external_id: ExternalId) -> bool {
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
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A seat of somebody who waits.
struct WaitGuard<'a> {
    waiting: &'a WaitRegistry,
    external_id: ExternalId,
    notify: Arc<Notify>,
}

impl Drop for WaitGuard<'_> {
    fn drop(&mut self) {
        self.waiting.leave(self.external_id, |entry| entry.waiting -= 1);
    }
}

/// The place of somebody who works on a booking.
pub(super) struct WorkGuard<'a> {
    waiting: &'a WaitRegistry,
    external_id: ExternalId,
}

impl Drop for WorkGuard<'_> {
    fn drop(&mut self) {
        self.waiting.leave(self.external_id, |entry| {
            entry.working -= 1;
            entry.notify.notify_waiters();
        });
    }
}

impl Provisioning {
    /// A place among the requests that wait; nothing when all are taken.
    fn place_to_wait(&self) -> Option<Counted> {
        let place = self.waiting.requests.one_more_of(self.waiting.most);
        if place.is_none() {
            self.metrics.load().wait_refused();
        }
        place
    }

    /// Waits for this work, at most until then; nothing where it takes longer, where as many wait already as may, and
    /// once waiting is over.
    pub(super) async fn await_until<T>(&self, work: impl Future<Output = T>, until: Instant) -> Option<T> {
        if until <= Instant::now() {
            return None;
        }
        let _place = self.place_to_wait()?;
        tokio::select! {
            biased;
            done = tokio::time::timeout_at(until, work) => done.ok(),
            () = self.waiting.over.cancelled() => None,
        }
    }

    /// Waits until the booking is settled or parked, at most as long as the caller is patient, and no longer
    /// than that can happen at all; says how it stands then, as far as is known: should Postgres go away meanwhile, the
    /// booking is stored all the same.
    ///
    /// The bell rings when this replica has settled it, or hears that another one has. Where that can't be relied on it
    /// looks often; else a slow look is the net below.
    pub(crate) async fn wait_for(&self, booking: Booking, patience: Duration) -> Booking {
        // A meeting that is merely looked at is there.
        if booking.status() == Status::Provisioned {
            return booking;
        }
        self.wait_until_settled(booking, patience).await
    }

    /// The same, but also while a meeting that is there is looked at.
    pub(super) async fn wait_until_settled(&self, booking: Booking, patience: Duration) -> Booking {
        let deadline = Instant::now() + patience;
        if !self.is_worth_waiting(&booking, deadline) {
            return booking;
        }
        // Apart, so that only those who wait pay for the room that waiting takes.
        Box::pin(self.wait_until(booking, deadline)).await
    }

    async fn wait_until(&self, mut booking: Booking, deadline: Instant) -> Booking {
        let Some(_place) = self.place_to_wait() else { return booking };
        let external_id = booking.wanted.external_id;
        let guard = self.waiting.register(external_id);
        let mut looks = LOOKS.into_iter();
        loop {
            // Listening begins before the look, here and at the other replicas, so that no settlement in between is
            // missed.
            let notify = guard.notify.notified();
            tokio::pin!(notify);
            notify.as_mut().enable();
            let is_told = self.waiting.is_worked_on(external_id)
                || tokio::time::timeout_at(deadline, self.publish_awaited(external_id))
                    .await
                    .unwrap_or(false);
            let turn = tokio::time::timeout_at(deadline, self.waiting.looks.acquire()).await;
            if turn.is_err() || self.waiting.over.is_cancelled() {
                return booking;
            }
            let looked = self.store.generation(&booking.key, booking.generation).await;
            drop(turn);
            match looked {
                Ok(Some(leased)) => booking = leased.booking,
                Ok(None) => return booking,
                Err(error) => {
                    tracing::warn!(booking = %booking.key, error = %error, "waiting ends, for the store is away");
                    return booking;
                }
            }
            if !self.is_worth_waiting(&booking, deadline) {
                return booking;
            }
            let look = if is_told { self.poll } else { looks.next().unwrap_or(LOOKS[LOOKS.len() - 1]) };
            let until = deadline.min(Instant::now() + look * self.waiting.poll_factor());
            // Whether the bell rang or the time came, the next look tells.
            let _rang = tokio::time::timeout_at(until, notify).await;
        }
    }

    fn is_worth_waiting(&self, booking: &Booking, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        match booking.progress {
            Progress::Due(at) => {
                let is_over = left.is_zero() || self.waiting.over.is_cancelled();
                !is_over && at <= self.clock.now() + left
            }
            Progress::Settled | Progress::Parked => false,
        }
    }
}
