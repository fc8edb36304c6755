//! Call and settle, until nothing is left to ask for now.

use std::sync::Arc;
use std::time::Duration;

use super::{Provisioning, events};
use crate::audit::Origin;
use crate::meeting::{Attempt, Booking, Call, Evidence, Outcome, Progress, Refusal, Reply, next_call};
use crate::store::StoreError;
use crate::store::writing::{Settled, Settlement};

/// How long to wait before a settlement is tried again that Postgres could not take.
const SETTLE_AGAIN: Duration = Duration::from_millis(250);

impl Provisioning {
    /// Carries an attempt out, with the attempts that follow from it, and waits for the end as long as the caller
    /// is patient.
    pub(super) async fn carry_out_and_wait(
        self: &Arc<Self>,
        booking: Booking,
        attempt: Attempt,
        origin: Origin,
        patience: Duration,
    ) -> Booking {
        let deadline = tokio::time::Instant::now() + patience;
        let before = booking.clone();
        let provisioning = Arc::clone(self);
        // Boxed here, or whoever waits would carry the whole work about.
        let work = Box::pin(provisioning.carry_out(booking, attempt, origin));
        let work = self.in_flight.spawn(work);
        let booking = match self.await_until(work, deadline).await {
            Some(Ok(Some(booking))) => booking,
            // Another replica took over: the row will tell.
            Some(Ok(None) | Err(_)) => before,
            // It goes on without us.
            None => return before,
        };
        let left = deadline.saturating_duration_since(tokio::time::Instant::now());
        self.wait_for(booking, left).await
    }

    /// Carries out a leased attempt: asks Graph, settles, and goes on at once while there is something to ask.
    /// Says how the booking stands then; nothing when the lease was lost.
    pub(super) async fn carry_out(
        self: Arc<Self>,
        mut booking: Booking,
        mut attempt: Attempt,
        origin: Origin,
    ) -> Option<Booking> {
        // Dropped last: it wakes whoever waits here, however this ends.
        let _working = self.waiting.working_on(booking.wanted.external_id);
        loop {
            self.in_flight.begun(attempt.id);
            let settled = self.attempt(&booking, attempt, &origin).await;
            self.in_flight.ended(attempt.id);
            let next_attempt;
            (booking, next_attempt) = settled?;
            match next_attempt {
                Some(next) => attempt = next,
                None => break,
            }
        }
        if let Progress::Due(at) = booking.progress {
            self.alarm.set(at);
        }
        self.metrics.booking_settled(booking.status().as_str());
        self.publish_settled(booking.wanted.external_id);
        Some(booking)
    }

    /// One attempt: the call, with no transaction open, and its settlement.
    pub(super) async fn attempt(
        &self,
        before: &Booking,
        attempt: Attempt,
        origin: &Origin,
    ) -> Option<(Booking, Option<Attempt>)> {
        let Some(call) = next_call(&before.wanted, &before.observed) else {
            return self.settle_as_agreed(before, attempt, origin).await;
        };
        let asked_by = before.wanted.revision;
        let reply = match self.ask(attempt, origin, (&call, &before.key.source_system)).await {
            Ok(reply) => reply,
            Err(rejected) => return self.postpone(before, attempt, origin, rejected).await,
        };
        let mut current = before.clone();
        loop {
            let settled = match self.settle_reply(&current, (attempt, &call, asked_by), &reply, origin).await
            {
                Err(StoreError::MeetingTaken(meeting)) => {
                    let reply = refused_as_taken(&reply, &meeting);
                    self.settle_reply(&current, (attempt, &call, asked_by), &reply, origin).await
                }
                settled => settled,
            };
            if let Some(settled) = settled.ok()? {
                return Some(settled);
            }
            current = self.changed_meanwhile(&current, attempt).await?;
        }
    }

    /// The booking as it stands now, if the lease is still ours and a caller has changed what is wanted meanwhile.
    pub(super) async fn changed_meanwhile(&self, known: &Booking, attempt: Attempt) -> Option<Booking> {
        let give_up = tokio::time::Instant::now() + self.lease;
        let leased = loop {
            match self.store.generation(&known.key, known.generation).await {
                Ok(leased) => break leased?,
                Err(error) if error.may_pass() && tokio::time::Instant::now() < give_up => {
                    tokio::time::sleep(SETTLE_AGAIN).await;
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(booking = %known.key, attempt = %attempt.id, error, "attempt not settled");
                    return None;
                }
            }
        };
        if leased.attempt.is_some_and(|held| held.id == attempt.id)
            && leased.booking.revision != known.revision
        {
            return Some(leased.booking);
        }
        self.metrics.lease_lost();
        tracing::warn!(booking = %known.key, attempt = %attempt.id, "lease lost before the attempt was settled");
        None
    }

