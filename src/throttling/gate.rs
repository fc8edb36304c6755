//! The gate through which calls to Graph go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::adaptive_limit::AdaptiveLimit;
use super::breaker::{Breaker, Pass};
use super::pause::{Pause, PauseScope};
use super::queue::Queue;
use crate::booking::{SourceSystem, UserId};
use crate::clock::{Clock, Timestamp};
use crate::meeting::{Outcome, Reply};

/// Longest wait in line. It is part of the attempt's lease.
const IN_LINE: Duration = Duration::from_secs(5);
/// When whoever waited in vain may come again.
const BUSY: Duration = Duration::from_secs(1);

/// Who wants to ask Graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visitor {
    /// For whose meetings; none where that is what is asked.
    pub(crate) organizer: Option<UserId>,
    /// Whose booking it is about.
    pub(crate) source_system: SourceSystem,
}

/// Why a call has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Obstacle {
    /// Graph asked our application to wait.
    ApplicationPaused,
    /// Graph asked for no more calls for this organizer.
    OrganizerPaused,
    /// Graph has not answered for a while; another call sees whether it does.
    Away,
    /// As many calls as Graph takes are under way already.
    Busy,
}

/// A call may not pass before then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotNow {
    /// Until when.
    pub(crate) until: Timestamp,
    /// Why.
    pub(crate) obstacle: Obstacle,
}

/// The gate of one replica.
#[derive(Debug)]
pub(crate) struct Gate {
    clock: Arc<dyn Clock>,
    in_line: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: AdaptiveLimit,
    breaker: Breaker,
    pauses: HashMap<PauseScope, Timestamp>,
    queue: Queue<oneshot::Sender<Passage>>,
}

/// A call on its way, until it is dropped.
#[derive(Debug)]
pub(crate) struct Passage {
    /// None where nobody took the passage.
    gate: Option<Arc<Gate>>,
    visitor: Visitor,
    is_probe: bool,
    is_under_way: bool,
}

impl Obstacle {
    /// Its name in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ApplicationPaused => "application-paused",
            Self::OrganizerPaused => "organizer-paused",
            Self::Away => "away",
            Self::Busy => "busy",
        }
    }
}

impl Gate {
    /// A gate that lets at most so many calls pass at once.
    pub(crate) fn new(calls_max: u32, clock: Arc<dyn Clock>) -> Arc<Self> {
        let state = State {
            limit: AdaptiveLimit::of(calls_max),
            breaker: Breaker::Closed(0),
            pauses: HashMap::new(),
            queue: Queue::default(),
        };
        Arc::new(Self { clock, in_line: IN_LINE, state: Mutex::new(state) })
    }

    /// Lets a call pass when it may, or says when to come again. Waits in line for a moment where others are before it.
    pub(crate) async fn pass(self: &Arc<Self>, visitor: &Visitor) -> Result<Passage, NotNow> {
        let give_up = Instant::now() + self.in_line;
        loop {
            let waiting = match self.pass_or_wait(visitor) {
                Ok(passage) => return Ok(passage.begun()),
                Err(Turned::Away(not_now)) => return Err(not_now),
                Err(Turned::IntoLine(waiting)) => waiting,
            };
            match tokio::time::timeout_at(give_up, waiting).await {
                Ok(Ok(passage)) => return Ok(passage.begun()),
                // Sent away: why, the next look tells.
                Ok(Err(_)) => {}
                Err(_) => return Err(self.busy()),
            }
        }
    }

    fn pass_or_wait(self: &Arc<Self>, visitor: &Visitor) -> Result<Passage, Turned> {
        let now = self.clock.now();
        let mut state = self.state();
        if let Some(not_now) = state.paused(visitor, now) {
            return Err(Turned::Away(not_now));
        }
        let limit = state.limit.now();
        if state.queue.send(visitor, limit) {
            let is_probe = match state.breaker.pass(now) {
                Pass::Yes => false,
                Pass::AsProbe => true,
                Pass::Later(until) => {
                    state.queue.back(visitor);
                    return Err(Turned::Away(NotNow { until, obstacle: Obstacle::Away }));
                }
            };
            return Ok(Passage::of(self, visitor.clone(), is_probe));
        }
        let (sender, waiting) = oneshot::channel();
        match state.queue.wait(visitor.clone(), sender) {
            Ok(()) => Err(Turned::IntoLine(waiting)),
            Err(_) => Err(Turned::Away(self.busy())),
        }
    }

