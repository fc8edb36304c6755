//! Asks Graph, if it may be asked now; a pause that Graph asks of one replica, all replicas keep.

use std::time::Duration;

use time::format_description::well_known::Rfc3339;
use tokio_util::sync::CancellationToken;

use super::Provisioning;
use crate::audit::Origin;
use crate::booking::SourceSystem;
use crate::clock::Timestamp;
use crate::error_chain::chain;
use crate::meeting::{
    Answered, Attempt, Booking, Call, Evidence, Failure, HeardFrom, LastError, Outcome, Reply,
};
use crate::msgraph::Performed;
use crate::store::StoreError;
use crate::throttling::{CallClass, Pause, PauseScope, Permit, Rejected, RejectionReason, pause_asked};

/// The part of a lease that a call may use, with its wait for a permit; the rest is for settling.
const LEASE_FOR_CALL: f64 = 0.8;
/// How far the clocks of two replicas may be apart.
const CLOCKS_APART: Duration = Duration::from_mins(1);
/// How far the readings of the pauses are apart that notices cause, at least.
const PAUSE_READS_APART: Duration = Duration::from_millis(20);
/// Coming back a little late, each by another part of this, keeps those who waited from coming back in step.
const JITTER_LONGEST: Duration = Duration::from_secs(10);
const JITTER_SHORTEST: Duration = Duration::from_millis(50);

/// What came of an attempt's call.
#[derive(Debug)]
pub(super) enum Asked {
    /// What is wanted and what is observed agree: no call is needed.
    NothingToAsk,
    /// The call could not be sent now.
    Postponed(Box<Postponed>),
    /// The call was sent.
    Answered(Box<Answered>),
}

/// A call that could not be sent, for a reason that is not the booking's.
#[derive(Debug)]
pub(super) struct Postponed {
    /// Which call.
    pub(super) call: Call,
    /// When it is to be sent.
    pub(super) until: Timestamp,
    /// What the caller is told.
    pub(super) because: LastError,
    /// What the history is told.
    pub(super) why: String,
    /// Whether that is a fact about Graph; what is about ourselves is told once.
    pub(super) is_graphs_wish: bool,
}

impl Provisioning {
    /// Sends the next call of a booking, if there is one and Graph may be asked now.
    pub(super) async fn ask(
        &self,
        booking: &Booking,
        next: Option<Call>,
        attempt: Attempt,
        origin: &Origin,
    ) -> Asked {
        let Some(call) = next else { return Asked::NothingToAsk };
        let class = class(&call, booking.key.source_system.clone(), booking.failures.count > 0);
        let asked_by = booking.wanted.revision;
        match self.perform(&call, &class, attempt, origin).await {
            Ok(reply) => Asked::Answered(Box::new(Answered { call, asked_by, reply })),
            Err(rejected) => {
                self.metrics.call_postponed(rejected.reason.as_str());
                Asked::Postponed(Box::new(self.postponed(call, rejected)))
            }
        }
    }

    /// Performs a call, and stops listening while the attempt's lease still leaves time to settle: a call that outlives its
    /// lease would be made again beside itself. Nothing is sent where Graph may not be asked now, or need not be, since the
    /// answer is remembered.
    pub(super) async fn perform(
        &self,
        call: &Call,
        class: &CallClass,
        attempt: Attempt,
        origin: &Origin,
    ) -> Result<Reply, Rejected> {
        if let Some(reply) = self.graph.remembered(call).await {
            return Ok(reply);
        }
        let give_up = tokio::time::Instant::now() + time_for_call(attempt, self.clock.now());
        let permit = self.gate.acquire(class).await?;
        if tokio::time::Instant::now() >= give_up {
            permit.unused();
            return Err(Rejected { retry_at: self.clock.now(), reason: RejectionReason::Busy });
        }
        let began = tokio::time::Instant::now();
        let asked = self.graph.perform(attempt.id, origin.traceparent.as_deref(), call);
        let performed = tokio::time::timeout_at(give_up, asked).await;
        let Performed { reply, heard_from } = performed.unwrap_or_else(|_| Performed {
            reply: Reply {
                outcome: Outcome::Unknown,
                evidence: Evidence {
                    duration_milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
                    message: Some("no answer in time".to_owned()),
                    ..Evidence::begun(attempt.started_at)
                },
            },
            heard_from: HeardFrom::Graph { connection: 0 },
        });
        self.metrics.graph_call(call.kind().as_str(), reply.outcome.as_str(), began.elapsed());
        let performed = Performed { reply, heard_from };
        self.completed(permit, call, &performed, &class.source_system).await;
        Ok(performed.reply)
    }

