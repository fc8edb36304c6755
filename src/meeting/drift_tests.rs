use std::time::Duration;

use serde_json::{Value, json};
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::booking::{
    BookingId, BookingKey, ExternalId, Generation, MeetingSettings, MessageOrder, SourceSystem, parse,
};
use crate::clock::Timestamp;
use crate::meeting::{
    Agreement, Answered, Call, Cancellation, CreatedBy, Declared, Evidence, Failures, JoinWebUrl, Meeting,
    MeetingContent, MeetingId, Moment, NameLookups, Observed, OrganizerChange, Outcome, Progress, Refusal,
    Reply, RetryPolicy, Rules, SeenSetting, SeenSettings, Status, Transition, Wanted, meeting_differences,
    next_call,
};

const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);

fn spec() -> BookingSpec {
    let body = json!({
        "organizer": "1f35f2e6-9cab-44ad-8d5a-b74c14720000", "subject": "Review",
        "startDateTime": "2026-12-01T09:00:00Z", "endDateTime": "2026-12-01T09:30:00Z",
        "attendees": [
            {"upn": "A@contoso.com", "userId": "0a0a0a0a-9cab-44ad-8d5a-b74c14720001"},
            {"upn": "b@contoso.com"},
        ],
        "settings": {"allowMeetingChat": "limited"},
    });
    parse(body).unwrap().1.with_default_settings(&MeetingSettings::default())
}

fn attendee(upn: Option<&str>, id: Option<&str>, role: Option<&str>) -> SeenAttendee {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    SeenAttendee { user_id: owned(id), upn: owned(upn), role: owned(role) }
}

/// A meeting as Graph tells of it when it is as wanted: reordered, in other spellings, with roles left out.
fn as_wanted() -> Seen {
    let mut settings = SeenSettings::default();
    settings.note("allowMeetingChat", SeenSetting::Word("Limited".to_owned()));
    Seen {
        subject: Some("Review".to_owned()),
        start: Some(datetime!(2026-12-01 09:00 UTC)),
        end: Some(datetime!(2026-12-01 09:30 UTC)),
        attendees: Some(vec![
            attendee(Some("B@contoso.com"), None, None),
            attendee(None, Some("0A0A0A0A-9cab-44ad-8d5a-b74c14720001"), Some("Attendee")),
        ]),
        settings,
        join_web_url: None,
    }
}

fn booking() -> Booking {
    let meeting = Meeting {
        id: MeetingId::parse("m").unwrap(),
        join_web_url: JoinWebUrl::parse("m").unwrap(),
        chat_thread_id: None,
        created_by: CreatedBy::ThisRequest,
        seen: as_wanted(),
        seen_at: NOW,
        agreement: Agreement::CheckRequested(3),
        lobby_closed: false,
        settings_before: SeenSettings::default(),
        removed: false,
    };
    let external_id = ExternalId::new(Uuid::nil());
    Booking {
        key: BookingKey {
            source_system: SourceSystem::parse("crm").unwrap(),
            booking_id: BookingId::parse("BK-1").unwrap(),
        },
        generation: Generation::FIRST,
        revision: 7,
        wanted: Wanted { desired_state: DesiredState::Present, external_id, spec: spec(), revision: 3 },
        observed: Observed {
            organizer: UserId::parse("1f35f2e6-9cab-44ad-8d5a-b74c14720000").ok(),
            creation_unknown: false,
            meeting: Some(meeting),
        },
        progress: Progress::Due(NOW),
        attempts: 1,
        failures: Failures::default(),
        last_error: None,
        provisioned_at: Some(NOW - Duration::from_mins(5)),
        created_at: NOW,
        updated_at: NOW,
    }
}

fn answered(booking: &Booking, outcome: Outcome, policy: DriftPolicy) -> Booking {
    transition(booking, outcome, policy).booking
}

