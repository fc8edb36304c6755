use serde_json::{Value, json};
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::booking::{
    BookingId, BookingKey, ExternalId, Generation, MeetingSettings, SourceSystem, UserId, parse,
};
use crate::meeting::{
    Agreement, CreatedBy, JoinWebUrl, Meeting, MeetingId, Observed, Seen, SeenAttendee, SeenSetting, Wanted,
};

pub(super) const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);
pub(super) const ID: &str = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";

pub(super) fn spec(overrides: &Value) -> BookingSpec {
    let mut body = json!({
        "organizer": ID, "subject": "Review", "startDateTime": "2026-12-01T09:00:00Z",
        "attendees": [{"upn": "a@contoso.com"}],
    });
    for (name, value) in overrides.as_object().unwrap() {
        body[name] = value.clone();
    }
    parse(body).unwrap().1
}

/// Now, with no name looked up.
pub(super) fn moment(under_way: bool) -> Moment<'static> {
    static NO_LOOKUPS: NameLookups = NameLookups::none();
    Moment { lookups: &NO_LOOKUPS, under_way, now: NOW }
}

/// A booking that has its meeting.
pub(super) fn provisioned(overrides: &Value, desired_state: DesiredState) -> Booking {
    let spec = spec(overrides);
    let attendee = SeenAttendee { user_id: None, upn: Some("a@contoso.com".into()), role: None };
    let seen = Seen {
        subject: Some("Review".into()),
        start: Some(spec.start_date_time),
        end: Some(spec.end_date_time),
        attendees: Some(vec![attendee]),
        ..Seen::default()
    };
    let meeting = Meeting {
        id: MeetingId::parse("M1").unwrap(),
        join_web_url: JoinWebUrl::parse("https://teams.example/1").unwrap(),
        chat_thread_id: None,
        created_by: CreatedBy::ThisRequest,
        seen,
        seen_at: NOW,
        agreement: Agreement::At(1),
        lobby_closed: false,
        settings_before: SeenSettings::default(),
        removed: desired_state == DesiredState::Cancelled,
    };
    Booking {
        key: BookingKey {
            source_system: SourceSystem::parse("crm").unwrap(),
            booking_id: BookingId::parse("BK-1").unwrap(),
        },
        generation: Generation::FIRST,
        revision: 2,
        wanted: Wanted { desired_state, external_id: ExternalId::new(Uuid::from_u128(7)), spec, revision: 1 },
        observed: Observed {
            organizer: Some(UserId::parse(ID).unwrap()),
            creation_unknown: false,
            meeting: Some(meeting),
        },
        progress: Progress::Settled,
        attempts: 1,
        failures: Failures::default(),
        last_error: None,
        provisioned_at: Some(NOW),
        created_at: NOW,
        updated_at: NOW,
    }
}

pub(super) fn fields(differences: &[Difference]) -> String {
    differences.iter().map(|difference| difference.field).collect::<Vec<_>>().join(" ")
}

pub(super) fn name_of(declared: &Declared) -> String {
    match declared {
        Declared::Same => "same".into(),
        Declared::Changed(changed, differences) => {
            format!("{} {}", changed.booking.status().as_str(), fields(differences))
        }
        Declared::BookedAgain => "booked again".into(),
        Declared::Replaced => "replaced".into(),
        Declared::Stale(_) => "stale".into(),
        Declared::OrganizerFixed(_) => "organizer fixed".into(),
        Declared::OrganizerUnresolved(name) => format!("whose is {name}?"),
        Declared::OrganizerUnknown(lookup) => format!("{} is no user's", lookup.name),
        Declared::ChannelFixed(_) => "channel fixed".into(),
    }
}

