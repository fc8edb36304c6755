//! Asks Graph, if it may be asked now; and what it asks of us, all replicas heed.

use std::time::Duration;

use time::format_description::well_known::Rfc3339;

use super::notices::Notification;
use super::{Provisioning, events};
use crate::audit::Origin;
use crate::booking::SourceSystem;
use crate::clock::Timestamp;
use crate::meeting::{Attempt, Booking, Call, Evidence, Failure, LastError, Outcome, Reply};
use crate::store::writing::Settlement;
use crate::throttling::{CallClass, Pause, Rejected, RejectionReason, pause_asked};

/// The part of a lease that a call may use, with its wait in line; the rest is for settling.
const LEASE_FOR_CALL: f64 = 0.8;
/// Coming back a little late, each by another bit of this, keeps those who waited from coming back in step.
const JITTER_LONGEST: Duration = Duration::from_secs(10);
const JITTER_SHORTEST: Duration = Duration::from_millis(50);

impl Provisioning {
    /// Asks Graph, and stops listening while the lease still leaves time to settle: a call that outlives its lease
    /// would be made again beside itself. Nothing is sent where Graph may not be asked now.
    pub(super) async fn ask(
        &self,
        attempt: Attempt,
        origin: &Origin,
        (call, source_system): (&Call, &SourceSystem),
    ) -> Result<Reply, Rejected> {
        let give_up = tokio::time::Instant::now() + self.lease.mul_f64(LEASE_FOR_CALL);
        let class = CallClass { organizer: call.organizer(), source_system: source_system.clone() };
        let permit = self.gate.acquire(&class).await?;
        let began = tokio::time::Instant::now();
        let asked = self.graph.perform(attempt.id, origin.traceparent.as_deref(), call);
        let reply = tokio::time::timeout_at(give_up, asked).await;
        let reply = reply.unwrap_or_else(|_| Reply {
            outcome: Outcome::Unknown,
            evidence: Evidence {
                duration_milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
                message: Some("no answer within the lease".to_owned()),
                ..Evidence::begun(attempt.started_at)
            },
        });
        if reply.was_asked_for() {
            self.metrics.graph_call(call.kind().as_str(), reply.outcome.as_str(), began.elapsed());
        }
        let pause = pause_asked(call, &reply, self.clock.now(), self.policy.retry_after_max);
        if permit.complete(&reply, pause) {
            tracing::error!("Graph does not answer; calls wait until a probe is answered");
        }
        if let Some(pause) = pause {
            self.broadcast_pause(pause).await;
        }
        self.show_gate();
        Ok(reply)
    }

    /// Makes all replicas heed what Graph asked of this one.
    async fn broadcast_pause(&self, pause: Pause) {
        if !self.gate.pause(pause) {
            return;
        }
        let scope = pause.scope.to_string();
        tracing::warn!(scope, until = %pause.until, "Graph asked to be left alone");
        if let Err(error) = self.store.pause(&scope, pause.until).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, scope, "the other replicas don't know of this pause");
        }
        self.notices.publish(Notification::Paused(scope, pause.until));
    }

    /// Learns what other replicas were asked, for those who can't hear them.
    pub(super) async fn load_pauses(&self) -> Result<(), crate::store::StoreError> {
        for (scope, until) in self.store.pauses(self.clock.now()).await? {
            self.apply_pause(&scope, until);
        }
        self.show_gate();
        Ok(())
    }

    /// Heeds what another replica was asked.
    pub(super) fn apply_pause(&self, scope: &str, until: Timestamp) {
        // A newer version may know of scopes that this one doesn't.
        if let Some(scope) = crate::throttling::PauseScope::parse(scope) {
            self.gate.pause(Pause { scope, until });
            self.show_gate();
        }
    }

    fn show_gate(&self) {
        let (limit, pauses) = self.gate.measures();
        self.metrics.set_gate(limit, pauses);
    }

    /// Settles that a call was not sent, and when it is to be.
    pub(super) async fn postpone(
        &self,
        before: &Booking,
        attempt: Attempt,
        origin: &Origin,
        rejected: Rejected,
    ) -> Option<(Booking, Option<Attempt>)> {
        let now = self.clock.now();
        let (failure, why) = explained(rejected);
        let evidence = Evidence { message: Some(format!("not sent: {why}")), ..Evidence::begun(now) };
        let because = LastError { code: failure, at: now, graph: evidence };
        let again = a_little_after(rejected.retry_at, now, self.clock.fresh_fraction());
        let booking = before.postponed(again, because, now);
        let settlement = Settlement {
            attempt: attempt.id,
            worked_on: before.revision,
            booking: &booking,
            next_attempt: None,
            online_meeting: None,
            is_adopted: false,
            event: &events::postponed(&booking, origin, attempt, &why),
            retired: &events::retired(&booking, origin),
            freed: &events::freed(attempt, now),
        };
        self.metrics.call_postponed(rejected.reason.as_str());
        if self.settle(&settlement, attempt).await.ok()? {
            return Some((booking, None));
        }
        let current = self.changed_meanwhile(before, attempt).await?;
        // What is wanted now may need no call, or another one.
        Box::pin(self.attempt(&current, attempt, origin)).await
    }
}

/// When to come back after a wait that ends then: not before, and each by another fraction (0 to 1) of it later.
fn a_little_after(until: Timestamp, now: Timestamp, fraction: f64) -> Timestamp {
    let wait = Duration::try_from(until - now).unwrap_or_default();
    until + (wait / 10).clamp(JITTER_SHORTEST, JITTER_LONGEST).mul_f64(fraction.clamp(0.0, 1.0))
}

/// What callers and the history are told of it.
fn explained(rejected: Rejected) -> (Failure, String) {
    let until = rejected.retry_at.format(&Rfc3339).unwrap_or_else(|_| rejected.retry_at.to_string());
    match rejected.reason {
        RejectionReason::ApplicationPaused => {
            (Failure::GraphThrottled, format!("Graph asked this application to wait until {until}"))
        }
        RejectionReason::OrganizerPaused => (
            Failure::GraphThrottled,
            format!("Graph asked for no more calls for this organizer until {until}"),
        ),
        RejectionReason::CircuitOpen => (
            Failure::GraphUnavailable,
            "Graph has not answered for a while; another call finds out whether it does again".to_owned(),
        ),
        RejectionReason::Busy => (
            Failure::GraphThrottled,
            "as many calls as Graph takes are under way; this one waited in line in vain".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    /// Never before the time, later by up to a tenth of the wait, and each fraction at another moment.
    #[test]
    fn nobody_comes_back_too_early_or_in_step() {
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
