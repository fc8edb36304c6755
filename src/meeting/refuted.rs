//! Which bookings' failures a success for the same organizer refutes.

use super::booking::{Booking, Progress};
use super::failure::Failure;
use super::outcome::{Outcome, Reply};

/// For which reason a booking is parked, where a success for its organizer may refute that: what is wrong is the organizer, or
/// our credential, and not the booking. A refusal of what the booking asks for, of a meeting that is missing, and one that gave
/// no reason stay as they are: nothing that goes well elsewhere says anything of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParkedFor {
    /// No access policy covers the organizer.
    NotPermitted,
    /// There is no such organizer.
    NotFound,
    /// Graph forbids to make a meeting for the organizer, or to look the organizer up: a guest, no licence, no consent.
    Forbidden,
    /// Our credential is refused.
    Unauthorized,
}

/// What an answer refutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refuted {
    /// Of bookings with the organizer's object id.
    pub of_organizer: &'static [ParkedFor],
    /// Of bookings that name the organizer like the one that was answered, and whose object id was never found.
    pub of_name: &'static [ParkedFor],
}

impl ParkedFor {
    /// Its name in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotPermitted => "organizer-not-permitted",
            Self::NotFound => "organizer-not-found",
            Self::Forbidden => "organizer-forbidden",
            Self::Unauthorized => "graph-unauthorized",
        }
    }
}

impl Booking {
    /// For which reason it is parked that a success may refute. `was_freed` says whether one has done so before: what is forbidden
    /// again after that is forbidden for a reason of its own, and would be asked for with each success. In SQL: the column
    /// `parked_for`.
    #[must_use]
    pub fn parked_for(&self, was_freed: bool) -> Option<ParkedFor> {
        let error = self.last_error.as_ref().filter(|_| self.progress == Progress::Parked)?;
        match error.code {
            Failure::OrganizerNotPermitted => Some(ParkedFor::NotPermitted),
            Failure::OrganizerNotFound => Some(ParkedFor::NotFound),
            Failure::GraphUnauthorized => Some(ParkedFor::Unauthorized),
            Failure::GraphRefused => {
                let is_forbidden = error.graph.status == Some(403) && self.observed.meeting.is_none();
                (is_forbidden && !was_freed).then_some(ParkedFor::Forbidden)
            }
            Failure::GraphThrottled | Failure::GraphUnavailable | Failure::GraphOutcomeUnknown => None,
        }
    }
}

impl Reply {
    /// What the answer refutes. A meeting that was made shows that the organizer has all that meetings need; one that was changed,
    /// read or removed was made before, under a licence that may be gone. A name that was resolved shows that there is the
    /// user, and that we may ask; one that is remembered was resolved a while ago.
    #[must_use]
    pub fn refutes(&self) -> Refuted {
        use ParkedFor::{Forbidden, NotFound, NotPermitted, Unauthorized};
        let (of_organizer, of_name): (&[_], &[_]) = match &self.outcome {
            Outcome::Created(_) | Outcome::Found(_) => {
                (&[NotPermitted, NotFound, Forbidden, Unauthorized], &[])
            }
            Outcome::Changed(_) | Outcome::Seen(_) | Outcome::Gone => {
                (&[NotPermitted, NotFound, Unauthorized], &[])
            }
            Outcome::OrganizerFound(_) if self.was_asked_for() => {
                (&[NotFound, Unauthorized], &[NotFound, Forbidden, Unauthorized])
            }
            Outcome::OrganizerFound(_) => (&[], &[NotFound]),
            Outcome::Refused(_)
            | Outcome::Throttled { .. }
            | Outcome::Unavailable { .. }
            | Outcome::Unknown => (&[], &[]),
        };
        Refuted { of_organizer, of_name }
    }
}

impl Refuted {
    /// Nothing.
    pub const NOTHING: Self = Self { of_organizer: &[], of_name: &[] };
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::booking::UserId;
    use crate::meeting::{Evidence, Refusal};

    /// A read shows less than a creation, a remembered name less than one that Graph resolved, and what isn't found shows nothing.
    #[test]
    fn a_success_refutes_what_it_shows_and_no_more() {
        let found = || Outcome::OrganizerFound(UserId::new(Uuid::from_u128(1)));
        for (outcome, status, of_organizer, of_name) in [
            (found(), Some(200), 2, 3),
            (found(), None, 0, 1),
            (Outcome::Changed(None), Some(200), 3, 0),
            (Outcome::Seen(None), Some(200), 3, 0),
            (Outcome::Gone, Some(204), 3, 0),
            (Outcome::Refused(Refusal::MeetingMissing), Some(404), 0, 0),
            (Outcome::Throttled { retry_after: None }, Some(429), 0, 0),
            (Outcome::Unavailable { retry_after: None }, None, 0, 0),
            (Outcome::Unknown, None, 0, 0),
        ] {
            let evidence = Evidence { status, ..Evidence::begun(datetime!(2026-11-23 09:00 UTC)) };
            let refuted = Reply { outcome, evidence }.refutes();
            assert_eq!((refuted.of_organizer.len(), refuted.of_name.len()), (of_organizer, of_name));
            let forbids_meetings = refuted.of_organizer.contains(&ParkedFor::Forbidden);
            assert!(!forbids_meetings, "only a creation shows that");
        }
    }
}