/// Each message about a booking that is wanted, by what is stored, what is said and whether an attempt is under way.
#[test]
fn a_declaration_changes_what_it_says() {
    let (other, upn) = ("0e5f2f6c-0000-4000-8000-000000000001", "o@contoso.com");
    let rescheduled = json!({"startDateTime": "2026-12-02T09:00:00Z"});
    let with = |mut base: Value, sequence: u32| {
        base["sequence"] = json!(sequence);
        base
    };
    for (stored, requested, under_way, expected) in [
        (json!({}), json!({}), false, "same"),
        (json!({}), rescheduled.clone(), false, "updating startDateTime endDateTime"),
        (json!({}), rescheduled.clone(), true, "updating startDateTime endDateTime"),
        (json!({}), json!({"metadata": {"a": "b"}}), false, "provisioned metadata"),
        (json!({}), json!({"metadata": {"a": "b"}}), true, "updating metadata"),
        (json!({"sequence": 3}), rescheduled.clone(), false, "updating startDateTime endDateTime"),
        (
            json!({"sequence": 3}),
            with(rescheduled.clone(), 4),
            false,
            "updating startDateTime endDateTime sequence",
        ),
        (json!({"sequence": 3}), with(json!({}), 4), false, "provisioned sequence"),
        (json!({"sequence": 3}), with(json!({}), 3), false, "same"),
        (json!({"sequence": 3}), with(rescheduled.clone(), 3), false, "updating startDateTime endDateTime"),
        (json!({"sequence": 3}), with(json!({}), 2), false, "stale"),
        (json!({}), with(rescheduled, 0), false, "updating startDateTime endDateTime sequence"),
        (json!({}), json!({"organizer": other}), false, "organizer fixed"),
        (json!({"organizer": upn}), json!({"organizer": ID}), false, "same"),
        (json!({"organizer": upn}), json!({"organizer": other}), false, "organizer fixed"),
        (json!({}), json!({"chatInfo": {"threadId": "19:x@thread.tacv2"}}), false, "channel fixed"),
    ] {
        let booking = provisioned(&stored, DesiredState::Present);
        let found = booking.declared(spec(&requested), OrganizerChange::Refused, &moment(under_way));
        assert_eq!(name_of(&found), expected, "{stored} declared {requested}");
    }
}

/// A cancelled booking is booked again, unless the message is older than the cancellation.
#[test]
fn a_cancelled_booking_is_booked_again() {
    for (stored, requested, expected) in [
        (json!({}), json!({}), "booked again"),
        (json!({"sequence": 3}), json!({}), "booked again"),
        (json!({"sequence": 3}), json!({"sequence": 4}), "booked again"),
        (json!({"sequence": 3}), json!({"sequence": 3}), "stale"),
        (json!({"sequence": 3}), json!({"sequence": 2}), "stale"),
    ] {
        let booking = provisioned(&stored, DesiredState::Cancelled);
        let found = booking.declared(spec(&requested), OrganizerChange::Refused, &moment(false));
        assert_eq!(name_of(&found), expected, "{stored} declared {requested}");
    }
}

/// Another organizer takes over where that was said.
#[test]
fn another_organizer_replaces_where_that_was_said() {
    let booking = provisioned(&json!({}), DesiredState::Present);
    let other = spec(&json!({"organizer": "0e5f2f6c-0000-4000-8000-000000000001"}));
    assert_eq!(booking.declared(other, OrganizerChange::Replaces, &moment(false)), Declared::Replaced);
}

/// A change raises both revisions and forgets failures; the link and the meeting stay.
#[test]
fn a_change_keeps_the_meeting() {
    let booking = provisioned(&json!({}), DesiredState::Present);
    let rescheduled = spec(&json!({"subject": "Other"}));
    let Declared::Changed(changed, _) =
        booking.declared(rescheduled, OrganizerChange::Refused, &moment(false))
    else {
        panic!("not changed")
    };
    let changed = changed.booking;
    assert_eq!((changed.revision, changed.wanted.revision), (3, 2));
    assert_eq!(changed.observed, booking.observed);
}

/// Cancelling removes what is there, waits for what is under way, and is done at once where there is nothing.
#[test]
fn cancelling_removes_what_is_there() {
    let mut nothing_there = provisioned(&json!({}), DesiredState::Present);
    nothing_there.observed.meeting = None;
    let mut unknown = nothing_there.clone();
    unknown.observed.creation_unknown = true;
    for (booking, under_way, expected) in [
        (provisioned(&json!({}), DesiredState::Present), false, "cancelling"),
        (nothing_there.clone(), false, "cancelled"),
        (nothing_there, true, "cancelling"),
        (unknown, false, "cancelling"),
    ] {
        let Cancellation::Now(cancelled) = booking.cancelled_now(MessageOrder::default(), under_way, NOW)
        else {
            panic!("not cancelled")
        };
        assert_eq!(cancelled.booking.status().as_str(), expected);
    }
}