    /// Tells the gate what came of a call, and all replicas what Graph asked for.
    pub(super) async fn completed(
        &self,
        permit: Permit,
        call: &Call,
        performed: &Performed,
        source_system: &SourceSystem,
    ) {
        let Performed { reply, heard_from } = performed;
        let asked = pause_asked(call, reply, *heard_from, self.clock.now(), self.policy.retry_after_max);
        let completed = permit.complete(reply, *heard_from, asked);
        if completed.is_away {
            let source_system = source_system.as_str();
            tracing::error!(source_system, "Graph does not answer; calls wait until a probe is answered");
        }
        if let Some(pause) = completed.pause {
            self.broadcast_pause(pause).await;
        }
        self.show_gate();
    }

    /// Makes all replicas keep the pause that Graph asked of this one, unless it is about this one alone.
    async fn broadcast_pause(&self, pause: Pause) {
        let scope = pause.scope.to_string();
        if !pause.scope.is_shared() {
            tracing::warn!(scope, until = %pause.until, "this replica has no token for Graph; its calls wait");
            return;
        }
        tracing::warn!(scope, until = %pause.until, "Graph asked to be left alone");
        if let Err(error) = self.store.pause(&scope, pause.until).await {
            let error = chain(&error);
            tracing::warn!(error, scope, "the other replicas don't know of this pause");
        }
        self.waiting.publish_pause();
    }

    /// Loads the pauses that other replicas were asked for, in case their notices did not arrive: once a period, and at
    /// each look where notices are not delivered.
    pub(super) async fn load_pauses(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        // Asked before the reading: what is published while it lasts must not be missed.
        let are_notices_delivered = self.waiting.are_notices_delivered();
        if !self.pause_reads.is_due(now, are_notices_delivered) {
            return Ok(());
        }
        self.read_pauses(now).await?;
        self.pause_reads.note(now, are_notices_delivered);
        Ok(())
    }

    /// Reads the pauses whenever another replica tells of one, until it is told to stop.
    pub(crate) async fn follow_pauses(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.pause_reads.told() => {}
            }
            if let Err(error) = self.read_pauses(self.clock.now()).await {
                let error = chain(&error);
                tracing::warn!(error, "a pause that another replica was asked for is not known yet");
            }
            // However many notices there are.
            let _stopped = tokio::time::timeout(PAUSE_READS_APART, stop.cancelled()).await;
        }
    }

    /// Keeps the pauses that other replicas were asked for.
    async fn read_pauses(&self, now: Timestamp) -> Result<(), StoreError> {
        for (scope, until) in self.store.pauses(now).await? {
            // A newer version may know of scopes that this one doesn't.
            let Some(scope) = PauseScope::parse(&scope) else { continue };
            if until > now + self.policy.retry_after_max + CLOCKS_APART {
                tracing::warn!(%scope, %until, "table graph_pause holds a pause that no replica wrote; it is ignored");
                continue;
            }
            let pause = Pause { scope, until };
            if self.gate.pause(&pause) {
                tracing::warn!(scope = %pause.scope, %until, "Graph asked another replica to be left alone");
            }
        }
        // Once: it is about all pauses.
        self.show_gate();
        Ok(())
    }

    fn show_gate(&self) {
        let (limit, pauses) = self.gate.measures();
        self.metrics.set_gate(limit, pauses);
    }

    fn postponed(&self, call: Call, rejected: Rejected) -> Postponed {
        let now = self.clock.now();
        let until = a_little_after(rejected.retry_at, now, self.clock.fresh_fraction());
        let is_graphs_wish = match rejected.reason {
            RejectionReason::ApplicationPaused
            | RejectionReason::OrganizerPaused
            | RejectionReason::SourceSystemPaused
            | RejectionReason::LookUpsPaused => true,
            RejectionReason::NoToken
            | RejectionReason::CircuitOpen
            | RejectionReason::Busy
            | RejectionReason::ShareUsedUp => false,
        };
        Postponed {
            call,
            until,
            because: not_sent(rejected, now),
            why: explanation(rejected),
            is_graphs_wish,
        }
    }
}

/// What kind of call this is to the gate.
pub(super) fn class(call: &Call, source_system: SourceSystem, failed_before: bool) -> CallClass {
    let name = match call {
        Call::FindOrganizer(name) => Some(name.clone()),
        _ => None,
    };
    CallClass { organizer: call.organizer(), name, source_system, failed_before }
}

