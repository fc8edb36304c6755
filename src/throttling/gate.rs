//! The gate through which calls to Graph go.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::adaptive_limit::AdaptiveLimit;
use super::breaker::{Admission, Breaker};
use super::pause::{Pause, PauseScope};
use super::pauses::Pauses;
use super::queue::Queue;
use crate::booking::{SourceSystem, UserId};
use crate::clock::{Clock, Timestamp};
use crate::meeting::{Outcome, Reply};

/// Longest wait in the queue. It is part of the attempt's lease.
const QUEUE_WAIT_MAX: Duration = Duration::from_secs(5);
/// When a call that waited and got no permit may be tried again.
const BUSY: Duration = Duration::from_secs(1);

/// What kind of call asks for a permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallClass {
    /// For whose meetings; none where that is what is asked.
    pub(crate) organizer: Option<UserId>,
    /// Whose booking it is about.
    pub(crate) source_system: SourceSystem,
}

/// Why a call has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RejectionReason {
    /// Graph asked our application to wait.
    ApplicationPaused,
    /// Graph asked for no more calls for this organizer.
    OrganizerPaused,
    /// Graph has not answered for a while; another call sees whether it does.
    CircuitOpen,
    /// As many calls as Graph takes are under way already.
    Busy,
}

/// A call is not admitted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rejected {
    /// When it may be tried again.
    pub(crate) retry_at: Timestamp,
    /// Why.
    pub(crate) reason: RejectionReason,
}

/// The gate of one replica.
#[derive(Debug)]
pub(crate) struct Gate {
    clock: Arc<dyn Clock>,
    queue_wait_max: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: AdaptiveLimit,
    breaker: Breaker,
    pauses: Pauses,
    queue: Queue<oneshot::Sender<Permit>>,
}

/// Permission for one call, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    /// None where the permit was given to a call that no longer waited.
    gate: Option<Arc<Gate>>,
    class: CallClass,
    is_probe: bool,
    is_under_way: bool,
}

impl RejectionReason {
    /// All of them.
    pub(crate) const ALL: [Self; 4] =
        [Self::ApplicationPaused, Self::OrganizerPaused, Self::CircuitOpen, Self::Busy];

    /// Its name in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ApplicationPaused => "application-paused",
            Self::OrganizerPaused => "organizer-paused",
            Self::CircuitOpen => "away",
            Self::Busy => "busy",
        }
    }
}

impl Gate {
    /// A gate that admits at most so many calls at once.
    pub(crate) fn new(calls_max: u32, clock: Arc<dyn Clock>) -> Arc<Self> {
        let state = State {
            limit: AdaptiveLimit::of(calls_max),
            breaker: Breaker::Closed(0),
            pauses: Pauses::default(),
            queue: Queue::default(),
        };
        Arc::new(Self { clock, queue_wait_max: QUEUE_WAIT_MAX, state: Mutex::new(state) })
    }

    /// Gives a permit when the call may be sent, or says when to try again. Queues the call for a moment where others are before it.
    pub(crate) async fn acquire(self: &Arc<Self>, class: &CallClass) -> Result<Permit, Rejected> {
        let give_up = Instant::now() + self.queue_wait_max;
        loop {
            let waiting = match self.acquire_or_queue(class) {
                Ok(permit) => return Ok(permit.begun()),
                Err(NotAdmitted::Rejected(rejected)) => return Err(rejected),
                Err(NotAdmitted::Queued(waiting)) => waiting,
            };
            match tokio::time::timeout_at(give_up, waiting).await {
                Ok(Ok(permit)) => return Ok(permit.begun()),
                // Rejected from the queue: why, the next look tells.
                Ok(Err(_)) => {}
                Err(_) => return Err(self.busy()),
            }
        }
    }

    fn acquire_or_queue(self: &Arc<Self>, class: &CallClass) -> Result<Permit, NotAdmitted> {
        let now = self.clock.now();
        let mut state = self.state();
        if let Some(rejected) = state.paused(class, now) {
            return Err(NotAdmitted::Rejected(rejected));
        }
        let limit = state.limit.now();
        if state.queue.start(class, limit) {
            let is_probe = match state.breaker.acquire(now) {
                Admission::Allowed => false,
                Admission::HalfOpenProbe => true,
                Admission::RejectedUntil(until) => {
                    state.queue.finish(class);
                    return Err(NotAdmitted::Rejected(Rejected {
                        retry_at: until,
                        reason: RejectionReason::CircuitOpen,
                    }));
                }
            };
            return Ok(Permit::of(self, class.clone(), is_probe));
        }
        let (sender, waiting) = oneshot::channel();
        match state.queue.wait(class.clone(), sender) {
            Ok(()) => Err(NotAdmitted::Queued(waiting)),
            Err(_) => Err(NotAdmitted::Rejected(self.busy())),
        }
    }