fn transition(booking: &Booking, outcome: Outcome, policy: DriftPolicy) -> Transition {
    let call = booking.next_call().expect("there is something to ask");
    let answered = Answered { call, asked_by: 3, reply: Reply { outcome, evidence: Evidence::begun(NOW) } };
    let rules = Rules { retry: &RetryPolicy::default(), drift: policy, now: NOW, fraction: 0.5 };
    booking.answered(&answered, &rules)
}

/// In what the meeting that this outcome tells of has moved away from its booking.
fn drift_of(booking: &Booking, outcome: Outcome) -> Vec<MeetingDifference> {
    transition(booking, outcome, DriftPolicy::Mend).drift.map(|drift| drift.differences).unwrap_or_default()
}

fn told(seen: Seen) -> Box<MeetingContent> {
    Box::new(MeetingContent { join_web_url: None, seen, online_meeting: "{}".into() })
}

fn moved() -> Seen {
    let start = Some(datetime!(2026-12-01 08:00 UTC));
    Seen { subject: Some("Party".to_owned()), start, ..as_wanted() }
}

fn fields(differences: &[MeetingDifference]) -> Vec<&str> {
    differences.iter().map(|one| one.field.as_str()).collect()
}

/// While it is requested a meeting is still provisioned, and Graph is asked how it is, not to change it.
#[test]
fn a_requested_meeting_is_looked_at_and_stays_provisioned() {
    let booking = booking();
    assert_eq!(booking.status(), Status::Provisioned);
    assert!(matches!(next_call(&booking.wanted, &booking.observed), Some(Call::Look { .. })));
    let settled = answered(&booking, Outcome::Seen(Some(told(as_wanted()))), DriftPolicy::Mend);
    assert_eq!((settled.progress, settled.status()), (Progress::Settled, Status::Provisioned));
    assert_eq!(next_call(&settled.wanted, &settled.observed), None);
}

/// The three policies, each with what is asked next and what is wanted then.
#[test]
fn each_policy_does_what_it_says() {
    for (policy, call, subject, revision) in [
        (DriftPolicy::Mend, Some(vec!["subject", "startDateTime", "endDateTime"]), "Review", 3),
        (DriftPolicy::Report, None, "Review", 3),
        (DriftPolicy::Adopt, None, "Party", 4),
    ] {
        let before = booking();
        let outcome = Outcome::Seen(Some(told(moved())));
        assert_eq!(fields(&drift_of(&before, outcome.clone())), ["subject", "startDateTime"]);
        let after = answered(&before, outcome, policy);
        let asked = next_call(&after.wanted, &after.observed).map(|call| match call {
            Call::Change { change, .. } => change.members(),
            other => panic!("{other:?}"),
        });
        assert_eq!(asked, call, "{policy:?}");
        let wanted = &after.wanted;
        assert_eq!((wanted.spec.subject.as_ref().unwrap().as_str(), wanted.revision), (subject, revision));
        let expected = if call.is_some() { Status::Updating } else { Status::Provisioned };
        assert_eq!(after.status(), expected, "{policy:?}");
    }
}

/// A difference that was settled before is not found again; one that moves on is.
#[test]
fn a_known_difference_is_not_drift() {
    let mut requested = answered(&booking(), Outcome::Seen(Some(told(moved()))), DriftPolicy::Report);
    requested.observed.meeting.as_mut().unwrap().agreement =
        Agreement::CheckRequested(requested.wanted.revision);
    requested.progress = Progress::Due(NOW);
    assert!(matches!(requested.next_call(), Some(Call::Look { .. })));
    assert_eq!(drift_of(&requested, Outcome::Seen(Some(told(moved())))), []);
    let again = Seen { subject: Some("Picnic".to_owned()), ..moved() };
    assert_eq!(fields(&drift_of(&requested, Outcome::Seen(Some(told(again))))), ["subject"]);
}