/// How long an attempt's call may take from now on, with its wait for a permit: the lease runs since the statement that opened
/// it was sent, which may have taken long.
fn time_for_call(attempt: Attempt, now: Timestamp) -> Duration {
    let lease = Duration::try_from(attempt.leased_until - attempt.started_at).unwrap_or_default();
    let left = Duration::try_from(attempt.leased_until - now).unwrap_or_default().min(lease);
    left.saturating_sub(lease.mul_f64(1.0 - LEASE_FOR_CALL))
}

/// Why a call was not sent, as callers are told.
pub(super) fn not_sent(rejected: Rejected, now: Timestamp) -> LastError {
    let message = Some(format!("not sent: {}", explanation(rejected)));
    LastError { code: failure(rejected.reason), at: now, graph: Evidence { message, ..Evidence::begun(now) } }
}

/// When to come back after a wait that ends then: not before, and each by another fraction (0 to 1) of it later.
fn a_little_after(until: Timestamp, now: Timestamp, fraction: f64) -> Timestamp {
    let wait = Duration::try_from(until - now).unwrap_or_default();
    until + (wait / 10).clamp(JITTER_SHORTEST, JITTER_LONGEST).mul_f64(fraction.clamp(0.0, 1.0))
}

fn failure(reason: RejectionReason) -> Failure {
    match reason {
        RejectionReason::CircuitOpen | RejectionReason::NoToken | RejectionReason::SourceSystemPaused => {
            Failure::GraphUnavailable
        }
        RejectionReason::ApplicationPaused
        | RejectionReason::OrganizerPaused
        | RejectionReason::LookUpsPaused
        | RejectionReason::Busy
        | RejectionReason::ShareUsedUp => Failure::GraphThrottled,
    }
}

/// What callers and the history are told.
pub(super) fn explanation(rejected: Rejected) -> String {
    let until = rejected.retry_at.format(&Rfc3339).unwrap_or_else(|_| rejected.retry_at.to_string());
    match rejected.reason {
        RejectionReason::ApplicationPaused => format!("Graph asked this application to wait until {until}"),
        RejectionReason::OrganizerPaused => {
            format!("Graph asked for no more calls for this organizer until {until}")
        }
        RejectionReason::SourceSystemPaused => {
            format!(
                "Graph asked for no more calls for several organizers of this source system until {until}"
            )
        }
        RejectionReason::LookUpsPaused => format!("Graph asked for no more look-ups of names until {until}"),
        RejectionReason::NoToken => {
            "this replica has no token for Graph; another one, or this one later, sends the call".to_owned()
        }
        RejectionReason::ShareUsedUp => {
            "as many calls as this source system may have are under way; this one waited and got no permit"
                .to_owned()
        }
        RejectionReason::CircuitOpen => {
            "Graph has not answered for a while; another call finds out whether it does again".to_owned()
        }
        RejectionReason::Busy => {
            "as many calls as Graph takes are under way; this one waited and got no permit".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    /// A call ends before its lease, however late it begins; a clock that was set back gives it no more than a whole lease.
    #[test]
    fn a_call_has_the_lease_without_what_settling_needs() {
        let began = datetime!(2026-11-23 08:00 UTC);
        let attempt = Attempt {
            id: crate::meeting::AttemptId::new(uuid::Uuid::nil()),
            started_at: began,
            leased_until: began + Duration::from_mins(1),
        };
        for (seconds_later, left) in [(0, 48), (10, 38), (47, 1), (48, 0), (59, 0), (90, 0), (-30, 48)] {
            let now = began + time::Duration::seconds(seconds_later);
            let time = time_for_call(attempt, now);
            assert_eq!(time.as_millis().div_ceil(1_000), left, "{seconds_later}: {time:?}");
        }
    }

    /// Never before the time, later by up to a tenth of the wait, and each fraction at another moment.
    #[test]
    fn no_call_comes_back_too_early_or_in_step() {
        let now = datetime!(2026-11-23 08:00 UTC);
        for (wait, fraction, late) in [
            (60_000, 0.0, 0),
            (60_000, 0.5, 3_000),
            (60_000, 1.0, 6_000),
            (3_600_000, 1.0, 10_000),
            (128, 1.0, 50),
            (0, 0.5, 25),
        ] {
            let until = now + Duration::from_millis(wait);
            assert_eq!(
                a_little_after(until, now, fraction),
                until + Duration::from_millis(late),
                "{wait} {fraction}"
            );
        }
    }
}
