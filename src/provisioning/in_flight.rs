//! The attempts that this process has under way.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::Instant;
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

    /// Waits until nothing is under way, at most until then; says which attempts still are.
    pub(super) async fn drain(&self, by: Instant) -> Vec<AttemptId> {
        self.tracker.close();
        // Either way the set says what is left.
        let _in_time = tokio::time::timeout_at(by, self.tracker.wait()).await;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    /// What is left is what is under way: not what has ended, nor what has panicked.
    #[tokio::test]
    async fn only_what_is_under_way_is_left() {
        let in_flight = Arc::new(InFlight::on(Handle::current()));
        let id = |number| AttemptId::new(uuid::Uuid::from_u128(number));
        for number in 1..=3 {
            let attempts = Arc::clone(&in_flight);
            let _left_alone = in_flight.spawn(async move {
                let _registered = attempts.register(id(number));
                match number {
                    1 => std::future::pending().await,
                    2 => panic!("an attempt panics"),
                    _ => {}
                }
            });
        }
        let left = in_flight.drain(Instant::now() + Duration::from_millis(200)).await;
        assert_eq!(left, [id(1)]);
    }
}
