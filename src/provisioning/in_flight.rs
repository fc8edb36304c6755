//! The attempts that this process has under way.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use crate::meeting::AttemptId;
use crate::under_way::UnderWay;

/// The attempts under way, and the runtime that carries them out whether or not a caller waits.
#[derive(Debug)]
pub(crate) struct InFlight {
    runtime: Handle,
    tracker: TaskTracker,
    attempts: Mutex<HashSet<AttemptId>>,
    under_way: UnderWay,
}

impl InFlight {
    /// Carries attempts out on this runtime.
    pub(crate) fn on(runtime: Handle) -> Self {
        Self {
            runtime,
            tracker: TaskTracker::new(),
            attempts: Mutex::default(),
            under_way: UnderWay::default(),
        }
    }

    /// Begins to carry something out.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let counted = self.under_way.one_more();
        let work = async move {
            let _counted = counted;
            work.await
        };
        self.tracker.spawn_on(work, &self.runtime)
    }

    /// Notes that an attempt is under way, until the guard is dropped.
    pub(super) fn register(&self, attempt: AttemptId) -> Registered<'_> {
        self.attempts().insert(attempt);
        Registered { in_flight: self, attempt }
    }

    /// Waits until nothing is under way.
    pub(crate) async fn idle(&self) {
        self.under_way.nothing().await;
    }

    /// Waits until nothing is under way, at most this long; says which attempts still are.
    pub(super) async fn drain(&self, at_most: Duration) -> Vec<AttemptId> {
        self.tracker.close();
        // Either way the set says what is left.
        let _in_time = tokio::time::timeout(at_most, self.tracker.wait()).await;
        self.attempts().iter().copied().collect()
    }

    fn attempts(&self) -> MutexGuard<'_, HashSet<AttemptId>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt that is under way.
pub(super) struct Registered<'a> {
    in_flight: &'a InFlight,
    attempt: AttemptId,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.in_flight.attempts().remove(&self.attempt);
    }
}
