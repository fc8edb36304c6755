//! Waits for a booking that somebody else works on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Provisioning;
use crate::booking::BookingKey;
use crate::meeting::{Progress, Standing, Status};

/// How often a waiting request looks for itself, because the booking may be settled by another replica. The first
/// looks come soon, for calls that take milliseconds; later ones cost a busy Postgres little.
const LOOKS: [Duration; 4] = [
    Duration::from_millis(15),
    Duration::from_millis(40),
    Duration::from_millis(100),
    Duration::from_millis(250),
];

/// Who waits for which booking in this process.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    bells: Mutex<HashMap<BookingKey, Arc<Notify>>>,
}

impl Waiting {
    /// Wakes everybody who waits for this booking.
    pub(super) fn wake(&self, key: &BookingKey) {
        if let Some(bell) = self.bells.lock().unwrap_or_else(PoisonError::into_inner).get(key) {
            bell.notify_waiters();
        }
    }

    fn enter(&self, key: &BookingKey) -> Seat<'_> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        let bell = Arc::clone(bells.entry(key.clone()).or_default());
        Seat { waiting: self, key: key.clone(), bell }
    }
}

/// A seat in the waiting room; leaving the last one takes the bell down.
struct Seat<'a> {
    waiting: &'a Waiting,
    key: BookingKey,
    bell: Arc<Notify>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut bells = self.waiting.bells.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's own handle and this one: nobody else waits.
        if Arc::strong_count(&self.bell) <= 2 {
            bells.remove(&self.key);
        }
    }
}

impl Provisioning {
    /// Waits until the booking is settled or parked, at most as long as the caller is patient, and no longer
    /// than that can happen at all; says how it stands then, as far as is known: should Postgres go away meanwhile, the
    /// booking is stored all the same.
    pub(crate) async fn wait_for(&self, standing: Standing, patience: Duration) -> Standing {
        // A meeting that is merely looked at is there.
        if standing.status() == Status::Provisioned {
            return standing;
        }
        self.wait_for_rest(standing, patience).await
    }

    /// The same, but also while a meeting that is there is looked at.
    pub(super) async fn wait_for_rest(&self, mut standing: Standing, patience: Duration) -> Standing {
        let deadline = Instant::now() + patience;
        if !self.is_worth_waiting(&standing, deadline) {
            return standing;
        }
        let seat = self.waiting.enter(&standing.key);
        let mut looks = LOOKS.into_iter();
        loop {
            // Listening begins before the look, so that a settlement in between is not missed.
            let bell = seat.bell.notified();
            tokio::pin!(bell);
            bell.as_mut().enable();
            match self.store.generation(&standing.key, standing.generation).await {
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
            let look = looks.next().unwrap_or(LOOKS[LOOKS.len() - 1]);
            let until = deadline.min(Instant::now() + look);
            // Whether the bell rang or the time came, the next look tells.
            let _rang = tokio::time::timeout_at(until, bell).await;
        }
    }

    fn is_worth_waiting(&self, standing: &Standing, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        match standing.progress {
            Progress::Due(at) => !left.is_zero() && at <= self.clock.now() + left,
            Progress::Settled | Progress::Parked => false,
        }
    }
}