/// What a PATCH asked for and Graph didn't take is not asked again; what its answer shows besides is.
#[test]
fn the_answer_to_a_change_is_compared_too() {
    let mut before = booking();
    before.wanted.spec.subject = Some(Subject::parse("Another").unwrap());
    before.observed.meeting.as_mut().unwrap().agreement = Agreement::CheckRequested(2);
    let stubborn = Outcome::Changed(Some(told(as_wanted())));
    let after = answered(&before, stubborn, DriftPolicy::Mend);
    assert_eq!(next_call(&after.wanted, &after.observed), None);
    let after = answered(&before, Outcome::Changed(Some(told(moved()))), DriftPolicy::Mend);
    let Some(Call::Change { change, .. }) = next_call(&after.wanted, &after.observed) else {
        panic!("{after:?}")
    };
    assert_eq!(change.members(), ["subject", "startDateTime", "endDateTime"]);
}

/// An answer that Graph hasn't filled is no drift, for no policy: booking and meeting stay as they were known.
#[test]
fn an_answer_that_tells_nothing_is_no_drift() {
    for policy in DriftPolicy::ALL {
        let mut before = booking();
        before.observed.meeting.as_mut().unwrap().agreement = Agreement::CheckRequested(2);
        let after = answered(&before, Outcome::Seen(None), policy);
        assert_eq!(after.wanted, before.wanted, "{policy:?}");
        assert_eq!(next_call(&after.wanted, &after.observed), None, "{policy:?}");
        let seen = |booking: &Booking| booking.observed.meeting.as_ref().unwrap().seen.clone();
        assert_eq!(seen(&after), seen(&before), "{policy:?}");
    }
}

/// An answer that leaves something out says nothing about it.
#[test]
fn what_is_not_told_does_not_differ() {
    for leave_out in [
        |seen: &mut Seen| seen.subject = None,
        |seen: &mut Seen| seen.start = None,
        |seen: &mut Seen| seen.attendees = None,
        |seen: &mut Seen| seen.settings = SeenSettings::default(),
    ] {
        let mut seen = as_wanted();
        leave_out(&mut seen);
        assert_eq!(meeting_differences(&spec(), None, &seen), []);
    }
}

/// Each difference says what is wanted and what was seen; of attendees only those that make it.
#[test]
fn differences_are_told_with_both_sides() {
    let mut seen = as_wanted();
    seen.subject = Some(String::new());
    seen.end = Some(datetime!(2026-12-01 10:00 UTC));
    seen.settings.note("allowMeetingChat", SeenSetting::Word("future".to_owned()));
    seen.attendees.as_mut().unwrap()[0] = attendee(Some("c@contoso.com"), None, Some("presenter"));
    let expected = json!([
        {"field": "subject", "wanted": "Review", "seen": ""},
        {"field": "endDateTime", "wanted": "2026-12-01T09:30:00Z", "seen": "2026-12-01T10:00:00Z"},
        {"field": "allowMeetingChat", "wanted": "limited", "seen": "future"},
        {"field": "participants.attendees", "attendees": {
            "added": [{"upn": "c@contoso.com", "userId": null, "role": "presenter"}],
            "removed": [{"upn": "b@contoso.com", "userId": null, "role": "attendee"}],
            "changed": [], "moreAdded": 0, "moreRemoved": 0, "moreChanged": 0,
        }},
    ]);
    let told: Value = serde_json::to_value(meeting_differences(&spec(), None, &seen)).unwrap();
    assert_eq!(told, expected);
}

/// Drift among many is not lost in the count of those that an answer or an event doesn't name.
#[test]
fn drift_is_found_among_more_than_are_named() {
    let mut seen = as_wanted();
    let guests = |numbers: std::ops::Range<u32>| {
        numbers.map(|n| attendee(Some(&format!("g{n:03}@contoso.com")), None, None)).collect::<Vec<_>>()
    };
    seen.attendees.as_mut().unwrap().extend(guests(0..300));
    let mut booking = booking();
    booking.observed.meeting.as_mut().unwrap().seen = seen.clone();
    let same = Outcome::Seen(Some(told(seen.clone())));
    assert_eq!(drift_of(&booking, same), []);
    *seen.attendees.as_mut().unwrap().last_mut().unwrap() = guests(900..901).remove(0);
    let drift = drift_of(&booking, Outcome::Seen(Some(told(seen))));
    assert_eq!(fields(&drift), ["participants.attendees"]);
    let cut = drift[0].clone().cut().attendees.unwrap();
    assert_eq!((cut.added.len(), cut.more_added), (crate::booking::NAMED_MAX, 280));
}

