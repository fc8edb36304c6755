//! A JSON body becomes a booking, or the list of all its faults.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::key::BookingId;
use super::meeting_settings::MeetingSettings;
use super::member_fault::{FaultList, MemberFault, member_pointer};
use super::members::{Members, kind};
use super::message_order::Dtstamp;
use super::spec::{Attendee, AttendeeRole, BookingSpec, Metadata, Organizer};
use super::text_types::{ChatThreadId, Sequence, Subject, TextFault, Upn, UserId};
use crate::clock::{Timestamp, to_ticks};

/// Most attendees of one booking.
pub const ATTENDEES_MAX: usize = 1_000;
/// Longest booking, in days: a room for a year, its last day and a margin of a month included; what is longer is rather a
/// year that was mistyped. Neither Graph nor Teams bounds how far start and end lie apart. Teams' 30 hours (its page "Limits
/// and specifications") bound a meeting that is running: Teams ends it then, the link stays, and who opens the link starts
/// the meeting again.
pub const DURATION_DAYS_MAX: u64 = 400;
/// Most pairs of metadata.
pub const METADATA_PAIRS_MAX: usize = 16;
/// Longest name in metadata, in characters.
pub const METADATA_NAME_MAX: usize = 128;
/// Longest text in metadata, in characters.
pub const METADATA_TEXT_MAX: usize = 512;
const DURATION_DEFAULT: Duration = Duration::from_hours(1);
const DURATION_MAX: Duration = Duration::from_hours(24 * DURATION_DAYS_MAX);

/// Reads a booking from a JSON body, with its id where the body names one.
///
/// # Errors
/// All faults of the body at once, each with its JSON Pointer.
pub fn parse(body: Value) -> Result<(Option<BookingId>, BookingSpec), Vec<MemberFault>> {
    read(body, |members| members.text("bookingId", BookingId::parse))
}

/// Reads a booking from a JSON body that must name its id.
///
/// # Errors
/// All faults of the body at once, each with its JSON Pointer.
pub fn parse_with_id(body: Value) -> Result<(BookingId, BookingSpec), Vec<MemberFault>> {
    let (id, spec) = read(body, |members| members.required_text("bookingId", BookingId::parse_new))?;
    id.map(|id| (id, spec)).ok_or_else(|| vec![MemberFault::at("/bookingId", "is required")])
}

/// Reads a booking from a JSON body whose id is known already; a body that names another one is at fault.
///
/// # Errors
/// All faults of the body at once, each with its JSON Pointer.
pub fn parse_named(body: Value, id: &BookingId) -> Result<BookingSpec, Vec<MemberFault>> {
    let same = |text: &str| {
        if text == id.as_str() {
            Ok(id.clone())
        } else {
            Err(TextFault("must be the id in the path, or be left out"))
        }
    };
    read(body, |members| members.text("bookingId", same)).map(|(_, spec)| spec)
}

fn read(
    body: Value,
    read_id: impl FnOnce(&mut Members<'_>) -> Option<BookingId>,
) -> Result<(Option<BookingId>, BookingSpec), Vec<MemberFault>> {
    let mut faults = FaultList::default();
    let parsed = Members::open(body, String::new(), &mut faults).map(|mut members| {
        let id = read_id(&mut members);
        (id, spec(members))
    });
    match parsed {
        Some((id, Some(spec))) if faults.is_empty() => Ok((id, spec)),
        _ => Err(faults.into_vec()),
    }
}

fn spec(mut members: Members<'_>) -> Option<BookingSpec> {
    let organizer = members.required_text("organizer", Organizer::parse);
    let subject = members.text("subject", Subject::parse);
    let times = times(&mut members);
    let attendees = attendees(&mut members);
    let chat_thread_id = members.object("chatInfo").and_then(|mut chat| {
        let thread = chat.required_text("threadId", ChatThreadId::parse);
        chat.close();
        thread
    });
    let settings = members.object("settings").map(MeetingSettings::read).unwrap_or_default();
    let sequence = sequence(&mut members);
    let dtstamp = members.text("dtstamp", Dtstamp::parse);
    let metadata = metadata(&mut members);
    members.close();
    let spec = organizer.zip(times).map(|(organizer, (start_date_time, end_date_time))| BookingSpec {
        organizer,
        subject,
        start_date_time,
        end_date_time,
        attendees,
        chat_thread_id,
        settings,
        effective_settings: MeetingSettings::default(),
        released_settings: BTreeSet::new(),
        sequence,
        dtstamp,
        metadata,
    });
    spec.map(|spec| spec.with_default_settings(&MeetingSettings::default()))
}

fn times(members: &mut Members<'_>) -> Option<(Timestamp, Timestamp)> {
    let start = members.required_text("startDateTime", timestamp);
    let end_given = members.take("endDateTime");
    let Some(end_given) = end_given else {
        return start.map(|start| (start, start + DURATION_DEFAULT));
    };
    let Value::String(text) = &end_given else {
        members.fault("endDateTime", format!("must be a string, not {}", kind(&end_given)));
        return None;
    };
    let end = timestamp(text).map_err(|fault| members.fault("endDateTime", fault.0)).ok()?;
    let start = start?;
    if end < start {
        members.fault("endDateTime", "must not be before startDateTime");
    } else if end - start > DURATION_MAX {
        let detail = format!("must not be more than {DURATION_DAYS_MAX} days after startDateTime");
        members.fault("endDateTime", detail);
    }
    Some((start, end))
}

/// Reads a point in time, as callers write it.
pub(super) fn timestamp(text: &str) -> Result<Timestamp, TextFault> {
    let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| {
        TextFault("must be a date and time with an offset (RFC 3339), such as 2026-12-01T09:00:00+01:00")
    })?;
    // Graph means "unset" by the year 1, and an end needs room after the latest start.
    let utc =
        time.checked_to_offset(time::UtcOffset::UTC).filter(|utc| (1_900..=9_998).contains(&utc.year()));
    utc.map(to_ticks).ok_or(TextFault("must lie in the years 1900 to 9998"))
}