    fn busy(&self) -> Rejected {
        Rejected { retry_at: self.clock.now() + BUSY, reason: RejectionReason::Busy }
    }

    /// Makes calls of a scope wait. Says whether that is longer than was known.
    pub(crate) fn pause(&self, pause: Pause) -> bool {
        let mut state = self.state();
        if !state.pauses.extend(pause, self.clock.now()) {
            return false;
        }
        match pause.scope {
            PauseScope::Application => state.queue.reject_waiting(|_| true),
            PauseScope::Organizer(id) => {
                state.queue.limit_to_one(id);
                state.queue.reject_waiting(|class| class.organizer == Some(id));
            }
        }
        true
    }

    /// Until when no call is admitted at all, if that is so.
    pub(crate) fn blocked_until(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        let state = self.state();
        let paused = state.pauses.until(PauseScope::Application, now);
        paused.max(state.breaker.blocked_until(now))
    }

    /// How many calls may be under way, and how many scopes are paused.
    pub(crate) fn measures(&self) -> (usize, usize) {
        let mut state = self.state();
        (state.limit.now(), state.pauses.count(self.clock.now()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives permits to the queued calls that may be sent now.
    fn admit_queued(self: &Arc<Self>, state: &mut State) {
        if state.breaker.blocked_until(self.clock.now()).is_some() {
            state.queue.reject_waiting(|_| true);
            return;
        }
        while let Some((class, waiting)) = state.queue.next(state.limit.now()) {
            if let Err(mut unwanted) = waiting.send(Permit::of(self, class, false)) {
                // That call no longer waits; the permit must not come back through the gate, which is locked here.
                unwanted.gate = None;
                state.queue.finish(&unwanted.class);
            }
        }
    }
}

enum NotAdmitted {
    Rejected(Rejected),
    Queued(oneshot::Receiver<Permit>),
}

impl State {
    fn paused(&self, class: &CallClass, now: Timestamp) -> Option<Rejected> {
        let until = |scope| self.pauses.until(scope, now);
        let all = until(PauseScope::Application)
            .map(|until| Rejected { retry_at: until, reason: RejectionReason::ApplicationPaused });
        all.or_else(|| {
            let until = until(PauseScope::Organizer(class.organizer?))?;
            Some(Rejected { retry_at: until, reason: RejectionReason::OrganizerPaused })
        })
    }
}

impl Permit {
    fn of(gate: &Arc<Gate>, class: CallClass, is_probe: bool) -> Self {
        Self { gate: Some(Arc::clone(gate)), class, is_probe, is_under_way: false }
    }

    fn begun(mut self) -> Self {
        self.is_under_way = true;
        self
    }

    /// The call is over. `pause` is what its answer asked for. Says whether Graph counts as away since then.
    pub(crate) fn complete(mut self, reply: &Reply, pause: Option<Pause>) -> bool {
        self.is_under_way = false;
        let Some(gate) = &self.gate else { return false };
        let now = gate.clock.now();
        let mut state = gate.state();
        let is_about_all = pause.is_none_or(|pause| pause.scope == PauseScope::Application);
        match &reply.outcome {
            Outcome::Throttled { .. } => {
                state.breaker.answered();
                if is_about_all {
                    state.limit.overloaded(now);
                }
                false
            }
            Outcome::Unavailable { .. } | Outcome::Unknown => {
                state.limit.overloaded(now);
                state.breaker.failed(self.is_probe, now)
            }
            _ => {
                state.breaker.answered();
                state.queue.succeeded(&self.class);
                let under_way = state.queue.under_way();
                state.limit.succeeded(under_way);
                false
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(gate) = self.gate.take() else { return };
        let mut state = gate.state();
        if self.is_under_way {
            // Given up half-way: the outcome of the call is unknown.
            state.breaker.failed(self.is_probe, gate.clock.now());
        }
        state.queue.finish(&self.class);
        gate.admit_queued(&mut state);
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
