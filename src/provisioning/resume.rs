//! Resumes what is due: retries whose time has come, and work that a dead process left behind.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::carry_out::Work;
use super::results::ProvisioningError;
use super::{Provisioning, events};
use crate::audit::Origin;
use crate::error_chain::chain;
use crate::meeting::{Attempt, AttemptId, Booking};
use crate::store::writing::Claimed;
use crate::store::{LeasedBooking, StoreError};

/// How often a claim is made again at once whose connection was lost; later it is the worker's next look.
const CLAIM_AGAIN_MAX: u32 = 2;

impl Provisioning {
    /// Claims up to `claim_max` bookings that are due and begins to carry them out, after those that were claimed or
    /// accepted here before by statements whose answers were lost.
    pub(crate) async fn resume(
        self: &Arc<Self>,
        claim_max: usize,
    ) -> Result<Vec<JoinHandle<Option<Booking>>>, ProvisioningError> {
        self.load_pauses().await?;
        let mut begun = Vec::new();
        let mut again = 0;
        loop {
            for (leased, attempt) in self.confirm_attempts().await? {
                begun.push(self.begin_to_carry_out(leased, attempt));
            }
            let free = claim_max.saturating_sub(begun.len());
            if free == 0 {
                return Ok(begun);
            }
            match self.claim(free).await {
                Ok(claimed) => {
                    begun.extend(
                        claimed.into_iter().map(|(leased, attempt)| self.begin_to_carry_out(leased, attempt)),
                    );
                    return Ok(begun);
                }
                Err(error) if error.is_lost_connection() && again < CLAIM_AGAIN_MAX => again += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn claim(&self, claim_max: usize) -> Result<Vec<(LeasedBooking, Attempt)>, StoreError> {
        let now = self.clock.now();
        if let Some(until) = self.gate.blocked_until() {
            self.alarm.set(until);
            return Ok(Vec::new());
        }
        let claimed = Claimed {
            attempt_ids: (0..claim_max).map(|_| self.clock.fresh_id()).collect(),
            now,
            leased_until: now + self.lease,
        };
        let attempt = |id: &Uuid| Attempt {
            id: AttemptId::new(*id),
            started_at: now,
            leased_until: claimed.leased_until,
        };
        let attempts = claimed.attempt_ids.iter().map(attempt).collect();
        let abandoned = events::abandoned(now);
        let rows = self.unconfirmed.opening(attempts, self.store.claim(&claimed, &abandoned)).await?;
        let each = rows.into_iter().map(|row| {
            if row.took_over {
                self.metrics.lease_resumed();
                tracing::warn!(booking = %row.leased.booking.key, "taken over: the lease of an earlier attempt ran out");
            }
            (row.leased, row.attempt)
        });
        Ok(each.collect())
    }

    fn begin_to_carry_out(
        self: &Arc<Self>,
        leased: LeasedBooking,
        attempt: Attempt,
    ) -> JoinHandle<Option<Booking>> {
        let provisioning = Arc::clone(self);
        self.in_flight.spawn(provisioning.carry_out(Work::of(leased.booking, attempt, Origin::worker())))
    }

    /// Waits for the attempts under way until `hand_back`, and hands back those that are not over by then, at most until the
    /// deadline.
    pub(crate) async fn finish(&self, hand_back: Instant, deadline: Instant) {
        let mut left = self.in_flight.drain(hand_back).await;
        // Those that may be ours: a lease that another replica holds has another id.
        left.extend(self.unconfirmed.all(self.clock.now()));
        if left.is_empty() {
            return;
        }
        let released = timeout_at(deadline, self.store.release(&left, self.clock.now())).await;
        match released.unwrap_or_else(|_| Err(StoreError::no_answer())) {
            Ok(released) => {
                self.waiting.publish_due();
                tracing::warn!(released, "attempts handed back to other replicas");
            }
            Err(error) => {
                let error = chain(&error);
                tracing::error!(
                    attempts = left.len(),
                    error,
                    "attempts not handed back; their leases will end"
                );
            }
        }
    }
}
