//! The gate through which calls to Graph go.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::adaptive_limit::AdaptiveLimit;
use super::breaker::Admission;
use super::circuits::Circuits;
use super::pause::{Pause, PauseScope};
use super::pauses::Pauses;
use super::queue::{Limits, Queue};
use super::rejection::{Rejected, RejectionReason};
use super::sign::{Sign, Subject};
use super::unavailability::{Unavailability, Witness};
use crate::booking::{SourceSystem, Upn, UserId};
use crate::clock::{Clock, Timestamp};
use crate::meeting::{HeardFrom, Outcome, Reply};
use crate::shares::Share;

/// Longest wait in the queue. It is part of the attempt's lease.
const QUEUE_WAIT_MAX: Duration = Duration::from_secs(5);
/// When a call that waited and got no permit may be tried again.
const BUSY: Duration = Duration::from_secs(1);

/// The longest that a 503 makes calls wait, whatever time it names.
const UNAVAILABLE_MAX: Duration = Duration::from_hours(1);

/// What kind of call asks for a permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallClass {
    /// For whose meetings; none where that is what is asked.
    pub(crate) organizer: Option<UserId>,
    /// The name that is looked up, where that is what is asked.
    pub(crate) name: Option<Upn>,
    /// Whose booking it is about.
    pub(crate) source_system: SourceSystem,
    /// Whether an earlier call for the same booking failed, so that it is a bad probe.
    pub(crate) failed_before: bool,
}

impl CallClass {
    /// For whom the call is.
    pub(super) fn subject(&self) -> Subject {
        match (self.organizer, &self.name) {
            (Some(organizer), _) => Subject::Organizer(organizer),
            (None, Some(name)) => Subject::Name(name.clone()),
            (None, None) => Subject::Unknown,
        }
    }
}

/// What a call that is over makes of the gate.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Completed {
    /// What waits since then, if it is news.
    pub(crate) pause: Option<Pause>,
    /// Whether Graph counts as away for this source system since then.
    pub(crate) is_away: bool,
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
    circuits: Circuits,
    unavailability: Unavailability,
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