/// The booking follows in every member, but not where a booking couldn't say it.
#[test]
fn a_booking_adopts_what_it_can_say() {
    let mut seen = as_wanted();
    seen.subject = Some(String::new());
    seen.settings.note("allowMeetingChat", SeenSetting::Word("disabled".to_owned()));
    seen.attendees.as_mut().unwrap()[0] = attendee(Some("c@contoso.com"), None, Some("presenter"));
    let adopted = super::adopted(&spec(), &seen, &meeting_differences(&spec(), None, &seen));
    assert_eq!(adopted.subject, None);
    assert_eq!(meeting_differences(&adopted, None, &seen), []);
    assert_eq!(adopted.attendees[1].upn.as_str(), "A@contoso.com", "as the booking spells it");
    let mut unsayable = as_wanted();
    unsayable.subject = Some("x".repeat(300));
    unsayable.end = Some(datetime!(2026-11-01 09:00 UTC));
    unsayable.attendees = Some(vec![attendee(None, Some("unknown"), None)]);
    unsayable.settings.note("allowMeetingChat", SeenSetting::Word("future".to_owned()));
    let differences = meeting_differences(&spec(), None, &unsayable);
    assert_eq!(differences.len(), 4);
    assert_eq!(super::adopted(&spec(), &unsayable, &differences), spec());
}

/// A look that is refused changes nothing about a booking; a meeting that is gone does.
#[test]
fn a_look_that_fails_leaves_the_booking_unless_the_meeting_is_missing() {
    for (refusal, status, requested) in [
        (Refusal::Forbidden, Status::Provisioned, false),
        (Refusal::Request, Status::Provisioned, false),
        (Refusal::MeetingMissing, Status::Failed, true),
    ] {
        let after = answered(&booking(), Outcome::Refused(refusal), DriftPolicy::Mend);
        assert_eq!((after.status(), after.due_at()), (status, None), "{refusal:?}");
        assert_eq!(
            matches!(after.observed.meeting.as_ref().unwrap().agreement, Agreement::CheckRequested(_)),
            requested
        );
        assert!(after.last_error.is_some());
    }
    let after = answered(&booking(), Outcome::Throttled { retry_after: None }, DriftPolicy::Mend);
    assert_eq!(after.status(), Status::Provisioned);
    assert!(after.due_at() > Some(NOW));
}

/// A meeting made moments ago may be missing for the copy that answered: it is looked at again for a while, and then it counts
/// as missing, however often it was asked for.
#[test]
fn a_meeting_made_moments_ago_may_be_there_all_the_same() {
    let missing = || Outcome::Refused(Refusal::MeetingMissing);
    let made = Booking { provisioned_at: Some(NOW - Duration::from_secs(299)), ..booking() };
    let after = answered(&made, missing(), DriftPolicy::Mend);
    assert_eq!((after.status(), after.due_at()), (Status::Provisioned, Some(NOW + Duration::from_secs(1))));
    let since = after.failures.same_kind_since;
    assert_eq!(since, Some(NOW));
    let never_as_wanted = Booking { provisioned_at: None, ..after };
    for (minutes, status) in [(4, Status::Pending), (5, Status::Failed)] {
        let mut again = never_as_wanted.clone();
        again.observed.meeting.as_mut().unwrap().agreement = Agreement::Unknown;
        again.failures.same_kind_since = Some(NOW - Duration::from_mins(minutes));
        again.last_error.as_mut().unwrap().graph.status = Some(404);
        assert_eq!(answered(&again, missing(), DriftPolicy::Mend).status(), status, "{minutes}");
    }
}

