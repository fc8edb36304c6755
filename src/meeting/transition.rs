//! What one act does to a booking, as a value: everything that is stored, told and logged follows from it.

use std::time::Duration;

use super::booking::{Booking, DesiredState, Progress, Wanted};
use super::call::Call;
use super::drift::{Drift, DriftPolicy, drift};
use super::failure::{Failure, LastError};
use super::meeting_difference::{Compared, MeetingDifference};
use super::next_call::next_call;
use super::next_step::{Failures, RetryPolicy, Step, next_step};
use super::observe::{Told, observe};
use super::observed::{Agreement, Observed, Seen};
use super::outcome::{Outcome, Refusal, Reply};
use crate::booking::{BookingKey, BookingSpec, ExternalId, Generation};
use crate::clock::{Timestamp, to_micros};

/// How long after its end a meeting is looked at whose times Graph would not change while it was under way. People stay on; one
/// that is still under way then is looked at once more, after the end that Graph tells then.
const AFTER_ITS_END: Duration = Duration::from_mins(5);

/// What an act did to a booking.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// How the booking stands now.
    pub booking: Booking,
    /// What is to be asked of Graph, now or when the booking is due; none where it isn't, or where nothing is left to ask.
    pub next: Option<Call>,
    /// Whether that is asked at once, under a lease that the same statement opens.
    pub goes_on_now: bool,
    /// In what the meeting that an answer told of differs from what was wanted.
    pub differences: Vec<MeetingDifference>,
    /// Where the meeting has moved away from its booking since they agreed: in what, and what was done about it.
    pub drift: Option<Drift>,
    /// Whether the booking followed its meeting, so that something else is wanted than before.
    pub is_adopted: bool,
    /// Whether the answer says that the meeting, which was to be removed, is gone: that it is removed, or that it isn't found.
    pub is_gone: bool,
}

/// A call that was answered. A caller may have changed what is wanted while it was under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// What was asked.
    pub call: Call,
    /// The revision of what was wanted that asked for it.
    pub asked_by: u32,
    /// What came back.
    pub reply: Reply,
}

/// What a decision takes beside the booking and the answer. Two decisions by the same rules are the same.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// How long to wait for what.
    pub retry: &'a RetryPolicy,
    /// What is done about a meeting that has moved away from its booking.
    pub drift: DriftPolicy,
    /// The time.
    pub now: Timestamp,
    /// Jitter, from 0 to 1.
    pub fraction: f64,
}

impl Transition {
    /// The booking stands like this now, and this is what is left to ask.
    pub(super) fn to(booking: Booking, next: Option<Call>) -> Self {
        Self {
            booking,
            next,
            goes_on_now: false,
            differences: Vec::new(),
            drift: None,
            is_adopted: false,
            is_gone: false,
        }
    }
}

impl Booking {
    /// What is to be asked of Graph so that what is observed comes to agree with what is wanted.
    #[must_use]
    pub fn next_call(&self) -> Option<Call> {
        next_call(&self.wanted, &self.observed)
    }

    /// A generation that was just accepted: due now, and nothing has been asked yet.
    #[must_use]
    pub fn accepted(
        key: BookingKey,
        generation: Generation,
        external_id: ExternalId,
        spec: BookingSpec,
        now: Timestamp,
    ) -> Transition {
        let booking = Self {
            key,
            generation,
            revision: 1,
            wanted: Wanted { desired_state: DesiredState::Present, external_id, spec, revision: 1 },
            observed: Observed::default(),
            progress: Progress::Due(now),
            attempts: 0,
            failures: Failures::default(),
            last_error: None,
            provisioned_at: None,
            created_at: now,
            updated_at: now,
        };
        let next = booking.next_call();
        Transition::to(booking, next)
    }

