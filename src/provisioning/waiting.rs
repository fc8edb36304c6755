//! Waits for a booking that somebody else works on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Provisioning;
use crate::booking::ExternalId;
use crate::meeting::{Progress, Standing, Status};
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
const CROWD: usize = 1_000;

/// Who waits for which booking in this process, and which are worked on here.
#[derive(Debug)]
pub(crate) struct Waiting {
    rooms: Mutex<HashMap<ExternalId, Room>>,
    requests: Arc<UnderWay>,
    most: usize,
    /// Looks at once: they must leave connections to those who accept and settle.
    looks: Semaphore,
    over: CancellationToken,
}

/// Where those are who have to do with one booking; it is gone when the last of them leaves.
#[derive(Debug, Default)]
struct Room {
    bell: Arc<Notify>,
    waiting: usize,
    working: usize,
}

impl Waiting {
    /// Nobody waits yet. The requests that do are counted in `requests`; at most so many may, and so many of them may look
    /// at the store at once.
    pub(crate) fn of(requests: Arc<UnderWay>, most: usize, looks: usize) -> Self {
        let (rooms, over) = (Mutex::default(), CancellationToken::new());
        Self { rooms, requests, most, looks: Semaphore::new(looks.max(1)), over }
    }

    /// Whoever waits is answered at once, now and from now on, with how the booking stands.
    pub(crate) fn end(&self) {
        self.over.cancel();
        self.wake_all();
    }

    /// By how much the looks are rarer for all who wait.
    fn crowd(&self) -> u32 {
        u32::try_from(1 + self.requests.count() / CROWD).unwrap_or(u32::MAX)
    }

    /// Wakes everybody who waits for this booking.
    pub(super) fn wake(&self, booking: ExternalId) {
        if let Some(room) = self.rooms().get(&booking) {
            room.bell.notify_waiters();
        }
    }

    /// Wakes everybody, to look again.
    pub(super) fn wake_all(&self) {
        for room in self.rooms().values() {
            room.bell.notify_waiters();
        }
    }

    /// The booking is worked on here until what is handed back is dropped, which wakes everybody who waits for it.
    pub(super) fn working_on(&self, booking: ExternalId) -> Working<'_> {
        self.rooms().entry(booking).or_default().working += 1;
        Working { waiting: self, booking }
    }

    fn enter(&self, booking: ExternalId) -> Seat<'_> {
        let mut rooms = self.rooms();
        let room = rooms.entry(booking).or_default();
        room.waiting += 1;
        Seat { waiting: self, booking, bell: Arc::clone(&room.bell) }
    }

    fn is_worked_on(&self, booking: ExternalId) -> bool {
        self.rooms().get(&booking).is_some_and(|room| room.working > 0)
    }

    fn leave(&self, booking: ExternalId, leave: impl FnOnce(&mut Room)) {
        let mut rooms = self.rooms();
        if let Some(room) = rooms.get_mut(&booking) {
            leave(room);
            if room.waiting == 0 && room.working == 0 {
                rooms.remove(&booking);
            }
        }
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<ExternalId, Room>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A seat of somebody who waits.
struct Seat<'a> {
    waiting: &'a Waiting,
    booking: ExternalId,
    bell: Arc<Notify>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.waiting.leave(self.booking, |room| room.waiting -= 1);
    }
}

/// The place of somebody who works on a booking.
pub(super) struct Working<'a> {
    waiting: &'a Waiting,
    booking: ExternalId,
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.waiting.leave(self.booking, |room| {
            room.working -= 1;
            room.bell.notify_waiters();
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
    pub(super) async fn sit_out<T>(&self, work: impl Future<Output = T>, until: Instant) -> Option<T> {
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
    pub(crate) async fn wait_for(&self, standing: Standing, patience: Duration) -> Standing {
        // A meeting that is merely looked at is there.
        if standing.status() == Status::Provisioned {
            return standing;
        }
        self.wait_for_rest(standing, patience).await
    }

    /// The same, but also while a meeting that is there is looked at.
    pub(super) async fn wait_for_rest(&self, standing: Standing, patience: Duration) -> Standing {
        let deadline = Instant::now() + patience;
        if !self.is_worth_waiting(&standing, deadline) {
            return standing;
        }
        // Apart, so that only those who wait pay for the room that waiting takes.
        Box::pin(self.wait_until(standing, deadline)).await
    }

    async fn wait_until(&self, mut standing: Standing, deadline: Instant) -> Standing {
        let Some(_place) = self.place_to_wait() else { return standing };
        let booking = standing.wanted.external_id;
        let seat = self.waiting.enter(booking);
        let mut looks = LOOKS.into_iter();
        loop {
            // Listening begins before the look, here and at the other replicas, so that no settlement in between is
            // missed.
            let bell = seat.bell.notified();
            tokio::pin!(bell);
            bell.as_mut().enable();
            let is_told = self.waiting.is_worked_on(booking)
                || tokio::time::timeout_at(deadline, self.tell_awaited(booking)).await.unwrap_or(false);
            let turn = tokio::time::timeout_at(deadline, self.waiting.looks.acquire()).await;
            if turn.is_err() || self.waiting.over.is_cancelled() {
                return standing;
            }
            let looked = self.store.generation(&standing.key, standing.generation).await;
            drop(turn);
            match looked {
                Ok(Some(kept)) => standing = kept.standing,
                Ok(None) => return standing,
                Err(error) => {
                    tracing::warn!(booking = %standing.key, error = %error, "waiting ends, for the store is away");
                    return standing;
                }
            }
            if !self.is_worth_waiting(&standing, deadline) {
                return standing;
            }
            let look = if is_told { self.poll } else { looks.next().unwrap_or(LOOKS[LOOKS.len() - 1]) };
            let until = deadline.min(Instant::now() + look * self.waiting.crowd());
            // Whether the bell rang or the time came, the next look tells.
            let _rang = tokio::time::timeout_at(until, bell).await;
        }
    }

    fn is_worth_waiting(&self, standing: &Standing, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        match standing.progress {
            Progress::Due(at) => {
                let is_over = left.is_zero() || self.waiting.over.is_cancelled();
                !is_over && at <= self.clock.now() + left
            }
            Progress::Settled | Progress::Parked => false,
        }
    }
}
