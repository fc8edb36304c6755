//! In what a meeting differs from its booking, with both sides, for history and callers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::call::Change;
use super::compare::{compare, same_time};
use super::observed::{Meeting, Seen, SeenAttendee};
use crate::booking::{Attendee, BookingSpec, MEETING_SETTINGS};
use crate::clock::Timestamp;

/// One member in which a meeting differs from its booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingDifference {
    /// The member as Graph names it; one in a member with that member's name: `lobbyBypassSettings.scope`.
    pub field: String,
    /// What the booking wants; null of a setting that it doesn't name any longer. Of attendees only those that the meeting lacks, as `upn role`.
    pub wanted: Value,
    /// What Graph told. Of attendees only those that the booking doesn't name, as `upn role`.
    pub seen: Value,
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
    /// Whether a call could bring it to an end. Graph gives the link, and of a setting that the booking doesn't name any
    /// longer nothing is wanted.
    pub(super) fn is_changeable(&self) -> bool {
        self.field != JOIN_WEB_URL && !(self.wanted.is_null() && is_setting(&self.field))
    }
}

/// The member of a meeting that holds its link.
const JOIN_WEB_URL: &str = "joinWebUrl";

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
    let link = seen.join_web_url.as_ref().zip(known).map(|(told, known)| MeetingDifference {
        field: JOIN_WEB_URL.to_owned(),
        wanted: json!(known.join_web_url.as_str()),
        seen: json!(told),
    });
    let released = spec.released_settings.iter().filter_map(|path| {
        let told = seen.settings.get(path)?;
        Some(MeetingDifference { field: path.clone(), wanted: Value::Null, seen: json!(told) })
    });
    link.into_iter().chain(released).collect()
}

fn differences(change: &Change, spec: &BookingSpec, seen: &Seen) -> Vec<MeetingDifference> {
    let mut differences = Vec::new();
    let mut add = |field: &str, wanted: Value, seen: Value| {
        differences.push(MeetingDifference { field: field.to_owned(), wanted, seen });
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
    if let (Some(_), Some(told)) = (&change.attendees, &seen.attendees) {
        let wanted: BTreeSet<String> = spec.attendees.iter().map(invited).collect();
        let told: BTreeSet<String> = told.iter().map(|one| taking_part(spec, one)).collect();
        let only = |these: &BTreeSet<String>, others| json!(these.difference(others).collect::<Vec<_>>());
        add("participants.attendees", only(&wanted, &told), only(&told, &wanted));
    }
    for (path, wanted) in change.settings.iter() {
        if let Some(told) = seen.settings.get(path) {
            add(path, wanted.into(), json!(told));
        }
    }
    differences
}

fn text(time: Timestamp) -> Value {
    time.format(&Rfc3339).map_or(Value::Null, Value::String)
}

fn invited(attendee: &Attendee) -> String {
    format!("{} {}", attendee.upn.folded(), attendee.role.as_str())
}

/// An attendee that Graph names by id alone is named as the booking names the same id.
fn taking_part(spec: &BookingSpec, seen: &SeenAttendee) -> String {
    let role = seen.role.as_deref().unwrap_or("attendee").to_lowercase();
    let same_id = |one: &&Attendee| {
        let id = one.user_id.map(|id| id.to_string());
        id.is_some() && id == seen.user_id.as_ref().map(|id| id.to_lowercase())
    };
    let known = spec.attendees.iter().find(same_id).map(|one| one.upn.folded());
    let upn = known.or_else(|| seen.upn.as_ref().map(|upn| upn.to_lowercase()));
    let name = upn.or_else(|| seen.user_id.clone()).unwrap_or_else(|| "(no name)".to_owned());
    format!("{name} {role}")
}
