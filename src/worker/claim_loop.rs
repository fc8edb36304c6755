//! The worker's loop: claims what is due, waits, and claims again, until it is stopped.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::error_chain::chain;
use crate::meeting::Booking;
use crate::provisioning::Provisioning;

/// The worker of one replica.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Carries bookings out.
    pub(crate) provisioning: Arc<Provisioning>,
    /// The clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// Longest time between two claims.
    pub(crate) poll: Duration,
    /// Most bookings that this worker carries out at once.
    pub(crate) claim_max: usize,
}

impl Worker {
    /// Resumes what is due until it is stopped. Attempts under way go on; `Provisioning::finish` waits for it.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut under_way: Vec<JoinHandle<Option<Booking>>> = Vec::new();
        while !stop.is_cancelled() {
            under_way.retain(|one| !one.is_finished());
            let free = self.claim_max - under_way.len().min(self.claim_max);
            let _claimed_next = self.provisioning.alarm.take();
            let mut more = false;
            if free > 0 {
                match self.provisioning.resume(free).await {
                    Ok(begun) => {
                        more = begun.len() == free;
                        under_way.extend(begun);
                    }
                    Err(error) => {
                        let error = chain(&error);
                        tracing::warn!(error, "what is due can't be claimed, trying again");
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wait(more, &mut under_way) => {}
            }
        }
    }

    /// Waits until something may be due. Where more is due than may be carried out at once, until an attempt ends.
    async fn wait(&self, more: bool, under_way: &mut [JoinHandle<Option<Booking>>]) {
        if more && let Some(oldest) = under_way.first_mut() {
            let _over = tokio::time::timeout(self.poll, oldest).await;
            return;
        }
        let deadline = tokio::time::Instant::now() + self.poll;
        loop {
            let until = self.provisioning.alarm.earliest().map_or(deadline, |at| {
                let wait = Duration::try_from(at - self.clock.now()).unwrap_or(Duration::ZERO);
                deadline.min(tokio::time::Instant::now() + wait)
            });
            let Ok(()) = tokio::time::timeout_at(until, self.provisioning.alarm.changed()).await else {
                return;
            };
        }
    }
}
