//! Changes of bookings that the store makes without reading their rows first: its statements decide in SQL what these
//! functions say in Rust. The tests in `store` hold the two together, row by row.

use super::booking::{Booking, DesiredState, Progress};
use super::next_step::Failures;
use super::observed::Agreement;
use crate::clock::Timestamp;

impl Booking {
    /// How the booking stands once an attempt was abandoned: its lease ran out before it was settled, so whether its call was
    /// carried out is unknown. In SQL: the statement of `Store::claim`.
    #[must_use]
    pub fn abandoned(&self, now: Timestamp) -> Self {
        let mut next = Self {
            revision: self.revision.saturating_add(1),
            attempts: self.attempts.saturating_add(1),
            updated_at: now,
            ..self.clone()
        };
        match &mut next.observed.meeting {
            None => next.observed.creation_unknown = true,
            Some(meeting)
                if self.wanted.desired_state == DesiredState::Present
                    && !meeting.agreement.is_check_of(self.wanted.revision) =>
            {
                meeting.agreement = Agreement::Unknown;
            }
            Some(_) => {}
        }
        next
    }

    /// How a generation that is to be present stands once a later one takes its place: it is cancelled, and due to have its
    /// meeting removed. Whether anything is left to ask is found out then. In SQL: `retire_older_generations`.
    #[must_use]
    pub fn retired(&self, now: Timestamp) -> Self {
        let mut next = Self {
            revision: self.revision.saturating_add(1),
            progress: Progress::Due(now),
            failures: Failures::default(),
            last_error: None,
            updated_at: now,
            ..self.clone()
        };
        next.wanted.desired_state = DesiredState::Cancelled;
        next.wanted.revision = self.wanted.revision.saturating_add(1);
        next
    }

