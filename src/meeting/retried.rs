//! What becomes of a booking that is to be tried again by hand.

use super::booking::{Booking, DesiredState, Progress};
use super::meeting_difference::{Compared, MeetingDifference};
use super::next_step::Failures;
use super::observed::{Agreement, Observed};
use super::transition::Transition;
use crate::clock::Timestamp;

/// What becomes of a booking that an operator or a caller wants to be tried again.
#[derive(Debug, Clone, PartialEq)]
pub enum Retried {
    /// It is due now, and its failures are counted anew; its last error stays until a success.
    Now(Box<Transition>),
    /// An attempt is under way, which is what was asked for.
    UnderWay,
    /// What is wanted and what was observed agree, as far as Graph can change it: there is nothing to try.
    Settled,
}

impl Booking {
    /// What becomes of the booking when it is to be tried again by hand: one that is parked becomes due, one that is due
    /// later is not waited for any longer, and a difference that was only reported is mended. `under_way` says whether an
    /// attempt is.
    #[must_use]
    pub fn retried(&self, under_way: bool, now: Timestamp) -> Retried {
        let mut due = Self {
            revision: self.revision.saturating_add(1),
            progress: Progress::Due(now),
            failures: Failures::default(),
            updated_at: now,
            ..self.clone()
        };
        match self.progress {
            Progress::Settled => match self.observed_to_mend() {
                Some(observed) => due.observed = observed,
                None => return Retried::Settled,
            },
            Progress::Due(_) if under_way => return Retried::UnderWay,
            Progress::Due(_) | Progress::Parked => {}
        }
        let next = due.next_call();
        Retried::Now(Box::new(Transition::to(due, next)))
    }

    /// What was observed, as it stands before it is mended; nothing where the meeting was not seen to differ in anything that
    /// Graph can change.
    fn observed_to_mend(&self) -> Option<Observed> {
        let meeting = self.observed.meeting.as_ref();
        let meeting = meeting.filter(|_| self.wanted.desired_state == DesiredState::Present)?;
        let compared = Compared::of(&self.wanted.spec, Some(meeting), &meeting.seen);
        if !compared.differences.iter().any(MeetingDifference::is_changeable) {
            return None;
        }
        let mut observed = self.observed.clone();
        if let Some(meeting) = &mut observed.meeting {
            meeting.agreement = Agreement::Differs;
        }
        Some(observed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::booking::{BookingId, BookingKey, ExternalId, Generation, SourceSystem, UserId, parse};
    use crate::meeting::{
        Call, CreatedBy, Evidence, Failure, JoinWebUrl, LastError, Meeting, MeetingId, Seen, SeenSettings,
        Status, Wanted,
    };

    const EARLIER: Timestamp = datetime!(2026-11-23 08:00 UTC);
    const NOW: Timestamp = datetime!(2026-11-23 09:00 UTC);

    /// What was seen to differ, and reported, is mended: by one change of what differs, whatever the policy. What agrees, was
    /// never seen, or belongs to a cancelled booking is left alone.
    #[test]
    fn a_reported_difference_is_due_for_a_change() {
        let start = Some(datetime!(2026-12-01 09:00 UTC));
        let seen = |subject: Option<&str>, start| Seen {
            subject: subject.map(str::to_owned),
            start,
            ..Seen::default()
        };
        let other = Some(datetime!(2026-12-02 09:00 UTC));
        for (seen, desired_state, is_mended) in [
            (seen(Some("Party"), start), DesiredState::Present, false),
            (seen(None, other), DesiredState::Present, true),
            (seen(None, start), DesiredState::Present, false),
            (Seen::default(), DesiredState::Present, false),
            (seen(Some("Party"), other), DesiredState::Cancelled, false),
        ] {
            let mut settled = booking(Progress::Settled, desired_state);
            let meeting = Some(observed_at(EARLIER, seen.clone()));
            settled.observed = Observed {
                organizer: Some(UserId::new(Uuid::from_u128(1))),
                creation_unknown: false,
                meeting,
            };
            match settled.retried(false, NOW) {
                Retried::Now(transition) => {
                    assert!(is_mended, "{seen:?}");
                    assert!(matches!(transition.next, Some(Call::Change { .. })), "{:?}", transition.next);
                    assert_eq!(transition.booking.status(), Status::Pending);
                    assert_eq!(transition.booking.wanted, settled.wanted);
                }
                other => assert!(!is_mended && other == Retried::Settled, "{seen:?}: {other:?}"),
            }
        }
    }

    fn observed_at(seen_at: Timestamp, seen: Seen) -> Meeting {
        Meeting {
            id: MeetingId::parse("m").unwrap(),
            join_web_url: JoinWebUrl::parse("https://teams.example/m").unwrap(),
            chat_thread_id: None,
            created_by: CreatedBy::ThisRequest,
            seen,
            seen_at,
            settings_before: SeenSettings::default(),
            agreement: Agreement::At(3),
            lobby_closed: false,
            removed: false,
        }
    }

    fn booking(progress: Progress, desired_state: DesiredState) -> Booking {
        let body = json!({"organizer": "a@contoso.com", "startDateTime": "2026-12-01T09:00:00Z"});
        let external_id = ExternalId::new(Uuid::from_u128(7));
        let (graph, code) = (Evidence::begun(EARLIER), Failure::OrganizerNotPermitted);
        Booking {
            key: BookingKey {
                source_system: SourceSystem::parse("crm").unwrap(),
                booking_id: BookingId::parse("BK-1").unwrap(),
            },
            generation: Generation::FIRST,
            revision: 9,
            wanted: Wanted { desired_state, external_id, spec: parse(body).unwrap().1, revision: 3 },
            observed: Observed::default(),
            progress,
            attempts: 7,
            failures: Failures { count: 7, same_kind_since: Some(EARLIER) },
            last_error: Some(LastError { code, at: EARLIER, graph }),
            provisioned_at: None,
            created_at: EARLIER,
            updated_at: EARLIER,
        }
    }

    /// Parked, or waiting: due now, with patience anew and all else as it was. Under way or settled: left alone.
    #[test]
    fn what_is_parked_or_waits_is_due_now() {
        let later = Progress::Due(NOW + Duration::from_mins(5));
        for (progress, desired_state, status) in [
            (Progress::Parked, DesiredState::Present, Status::Pending),
            (Progress::Parked, DesiredState::Cancelled, Status::Cancelling),
            (later, DesiredState::Present, Status::Pending),
            (Progress::Due(EARLIER), DesiredState::Present, Status::Pending),
        ] {
            let before = booking(progress, desired_state);
            let Retried::Now(transition) = before.retried(false, NOW) else { panic!("{progress:?}") };
            let after = transition.booking;
            assert_eq!(after.status(), status);
            assert_eq!((after.revision, after.attempts, after.updated_at), (10, 7, NOW));
            let expected = Booking {
                revision: 10,
                progress: Progress::Due(NOW),
                failures: Failures::default(),
                updated_at: NOW,
                ..before
            };
            assert_eq!(after, expected);
        }
        assert_eq!(booking(later, DesiredState::Present).retried(true, NOW), Retried::UnderWay);
        for desired_state in [DesiredState::Present, DesiredState::Cancelled] {
            assert_eq!(booking(Progress::Settled, desired_state).retried(false, NOW), Retried::Settled);
        }
    }
}
