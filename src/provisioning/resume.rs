//! Resumes what is due: retries whose time has come, and work that a dead process left behind.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::answer::ProvisioningError;
use super::{Provisioning, events};
use crate::audit::Origin;
use crate::meeting::Standing;
use crate::store::writing::Claimed;

impl Provisioning {
    /// Claims up to `claim_max` bookings that are due and begins to carry them out.
    pub(crate) async fn resume(
        self: &Arc<Self>,
        claim_max: usize,
    ) -> Result<Vec<JoinHandle<Option<Standing>>>, ProvisioningError> {
        self.learn_pauses().await?;
        let now = self.clock.now();
        if let Some(until) = self.gate.shut_until() {
            self.alarm.set(until);
            return Ok(Vec::new());
        }
        let claimed = Claimed {
            attempt_ids: (0..claim_max).map(|_| self.clock.fresh_id()).collect(),
            now,
            leased_until: now + self.lease,
        };
        let claimed = self.store.claim(&claimed, &events::abandoned(now)).await?;
        let begun = claimed.into_iter().map(|(kept, attempt, abandoned)| {
            if abandoned {
                self.metrics.lease_resumed();
                tracing::warn!(booking = %kept.standing.key, "taken over: the lease of an earlier attempt ran out");
            }
            let provisioning = Arc::clone(self);
            self.in_flight.spawn(provisioning.carry_out(kept.standing, attempt, Origin::worker()))
        });
        Ok(begun.collect())
    }

    /// Waits for the attempts under way, at most this long, and hands back those that are not over by then.
    pub(crate) async fn finish(&self, at_most: Duration) {
        let left = self.in_flight.drain(at_most).await;
        if left.is_empty() {
            return;
        }
        match self.store.release(&left, self.clock.now()).await {
            Ok(released) => {
                self.tell_due();
                tracing::warn!(released, "attempts handed back to other replicas");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(
                    attempts = left.len(),
                    error,
                    "attempts not handed back; their leases will end"
                );
            }
        }
    }
}