    fn busy(&self) -> NotNow {
        NotNow { until: self.clock.now() + BUSY, obstacle: Obstacle::Busy }
    }

    /// Makes calls of a scope wait. Says whether that is longer than was known.
    pub(crate) fn pause(&self, pause: Pause) -> bool {
        let now = self.clock.now();
        let mut state = self.state();
        state.pauses.retain(|_, until| *until > now);
        if state.pauses.get(&pause.scope).is_some_and(|known| *known >= pause.until) || pause.until <= now {
            return false;
        }
        state.pauses.insert(pause.scope, pause.until);
        match pause.scope {
            PauseScope::Application => state.queue.send_away(|_| true),
            PauseScope::Organizer(id) => {
                state.queue.tread_softly(id);
                state.queue.send_away(|visitor| visitor.organizer == Some(id));
            }
        }
        true
    }

    /// Until when nobody may pass at all, if that is so.
    pub(crate) fn shut_until(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        let state = self.state();
        let paused = state.pauses.get(&PauseScope::Application).copied().filter(|until| *until > now);
        paused.max(state.breaker.shut_until(now))
    }

    /// How many calls may be under way, and how many scopes are paused.
    pub(crate) fn measures(&self) -> (usize, usize) {
        let now = self.clock.now();
        let state = self.state();
        (state.limit.now(), state.pauses.values().filter(|until| **until > now).count())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets those in line pass who may now.
    fn serve_line(self: &Arc<Self>, state: &mut State) {
        if state.breaker.shut_until(self.clock.now()).is_some() {
            state.queue.send_away(|_| true);
            return;
        }
        while let Some((visitor, waiting)) = state.queue.next(state.limit.now()) {
            if let Err(mut unwanted) = waiting.send(Passage::of(self, visitor, false)) {
                // Nobody waits there any more; it must not come back through the gate, which is held here.
                unwanted.gate = None;
                state.queue.back(&unwanted.visitor);
            }
        }
    }
}

enum Turned {
    Away(NotNow),
    IntoLine(oneshot::Receiver<Passage>),
}

impl State {
    fn paused(&self, visitor: &Visitor, now: Timestamp) -> Option<NotNow> {
        let until = |scope| self.pauses.get(&scope).copied().filter(|until| *until > now);
        let all = until(PauseScope::Application)
            .map(|until| NotNow { until, obstacle: Obstacle::ApplicationPaused });
        all.or_else(|| {
            let until = until(PauseScope::Organizer(visitor.organizer?))?;
            Some(NotNow { until, obstacle: Obstacle::OrganizerPaused })
        })
    }
}

impl Passage {
    fn of(gate: &Arc<Gate>, visitor: Visitor, is_probe: bool) -> Self {
        Self { gate: Some(Arc::clone(gate)), visitor, is_probe, is_under_way: false }
    }

    fn begun(mut self) -> Self {
        self.is_under_way = true;
        self
    }

    /// The call is over. `pause` is what its answer asked for. Says whether Graph counts as away since then.
    pub(crate) fn over(mut self, reply: &Reply, pause: Option<Pause>) -> bool {
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
                state.queue.went_well(&self.visitor);
                let under_way = state.queue.under_way();
                state.limit.went_well(under_way);
                false
            }
        }
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        let Some(gate) = self.gate.take() else { return };
        let mut state = gate.state();
        if self.is_under_way {
            // Given up half-way: what became of the call nobody saw.
            state.breaker.failed(self.is_probe, gate.clock.now());
        }
        state.queue.back(&self.visitor);
        gate.serve_line(&mut state);
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
