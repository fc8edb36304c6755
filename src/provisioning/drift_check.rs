//! Compares meetings with their bookings: when a caller asks, and on the rounds.

use std::sync::Arc;
use std::time::Duration;

use super::carry_out::Work;
use super::{Provisioning, ProvisioningError};
use crate::audit::Origin;
use crate::booking::{BookingKey, Generation, SourceSystem};
use crate::clock::Timestamp;
use crate::meeting::{Attempt, Booking, Drift, DriftPolicy};
use crate::store::reading::ComparePosition;
use crate::store::{LeasedBooking, StoreError};

/// So soon after Graph's last word on a meeting a check is answered with that.
const CHECKED_LATELY: Duration = Duration::from_secs(5);

impl Provisioning {
    /// Asks Graph how the meeting of a booking is, in this generation or its latest, and does with a difference what the
    /// policy of its source system says. Says how the booking stands then, or when the patience ends; nothing where there is
    /// no such booking. Where something is under way, its answer is waited for. Graph is not asked where there is no meeting
    /// to compare, nor again so soon after its last word.
    pub(crate) async fn compare_now(
        self: &Arc<Self>,
        key: &BookingKey,
        generation: Option<Generation>,
        origin: Origin,
        patience: Duration,
    ) -> Result<Option<Booking>, ProvisioningError> {
        let leased = match generation {
            Some(generation) => self.store.generation(key, generation).await?,
            None => self.store.latest(key).await?,
        };
        let Some(LeasedBooking { booking, .. }) = leased else { return Ok(None) };
        let now = self.clock.now();
        if !booking.is_comparable() || booking.was_asked_about(now, CHECKED_LATELY) {
            return Ok(Some(self.waiting.wait_until_settled(booking, patience).await));
        }
        let attempt = self.fresh_attempt(now);
        let begun = self.begin_check(&booking.key, booking.generation, None, attempt).await?;
        Ok(Some(match begun {
            Some(leased) => {
                let deadline = tokio::time::Instant::now() + patience;
                let work = Work::of(leased.booking, attempt, origin);
                let booking = self.carry_out_and_wait(work, patience).await;
                let left = deadline.saturating_duration_since(tokio::time::Instant::now());
                self.waiting.wait_until_settled(booking, left).await
            }
            // Another request was faster, whose answer serves this one, too.
            None => match self.store.generation(&booking.key, booking.generation).await? {
                Some(leased) => self.waiting.wait_until_settled(leased.booking, patience).await,
                None => booking,
            },
        }))
    }

    async fn begin_check(
        &self,
        key: &BookingKey,
        generation: Generation,
        unseen_since: Option<Timestamp>,
        attempt: Attempt,
    ) -> Result<Option<LeasedBooking>, StoreError> {
        let begun = self.store.begin_check(key, generation, unseen_since, attempt);
        self.unconfirmed.opening(vec![attempt], begun).await
    }

    /// The next of the rounds: bookings whose meetings Graph has not told of for this long, and where to go on.
    pub(crate) async fn to_compare(
        &self,
        behind: Option<ComparePosition>,
        unseen_for: Duration,
    ) -> Result<(Vec<(BookingKey, Generation)>, Option<ComparePosition>), ProvisioningError> {
        let now = self.clock.now();
        Ok(self.store.to_compare(behind, now - unseen_for, now).await?)
    }

    /// Compares one meeting of the rounds, unless another replica was faster; says whether Graph was asked.
    pub(crate) async fn compare_on_rounds(
        self: &Arc<Self>,
        key: &BookingKey,
        generation: Generation,
        unseen_for: Duration,
    ) -> Result<bool, ProvisioningError> {
        let now = self.clock.now();
        let attempt = self.fresh_attempt(now);
        let Some(leased) = self.begin_check(key, generation, Some(now - unseen_for), attempt).await? else {
            return Ok(false);
        };
        let provisioning = Arc::clone(self);
        let work = provisioning.carry_out(Work::of(leased.booking, attempt, Origin::worker()));
        // It has said itself what became of it, or panicked, which is in the log.
        let _booking = self.in_flight.spawn(work).await;
        Ok(true)
    }

    /// What is done about meetings of a source system that have moved away from their bookings.
    pub(super) fn drift_policy(&self, source_system: &SourceSystem) -> DriftPolicy {
        self.drift_policies.get(source_system).copied().unwrap_or_default()
    }

    /// Says in log and metrics that a meeting has moved away from its booking.
    pub(super) fn log_drift(&self, booking: &Booking, drift: &Drift) {
        let policy = drift.policy;
        let fields = drift.differences.iter().map(|one| one.field.as_str()).collect::<Vec<_>>().join(", ");
        self.metrics.meeting_drifted(&booking.key.source_system, policy.as_str());
        tracing::warn!(booking = %booking.key, fields, policy = policy.as_str(), "meeting drifted from its booking");
    }
}
