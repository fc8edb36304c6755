//! Compares what is wanted with what Graph answered, by meaning.

use std::collections::BTreeMap;
use std::time::Duration;

use super::call::Change;
use super::observed::{Seen, SeenAttendee};
use crate::booking::{Attendee, BookingSpec};
use crate::clock::Timestamp;

/// Graph rounds times; bookings differ by minutes.
const TIME_TOLERANCE: Duration = Duration::from_secs(1);
/// Graph gives back no more attendees than this, so a longer list can't be compared by what is missing.
const ATTENDEES_RETURNED_MAX: usize = 750;

/// What would have to change at Graph so that the meeting agrees with the booking. Instants are compared, not
/// spellings; attendees as a set, by object id or name; what the booking leaves open is not compared. That of which
/// Graph told nothing has to be asked for.
#[must_use]
pub fn compare(spec: &BookingSpec, seen: &Seen) -> Change {
    let wanted_subject = spec.subject.as_ref().map_or("", |subject| subject.as_str());
    let seen_subject = seen.subject.as_deref().unwrap_or("");
    let subject_differs = spec.subject.is_some() && wanted_subject.trim() != seen_subject.trim();
    let times_differ =
        !same_time(spec.start_date_time, seen.start) || !same_time(spec.end_date_time, seen.end);
    Change {
        subject: subject_differs.then(|| spec.subject.clone()),
        times: times_differ.then_some((spec.start_date_time, spec.end_date_time)),
        attendees: (!same_attendees(&spec.attendees, seen.attendees.as_deref()))
            .then(|| spec.attendees.clone()),
        settings: seen.settings.lacking(&spec.effective_settings),
        close_lobby: false,
    }
}

pub(super) fn same_time(wanted: Timestamp, seen: Option<Timestamp>) -> bool {
    seen.is_some_and(|seen| (wanted - seen).unsigned_abs() < TIME_TOLERANCE)
}

