use serde_json::json;

use super::super::meeting_setting::Choice;
use super::*;
use crate::booking::BookingSpec;

fn parse(value: &Value) -> MeetingSettings {
    MeetingSettings::parse(value.clone(), "").unwrap()
}

/// Each setting takes each of its values and is written back as it came, in its place.
#[test]
fn every_setting_is_read_and_written_as_graph_writes_it() {
    for setting in &MEETING_SETTINGS {
        let values: Vec<Value> = match setting.choice {
            Choice::Switch => vec![json!(true), json!(false)],
            Choice::Words(values) => values.iter().map(|value| json!(value)).collect(),
        };
        for value in values {
            let object = match setting.place() {
                (None, name) => json!({ name: value }),
                (Some(holder), name) => json!({ holder: { name: value } }),
            };
            let settings = parse(&object);
            assert_eq!(serde_json::to_value(&settings).unwrap(), object);
            assert_eq!(serde_json::from_value::<MeetingSettings>(object).unwrap(), settings);
            assert_eq!(settings.iter().map(|(path, _)| path).collect::<Vec<_>>(), [setting.path]);
        }
    }
}

/// The table is in order, so that what is made from it is too, and holds no path twice.
#[test]
fn the_table_is_in_the_order_of_paths() {
    assert!(MEETING_SETTINGS.is_sorted_by(|left, right| left.path < right.path));
    let lobby = MEETING_SETTINGS.iter().filter_map(|setting| setting.place().0);
    assert!(lobby.into_iter().all(|holder| holder == LOBBY));
}

/// Unknown members, values of another kind and unknown values are named all together.
#[test]
fn all_faults_come_at_once() {
    for (value, expected) in [
        (json!([]), vec!["/settings"]),
        (json!({"allowedPresenters": null, "lobbyBypassSettings": null}), vec![]),
        (
            json!({
                "allowedPresenters": "boss", "recordAutomatically": "true", "allowMeetingChat": true,
                "AllowRecording": true, "shareMeetingChatHistoryDefault": "all",
                "lobbyBypassSettings": {"scope": "unknownFutureValue", "x": 1, "isDialInBypassEnabled": 0},
            }),
            vec![
                "/settings/allowMeetingChat",
                "/settings/allowedPresenters",
                "/settings/recordAutomatically",
                "/settings/lobbyBypassSettings/isDialInBypassEnabled",
                "/settings/lobbyBypassSettings/scope",
                "/settings/lobbyBypassSettings/x",
                "/settings/AllowRecording",
                "/settings/shareMeetingChatHistoryDefault",
            ],
        ),
        (json!({"lobbyBypassSettings": true}), vec!["/settings/lobbyBypassSettings"]),
    ] {
        let faults = MeetingSettings::parse(value.clone(), "/settings").err().unwrap_or_default();
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, expected, "{value}");
    }
}

/// What is named here has precedence over what is named there, setting by setting, in the lobby too.
#[test]
fn the_nearer_settings_go_first() {
    let here = parse(&json!({"allowRecording": false, "lobbyBypassSettings": {"scope": "invited"}}));
    let there = parse(&json!({
        "allowRecording": true, "allowWhiteboard": true,
        "lobbyBypassSettings": {"scope": "everyone", "isDialInBypassEnabled": true},
    }));
    let both = json!({
        "allowRecording": false, "allowWhiteboard": true,
        "lobbyBypassSettings": {"scope": "invited", "isDialInBypassEnabled": true},
    });
    assert_eq!(here.or(&there), parse(&both));
    assert_eq!(here.or(&MeetingSettings::default()), here);
}

fn spec(attendees: &Value, settings: &Value) -> BookingSpec {
    let body = json!({
        "organizer": "a@contoso.com", "startDateTime": "2026-12-01T09:00:00Z", "attendees": attendees,
        "settings": settings,
    });
    crate::booking::parse(body).unwrap().1
}

/// A role that presents has an effect, unless the booking or the defaults say otherwise.
#[test]
fn a_role_that_presents_brings_presenters_by_role() {
    let people = |role: &str| json!([{"upn": "a@contoso.com"}, {"upn": "b@contoso.com", "role": role}]);
    let by_role = json!({"allowedPresenters": "roleIsPresenter"});
    let organizer = json!({"allowedPresenters": "organizer"});
    let (none, everyone) = (json!({}), json!({"allowedPresenters": "everyone"}));
    for (role, named, defaults, expected) in [
        ("attendee", &none, &none, &none),
        ("presenter", &none, &none, &by_role),
        ("coorganizer", &none, &none, &by_role),
        ("presenter", &none, &organizer, &organizer),
        ("presenter", &everyone, &organizer, &everyone),
        ("attendee", &none, &organizer, &organizer),
        ("attendee", &by_role, &none, &by_role),
    ] {
        let spec = spec(&people(role), named).with_default_settings(&parse(defaults));
        assert_eq!(spec.settings, parse(named), "{role} {named} {defaults}");
        assert_eq!(spec.effective_settings, parse(expected), "{role} {named} {defaults}");
    }
}

/// A booking that was kept before settings were known is read as it was, and wants none.
#[test]
fn a_booking_kept_before_settings_were_known_is_read() {
    let mut kept =
        serde_json::to_value(spec(&json!([{"upn": "a@b.c", "role": "presenter"}]), &json!({}))).unwrap();
    kept.as_object_mut().unwrap().remove("effectiveSettings");
    assert!(kept.get("settings").is_none());
    let read: BookingSpec = serde_json::from_value(kept.clone()).unwrap();
    assert!(read.settings.is_empty() && read.effective_settings.is_empty());
    assert_eq!(serde_json::to_value(&read).unwrap(), kept);
    let with = spec(&json!([]), &json!({"lobbyBypassSettings": {"isDialInBypassEnabled": true}}));
    assert_eq!(serde_json::from_value::<BookingSpec>(serde_json::to_value(&with).unwrap()).unwrap(), with);
}