    /// What an answer of Graph does to the booking. Where another call follows at once, the booking is due now.
    #[must_use]
    pub fn answered(&self, answered: &Answered, rules: &Rules<'_>) -> Transition {
        let Answered { call, asked_by, reply } = answered;
        let is_current = *asked_by == self.wanted.revision;
        let outcome = self.as_meant(call, &reply.outcome, rules);
        let seen = outcome.meeting().map(|told| told.seen_beside(self.observed.meeting.as_ref()));
        let known = self.observed.meeting.as_ref();
        let compared = seen.as_ref().map(|seen| Compared::of(&self.wanted.spec, known, seen));
        let drifted = self.drifted(answered, compared.as_ref());
        let told = Told {
            call,
            asked_by: *asked_by,
            outcome,
            seen: seen.as_ref(),
            lacking: compared.as_ref().map(|compared| &compared.change),
            has_drifted: drifted.iter().any(MeetingDifference::is_changeable),
        };
        let mut after = self.clone();
        after.observed = observe(after.observed, &self.wanted, &told, rules.now);
        after.follow_drift(&drifted, rules.drift);

        after.last_error =
            Failure::of(outcome).map(|code| LastError { code, at: rules.now, graph: reply.evidence.clone() });
        after.failures = after.last_error.as_ref().map_or(Failures::default(), |error| {
            let is_same_kind = self.last_error.as_ref().is_some_and(|before| before.is_like(error));
            self.failures.and_one_more(rules.now, is_same_kind)
        });
        after.attempts = self.attempts.saturating_add(1);

        let step = after.step(call, outcome, rules);
        let next = after.next_call();
        let progress = match step {
            Step::GoOn if next.is_none() => Progress::Settled,
            Step::GoOn => Progress::Due(after.meeting_over_at().unwrap_or(rules.now)),
            Step::Again(at) => Progress::Due(to_micros(at)),
            // What failed for an older revision may go well for this one.
            Step::Park if !is_current => Progress::Due(rules.now),
            Step::Park => Progress::Parked,
        };
        let booking = after.in_progress(progress, rules.now);
        Transition {
            goes_on_now: progress == Progress::Due(rules.now) && booking.last_error.is_none(),
            is_adopted: booking.wanted.revision != self.wanted.revision,
            is_gone: *outcome == Outcome::Gone && self.observed.meeting.is_some(),
            next: next.filter(|_| booking.due_at().is_some()),
            differences: compared.map(|compared| compared.differences).unwrap_or_default(),
            drift: (!drifted.is_empty()).then_some(Drift { differences: drifted, policy: rules.drift }),
            booking,
        }
    }

    /// What it does that Graph can't be asked before `until`, for a reason that is not the booking's: nothing was sent, so it
    /// is no attempt. `because` is told where the booking has no failure of its own.
    #[must_use]
    pub fn postponed(&self, call: Call, until: Timestamp, because: LastError, now: Timestamp) -> Transition {
        let last_error = self.last_error.clone().or(Some(because));
        let same_kind_since = self.failures.same_kind_since.or(Some(now));
        let failures = Failures { same_kind_since, ..self.failures };
        let postponed = Self { failures, last_error, ..self.clone() };
        Transition::to(postponed.in_progress(Progress::Due(to_micros(until)), now), Some(call))
    }

    /// What it does that a booking that was due turned out to have nothing to ask.
    #[must_use]
    pub fn with_nothing_to_ask(&self, now: Timestamp) -> Transition {
        let settled = Self { failures: Failures::default(), last_error: None, ..self.clone() };
        Transition::to(settled.in_progress(Progress::Settled, now), None)
    }

    /// What isn't found moments after it was made may only be missing for the copy of Graph's that answered. Any other meeting
    /// that is to be removed and isn't there is removed, as is one of which only its organizer could know, who isn't there.
    fn as_meant<'a>(&self, call: &Call, outcome: &'a Outcome, rules: &Rules<'_>) -> &'a Outcome {
        let is_cancelled = self.wanted.desired_state == DesiredState::Cancelled;
        match outcome {
            Outcome::Refused(Refusal::MeetingMissing)
                if self.may_be_there(call, rules) && !self.may_have_removed(call) =>
            {
                &Outcome::Refused(Refusal::MeetingNotThereYet)
            }
            Outcome::Refused(Refusal::MeetingMissing) if is_cancelled => &Outcome::Gone,
            Outcome::Refused(Refusal::OrganizerNotFound)
                if is_cancelled
                    && self.missing_for(Failure::OrganizerNotFound, rules.now)
                        >= rules.retry.organizer_not_found_for =>
            {
                &Outcome::Gone
            }
            _ => outcome,
        }
    }

