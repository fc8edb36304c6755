//! Attempts that may be ours: the statement that opens them was sent, and no answer came.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Provisioning;
use crate::clock::Timestamp;
use crate::meeting::{Attempt, AttemptId};
use crate::store::{LeasedBooking, StoreError};

/// Attempts that a booking may or may not name, each until its lease would end. Were they forgotten, a booking that does
/// name one would wait for that end, with no replica working on it.
#[derive(Debug, Default)]
pub(crate) struct Unconfirmed(Mutex<HashMap<AttemptId, Timestamp>>);

impl Unconfirmed {
    /// Runs a statement that opens these attempts. Should no answer come, or the caller leave before it does (a connection
    /// that is reset drops the request's future, and Postgres runs the statement all the same), the worker's next look
    /// finds out what came of it.
    pub(super) async fn opening<T>(
        &self,
        attempts: Vec<Attempt>,
        statement: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut unanswered = Unanswered { unconfirmed: self, attempts };
        let opened = statement.await;
        // What is stored is the caller's from here on, and what Postgres refused it has not done.
        if opened.as_ref().map_or_else(|error| !error.may_pass(), |_| true) {
            unanswered.attempts.clear();
        }
        opened
    }

    /// The attempts that may be ours at this time.
    pub(super) fn all(&self, now: Timestamp) -> Vec<AttemptId> {
        let mut attempts = self.lock();
        attempts.retain(|_, leased_until| *leased_until > now);
        attempts.keys().copied().collect()
    }

    fn confirm(&self, attempt: AttemptId) {
        self.lock().remove(&attempt);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AttemptId, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Attempts whose statement has not been answered. Dropped like that, they may be ours.
struct Unanswered<'a> {
    unconfirmed: &'a Unconfirmed,
    attempts: Vec<Attempt>,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        let attempts = self.attempts.drain(..).map(|attempt| (attempt.id, attempt.leased_until));
        self.unconfirmed.lock().extend(attempts);
    }
}

impl Provisioning {
    /// Finds out which of the attempts that may be ours are, to be carried out now.
    pub(super) async fn confirm_attempts(&self) -> Result<Vec<(LeasedBooking, Attempt)>, StoreError> {
        let now = self.clock.now();
        let unconfirmed = self.unconfirmed.all(now);
        if unconfirmed.is_empty() {
            return Ok(Vec::new());
        }
        let held = self.store.held(&unconfirmed, now).await?;
        for (leased, attempt) in &held {
            self.unconfirmed.confirm(attempt.id);
            tracing::info!(booking = %leased.booking.key, attempt = %attempt.id, "ours after all, though no answer came");
        }
        Ok(held)
    }
}
