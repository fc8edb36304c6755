//! How a booking stands after an attempt.

use super::after::{after, drift};
use super::booking::{Booking, DesiredState, Progress};
use super::call::Call;
use super::drift::DriftPolicy;
use super::failure::{Failure, LastError};
use super::meeting_difference::MeetingDifference;
use super::next_call::next_call;
use super::next_step::{Failures, RetryPolicy, Step, next_step};
use super::outcome::{Outcome, Refusal, Reply};
use crate::clock::Timestamp;

impl Booking {
    /// How the booking stands once `call`, asked for by the revision `asked_by` of what is wanted, was answered by
    /// `reply`. Where the next call follows at once, the booking is due now. `fraction` (0 to 1) is the jitter.
    #[must_use]
    pub fn after_attempt(
        &self,
        (call, asked_by): (&Call, u32),
        reply: &Reply,
        (policy, drift_policy): (&RetryPolicy, DriftPolicy),
        (now, fraction): (Timestamp, f64),
    ) -> Self {
        // A meeting that is to be removed and isn't there is removed.
        let is_gone = self.wanted.desired_state == DesiredState::Cancelled
            && reply.outcome == Outcome::Refused(Refusal::MeetingMissing);
        let outcome = if is_gone { &Outcome::Gone } else { &reply.outcome };
        let is_look = matches!(call, Call::Look { .. });
        let failure = Failure::of(outcome);
        let same_as_before = self.last_error.as_ref().map(|error| error.code) == failure;
        let failures =
            failure.map_or(Failures::default(), |_| self.failures.and_one_more(now, same_as_before));
        let observed = after(self.observed.clone(), (&self.wanted, asked_by), call, outcome, now);
        let mut next = Self { observed, ..self.clone() }
            .with_drift(&self.drift((call, asked_by), outcome), drift_policy);
        let progress = match next_step(outcome, failures, policy, now, fraction) {
            Step::GoOn => next.at_rest_or_due(now),
            Step::Again(at) => Progress::Due(crate::clock::to_micros(at)),
            // That nobody may look doesn't make the meeting worse; that it is missing does.
            Step::Park if is_look && *outcome != Outcome::Refused(Refusal::MeetingMissing) => {
                if let Some(meeting) = &mut next.observed.meeting {
                    meeting.agreement = meeting.agreement.with_nothing_requested();
                }
                next.at_rest_or_due(now)
            }
            Step::Park => Progress::Parked,
        };
        // What failed for an older revision may go well for this one.
        let progress = match progress {
            Progress::Parked if asked_by != self.wanted.revision => Progress::Due(now),
            other => other,
        };
        let last_error = failure.map(|code| LastError { code, at: now, graph: reply.evidence.clone() });
        Self {
            attempts: self.attempts.saturating_add(1),
            failures,
            last_error,
            ..next.moved_to(progress, now)
        }
    }

    /// In what the meeting turned out to have moved away from its booking, by an answer to a call that was asked for by
    /// the revision `asked_by` of what is wanted.
    #[must_use]
    pub fn drift(&self, (call, asked_by): (&Call, u32), outcome: &Outcome) -> Vec<MeetingDifference> {
        match (outcome, &self.observed.meeting) {
            (Outcome::Changed(seen) | Outcome::Seen(seen), Some(meeting))
                if asked_by == self.wanted.revision =>
            {
                drift(&self.wanted.spec, &meeting.seen, &seen.seen, call)
            }
            _ => Vec::new(),
        }
    }

    /// How the booking stands when Graph can't be asked before `until`, for a reason that is not the booking's: nothing
    /// was sent, so it is no attempt. `because` is told where the booking has no failure of its own to tell of.
    #[must_use]
    pub fn postponed(&self, until: Timestamp, because: LastError, now: Timestamp) -> Self {
        let last_error = self.last_error.clone().or(Some(because));
        Self { last_error, ..self.moved_to(Progress::Due(crate::clock::to_micros(until)), now) }
    }

    /// How the booking stands when there turned out to be nothing to ask.
    #[must_use]
    pub fn agreed(&self, now: Timestamp) -> Self {
        Self { failures: Failures::default(), last_error: None, ..self.moved_to(Progress::Settled, now) }
    }

    /// At rest, unless something is left to ask, for instance what a caller has declared meanwhile.
    fn at_rest_or_due(&self, now: Timestamp) -> Progress {
        match next_call(&self.wanted, &self.observed) {
            Some(_) => Progress::Due(now),
            None => Progress::Settled,
        }
    }

    fn moved_to(&self, progress: Progress, now: Timestamp) -> Self {
        let provisioned_now =
            progress == Progress::Settled && self.wanted.desired_state == DesiredState::Present;
        Self {
            revision: self.revision.saturating_add(1),
            progress,
            provisioned_at: self.provisioned_at.or(provisioned_now.then_some(now)),
            updated_at: now,
            ..self.clone()
        }
    }
}
