//! What Graph holds, what is wanted of it, and every decision between the two.
//!
//! A [`Booking`] holds desired state ([`Wanted`]) beside observed state ([`Observed`]); the pair [`next_call`] and
//! [`next_step`] is the reconciler: the only place that decides what to ask of Graph, and the only place that decides done,
//! again or parked. What an act does to a booking is a value, the [`Transition`]. Pure: nothing here waits, asks or stores. Called by `provisioning`, `msgraph`,
//! `store`, `audit`, `api` and `command`.

mod booking;
mod booking_filter;
mod call;
mod compare;
mod decided_in_sql;
mod desired_change;
mod drift;
mod failure;
mod meeting_difference;
#[cfg(test)]
mod model_tests;
mod next_call;
mod next_step;
mod observe;
mod observed;
mod organizer_checks;
mod organizer_facts;
mod organizer_identity;
mod outcome;
mod refuted;
mod remedy;
mod retried;
mod seen_settings;
mod sign_in_fault;
mod tombstone;
mod transition;

pub use booking::{Booking, DesiredState, Progress, Status, Wanted};
pub use booking_filter::BookingFilter;
pub use call::{Attempt, AttemptId, Call, CallKind, Change};
pub use compare::compare;
pub use desired_change::{Cancellation, Declared, Moment, OrganizerChange, Repetition};
pub use drift::{Drift, DriftPolicy};
pub use failure::{Failure, LastError, is_passing};
pub use meeting_difference::{JOIN_WEB_URL, MeetingDifference, meeting_differences};
pub use next_call::next_call;
pub use next_step::{Backoff, Failures, RetryPolicy, Step, next_step};
pub use observed::{Agreement, CreatedBy, JoinWebUrl, Meeting, MeetingId, Observed, Seen, SeenAttendee};
pub use organizer_checks::{Check, CheckName, CheckStatus, checks, is_ready};
pub use organizer_facts::{OrganizerFacts, Probe, ProbeOutcome, RecentAttempts, TokenFacts, TokenFault};
pub use organizer_identity::{NameLookup, NameLookups};
pub use outcome::{Evidence, HeardFrom, MeetingContent, Outcome, Refusal, Reply, SeenMeeting};
pub use refuted::{ParkedFor, Refuted};
pub use remedy::{check_licence_and_consent, check_organizer, grant_access_policy};
pub use retried::Retried;
pub use seen_settings::{SeenSetting, SeenSettings};
pub use sign_in_fault::{SignInFault, aadsts_number};
pub use tombstone::{CancelledAgain, Tombstone};
pub use transition::{Answered, Rules, Transition};
