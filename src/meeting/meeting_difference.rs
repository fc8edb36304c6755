//! In what a meeting differs from its booking, with both sides, for history and callers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::call::Change;
use super::compare::{compare, same_time};
use super::observed::{Meeting, Seen, SeenAttendee};
use crate::booking::{AttendeeChanges, BookingSpec, MEETING_SETTINGS, Participant};
use crate::clock::Timestamp;

/// One member in which a meeting differs from its booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingDifference {
    /// The member as Graph names it; one in a member with that member's name: `lobbyBypassSettings.scope`.
    pub field: String,
    /// What the booking wants; null of a setting that it doesn't name any longer; absent of attendees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Value>,
    /// What Graph told; absent of attendees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Value>,
    /// Of attendees: who differs, from the booking to the meeting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendees: Option<AttendeeChanges>,
}

/// A booking beside the meeting that Graph told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Compared {
    /// What would have to change at Graph so that they agree.
    pub(super) change: Change,
    /// In what they differ, as [`meeting_differences`] says it.
    pub(super) differences: Vec<MeetingDifference>,
}

impl Compared {
    /// Compares the two, by meaning. `known` is the meeting as it is known.
    pub(super) fn of(spec: &BookingSpec, known: Option<&Meeting>, seen: &Seen) -> Self {
        let change = compare(spec, seen);
        let mut differences = differences(&change, spec, seen);
        differences.extend(unchangeable(spec, known, seen));
        Self { change, differences }
    }
}

impl MeetingDifference {
    /// Two values of one member.
    pub(super) fn between(field: &str, wanted: Value, seen: Value) -> Self {
        Self { field: field.to_owned(), wanted: Some(wanted), seen: Some(seen), attendees: None }
    }

    /// As it fits into an answer or an event. The whole one is what can be compared with another.
    #[must_use]
    pub fn cut(self) -> Self {
        Self { attendees: self.attendees.map(AttendeeChanges::cut), ..self }
    }

    /// Without the links, if it is about them: null in their place.
    #[must_use]
    pub fn without_link(self) -> Self {
        if self.field != JOIN_WEB_URL {
            return self;
        }
        Self { wanted: Some(Value::Null), seen: Some(Value::Null), ..self }
    }

    /// In words, for an operator. A link is for those who are invited.
    #[must_use]
    pub fn told(self) -> String {
        let Self { field, wanted, seen, attendees } = self.cut();
        match attendees {
            _ if field == JOIN_WEB_URL => field,
            Some(changes) => format!("{field}, from the booking to the meeting: {}", json!(changes)),
            None => format!("{field}: {} wanted, {} there", json!(wanted), json!(seen)),
        }
    }

    /// Whether a call could bring it to an end. Graph gives the link, and of a setting that the booking doesn't name any
    /// longer nothing is wanted.
    pub(super) fn is_changeable(&self) -> bool {
        self.field != JOIN_WEB_URL && !(self.wanted == Some(Value::Null) && is_setting(&self.field))
    }
}

/// The member of a meeting that holds its link.
pub const JOIN_WEB_URL: &str = "joinWebUrl";

fn is_setting(path: &str) -> bool {
    MEETING_SETTINGS.iter().any(|setting| setting.path == path)
}

/// In what the meeting that Graph told of differs from the booking, by meaning. What Graph left out of its answer is no
/// difference.
#[must_use]
pub fn meeting_differences(
    spec: &BookingSpec,
    known: Option<&Meeting>,
    seen: &Seen,
) -> Vec<MeetingDifference> {
    Compared::of(spec, known, seen).differences
}

/// What no call can bring to an end: another link, and settings that were set once and are named no longer.
fn unchangeable(spec: &BookingSpec, known: Option<&Meeting>, seen: &Seen) -> Vec<MeetingDifference> {
    let link = seen.join_web_url.as_ref().zip(known).map(|(told, known)| {
        MeetingDifference::between(JOIN_WEB_URL, json!(known.join_web_url.as_str()), json!(told))
    });
    let released = spec.released_settings.iter().filter_map(|path| {
        let told = seen.settings.get(path)?;
        Some(MeetingDifference::between(path, Value::Null, json!(told)))
    });
    link.into_iter().chain(released).collect()
}

fn differences(change: &Change, spec: &BookingSpec, seen: &Seen) -> Vec<MeetingDifference> {
    let mut differences = Vec::new();
    let mut add = |field: &str, wanted: Value, seen: Value| {
        differences.push(MeetingDifference::between(field, wanted, seen));
    };
    if let (Some(wanted), Some(told)) = (&change.subject, &seen.subject) {
        add("subject", json!(wanted), json!(told));
    }
    if change.times.is_some() {
        for (field, wanted, seen) in [
            ("startDateTime", spec.start_date_time, seen.start),
            ("endDateTime", spec.end_date_time, seen.end),
        ] {
            if let Some(told) = seen.filter(|_| !same_time(wanted, seen)) {
                add(field, text(wanted), text(told));
            }
        }
    }
    for (path, wanted) in change.settings.iter() {
        if let Some(told) = seen.settings.get(path) {
            add(path, wanted.into(), json!(told));
        }
    }
    if let (Some(_), Some(told)) = (&change.attendees, &seen.attendees) {
        differences.push(MeetingDifference {
            field: "participants.attendees".to_owned(),
            wanted: None,
            seen: None,
            attendees: Some(attendee_changes(spec, told)),
        });
    }
    differences
}

fn text(time: Timestamp) -> Value {
    time.format(&Rfc3339).map_or(Value::Null, Value::String)
}

/// An attendee that Graph names by id alone is named as the booking names the same id. Who has a name is compared by it.
fn attendee_changes(spec: &BookingSpec, told: &[SeenAttendee]) -> AttendeeChanges {
    let ids = spec.attendees.iter().filter_map(|one| Some((one.user_id?.to_string(), one.upn.folded())));
    let upns: BTreeMap<String, String> = ids.collect();
    let invited = spec.attendees.iter().map(|one| Participant {
        upn: Some(one.upn.folded()),
        user_id: None,
        role: one.role.as_str().to_owned(),
    });
    let taking_part = told.iter().map(|one| {
        let user_id = one.user_id.as_ref().map(|id| id.to_lowercase());
        let known = user_id.as_ref().and_then(|id| upns.get(id).cloned());
        let upn = known.or_else(|| one.upn.as_ref().map(|upn| upn.to_lowercase()));
        let role = one.role.as_deref().unwrap_or("attendee").to_lowercase();
        Participant { user_id: user_id.filter(|_| upn.is_none()), upn, role }
    });
    AttendeeChanges::between(&invited.collect(), &taking_part.collect())
}