impl Gate {
    /// A gate that admits at most so many calls at once, and of each source system its share of them.
    pub(crate) fn new(calls_max: u32, share: Share, clock: Arc<dyn Clock>) -> Arc<Self> {
        let state = State {
            limit: AdaptiveLimit::of(calls_max),
            circuits: Circuits::with(calls_max),
            unavailability: Unavailability::default(),
            pauses: Pauses::default(),
            queue: Queue::with(share),
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
                Err(_) => return Err(self.busy(class)),
            }
        }
    }

    fn acquire_or_queue(self: &Arc<Self>, class: &CallClass) -> Result<Permit, NotAdmitted> {
        let now = self.clock.now();
        let mut state = self.state();
        if let Some(rejected) = state.paused(class, now) {
            return Err(NotAdmitted::Rejected(rejected));
        }
        let is_probe = match state.circuits.admission(class, now) {
            Admission::Allowed => false,
            Admission::HalfOpenProbe => true,
            Admission::RejectedUntil(retry_at) => {
                return Err(NotAdmitted::Rejected(Rejected {
                    retry_at,
                    reason: RejectionReason::CircuitOpen,
                }));
            }
        };
        if state.start(class, now) {
            if is_probe {
                state.circuits.probe(class);
            }
            return Ok(Permit::of(self, class.clone(), is_probe));
        }
        // A probe that has no room is tried again; in line it would wait for others of its source system.
        if is_probe {
            drop(state);
            return Err(NotAdmitted::Rejected(self.busy(class)));
        }
        let (sender, waiting) = oneshot::channel();
        if state.queue.wait(class.clone(), sender).is_ok() {
            return Err(NotAdmitted::Queued(waiting));
        }
        drop(state);
        Err(NotAdmitted::Rejected(self.busy(class)))
    }

    /// Why a call got no permit, and when it may be tried again.
    fn busy(&self, class: &CallClass) -> Rejected {
        let state = self.state();
        let limit = state.limit.now().min(state.circuits.limit_of(&class.source_system));
        let is_limited =
            state.queue.under_way() >= state.limit.now() || state.queue.under_way_beside(class) >= limit;
        let reason = if is_limited { RejectionReason::Busy } else { RejectionReason::ShareUsedUp };
        Rejected { retry_at: self.clock.now() + BUSY, reason }
    }

    /// Makes calls of a scope wait. Says whether that is longer than was known.
    pub(crate) fn pause(&self, pause: &Pause) -> bool {
        let now = self.clock.now();
        let mut state = self.state();
        if !state.pauses.extend(pause.clone(), now) {
            return false;
        }
        if let PauseScope::Organizer(id) = pause.scope {
            state.queue.limit_to_one(id, pause.until, now);
        }
        state.queue.reject_waiting(|class| is_about(&pause.scope, class));
        true
    }

    /// Until when no call is admitted at all, if that is so.
    pub(crate) fn blocked_until(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        let state = self.state();
        let until = |scope| state.pauses.until(&scope, now);
        until(PauseScope::Application).max(until(PauseScope::Replica))
    }

    /// The source systems of which no call is admitted now, and until when.
    pub(crate) fn blocked_source_systems(&self) -> Vec<(SourceSystem, Timestamp)> {
        let now = self.clock.now();
        let state = self.state();
        let mut blocked = state.circuits.blocked(now);
        blocked.extend(state.pauses.of_source_systems(now));
        blocked
    }

    /// How many calls may be under way, of the source system that may have fewest, and how many scopes are paused.
    pub(crate) fn measures(&self) -> (usize, usize) {
        let mut state = self.state();
        let limit = state.limit.now();
        (
            state.circuits.lowest_limit().map_or(limit, |lowest| lowest.min(limit)),
            state.pauses.count(self.clock.now()),
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives permits to the queued calls that may be sent now. Those whose circuit isn't closed leave the line: none passes
    /// beside a probe, and the next look tells why.
    fn admit_queued(self: &Arc<Self>, state: &mut State) {
        let now = self.clock.now();
        let State { limit, circuits, queue, .. } = state;
        queue.reject_waiting(|class| !circuits.is_closed(&class.source_system));
        let limits = Limits { all: limit.now(), circuits, now };
        while let Some((class, waiting)) = queue.next(limits) {
            if let Err(mut unwanted) = waiting.send(Permit::of(self, class, false)) {
                // That call no longer waits; the permit must not come back through the gate, which is locked here.
                unwanted.gate = None;
                queue.finish(&unwanted.class);
            }
        }
    }
}

/// Whether a pause of this scope is about a call of this class.
fn is_about(scope: &PauseScope, class: &CallClass) -> bool {
    match scope {
        PauseScope::Application | PauseScope::Replica => true,
        PauseScope::Organizer(id) => class.organizer == Some(*id),
        PauseScope::SourceSystem(name) => class.source_system == *name,
        PauseScope::LookUps => class.organizer.is_none(),
    }
}

enum NotAdmitted {
    Rejected(Rejected),
    Queued(oneshot::Receiver<Permit>),
}

impl State {
    /// The pause that follows from this reply beside others, if it is a 503 that names a time.
    fn witnessed(
        &mut self,
        class: &CallClass,
        reply: &Reply,
        heard_from: HeardFrom,
        now: Timestamp,
    ) -> Option<Pause> {
        let (Outcome::Unavailable { retry_after: Some(wait) }, HeardFrom::Graph { connection }) =
            (&reply.outcome, heard_from)
        else {
            return None;
        };
        let witness = Witness {
            source_system: class.source_system.clone(),
            whom: class.subject(),
            connection,
            until: now + (*wait).min(UNAVAILABLE_MAX),
        };
        self.unavailability.note(witness, now)
    }

    fn start(&mut self, class: &CallClass, now: Timestamp) -> bool {
        let limits = Limits { all: self.limit.now(), circuits: &self.circuits, now };
        self.queue.start(class, limits)
    }

    /// The pause that this call has to wait for, if there is one.
    fn paused(&self, class: &CallClass, now: Timestamp) -> Option<Rejected> {
        let rejected = |scope: PauseScope, reason| {
            self.pauses.until(&scope, now).map(|retry_at| Rejected { retry_at, reason })
        };
        let of_organizer = |id| rejected(PauseScope::Organizer(id), RejectionReason::OrganizerPaused);
        let of_name = || rejected(PauseScope::LookUps, RejectionReason::LookUpsPaused);
        let source_system = PauseScope::SourceSystem(class.source_system.clone());
        rejected(PauseScope::Application, RejectionReason::ApplicationPaused)
            .or_else(|| {
                let no_token = rejected(PauseScope::Replica, RejectionReason::NoToken)?;
                // Another replica may have a token, and looks after what is due. This one claims nothing before.
                Some(Rejected { retry_at: no_token.retry_at.min(now + BUSY), ..no_token })
            })
            .or_else(|| rejected(source_system, RejectionReason::SourceSystemPaused))
            .or_else(|| class.organizer.map_or_else(of_name, of_organizer))
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

    /// The call is over; `heard_from` says who answered it. What is to wait now is kept in the gate.
    pub(crate) fn complete(
        mut self,
        reply: &Reply,
        heard_from: HeardFrom,
        asked: Option<Pause>,
    ) -> Completed {
        self.is_under_way = false;
        let Some(gate) = &self.gate else { return Completed::default() };
        let (now, sign) = (gate.clock.now(), Sign::of(reply, heard_from));
        let mut state = gate.state();
        let mut is_away = false;
        match sign {
            Sign::Answered => {
                let (all, beside) = (state.queue.under_way(), state.queue.under_way_beside(&self.class));
                state.circuits.succeeded(&self.class, beside);
                state.limit.succeeded(all);
                state.queue.succeeded(&self.class);
            }
            Sign::Throttled => {
                state.circuits.answered(&self.class);
                if asked.as_ref().is_some_and(|pause| pause.scope == PauseScope::Application) {
                    state.limit.overloaded(now);
                }
            }
            Sign::Failed | Sign::Silent => {
                is_away = state.circuits.failed(&self.class, sign, self.is_probe, now);
            }
            Sign::None if self.is_probe => state.circuits.probe_was_not_sent(&self.class, now),
            Sign::None => {}
        }
        let pause = asked.or_else(|| state.witnessed(&self.class, reply, heard_from, now));
        drop(state);
        let pause = pause.filter(|pause| gate.pause(pause));
        Completed { pause, is_away }
    }
}

impl Permit {
    /// Nothing is sent after all, which says nothing about Graph; a probe that is not sent is one that failed.
    pub(crate) fn unused(mut self) {
        self.is_under_way = self.is_probe;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(gate) = self.gate.take() else { return };
        let now = gate.clock.now();
        let mut state = gate.state();
        if self.is_under_way {
            // Given up half-way: the outcome of the call is unknown.
            state.circuits.failed(&self.class, Sign::Silent, self.is_probe, now);
        }
        state.queue.finish(&self.class);
        gate.admit_queued(&mut state);
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
