//! Compares two bookings field by field.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::attendee_changes::{AttendeeChanges, Participant};
use super::spec::BookingSpec;

/// A field in which two bookings differ, named as in the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The member's name.
    pub field: &'static str,
    /// What makes the difference.
    pub sides: Sides,
}

/// What makes a difference between a stored booking and a requested one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sides {
    /// Two values.
    Values {
        /// What is stored.
        stored: Value,
        /// What the request asks for.
        requested: Value,
    },
    /// The attendees who differ, from the stored ones to those that the request asks for.
    Attendees(AttendeeChanges),
}

/// The fields in which `requested` differs from `stored`, attendees last. The order of attendees, the spelling of a UPN's case
/// and the offset in which a time was written make no difference.
#[must_use]
pub fn differences(stored: &BookingSpec, requested: &BookingSpec) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut compare = |field, same: bool, value: &dyn Fn(&BookingSpec) -> Value| {
        if !same {
            let sides = Sides::Values { stored: value(stored), requested: value(requested) };
            found.push(Difference { field, sides });
        }
    };
    compare("organizer", stored.organizer == requested.organizer, &|b| json!(b.organizer.as_text()));
    compare("subject", stored.subject == requested.subject, &|b| json!(b.subject));
    compare("startDateTime", stored.start_date_time == requested.start_date_time, &|b| {
        timestamp(b.start_date_time)
    });
    compare("endDateTime", stored.end_date_time == requested.end_date_time, &|b| timestamp(b.end_date_time));
    compare("chatInfo", stored.chat_thread_id == requested.chat_thread_id, &|b| {
        b.chat_thread_id.as_ref().map_or(Value::Null, |thread| json!({ "threadId": thread }))
    });
    // What was sent is compared, not what it came to: defaults may have changed since.
    compare("settings", stored.settings == requested.settings, &|b| json!(b.settings));
    compare("sequence", stored.sequence == requested.sequence, &|b| json!(b.sequence));
    compare("dtstamp", stored.dtstamp == requested.dtstamp, &|b| json!(b.dtstamp));
    compare("metadata", stored.metadata == requested.metadata, &|b| json!(b.metadata));
    // A request that is repeated has them in the same order, nearly always.
    if stored.attendees != requested.attendees {
        let (before, after) = (participants(stored), participants(requested));
        if before != after {
            let sides = Sides::Attendees(AttendeeChanges::between(&before, &after));
            found.push(Difference { field: "attendees", sides });
        }
    }
    found
}

fn participants(spec: &BookingSpec) -> BTreeSet<Participant> {
    let attendees = spec.attendees.iter();
    attendees
        .map(|attendee| Participant {
            upn: Some(attendee.upn.folded()),
            user_id: attendee.user_id.map(|id| id.to_string()),
            role: attendee.role.as_str().to_owned(),
        })
        .collect()
}

fn timestamp(time: crate::clock::Timestamp) -> Value {
    time.format(&time::format_description::well_known::Rfc3339).map_or(Value::Null, Value::String)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::booking::parse;

    fn spec(overrides: &Value) -> BookingSpec {
        let mut body = json!({
            "organizer": "1f35f2e6-9cab-44ad-8d5a-b74c14720000", "subject": "Review",
            "startDateTime": "2026-12-01T09:00:00+01:00",
            "attendees": [{"upn": "a@contoso.com"}, {"upn": "b@contoso.com", "role": "presenter"}],
        });
        for (name, value) in overrides.as_object().unwrap() {
            body[name] = value.clone();
        }
        parse(body).unwrap().1
    }

    /// Each overriding member is reported under its own name, and what only looks different is not reported.
    #[test]
    fn differences_name_the_fields_that_differ_in_meaning() {
        for (overrides, expected) in [
            (json!({}), vec![]),
            (json!({"startDateTime": "2026-12-01T08:00:00Z"}), vec![]),
            (json!({"endDateTime": "2026-12-01T10:00:00+01:00"}), vec![]),
            (
                json!({"attendees": [{"upn": "B@contoso.com", "role": "presenter"}, {"upn": "a@contoso.com"}]}),
                vec![],
            ),
            (json!({"startDateTime": "2026-12-01T09:00:00Z"}), vec!["startDateTime", "endDateTime"]),
            (json!({"subject": "Other"}), vec!["subject"]),
            (json!({"subject": null}), vec!["subject"]),
            (json!({"attendees": []}), vec!["attendees"]),
            (json!({"sequence": 0}), vec!["sequence"]),
            (json!({"dtstamp": "2026-11-23T09:00:00Z"}), vec!["dtstamp"]),
            (json!({"metadata": {"a": "b"}}), vec!["metadata"]),
            (json!({"organizer": "o@contoso.com"}), vec!["organizer"]),
            (json!({"chatInfo": {"threadId": "19:x@thread.tacv2"}}), vec!["chatInfo"]),
            (json!({"settings": {"allowRecording": null, "lobbyBypassSettings": {}}}), vec![]),
            (json!({"settings": {"allowRecording": true}}), vec!["settings"]),
        ] {
            let found = differences(&spec(&json!({})), &spec(&overrides));
            let fields: Vec<_> = found.iter().map(|difference| difference.field).collect();
            assert_eq!(fields, expected, "{overrides}");
        }
    }

    /// Of attendees those are named that make the difference, an object id that is new included.
    #[test]
    fn attendees_are_named_where_they_differ() {
        let id = "0a0a0a0a-9cab-44ad-8d5a-b74c14720001";
        let other = json!({"attendees": [{"upn": "A@contoso.com", "userId": id}, {"upn": "c@contoso.com"}]});
        let found = differences(&spec(&json!({})), &spec(&other));
        let [Difference { field: "attendees", sides: Sides::Attendees(changes) }] = found.as_slice() else {
            panic!("{found:?}")
        };
        let expected = json!({
            "added": [{"upn": "c@contoso.com", "userId": null, "role": "attendee"}],
            "removed": [{"upn": "b@contoso.com", "userId": null, "role": "presenter"}],
            "changed": [{
                "from": {"upn": "a@contoso.com", "userId": null, "role": "attendee"},
                "to": {"upn": "a@contoso.com", "userId": id, "role": "attendee"},
            }],
            "moreAdded": 0, "moreRemoved": 0, "moreChanged": 0,
        });
        assert_eq!(json!(changes), expected);
    }
}