/// A booking with a meeting that had these settings at first, which were then set as the booking names them.
fn with_settings(settings: &Value, first: &[(&str, SeenSetting)]) -> Booking {
    let mut booking = provisioned(&json!({"settings": settings}), DesiredState::Present);
    let meeting = booking.observed.meeting.as_mut().unwrap();
    for (path, value) in first {
        meeting.settings_before.note(path, value.clone());
    }
    for (path, value) in booking.wanted.spec.effective_settings.iter() {
        meeting.seen.settings.note(path, serde_json::from_value(value.into()).unwrap());
    }
    booking
}

/// A setting that was set for the booking and that it names no longer goes back to what the meeting had; where that isn't
/// known, or is a value newer than ours, it stays and is told.
#[test]
fn a_setting_that_is_taken_back_goes_back_to_what_it_was() {
    let on = SeenSetting::Switch(true);
    let word = |word: &str| SeenSetting::Word(word.to_owned());
    for (first, effective, released, asked) in [
        (
            vec![("recordAutomatically", SeenSetting::Switch(false))],
            json!({"recordAutomatically": false}),
            vec![],
            true,
        ),
        (vec![("recordAutomatically", on)], json!({"recordAutomatically": true}), vec![], false),
        (vec![], json!({}), vec!["recordAutomatically"], false),
        (vec![("recordAutomatically", word("perhaps"))], json!({}), vec!["recordAutomatically"], false),
    ] {
        let booking = with_settings(&json!({"recordAutomatically": true}), &first);
        let declared = booking.declared(spec(&json!({})), OrganizerChange::Refused, &moment(false));
        let Declared::Changed(changed, differences) = declared else { panic!("{declared:?}") };
        let fields: Vec<_> = differences.iter().map(|difference| difference.field).collect();
        assert_eq!(fields, ["settings"]);
        let spec = &changed.booking.wanted.spec;
        assert_eq!(
            (json!(spec.settings), json!(spec.effective_settings)),
            (json!({}), effective),
            "{first:?}"
        );
        assert_eq!(spec.released_settings.iter().collect::<Vec<_>>(), released);
        assert_eq!(changed.next.is_some(), asked, "{first:?}");

        // It stays so with the next change, and is as it is named again.
        let mut renamed = self::spec(&json!({"subject": "Another"}));
        let again = changed.booking.declared(renamed.clone(), OrganizerChange::Refused, &moment(false));
        let Declared::Changed(again, _) = again else { panic!("{again:?}") };
        assert_eq!(again.booking.wanted.spec.effective_settings, spec.effective_settings);
        assert_eq!(again.booking.wanted.spec.released_settings, spec.released_settings);
        renamed.settings = MeetingSettings::parse(json!({"recordAutomatically": true}), "").unwrap();
        let named = again.booking.declared(
            renamed.with_default_settings(&MeetingSettings::default()),
            OrganizerChange::Refused,
            &moment(false),
        );
        let Declared::Changed(named, _) = named else { panic!("{named:?}") };
        let named = &named.booking.wanted.spec;
        assert_eq!(json!(named.effective_settings), json!({"recordAutomatically": true}));
        assert!(named.released_settings.is_empty());
    }
}

/// What is named later is noted as the meeting has it then, the first time it is named; and a booking without a meeting has
/// nothing to take back.
#[test]
fn settings_are_noted_before_they_are_first_set() {
    let mut booking = provisioned(&json!({}), DesiredState::Present);
    booking
        .observed
        .meeting
        .as_mut()
        .unwrap()
        .seen
        .settings
        .note("allowRecording", SeenSetting::Switch(true));
    let settings = json!({"settings": {"allowRecording": false}});
    let Declared::Changed(first, _) =
        booking.declared(spec(&settings), OrganizerChange::Refused, &moment(false))
    else {
        panic!()
    };
    let meeting = first.booking.observed.meeting.as_ref().unwrap();
    assert_eq!(meeting.settings_before.get("allowRecording"), Some(&SeenSetting::Switch(true)));
    let none = Booking { observed: Observed::default(), ..first.booking };
    let Declared::Changed(none, _) =
        none.declared(spec(&json!({})), OrganizerChange::Refused, &moment(false))
    else {
        panic!()
    };
    assert!(none.booking.wanted.spec.effective_settings.is_empty());
    assert!(none.booking.wanted.spec.released_settings.is_empty());
}