fn attendees(members: &mut Members<'_>) -> Vec<Attendee> {
    let items = members.list("attendees");
    if items.len() > ATTENDEES_MAX {
        members
            .fault("attendees", format!("must not be more than {ATTENDEES_MAX}, here are {}", items.len()));
        return Vec::new();
    }
    let mut seen = BTreeMap::new();
    let mut attendees = Vec::with_capacity(items.len());
    for (at, item) in items {
        let Some(attendee) = attendee(item, &at, members.faults()) else { continue };
        if let Some(earlier) = seen.insert(attendee.upn.folded(), at.clone()) {
            members
                .faults()
                .note(|| MemberFault::at(format!("{at}/upn"), format!("stands already at {earlier}")));
        }
        attendees.push(attendee);
    }
    attendees
}

fn attendee(item: Value, at: &str, faults: &mut FaultList<MemberFault>) -> Option<Attendee> {
    let mut members = Members::open(item, at.to_owned(), faults)?;
    let user_id = members.text("userId", UserId::parse);
    let upn = members.required_text("upn", Upn::parse);
    let role = members.text("role", |text| {
        AttendeeRole::parse(text).ok_or(TextFault("must be attendee, presenter or coorganizer"))
    });
    members.close();
    Some(Attendee { user_id, upn: upn?, role: role.unwrap_or(AttendeeRole::Attendee) })
}

fn sequence(members: &mut Members<'_>) -> Option<Sequence> {
    let value = members.take("sequence")?;
    let number = whole_number(&value).and_then(|n| u32::try_from(n).ok()).and_then(Sequence::new);
    if number.is_none() {
        members.fault("sequence", format!("must be a whole number from 0 to {}", Sequence::MAX));
    }
    number
}

/// A whole number however it is written: to JSON `2.0` is the number `2` (RFC 8259, 6), and some programs write it so.
fn whole_number(value: &Value) -> Option<u64> {
    let written_otherwise = || {
        let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
        // Without a sign where it is -0.
        format!("{:.0}", number + 0.0).parse().ok()
    };
    value.as_u64().or_else(written_otherwise)
}

fn metadata(members: &mut Members<'_>) -> Metadata {
    let pairs = match members.take("metadata") {
        None => return Metadata::new(),
        Some(Value::Object(pairs)) => pairs,
        Some(other) => {
            members.fault("metadata", format!("must be an object, not {}", kind(&other)));
            return Metadata::new();
        }
    };
    if pairs.len() > METADATA_PAIRS_MAX {
        members.fault("metadata", format!("must not hold more than {METADATA_PAIRS_MAX} pairs"));
    }
    let mut metadata = Metadata::new();
    for (name, value) in pairs {
        match metadata_fault(&name, &value) {
            Some(detail) => {
                members.faults().note(|| MemberFault::at(member_pointer("/metadata", &name), detail));
            }
            None => drop(value.as_str().map(|text| metadata.insert(name, text.to_owned()))),
        }
    }
    metadata
}

fn metadata_fault(name: &str, value: &Value) -> Option<String> {
    let Some(text) = value.as_str() else {
        return Some(format!("must be a string, not {}", kind(value)));
    };
    if name.is_empty() || name.chars().count() > METADATA_NAME_MAX {
        return Some(format!("must have a name of 1 to {METADATA_NAME_MAX} characters"));
    }
    if text.chars().count() > METADATA_TEXT_MAX {
        return Some(format!("must be at most {METADATA_TEXT_MAX} characters long"));
    }
    // Postgres keeps no U+0000 in text or jsonb.
    (name.contains('\0') || text.contains('\0')).then(|| "must not hold the character U+0000".to_owned())
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