fn same_attendees(wanted: &[Attendee], seen: Option<&[SeenAttendee]>) -> bool {
    let Some(seen) = seen else { return wanted.is_empty() };
    let mut left: BTreeMap<String, &Attendee> = BTreeMap::new();
    let mut by_id = BTreeMap::new();
    for attendee in wanted {
        let upn = attendee.upn.folded();
        if let Some(id) = attendee.user_id {
            by_id.insert(id.to_string(), upn.clone());
        }
        left.insert(upn, attendee);
    }
    for one in seen {
        let id = one.user_id.as_ref().and_then(|id| by_id.get(&id.to_lowercase()).cloned());
        let upn = id.or_else(|| one.upn.as_ref().map(|upn| upn.to_lowercase()));
        let Some(attendee) = upn.and_then(|upn| left.remove(&upn)) else { return false };
        let seen_role = one.role.as_deref().unwrap_or("attendee");
        if !seen_role.eq_ignore_ascii_case(attendee.role.as_str()) {
            return false;
        }
    }
    left.is_empty() || (wanted.len() > ATTENDEES_RETURNED_MAX && seen.len() >= ATTENDEES_RETURNED_MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::booking::parse;
    use crate::meeting::{SeenSetting, SeenSettings};

    fn wanted() -> BookingSpec {
        let (_, spec) = parse(json!({
            "organizer": "1f35f2e6-9cab-44ad-8d5a-b74c14720000", "subject": "Review",
            "startDateTime": "2026-12-01T09:00:00.1234567Z", "endDateTime": "2026-12-01T09:30:00Z",
            "attendees": [
                {"upn": "A@contoso.com", "userId": "0a0a0a0a-9cab-44ad-8d5a-b74c14720001", "role": "presenter"},
                {"upn": "b@contoso.com"},
            ],
        }))
        .unwrap();
        spec
    }

    fn seen(spec: &BookingSpec) -> Seen {
        Seen {
            subject: Some("Review".to_owned()),
            start: Some(spec.start_date_time),
            end: Some(spec.end_date_time),
            attendees: Some(vec![
                SeenAttendee {
                    user_id: None,
                    upn: Some("B@contoso.com".into()),
                    role: Some("attendee".into()),
                },
                SeenAttendee {
                    user_id: Some("0A0A0A0A-9cab-44ad-8d5a-b74c14720001".into()),
                    upn: None,
                    role: Some("Presenter".into()),
                },
            ]),
            settings: settings(&[("allowedPresenters", "RoleIsPresenter")]),
            join_web_url: None,
        }
    }

    fn settings(words: &[(&str, &str)]) -> SeenSettings {
        let mut settings = SeenSettings::default();
        for (path, word) in words {
            settings.note(path, SeenSetting::Word((*word).to_owned()));
        }
        settings
    }

    fn told(seen: &mut Seen) -> &mut Vec<SeenAttendee> {
        seen.attendees.as_mut().unwrap()
    }

    /// Settings differ where the meeting has them otherwise, where a value is unknown to us, and where nothing was told;
    /// those that the booking leaves open are not compared.
    #[test]
    fn settings_are_changed_one_by_one() {
        let lobby = "lobbyBypassSettings.scope";
        for (words, switch, expected) in [
            (&[][..], None, vec!["allowMeetingChat", lobby, "recordAutomatically"]),
            (&[("allowMeetingChat", "Limited"), (lobby, "invited")], Some(true), vec![]),
            (
                &[("allowMeetingChat", "limited"), (lobby, "everyone")],
                Some(false),
                vec![lobby, "recordAutomatically"],
            ),
            (&[("allowMeetingChat", "future"), (lobby, "invited")], Some(true), vec!["allowMeetingChat"]),
            (
                &[("allowMeetingChat", "limited"), (lobby, "invited"), ("allowLiveShare", "x")],
                Some(true),
                vec![],
            ),
        ] {
            let (_, spec) = parse(json!({
                "organizer": "a@contoso.com", "startDateTime": "2026-12-01T09:00:00Z",
                "settings": {"allowMeetingChat": "limited", "recordAutomatically": true,
                    "lobbyBypassSettings": {"scope": "invited"}},
            }))
            .unwrap();
            let mut settings = settings(words);
            if let Some(on) = switch {
                settings.note("recordAutomatically", SeenSetting::Switch(on));
            }
            let (start, end) = (Some(spec.start_date_time), Some(spec.end_date_time));
            let seen = Seen { start, end, settings, ..Seen::default() };
            let change = compare(&spec, &seen);
            assert_eq!(change.members(), expected);
            let kept = serde_json::to_value(&seen).unwrap();
            assert_eq!(serde_json::from_value::<Seen>(kept).unwrap(), seen);
        }
    }

    /// What was kept before settings were known is read as it was.
    #[test]
    fn what_was_seen_before_settings_were_known_is_read() {
        let kept = json!({"subject": null, "start": null, "end": null, "attendees": []});
        let seen = Seen { attendees: Some(Vec::new()), ..Seen::default() };
        assert_eq!(serde_json::from_value::<Seen>(kept.clone()).unwrap(), seen);
        assert_eq!(serde_json::to_value(seen).unwrap(), kept);
    }

    /// What Graph rounds, reorders, renames in case or leaves out is no difference.
    #[test]
    fn a_meeting_that_means_the_same_is_left_alone() {
        let spec = wanted();
        assert!(compare(&spec, &seen(&spec)).is_empty());
        let mut rounded = seen(&spec);
        rounded.start = Some(spec.start_date_time.replace_nanosecond(0).unwrap());
        assert!(compare(&spec, &rounded).is_empty());
        let no_subject = BookingSpec { subject: None, ..spec.clone() };
        assert!(compare(&no_subject, &seen(&spec)).is_empty());
    }

    /// Only what differs is changed: both times together, attendees as the whole list.
    #[test]
    fn only_what_differs_is_changed() {
        let spec = wanted();
        let times = (spec.start_date_time, spec.end_date_time);
        let mut other = seen(&spec);
        other.end = other.end.map(|end| end + Duration::from_mins(5));
        assert_eq!(compare(&spec, &other), Change { times: Some(times), ..Change::default() });
        let mut other = seen(&spec);
        other.subject = None;
        assert_eq!(
            compare(&spec, &other),
            Change { subject: Some(spec.subject.clone()), ..Change::default() }
        );
        for spoil in [
            |seen: &mut Seen| drop(told(seen).pop()),
            |seen: &mut Seen| told(seen)[0].role = Some("coorganizer".into()),
            |seen: &mut Seen| told(seen)[0].upn = Some("c@contoso.com".into()),
            |seen: &mut Seen| {
                let one = told(seen)[0].clone();
                told(seen).push(one);
            },
        ] {
            let mut other = seen(&spec);
            spoil(&mut other);
            let change = compare(&spec, &other);
            assert_eq!(change, Change { attendees: Some(spec.attendees.clone()), ..Change::default() });
        }
    }

    /// Graph gives back at most 750 attendees: the missing rest is no difference.
    #[test]
    fn a_list_that_graph_cut_short_is_no_difference() {
        let mut spec = wanted();
        let attendee = spec.attendees[1].clone();
        spec.attendees = (0..900)
            .map(|n| Attendee {
                upn: crate::booking::Upn::parse(&format!("u{n}@contoso.com")).unwrap(),
                ..attendee.clone()
            })
            .collect();
        let mut cut = seen(&spec);
        let named = |n| SeenAttendee { user_id: None, upn: Some(format!("u{n}@contoso.com")), role: None };
        cut.attendees = Some((0..750).map(named).collect());
        assert!(compare(&spec, &cut).is_empty());
        told(&mut cut).pop();
        assert!(!compare(&spec, &cut).is_empty());
    }
}
