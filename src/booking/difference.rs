//! Compares two bookings field by field.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::spec::{Attendee, BookingSpec};

/// A field in which two bookings differ, named as in the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The member's name.
    pub field: &'static str,
    /// What is stored.
    pub stored: Value,
    /// What the request asks for.
    pub requested: Value,
}

/// The fields in which `requested` differs from `stored`, in the order of the API. The order of attendees,
/// the spelling of a UPN's case and the offset in which a time was written make no difference.
#[must_use]
pub fn differences(stored: &BookingSpec, requested: &BookingSpec) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut compare = |field, same: bool, value: &dyn Fn(&BookingSpec) -> Value| {
        if !same {
            found.push(Difference { field, stored: value(stored), requested: value(requested) });
        }
    };
    compare("organizer", stored.organizer == requested.organizer, &|b| json!(b.organizer.as_text()));
    compare("subject", stored.subject == requested.subject, &|b| json!(b.subject));
    compare("startDateTime", stored.start_date_time == requested.start_date_time, &|b| {
        timestamp(b.start_date_time)
    });
    compare("endDateTime", stored.end_date_time == requested.end_date_time, &|b| timestamp(b.end_date_time));
    compare("attendees", by_upn(stored) == by_upn(requested), &|b| json!(b.attendees));
    compare("chatInfo", stored.chat_thread_id == requested.chat_thread_id, &|b| {
        b.chat_thread_id.as_ref().map_or(Value::Null, |thread| json!({ "threadId": thread }))
    });
    // What was sent is compared, not what it came to: defaults may have changed since.
    compare("settings", stored.settings == requested.settings, &|b| json!(b.settings));
    compare("sequence", stored.sequence == requested.sequence, &|b| json!(b.sequence));
    compare("dtstamp", stored.dtstamp == requested.dtstamp, &|b| json!(b.dtstamp));
    compare("metadata", stored.metadata == requested.metadata, &|b| json!(b.metadata));
    found
}

fn by_upn(spec: &BookingSpec) -> BTreeMap<String, &Attendee> {
    spec.attendees.iter().map(|attendee| (attendee.upn.folded(), attendee)).collect()
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
}
