//! Carries out what a booking needs: ask, decide, settle, until nothing is left to ask for now.

use std::sync::Arc;
use std::time::Duration;

use time::format_description::well_known::Rfc3339;

use super::ask::Asked;
use super::settle::{Closing, SettleResult};
use super::{Provisioning, events};
use crate::audit::Origin;
use crate::error_chain::chain;
use crate::meeting::{
    Attempt, Booking, Call, Evidence, Failure, Outcome, Progress, Refusal, Reply, Rules, Transition,
};
use crate::shares::on_behalf_of;

/// How long to wait before Postgres is asked again that could not answer.
pub(super) const STORE_AGAIN: Duration = Duration::from_millis(250);

/// A booking under a lease of ours.
#[derive(Debug)]
pub(super) struct Work {
    /// How it stands.
    pub(super) booking: Booking,
    /// What is to be asked of Graph first.
    pub(super) next: Option<Call>,
    /// The attempt that holds the lease.
    pub(super) attempt: Attempt,
    /// On whose behalf.
    pub(super) origin: Origin,
}

impl Work {
    /// Work on a booking that was read from the store.
    pub(super) fn of(booking: Booking, attempt: Attempt, origin: Origin) -> Self {
        Self { next: booking.next_call(), booking, attempt, origin }
    }
}

impl Provisioning {
    /// Carries out an attempt with those that follow from it, and waits for the end as long as the caller is patient.
    pub(super) async fn carry_out_and_wait(self: &Arc<Self>, work: Work, patience: Duration) -> Booking {
        let deadline = tokio::time::Instant::now() + patience;
        let before = work.booking.clone();
        let provisioning = Arc::clone(self);
        // Boxed here, or every waiting request would hold room for the whole work.
        let work = self.in_flight.spawn(Box::pin(provisioning.carry_out(work)));
        let booking = match self.waiting.await_until(work, deadline).await {
            Some(Ok(Some(booking))) => booking,
            // Another replica took over: the row will tell.
            Some(Ok(None) | Err(_)) => before,
            // It goes on without us.
            None => return before,
        };
        let left = deadline.saturating_duration_since(tokio::time::Instant::now());
        self.waiting.wait_for(booking, left).await
    }

    /// Carries out a leased attempt with those that follow from it. Says how the booking stands then; nothing where the
    /// lease was lost, or where Postgres refused what was to be stored.
    pub(super) async fn carry_out(self: Arc<Self>, work: Work) -> Option<Booking> {
        let external_id = work.booking.wanted.external_id;
        // Dropped last: it wakes the requests that wait here, however this ends.
        let _working = self.waiting.working_on(external_id);
        let source_system = work.booking.key.source_system.clone();
        let booking = on_behalf_of(source_system, self.reconcile(work)).await?;
        if let Progress::Due(at) = booking.progress {
            self.alarm.set(at);
        }
        self.metrics.booking_settled(booking.status().as_str());
        self.waiting.publish_settled(external_id);
        Some(booking)
    }

    /// The loop: no transaction is open while Graph is asked, and each attempt is settled before the next begins. An answer
    /// that is not stored yet is decided on again when a caller has changed the booking meanwhile.
    async fn reconcile(&self, work: Work) -> Option<Booking> {
        let Work { mut booking, next, mut attempt, origin } = work;
        let mut _registered = self.in_flight.register(attempt.id);
        let mut asked = self.ask(&booking, next, attempt, &origin).await;
        loop {
            let transition = self.decide(&booking, &asked);
            let next_attempt =
                transition.goes_on_now.then(|| self.fresh_attempt(transition.booking.updated_at));
            let closing = Closing {
                before: &booking,
                asked: &asked,
                transition: &transition,
                attempt,
                next_attempt,
                origin: &origin,
            };
            match self.settle(&closing).await {
                SettleResult::Stored => {
                    self.log_transition(&closing);
                    let Some(next_attempt) = next_attempt else { return Some(transition.booking) };
                    attempt = next_attempt;
                    _registered = self.in_flight.register(attempt.id);
                    asked = self.ask(&transition.booking, transition.next, attempt, &origin).await;
                    booking = transition.booking;
                }
                SettleResult::Overtaken => {
                    booking = self.changed_meanwhile(&booking, attempt).await?;
                    if !matches!(asked, Asked::Answered(_)) {
                        // What is wanted now may need no call, or another one; the attempt is still open.
                        asked = self.ask(&booking, booking.next_call(), attempt, &origin).await;
                    }
                }
                SettleResult::MeetingTaken(meeting) => {
                    let message = format!("meeting {meeting} belongs to another booking already");
                    asked = refused_instead(asked, Refusal::Request, message);
                }
                // Without what the answer told, the attempt can be stored as a failure: it is made again with backoff, and
                // the booking is parked in the end. Should that be refused as well, the lease ends.
                SettleResult::Refused(why) if is_answer_of_graph(&asked) => {
                    let message = format!("this service can't store what Graph answered: {why}");
                    asked = refused_instead(asked, Refusal::Passing { retry_after: None }, message);
                }
                SettleResult::Refused(_) | SettleResult::Unanswered => return None,
            }
        }
    }

    fn decide(&self, booking: &Booking, asked: &Asked) -> Transition {
        let now = self.clock.now();
        match asked {
            Asked::NothingToAsk => booking.with_nothing_to_ask(now),
            Asked::Postponed(postponed) => {
                booking.postponed(postponed.call.clone(), postponed.until, postponed.because.clone(), now)
            }
            Asked::Answered(answered) => {
                let rules = Rules {
                    retry: &self.policy,
                    drift: self.drift_policy(&booking.key.source_system),
                    now,
                    fraction: self.clock.fresh_fraction(),
                };
                booking.answered(answered, &rules)
            }
        }
    }

