//! What Graph holds, what is wanted of it, and every decision between the two.
//!
//! Pure: [`next_call`] is the only place that decides what to ask of Graph, [`next_step`] the only place that
//! decides done, again or parked. Nothing here waits, asks or stores. Called by `provisioning`, `msgraph`,
//! `store` and the doors.

mod after;
mod call;
mod compare;
mod declare;
mod difference;
mod drift;
mod failure;
mod filter;
#[cfg(test)]
mod model_tests;
mod next_call;
mod next_step;
mod observed;
mod organizer_facts;
mod outcome;
mod readiness;
mod remedy;
mod retried;
mod seen_settings;
mod settling;
mod standing;

pub use after::after;
pub use call::{Attempt, AttemptId, Call, CallKind, Change};
pub use compare::compare;
pub use declare::{CalledOff, Declared, OrganizerChange};
pub use difference::{MeetingDifference, meeting_differences};
pub use drift::DriftPolicy;
pub use failure::{Failure, LastError};
pub use filter::BookingFilter;
pub use next_call::next_call;
pub use next_step::{Backoff, Failures, RetryPolicy, Step, next_step};
pub use observed::{CreatedBy, JoinWebUrl, Meeting, MeetingId, Observed, Seen, SeenAttendee};
pub use organizer_facts::{OrganizerFacts, Probe, ProbeOutcome, RecentAttempts, TokenFacts, TokenFault};
pub use outcome::{Evidence, Outcome, Refusal, Reply, SeenMeeting};
pub use readiness::{Check, CheckName, CheckStatus, checks, is_ready};
pub use remedy::{check_licence_and_consent, check_organizer, grant_access_policy};
pub use retried::Retried;
pub use seen_settings::{SeenSetting, SeenSettings};
pub use standing::{Life, Progress, Standing, Status, Wanted};