    async fn settle_as_agreed(
        &self,
        before: &Booking,
        attempt: Attempt,
        origin: &Origin,
    ) -> Option<(Booking, Option<Attempt>)> {
        let mut current = before.clone();
        loop {
            let booking = current.agreed(self.clock.now());
            let settlement = Settlement {
                attempt: attempt.id,
                worked_on: current.revision,
                booking: &booking,
                next_attempt: None,
                online_meeting: None,
                is_adopted: false,
                event: &events::agreed(&booking, origin),
                retired: &events::retired(&booking, origin),
                freed: &events::freed(attempt, booking.updated_at),
            };
            if self.settle(&settlement, attempt).await.ok()? {
                return Some((booking, None));
            }
            current = self.changed_meanwhile(&current, attempt).await?;
            if next_call(&current.wanted, &current.observed).is_some() {
                // What is wanted now needs a call after all, and the attempt is still open.
                return Box::pin(self.attempt(&current, attempt, origin)).await;
            }
        }
    }

    async fn settle_reply(
        &self,
        before: &Booking,
        (attempt, call, asked_by): (Attempt, &Call, u32),
        reply: &Reply,
        origin: &Origin,
    ) -> Result<Option<(Booking, Option<Attempt>)>, StoreError> {
        let now = self.clock.now();
        let drift_policy = self.drift_policy(&before.key.source_system);
        let booking = before.after_attempt(
            (call, asked_by),
            reply,
            (&self.policy, drift_policy),
            (now, self.clock.fresh_fraction()),
        );
        let drift = before.drift((call, asked_by), &reply.outcome);
        let drift_policy = (!drift.is_empty()).then_some(drift_policy);
        let goes_on = booking.due_at() == Some(now) && booking.last_error.is_none();
        let next_attempt = goes_on.then(|| self.fresh_attempt(now));
        let event = events::settled(before, &booking, origin, (attempt, call, reply), drift_policy);
        let settlement = Settlement {
            attempt: attempt.id,
            worked_on: before.revision,
            booking: &booking,
            next_attempt,
            online_meeting: reply.outcome.meeting().map(|seen| seen.online_meeting.as_ref()),
            is_adopted: booking.wanted.revision != before.wanted.revision,
            event: &event,
            retired: &events::retired(&booking, origin),
            freed: &events::freed(attempt, now),
        };
        let stored = self.settle(&settlement, attempt).await?;
        if stored {
            log_outcome(&booking, &reply.outcome);
            if let Some(policy) = drift_policy {
                self.log_drift(&booking, policy, &drift);
            }
            if let (Progress::Parked, Some(error)) = (booking.progress, &booking.last_error) {
                self.metrics.booking_parked(error.code.code());
            }
        }
        Ok(stored.then_some((booking, next_attempt)))
    }

    /// Settles, again and again while Postgres is away and our lease lasts: the answer is known only here.
    pub(super) async fn settle(
        &self,
        settlement: &Settlement<'_>,
        attempt: Attempt,
    ) -> Result<bool, StoreError> {
        let give_up = tokio::time::Instant::now() + self.lease;
        loop {
            let key = &settlement.booking.key;
            match self.store.settle(settlement).await {
                Ok(Settled::Stored) => return Ok(true),
                Ok(Settled::Overtaken) => return Ok(false),
                Err(taken @ StoreError::MeetingTaken(_)) => return Err(taken),
                Err(error @ StoreError::Unreachable(_)) if tokio::time::Instant::now() < give_up => {
                    tracing::warn!(booking = %key, attempt = %attempt.id, error = %error, "settling again");
                    tokio::time::sleep(SETTLE_AGAIN).await;
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(booking = %key, attempt = %attempt.id, error, "attempt not settled");
                    return Ok(false);
                }
            }
        }
    }
}

/// The schema refuses a meeting that belongs to another booking; that is Graph's word against ours.
fn refused_as_taken(reply: &Reply, meeting: &str) -> Reply {
    let message = format!("meeting {meeting} belongs to another booking already");
    Reply {
        outcome: Outcome::Refused(Refusal::Request),
        evidence: Evidence { message: Some(message), ..reply.evidence.clone() },
    }
}

/// Says in the log what went wrong; what went well is in the history and in the request's own line.
fn log_outcome(booking: &Booking, outcome: &Outcome) {
    let (key, status) = (&booking.key, booking.status().as_str());
    let Some(error) = &booking.last_error else {
        tracing::debug!(booking = %key, status, outcome = outcome.as_str(), "attempt settled");
        return;
    };
    let (code, graph_status) = (error.code.code(), error.graph.status);
    let (graph_code, graph_request_id) = (error.graph.code.as_deref(), error.graph.request_id.as_deref());
    let attempts = booking.attempts;
    if booking.progress == Progress::Parked {
        tracing::error!(booking = %key, code, graph_status, graph_code, graph_request_id, attempts, "booking parked");
    } else {
        let due_at = booking.due_at().map(tracing::field::display);
        tracing::warn!(
            booking = %key, code, graph_status, graph_code, graph_request_id, attempts, due_at,
            "attempt failed, will be made again"
        );
    }
}
