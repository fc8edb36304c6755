//! The only place that decides whether a booking is done, asked for again, or parked.

use std::time::Duration;

use super::outcome::{Outcome, Refusal};
use crate::clock::Timestamp;

/// What happens after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It went well: see at once whether something is left to ask.
    GoOn,
    /// Ask again, not before this time.
    Again(Timestamp),
    /// Leave it until an operator or the caller acts.
    Park,
}

/// The failures since the last success, the present one included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many in a row, of whatever kind: waits grow with it.
    pub count: u32,
    /// Since when they are of the same kind: patience with this kind runs from here.
    pub same_kind_since: Option<Timestamp>,
}

impl Failures {
    /// The same with one more failure, now, of the same kind as before or of another.
    #[must_use]
    pub fn and_one_more(self, now: Timestamp, same_kind: bool) -> Self {
        let same_kind_since = self.same_kind_since.filter(|_| same_kind).or(Some(now));
        Self { count: self.count.saturating_add(1), same_kind_since }
    }
}

/// How long to wait for what, and for how long at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Longest wait that Graph may ask for; a longer one is cut to this.
    pub retry_after_max: Duration,
    /// First and longest wait after a fault of Graph's; doubled each time, with full jitter.
    pub unavailable: Backoff,
    /// The same after a throttling that named no time, and after a repeatedly unknown outcome.
    pub throttled: Backoff,
    /// The same after a refusal that is about now and not about the booking, such as a collision.
    pub passing: Backoff,
    /// How long such a refusal may last before the booking is parked.
    pub passing_for: Duration,
    /// The same while an access policy may still be spreading.
    pub not_permitted: Backoff,
    /// How long an access policy may take to spread before the booking is parked (Microsoft: up to 30 minutes).
    pub not_permitted_for: Duration,
    /// The same while Graph doesn't find what may have been made moments ago: a user, or a meeting.
    pub not_there_yet: Backoff,
    /// How long an organizer may not be found before the booking is parked. How old a user is can't be known: this long for one
    /// who was made together with the booking, and no longer for a name that is mistyped.
    pub organizer_not_found_for: Duration,
    /// How old such a meeting may be, and how long it may not be found, before it counts as removed.
    pub not_there_yet_for: Duration,
    /// The same for its removal, before which its lobby was closed: a copy of Graph's has shown it by then, and another lags
    /// for seconds. The removal may also have been carried out by an attempt that ended without an answer.
    pub removal_not_there_for: Duration,
    /// The same while our credential is refused: every booking waits for one repair.
    pub unauthorized: Backoff,
    /// How long to wait for that repair before the booking is parked.
    pub unauthorized_for: Duration,
}

/// A wait that doubles with each failure, between its first and its longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let backoff = |first, longest| Backoff { first, longest };
        let (second, minute) = (Duration::from_secs(1), Duration::from_mins(1));
        Self {
            retry_after_max: Duration::from_hours(1),
            unavailable: backoff(second, minute * 5),
            throttled: backoff(second * 2, minute * 5),
            passing: backoff(second / 2, second * 30),
            passing_for: minute * 10,
            not_permitted: backoff(minute, minute * 5),
            not_permitted_for: minute * 30,
            not_there_yet: backoff(second, second * 30),
            organizer_not_found_for: minute * 3,
            not_there_yet_for: minute * 5,
            removal_not_there_for: second * 30,
            unauthorized: backoff(second * 30, minute * 5),
            unauthorized_for: Duration::from_hours(24),
        }
    }
}

/// Decides what happens after `outcome`. `failures` counts this one already; `fraction` (0 to 1) is the jitter.
#[must_use]
pub fn next_step(
    outcome: &Outcome,
    failures: Failures,
    policy: &RetryPolicy,
    now: Timestamp,
    fraction: f64,
) -> Step {
    let for_at_most = |limit: Duration, wait: Duration| {
        let failing_for =
            failures.same_kind_since.map_or(Duration::ZERO, |since| (now - since).unsigned_abs());
        match limit.checked_sub(failing_for).filter(|left| !left.is_zero()) {
            Some(left) => Step::Again(now + wait.min(left)),
            None => Step::Park,
        }
    };
    // Coming back a little late, each replica by another bit, keeps them from coming back in step.
    let as_asked = |asked: Duration| {
        let wait = asked.clamp(policy.throttled.first / 4, policy.retry_after_max);
        Step::Again(now + wait + wait.mul_f64(0.1 * fraction).min(Duration::from_secs(10)))
    };
    match outcome {
        Outcome::OrganizerFound(_)
        | Outcome::Created(_)
        | Outcome::Found(_)
        | Outcome::Changed(_)
        | Outcome::Seen(_)
        | Outcome::Gone => Step::GoOn,
        Outcome::Throttled { retry_after: Some(asked) }
        | Outcome::Unavailable { retry_after: Some(asked) } => as_asked(*asked),
        Outcome::Throttled { retry_after: None } => {
            let floor = policy.throttled.first / 2;
            Step::Again(now + floor + policy.throttled.jittered(failures.count, fraction))
        }
        Outcome::Unavailable { retry_after: None } => {
            Step::Again(now + policy.unavailable.jittered(failures.count, fraction))
        }
        // The first re-ask is immediate: nothing is wrong that waiting would mend, and a caller waits for the link.
        Outcome::Unknown if failures.count <= 1 => Step::Again(now),
        Outcome::Unknown => Step::Again(now + policy.unavailable.jittered(failures.count, fraction)),
        Outcome::Refused(Refusal::Passing { retry_after }) => {
            let wait = policy.passing.jittered(failures.count, fraction);
            match (for_at_most(policy.passing_for, wait), retry_after) {
                // Never before the time that Graph names, though the patience ends then.
                (Step::Again(_), Some(asked)) => as_asked(*asked),
                (step, _) => step,
            }
        }
        Outcome::Refused(Refusal::OrganizerNotPermitted) => {
            for_at_most(policy.not_permitted_for, policy.not_permitted.steady(failures.count))
        }
        Outcome::Refused(Refusal::OrganizerNotFound | Refusal::SomethingMissing) => {
            for_at_most(policy.organizer_not_found_for, policy.not_there_yet.steady(failures.count))
        }
        Outcome::Refused(Refusal::MeetingNotThereYet) => {
            for_at_most(policy.not_there_yet_for, policy.not_there_yet.steady(failures.count))
        }
        Outcome::Refused(Refusal::Unauthorized) => {
            for_at_most(policy.unauthorized_for, policy.unauthorized.steady(failures.count))
        }
        Outcome::Refused(Refusal::Forbidden | Refusal::Request | Refusal::MeetingMissing) => Step::Park,
    }
}

impl Backoff {
    fn steady(self, failures: u32) -> Duration {
        self.first.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(self.longest)
    }

    /// Full jitter: anything from nothing to the whole wait, but never at once.
    fn jittered(self, failures: u32, fraction: f64) -> Duration {
        self.steady(failures).mul_f64(fraction.clamp(0.0, 1.0)).max(Duration::from_millis(50))
    }
}

#[cfg(test)]
#[path = "next_step_tests.rs"]
mod tests;
