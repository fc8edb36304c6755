//! Resumes what is due: retries whose time has come, and work that a dead process left behind.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::carry_out::Work;
use super::results::ProvisioningError;
use super::{Provisioning, events};
use crate::audit::Origin;
use crate::booking::SourceSystem;
use crate::error_chain::chain;
use crate::meeting::{Attempt, AttemptId, Booking};
use crate::store::writing::Claimed;
use crate::store::{LeasedBooking, StoreError};

/// How often a claim is made again at once whose connection was lost; later it is the worker's next look.
const CLAIM_AGAIN_MAX: u32 = 2;

/// What was begun.
#[derive(Debug)]
pub(crate) struct Resumed {
    /// The bookings that are carried out.
    pub(crate) begun: Vec<JoinHandle<Option<Booking>>>,
    /// Whether more may be due, for which there is no slot now.
    pub(crate) is_more_due: bool,
}

/// Which bookings a claim is about.
#[derive(Debug)]
struct Portion {
    /// How many at most: no more than the share of any one source system allows, as all of them may be of that one.
    at_most: usize,
    /// Whose bookings are passed over: their share of the slots is used up, or Graph may not be asked for them now.
    passed_over: Vec<SourceSystem>,
}

impl Provisioning {
    /// Claims up to `claim_max` bookings that are due and begins to carry them out, after those that were claimed or
    /// accepted here before by statements whose answers were lost. One source system takes no more slots than its share.
    pub(crate) async fn resume(self: &Arc<Self>, claim_max: usize) -> Result<Resumed, ProvisioningError> {
        // What is due is resumed all the same: a call under a pause that is not known is answered 429, which tells of it again.
        if let Err(error) = self.load_pauses().await {
            let error = chain(&error);
            tracing::warn!(error, "the pauses of other replicas can't be read, going on without them");
        }
        let resumed = self.resume_due(claim_max).await;
        let failed = resumed.as_ref().err().map(|error| chain(error));
        self.store.note_claim(self.clock.now(), failed);
        resumed
    }

    async fn resume_due(self: &Arc<Self>, claim_max: usize) -> Result<Resumed, ProvisioningError> {
        let mut begun = Vec::new();
        let mut again = 0;
        loop {
            for (leased, attempt) in self.confirm_attempts().await? {
                begun.push(self.begin_to_carry_out(leased, attempt));
            }
            let portion = self.portion(claim_max.saturating_sub(begun.len()));
            if portion.at_most == 0 {
                return Ok(Resumed { begun, is_more_due: true });
            }
            let (at_most, is_all) = (portion.at_most, portion.passed_over.is_empty());
            match self.claim(portion).await {
                Ok(claimed) => {
                    let is_last = claimed.len() < at_most;
                    begun.extend(
                        claimed.into_iter().map(|(leased, attempt)| self.begin_to_carry_out(leased, attempt)),
                    );
                    if is_last {
                        return Ok(Resumed { begun, is_more_due: !is_all });
                    }
                }
                Err(error) if error.is_lost_connection() && again < CLAIM_AGAIN_MAX => again += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What the next claim is about, while so many slots are free.
    fn portion(&self, free: usize) -> Portion {
        let (rooms, room_of_others) = self.slots.rooms();
        let mut passed_over = Vec::new();
        let mut at_most = free.min(room_of_others);
        for (source_system, until) in self.gate.blocked_source_systems() {
            self.alarm.set(until);
            passed_over.push(source_system);
        }
        for (source_system, room) in rooms {
            if passed_over.contains(&source_system) {
                continue;
            }
            if room == 0 {
                passed_over.push(source_system);
            } else {
                at_most = at_most.min(room);
            }
        }
        Portion { at_most, passed_over }
    }

    async fn claim(&self, portion: Portion) -> Result<Vec<(LeasedBooking, Attempt)>, StoreError> {
        let now = self.clock.now();
        if let Some(until) = self.gate.blocked_until() {
            self.alarm.set(until);
            return Ok(Vec::new());
        }
        let claimed = Claimed {
            attempt_ids: (0..portion.at_most).map(|_| self.clock.fresh_id()).collect(),
            now,
            leased_until: now + self.lease,
            passed_over: portion.passed_over,
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
        let slot = self.slots.take_anyway(leased.booking.key.source_system.clone());
        self.in_flight.spawn(async move {
            let _slot = slot;
            provisioning.carry_out(Work::of(leased.booking, attempt, Origin::worker())).await
        })
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