    /// Whether a meeting that Graph doesn't find was made so short a time ago that it may be there all the same, and hasn't been
    /// missing for long.
    fn may_be_there(&self, call: &Call, rules: &Rules<'_>) -> bool {
        let young = rules.retry.not_there_yet_for;
        let long = match call {
            Call::Remove { .. } => rules.retry.removal_not_there_for,
            _ => young,
        };
        self.provisioned_at.is_none_or(|at| rules.now - at < young)
            && self.missing_for(Failure::GraphRefused, rules.now) < long
    }

    /// Whether the same removal was sent before and may have been carried out: what isn't found now was removed by it.
    fn may_have_removed(&self, call: &Call) -> bool {
        let may_be_done = |error: &LastError| match error.code {
            Failure::GraphOutcomeUnknown => true,
            Failure::GraphThrottled => error.graph.status == Some(429),
            _ => false,
        };
        matches!(call, Call::Remove { .. }) && self.last_error.as_ref().is_some_and(may_be_done)
    }

    /// For how long Graph hasn't found what it was asked for: all that has failed since then failed like this.
    fn missing_for(&self, code: Failure, now: Timestamp) -> Duration {
        let is_missing = |error: &LastError| error.code == code && error.graph.status == Some(404);
        let since =
            self.failures.same_kind_since.filter(|_| self.last_error.as_ref().is_some_and(is_missing));
        since.map_or(Duration::ZERO, |since| (now - since).try_into().unwrap_or_default())
    }

    /// In what the meeting turned out to have moved away from its booking. An answer to a call that an older revision asked
    /// for says nothing about this one. Where nothing was known, nothing has moved: the look after a change whose answer told
    /// nothing is that change's answer.
    fn drifted(&self, answered: &Answered, compared: Option<&Compared>) -> Vec<MeetingDifference> {
        match (&answered.reply.outcome, &self.observed.meeting, compared) {
            (Outcome::Changed(_) | Outcome::Seen(_), Some(meeting), Some(now))
                if answered.asked_by == self.wanted.revision && meeting.seen != Seen::default() =>
            {
                let known = Compared::of(&self.wanted.spec, Some(meeting), &meeting.seen).differences;
                drift(&known, &now.differences, &answered.call)
            }
            _ => Vec::new(),
        }
    }

    /// When the meeting is over whose times Graph would not change while it was under way, with some time for those who stay.
    fn meeting_over_at(&self) -> Option<Timestamp> {
        let meeting = self.observed.meeting.as_ref()?;
        let is_under_way = meeting.agreement == Agreement::UnderWay(self.wanted.revision);
        meeting.seen.end.filter(|_| is_under_way).map(|end| to_micros(end + AFTER_ITS_END))
    }

    /// What happens next. That a look is refused doesn't make the meeting worse; that it is missing does.
    fn step(&mut self, call: &Call, outcome: &Outcome, rules: &Rules<'_>) -> Step {
        let step = next_step(outcome, self.failures, rules.retry, rules.now, rules.fraction);
        let is_missing = *outcome == Outcome::Refused(Refusal::MeetingMissing);
        if step != Step::Park || is_missing || !matches!(call, Call::Look { .. }) {
            return step;
        }
        if let Some(meeting) = &mut self.observed.meeting {
            meeting.agreement = meeting.agreement.with_nothing_requested();
        }
        Step::GoOn
    }

    fn in_progress(self, progress: Progress, now: Timestamp) -> Self {
        let is_provisioned =
            progress == Progress::Settled && self.wanted.desired_state == DesiredState::Present;
        Self {
            revision: self.revision.saturating_add(1),
            progress,
            provisioned_at: self.provisioned_at.or(is_provisioned.then_some(now)),
            updated_at: now,
            ..self
        }
    }
}

#[cfg(test)]
#[path = "missing_tests.rs"]
mod missing_tests;