    /// The booking as it stands now, if the lease is still ours and a caller has changed what is wanted meanwhile.
    async fn changed_meanwhile(&self, known: &Booking, attempt: Attempt) -> Option<Booking> {
        let give_up = tokio::time::Instant::now() + self.lease;
        let leased = loop {
            match self.store.generation(&known.key, known.generation).await {
                Ok(leased) => break leased?,
                Err(error) if error.may_pass() && tokio::time::Instant::now() < give_up => {
                    tokio::time::sleep(STORE_AGAIN).await;
                }
                Err(error) => {
                    let error = chain(&error);
                    tracing::error!(booking = %known.key, attempt = %attempt.id, error, "attempt not settled");
                    return None;
                }
            }
        };
        let is_ours = leased.attempt.is_some_and(|current| current.id == attempt.id);
        if is_ours && leased.booking.revision != known.revision {
            return Some(leased.booking);
        }
        self.metrics.lease_lost();
        tracing::warn!(booking = %known.key, attempt = %attempt.id, "lease lost before the attempt was settled");
        None
    }

    /// Logs what went wrong; what went well is in the history and in the request's own line.
    fn log_transition(&self, closing: &Closing<'_>) {
        let Asked::Answered(answered) = closing.asked else { return };
        let transition = closing.transition;
        let booking = &transition.booking;
        Self::log_outcome(closing, &answered.reply.outcome);
        if events::is_unexpected(closing.before, &answered.reply.outcome) {
            self.metrics.meeting_unexpected();
            let (meeting, organizer) = (&booking.observed.meeting, booking.wanted.spec.organizer.as_text());
            let meeting = meeting.as_ref().map(|meeting| meeting.id.as_str());
            tracing::warn!(
                booking = %booking.key, attempt = %closing.attempt.id, organizer, meeting,
                request_id = closing.origin.request_id.as_deref(),
                "Graph had the meeting before its booking first asked for it: was the database restored, or did another \
                 application make it?"
            );
        }
        if let Some(drift) = &transition.drift {
            self.log_drift(booking, drift);
        }
        if let (Progress::Parked, Some(error)) = (booking.progress, &booking.last_error) {
            self.metrics.booking_parked(error.code.code());
        }
    }

    /// One line for each attempt that failed, with everything by which it can be followed: our request, our attempt, Graph's
    /// id and codes, the sign-in's, and this replica.
    fn log_outcome(closing: &Closing<'_>, outcome: &Outcome) {
        let booking = &closing.transition.booking;
        let (key, status, attempt) = (&booking.key, booking.status().as_str(), closing.attempt.id);
        let Some(error) = &booking.last_error else {
            tracing::debug!(booking = %key, %attempt, status, outcome = outcome.as_str(), "attempt settled");
            return;
        };
        let (code, graph) = (error.code.code(), &error.graph);
        let (graph_status, graph_code, graph_request_id) =
            (graph.status, graph.code.as_deref(), graph.request_id.as_deref());
        let sign_in_code = graph.message.as_deref().and_then(sign_in_code);
        let request_id = closing.origin.request_id.as_deref();
        let due_at = booking.due_at().and_then(|at| at.format(&Rfc3339).ok());
        let attempts = booking.attempts;
        macro_rules! line {
            ($level:ident, $message:literal) => {
                tracing::$level!(
                    booking = %key, %attempt, request_id, code, graph_status, graph_code, graph_request_id,
                    sign_in_code, attempts, due_at, $message
                )
            };
        }
        if booking.progress == Progress::Parked {
            line!(error, "booking parked");
        } else if error.code == Failure::GraphUnauthorized {
            // It ends by no waiting: an operator must act.
            line!(error, "attempt failed for want of a good credential, will be made again");
        } else {
            line!(warn, "attempt failed, will be made again");
        }
    }
}

/// Whether Graph's own answer is to be stored, and not yet a failure in its place.
fn is_answer_of_graph(asked: &Asked) -> bool {
    matches!(asked, Asked::Answered(answered) if !matches!(answered.reply.outcome, Outcome::Refused(_)))
}

/// A failure in the place of an answer that can't be stored: what Graph says contradicts what is stored, or Postgres refuses
/// it.
fn refused_instead(asked: Asked, refusal: Refusal, message: String) -> Asked {
    let Asked::Answered(mut answered) = asked else { return asked };
    let evidence = Evidence { message: Some(message), ..answered.reply.evidence };
    answered.reply = Reply { outcome: Outcome::Refused(refusal), evidence };
    Asked::Answered(answered)
}

/// The number by which the sign-in names its refusal, `AADSTS7000222`, where a text quotes it.
fn sign_in_code(text: &str) -> Option<&str> {
    let code = &text[text.find("AADSTS")?..];
    let end = code
        .char_indices()
        .skip("AADSTS".len())
        .find(|(_, c)| !c.is_ascii_digit())
        .map_or(code.len(), |(at, _)| at);
    Some(&code[..end]).filter(|code| code.len() > "AADSTS".len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_ins_code_is_found_in_what_it_said() {
        for (text, expected) in [
            ("no token: AADSTS7000222: The provided client secret keys are expired.", Some("AADSTS7000222")),
            ("AADSTS90002", Some("AADSTS90002")),
            ("AADSTS: nothing", None),
            ("AADSTSü", None),
            ("", None),
        ] {
            assert_eq!(sign_in_code(text), expected, "{text}");
        }
    }
}
