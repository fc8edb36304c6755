//! The worker's loop: claims what is due, waits, and claims again, until it is stopped.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::FutureExt as _;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::error_chain::chain;
use crate::meeting::Booking;
use crate::provisioning::{Provisioning, Resumed};

/// The worker of one replica.
#[derive(Debug)]
pub(crate) struct Worker {
    /// What carries bookings out.
    pub(crate) provisioning: Arc<Provisioning>,
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Longest rest between two looks at what is due.
    pub(crate) poll: Duration,
    /// Most bookings that this worker carries out at once.
    pub(crate) claim_max: usize,
}

/// The bookings that the worker carries out.
type UnderWay = FuturesUnordered<JoinHandle<Option<Booking>>>;

impl Worker {
    /// Resumes what is due until it is stopped. Attempts under way go on; `Provisioning::finish` waits for them.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut under_way = UnderWay::new();
        while !stop.is_cancelled() {
            // What became of each it has said itself.
            while let Some(Some(_over)) = under_way.next().now_or_never() {}
            let free = self.claim_max.saturating_sub(under_way.len());
            let is_more_due = free == 0 || self.begin(free, &mut under_way).await;
            tokio::select! {
                () = stop.cancelled() => {}
                // Even where more is due: what has no slot may be of one source system, and what comes of another.
                () = self.rest(), if free > 0 => {}
                // A slot that is free is used at once, however long the other calls hang.
                _over = under_way.next(), if is_more_due && !under_way.is_empty() => {}
            }
        }
    }

    /// Begins to carry out up to `free` bookings that are due. Says whether more may be due.
    async fn begin(&self, free: usize, under_way: &mut UnderWay) -> bool {
        self.provisioning.alarm.take_due(self.clock.now());
        match self.provisioning.resume(free).await {
            Ok(Resumed { begun, is_more_due }) => {
                under_way.extend(begun);
                is_more_due
            }
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(error, "what is due can't be claimed, trying again");
                false
            }
        }
    }

    /// Rests until something is due here, at most for the period after which there may be work of other replicas.
    async fn rest(&self) {
        let deadline = Instant::now() + self.poll;
        loop {
            let until = self.provisioning.alarm.earliest().map_or(deadline, |at| {
                let wait = Duration::try_from(at - self.clock.now()).unwrap_or(Duration::ZERO);
                deadline.min(Instant::now() + wait)
            });
            let Ok(()) = tokio::time::timeout_at(until, self.provisioning.alarm.earlier()).await else {
                return;
            };
        }
    }
}
