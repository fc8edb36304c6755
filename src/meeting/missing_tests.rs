use serde_json::json;
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::booking::{BookingId, SourceSystem, UserId, parse};
use crate::meeting::{Agreement, CreatedBy, Evidence, JoinWebUrl, Meeting, MeetingId, SeenSettings, Status};

const NOW: Timestamp = datetime!(2026-11-23 09:00 UTC);
const LONG: Duration = Duration::from_mins(5);
const NOT_LONG: Duration = Duration::from_secs(299);

/// A booking that is being cancelled, first as wanted so long ago, with the failure that it has had for so long.
fn cancelled(age: Option<Duration>, failing: Option<(LastError, Duration)>) -> Booking {
    let body = json!({"organizer": "a@contoso.com", "startDateTime": "2026-12-01T09:00:00Z"});
    let key = BookingKey {
        source_system: SourceSystem::parse("crm").unwrap(),
        booking_id: BookingId::parse("BK-1").unwrap(),
    };
    let external_id = ExternalId::new(Uuid::from_u128(7));
    let accepted = Booking::accepted(key, Generation::FIRST, external_id, parse(body).unwrap().1, NOW);
    let mut booking = accepted.booking;
    booking.wanted.desired_state = DesiredState::Cancelled;
    booking.provisioned_at = age.map(|age| NOW - age);
    booking.observed.organizer = Some(UserId::new(Uuid::from_u128(11)));
    booking.observed.meeting = Some(Meeting {
        id: MeetingId::parse("meeting").unwrap(),
        join_web_url: JoinWebUrl::parse("https://teams.example/7").unwrap(),
        chat_thread_id: None,
        created_by: CreatedBy::ThisRequest,
        seen: Seen::default(),
        seen_at: NOW,
        agreement: Agreement::At(1),
        lobby_closed: true,
        removed: false,
        settings_before: SeenSettings::default(),
    });
    if let Some((error, duration)) = failing {
        booking.last_error = Some(error);
        booking.failures = Failures { count: 7, same_kind_since: Some(NOW - duration) };
    }
    booking
}

fn failing(code: Failure, status: u16) -> LastError {
    LastError { code, at: NOW, graph: Evidence { status: Some(status), ..Evidence::begun(NOW) } }
}

fn refused(booking: &Booking, refusal: Refusal) -> Transition {
    let evidence = Evidence { status: Some(404), ..Evidence::begun(NOW) };
    let reply = Reply { outcome: Outcome::Refused(refusal), evidence };
    let answered = Answered { call: booking.next_call().unwrap(), asked_by: booking.wanted.revision, reply };
    let rules = Rules { retry: &RetryPolicy::default(), drift: DriftPolicy::Mend, now: NOW, fraction: 0.5 };
    booking.answered(&answered, &rules)
}

/// A meeting that is to be removed and isn't found is asked for again while it may be there all the same, and is gone then. No
/// refusal of another kind that came before shortens that or parks the cancel. After a removal that may have been carried out
/// there is nothing to wait for.
#[test]
fn a_cancel_that_finds_no_meeting_ends_and_not_too_early() {
    let second = Duration::from_secs(1);
    let missing = || failing(Failure::GraphRefused, 404);
    let mut postponed = failing(Failure::GraphThrottled, 0);
    postponed.graph.status = None;
    for (age, failing, expected) in [
        (Some(NOT_LONG), None, Status::Cancelling),
        (Some(LONG), None, Status::Cancelled),
        (None, None, Status::Cancelling),
        (None, Some((missing(), second * 29)), Status::Cancelling),
        (None, Some((missing(), second * 30)), Status::Cancelled),
        (None, Some((failing(Failure::GraphRefused, 423), LONG * 2)), Status::Cancelling),
        (None, Some((failing(Failure::GraphUnavailable, 503), LONG * 2)), Status::Cancelling),
        (Some(LONG), Some((failing(Failure::GraphRefused, 423), second)), Status::Cancelled),
        (Some(second), Some((failing(Failure::GraphOutcomeUnknown, 204), second)), Status::Cancelled),
        (Some(second), Some((failing(Failure::GraphThrottled, 429), second)), Status::Cancelled),
        (Some(second), Some((postponed, second)), Status::Cancelling),
    ] {
        let before = cancelled(age, failing);
        assert!(matches!(before.next_call(), Some(Call::Remove { .. })));
        let after = refused(&before, Refusal::MeetingMissing);
        assert_eq!(after.booking.status(), expected, "{before:?}");
        assert_eq!(after.is_gone, expected == Status::Cancelled);
    }
}

/// Where no organizer is found for long there is no meeting of which only the organizer's could be known: the cancel ends.
#[test]
fn a_cancel_that_finds_no_organizer_ends() {
    for (minutes, expected) in [(0, Status::Cancelling), (2, Status::Cancelling), (3, Status::Cancelled)] {
        let missing = failing(Failure::OrganizerNotFound, 404);
        let mut before = cancelled(None, Some((missing, Duration::from_mins(minutes))));
        (before.observed.meeting, before.observed.creation_unknown) = (None, true);
        assert!(matches!(before.next_call(), Some(Call::CreateOrGet { .. })));
        let after = refused(&before, Refusal::OrganizerNotFound);
        assert_eq!((after.booking.status(), after.is_gone), (expected, false), "{minutes}");
    }
}

/// Patience with one kind of refusal does not count for another, though callers are told the same code.
#[test]
fn each_kind_of_refusal_has_its_own_patience() {
    let passing = failing(Failure::GraphRefused, 423);
    assert!(passing.is_like(&failing(Failure::GraphRefused, 409)));
    assert!(!passing.is_like(&failing(Failure::GraphRefused, 404)));
    assert!(!passing.is_like(&failing(Failure::OrganizerNotFound, 404)));
    let mut before = cancelled(None, Some((passing, LONG * 2)));
    before.wanted.desired_state = DesiredState::Present;
    before.observed.meeting = None;
    let after = refused(&before, Refusal::SomethingMissing).booking;
    assert_eq!((after.status(), after.failures.same_kind_since), (Status::Pending, Some(NOW)));
}