/// A look that is refused is no reason to forget what a caller declared while the look was under way.
#[test]
fn a_look_that_fails_forgets_nothing_that_was_declared_meanwhile() {
    let before = booking();
    let look = next_call(&before.wanted, &before.observed).unwrap();
    let mut requested = spec();
    requested.subject = Some(Subject::parse("Another").unwrap());
    let declared = before.declared(
        requested,
        OrganizerChange::Refused,
        &Moment { lookups: &NameLookups::none(), under_way: true, now: NOW },
    );
    let Declared::Changed(declared, _) = declared else { panic!("{declared:?}") };
    let reply = Reply { outcome: Outcome::Refused(Refusal::Forbidden), evidence: Evidence::begun(NOW) };
    let answered = Answered { call: look, asked_by: 3, reply };
    let rules = Rules { retry: &RetryPolicy::default(), drift: DriftPolicy::Mend, now: NOW, fraction: 0.5 };
    let after = declared.booking.answered(&answered, &rules).booking;
    assert_eq!((after.status(), after.due_at()), (Status::Updating, Some(NOW)));
    assert!(matches!(next_call(&after.wanted, &after.observed), Some(Call::Change { .. })));
}

/// The answer to a look.
fn looked(seen: Seen, link: &str) -> Outcome {
    let join_web_url = JoinWebUrl::parse(link).ok();
    Outcome::Seen(Some(Box::new(MeetingContent { join_web_url, seen, online_meeting: "{}".into() })))
}

/// A link that Graph changed is told, by every policy; there is nothing to mend and nothing that the booking could take over.
#[test]
fn another_link_is_told_and_not_mended() {
    for policy in DriftPolicy::ALL {
        let before = booking();
        let told = transition(&before, looked(as_wanted(), "another"), policy);
        let expected = vec![MeetingDifference::between("joinWebUrl", json!("m"), json!("another"))];
        assert_eq!(told.differences, expected);
        assert_eq!(told.drift, Some(Drift { differences: expected, policy }));
        assert_eq!((told.next, told.is_adopted), (None, false));
        let booking = told.booking;
        assert_eq!((booking.status(), booking.due_at()), (Status::Provisioned, None));
        let meeting = booking.observed.meeting.as_ref().unwrap();
        assert_eq!(meeting.join_web_url.as_str(), "m", "the link that was handed out stays");
        assert_eq!(meeting.agreement, Agreement::At(3));

        // The same link again is known by then; the first one again is no difference any more.
        let mut again = booking.clone();
        again.observed.meeting.as_mut().unwrap().agreement = Agreement::CheckRequested(3);
        let known = transition(&again, looked(as_wanted(), "another"), policy);
        assert_eq!((known.drift, known.differences.len()), (None, 1));
        let back = transition(&again, looked(as_wanted(), "m"), policy);
        assert_eq!((back.drift, back.differences.len()), (None, 0));
    }
}

/// Of a setting that the booking doesn't name any longer, and of which it isn't known how it was, nothing is wanted: it is told,
/// and its change is, but none is made.
#[test]
fn a_released_setting_is_told_and_not_mended() {
    let mut before = booking();
    before.wanted.spec.released_settings = ["recordAutomatically".to_owned()].into();
    let mut seen = as_wanted();
    seen.settings.note("recordAutomatically", SeenSetting::Switch(true));
    before.observed.meeting.as_mut().unwrap().seen = seen.clone();
    let same = transition(&before, looked(seen.clone(), "m"), DriftPolicy::Mend);
    let expected = MeetingDifference::between("recordAutomatically", Value::Null, json!(true));
    assert_eq!(same.differences, [expected]);
    assert_eq!((same.drift, same.next), (None, None));
    seen.settings.note("recordAutomatically", SeenSetting::Switch(false));
    for policy in DriftPolicy::ALL {
        let changed = transition(&before, looked(seen.clone(), "m"), policy);
        assert_eq!(fields(&changed.drift.unwrap().differences), ["recordAutomatically"]);
        assert_eq!((changed.next, changed.is_adopted), (None, false), "{policy:?}");
        assert_eq!(changed.booking.observed.meeting.unwrap().agreement, Agreement::At(3));
    }
}

#[path = "under_way_tests.rs"]
mod under_way;