    /// How a provisioned booking at rest stands once its meeting is to be checked: due at once, and still provisioned. One that is at rest until its meeting is over is checked at once, and once more then. Nothing
    /// where there is nothing to check. In SQL: the statement of `Store::begin_check`.
    #[must_use]
    pub fn check_requested(&self, now: Timestamp) -> Option<Self> {
        if !self.is_comparable() {
            return None;
        }
        let mut next = Self {
            revision: self.revision.saturating_add(1),
            progress: Progress::Due(now),
            updated_at: now,
            ..self.clone()
        };
        if self.progress == Progress::Settled {
            next.observed.meeting.as_mut()?.agreement = Agreement::CheckRequested(self.wanted.revision);
        }
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::booking::{
        BookingId, BookingKey, ExternalId, Generation, MessageOrder, SourceSystem, UserId, parse,
    };
    use crate::meeting::{
        Cancellation, CreatedBy, JoinWebUrl, Meeting, MeetingId, Observed, Seen, SeenSettings, Status, Wanted,
    };

    const EARLIER: Timestamp = datetime!(2026-11-23 08:00 UTC);
    const NOW: Timestamp = datetime!(2026-11-23 09:00 UTC);

    fn booking(desired_state: DesiredState, agreement: Option<Agreement>, progress: Progress) -> Booking {
        let body = json!({"organizer": "a@contoso.com", "startDateTime": "2026-12-01T09:00:00Z"});
        let external_id = ExternalId::new(Uuid::from_u128(7));
        let meeting = agreement.map(|agreement| Meeting {
            id: MeetingId::parse("meeting").unwrap(),
            join_web_url: JoinWebUrl::parse("https://teams.example/7").unwrap(),
            chat_thread_id: None,
            created_by: CreatedBy::ThisRequest,
            seen: Seen::default(),
            seen_at: EARLIER,
            agreement,
            lobby_closed: false,
            settings_before: SeenSettings::default(),
            removed: false,
        });
        Booking {
            key: BookingKey {
                source_system: SourceSystem::parse("crm").unwrap(),
                booking_id: BookingId::parse("BK-1").unwrap(),
            },
            generation: Generation::FIRST,
            revision: 9,
            wanted: Wanted { desired_state, external_id, spec: parse(body).unwrap().1, revision: 3 },
            observed: Observed {
                organizer: Some(UserId::new(Uuid::from_u128(11))),
                meeting,
                ..Observed::default()
            },
            progress,
            attempts: 7,
            failures: Failures { count: 2, same_kind_since: Some(EARLIER) },
            last_error: None,
            provisioned_at: Some(EARLIER),
            created_at: EARLIER,
            updated_at: EARLIER,
        }
    }

    /// An attempt is counted. Without a meeting one may have been created; with one, a change may have been made to it unless
    /// it is to be removed or was only to be checked.
    #[test]
    fn an_abandoned_attempt_leaves_its_outcome_unknown() {
        use Agreement::{At, CheckRequested, Differs, UnderWay, Unknown};
        use DesiredState::{Cancelled, Present};
        let due = Progress::Due(EARLIER);
        for (desired_state, before, after) in [
            (Present, At(3), Unknown),
            (Present, Differs, Unknown),
            (Present, CheckRequested(2), Unknown),
            (Present, CheckRequested(3), CheckRequested(3)),
            (Present, UnderWay(2), Unknown),
            (Present, UnderWay(3), UnderWay(3)),
            (Present, Unknown, Unknown),
            (Cancelled, At(3), At(3)),
            (Cancelled, Differs, Differs),
            (Cancelled, CheckRequested(3), CheckRequested(3)),
        ] {
            let abandoned = booking(desired_state, Some(before), due).abandoned(NOW);
            assert_eq!((abandoned.revision, abandoned.attempts, abandoned.updated_at), (10, 8, NOW));
            assert_eq!((abandoned.progress, abandoned.failures.count), (due, 2));
            assert!(!abandoned.observed.creation_unknown);
            let agreement = abandoned.observed.meeting.unwrap().agreement;
            assert_eq!(agreement, after, "{desired_state:?} {before:?}");
        }
        for desired_state in [Present, Cancelled] {
            let abandoned = booking(desired_state, None, due).abandoned(NOW);
            assert!(abandoned.observed.creation_unknown && abandoned.observed.meeting.is_none());
        }
    }

    /// An older generation is cancelled as by its caller.
    #[test]
    fn what_is_retired_is_cancelled() {
        let present = booking(DesiredState::Present, Some(Agreement::At(3)), Progress::Settled);
        let Cancellation::Now(cancelled) = present.cancelled_now(MessageOrder::default(), false, NOW) else {
            panic!()
        };
        assert_eq!(present.retired(NOW), cancelled.booking);
        assert_eq!(present.retired(NOW).status(), Status::Cancelling);
    }

    /// Only what is at rest with a meeting is checked: a caller sees when, and nothing else.
    #[test]
    fn what_is_checked_is_due_and_still_provisioned() {
        let at_rest = booking(DesiredState::Present, Some(Agreement::At(2)), Progress::Settled);
        let checked = at_rest.check_requested(NOW).unwrap();
        assert_eq!((checked.status(), checked.due_at()), (Status::Provisioned, Some(NOW)));
        assert_eq!((checked.revision, checked.updated_at), (10, NOW));
        // Its times wait for its end: it is checked before, and once more then.
        let later = Progress::Due(datetime!(2026-12-01 09:00 UTC));
        let waiting = booking(DesiredState::Present, Some(Agreement::UnderWay(3)), later);
        let checked = waiting.check_requested(NOW).unwrap();
        assert_eq!((checked.status(), checked.due_at()), (Status::Provisioned, Some(NOW)));
        assert_eq!(checked.observed, waiting.observed);
        for (desired_state, agreement, progress) in [
            (DesiredState::Present, Some(Agreement::UnderWay(2)), later),
            (DesiredState::Present, Some(Agreement::At(2)), Progress::Due(EARLIER)),
            (DesiredState::Present, Some(Agreement::At(2)), Progress::Parked),
            (DesiredState::Present, None, Progress::Settled),
            (DesiredState::Cancelled, Some(Agreement::At(2)), Progress::Settled),
        ] {
            assert_eq!(booking(desired_state, agreement, progress).check_requested(NOW), None);
        }
    }
}
