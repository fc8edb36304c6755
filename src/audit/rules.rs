//! The rules by which bookings, meetings and history agree.

use std::collections::BTreeSet;
use std::time::Duration;

use super::examined_booking::{Examined, ExaminedEvent, Exception, Orphans, RuleContext};
use super::link_digest::{TELL_THE_LINK, sha256_hex};
use crate::booking::derive;
use crate::meeting::{DesiredState, Progress};

/// How much later than its end a lease may still be there: workers poll every few seconds, and clocks differ a little.
const LEASE_GRACE: Duration = Duration::from_mins(1);

const BY_HAND: &str = "Nothing of the service does this: find out who changed the tables (log_statement, backups), and \
                       compare with an export of the history.";
const REPORT: &str = "Read the booking's history and its row; report it as a fault of the service if the \
                      tables were not changed by hand.";

struct AuditRule {
    name: &'static str,
    remedy: &'static str,
    check: fn(&Examined, &RuleContext) -> Option<String>,
}

const RULES: [AuditRule; 14] = [
    AuditRule { name: "row-readable", remedy: BY_HAND, check: row_is_readable },
    AuditRule {
        name: "external-id",
        remedy: "If tenant or namespace were changed in the settings, change them back. Otherwise: a row changed by \
                 hand; `meeting-provisioner external-id` derives the right one.",
        check: external_id_is_derived,
    },
    AuditRule { name: "history-begins", remedy: BY_HAND, check: history_begins_with_acceptance },
    AuditRule { name: "history-same-booking", remedy: BY_HAND, check: history_is_of_the_same_booking },
    AuditRule { name: "attempts-have-events", remedy: BY_HAND, check: attempts_have_their_events },
    AuditRule { name: "attempt-settled", remedy: REPORT, check: first_attempt_is_settled },
    AuditRule { name: "status-fits-history", remedy: BY_HAND, check: status_fits_history },
    AuditRule {
        name: "outcome-or-due",
        remedy: "Make it due: `meeting-provisioner retry`, or PUT by its caller. Then find out who changed the row.",
        check: has_outcome_or_is_due,
    },
    AuditRule {
        name: "settled-agrees",
        remedy: "Declare the booking with PUT, which brings the meeting to agree. Then find out who changed the row.",
        check: settled_agrees,
    },
    AuditRule { name: "meeting-in-history", remedy: BY_HAND, check: meeting_is_in_history },
    AuditRule {
        name: "join-link",
        remedy: "Callers may have been given a false link since. `self-audit --ask-graph` tells which one Graph has; find out \
                 who changed the row.",
        check: link_is_that_of_the_history,
    },
    AuditRule {
        name: "one-meeting-one-booking",
        remedy: "Ask Graph which externalId the meeting has; the other booking's row was changed by hand.",
        check: meeting_is_of_one_booking,
    },
    AuditRule {
        name: "lease-age",
        remedy: "Is a replica running that reaches Postgres? Does worker.lease_seconds here equal that of the \
                 replicas, and do clocks agree (`doctor`)?",
        check: lease_is_young,
    },
    AuditRule { name: "generations", remedy: REPORT, check: generations_follow_each_other },
];

/// Everything that is wrong with one generation of a booking.
#[must_use]
pub fn examine(examined: &Examined, context: &RuleContext) -> Vec<Exception> {
    let broken = RULES.iter().filter_map(|rule| {
        let says = (rule.check)(examined, context)?;
        Some(Exception { rule: rule.name, about: examined.name.clone(), says, remedy: rule.remedy })
    });
    broken.collect()
}

/// What is wrong where events are there and their booking isn't.
#[must_use]
pub fn orphaned(orphans: &Orphans) -> Exception {
    let meeting = orphans.meeting_id.as_ref();
    let meeting = meeting.map_or(String::new(), |id| format!(", and meeting {id} has no booking"));
    Exception {
        rule: "booking-is-there",
        about: orphans.name.clone(),
        says: format!("{} events are about this booking, which is not there{meeting}", orphans.events),
        remedy: "A row was deleted by hand. Its caller may send the booking again: it gets the same meeting.",
    }
}

/// What is wrong where a guard of the schema (a trigger, an index) is missing or disabled.
#[must_use]
pub fn unguarded(guard: &str) -> Exception {
    Exception {
        rule: "schema-guards",
        about: guard.to_owned(),
        says: "this guard of the schema is missing or disabled".to_owned(),
        remedy: "Put it back as the migrations have it. What was changed meanwhile is not known from the tables: \
                 compare with an export of the history.",
    }
}

fn row_is_readable(examined: &Examined, _: &RuleContext) -> Option<String> {
    examined.booking.as_ref().err().cloned()
}

fn external_id_is_derived(examined: &Examined, context: &RuleContext) -> Option<String> {
    let (key, generation) = examined.identity.as_ref()?;
    let derived = derive(context.namespace, context.tenant, key, *generation).external_id;
    (derived != examined.external_id)
        .then(|| format!("the externalId is {}, and should be {derived}", examined.external_id))
}

fn history_begins_with_acceptance(examined: &Examined, _: &RuleContext) -> Option<String> {
    let accepted = examined.events.iter().filter(|event| event.kind == ACCEPTED).count();
    match examined.events.first() {
        None => Some("it has no history at all".to_owned()),
        Some(first) if first.kind != ACCEPTED => Some(format!(
            "its history begins with {} (event {}), not with {ACCEPTED}",
            first.kind, first.event_id
        )),
        Some(_) if accepted > 1 => Some(format!("it was accepted {accepted} times")),
        Some(_) => None,
    }
}

const ACCEPTED: &str = "booking.accepted";

fn history_is_of_the_same_booking(examined: &Examined, _: &RuleContext) -> Option<String> {
    let other = examined.events.iter().find(|event| event.external_id != examined.external_id)?;
    Some(format!(
        "event {} has the externalId {}, the booking {}",
        other.event_id, other.external_id, examined.external_id
    ))
}

/// The events of attempts whose outcome is known, or known to be unknown.
fn settled(examined: &Examined) -> impl Iterator<Item = &ExaminedEvent> {
    examined.events.iter().filter(|event| event.outcome.is_some())
}

fn attempts_have_their_events(examined: &Examined, _: &RuleContext) -> Option<String> {
    let count = i64::try_from(settled(examined).count()).unwrap_or(i64::MAX);
    if count != examined.attempts {
        return Some(format!("{} attempts are counted, {count} have an event", examined.attempts));
    }
    let mut seen = BTreeSet::new();
    for (event, number) in settled(examined).zip(1..) {
        let event_id = event.event_id;
        if event.attempt_number != Some(number) {
            let recorded = event.attempt_number.map_or("none".to_owned(), |number| number.to_string());
            return Some(format!(
                "event {event_id} is of attempt {recorded}, where attempt {number} is expected"
            ));
        }
        match event.attempt {
            None => return Some(format!("event {event_id} has an outcome, but names no attempt")),
            Some(attempt) if !seen.insert(attempt) => {
                return Some(format!("attempt {attempt} is settled twice, again in event {event_id}"));
            }
            Some(_) => {}
        }
        if !fits(&event.kind, event.outcome.as_deref()) {
            let outcome = event.outcome.as_deref().unwrap_or_default();
            return Some(format!("event {event_id} is a {} with the outcome {outcome}", event.kind));
        }
    }
    None
}

/// Whether an event of this kind may have this outcome. What a newer version writes is not known here.
fn fits(kind: &str, outcome: Option<&str>) -> bool {
    let pairs = [
        ("organizer.found", "resolved"),
        ("meeting.created", "created"),
        ("meeting.found", "found"),
        ("meeting.changed", "changed"),
        ("meeting.removed", "gone"),
        ("call.refused", "refused"),
        ("call.throttled", "throttled"),
        ("call.unavailable", "unavailable"),
        ("call.unknown", "unknown"),
    ];
    pairs.iter().all(|(known, of)| (*known == kind) == (Some(*of) == outcome))
}

fn first_attempt_is_settled(examined: &Examined, _: &RuleContext) -> Option<String> {
    let accepted = examined.events.iter().find(|event| event.kind == ACCEPTED)?;
    let begun = accepted.attempt?;
    let is_under_way = examined.lease.is_some_and(|lease| lease.id.uuid() == begun);
    // Settled by its outcome, or by not being sent.
    let mut later = examined.events.iter().filter(|event| event.kind != ACCEPTED);
    let is_settled = later.any(|event| event.attempt == Some(begun));
    (!is_under_way && !is_settled)
        .then(|| format!("attempt {begun}, begun when it was accepted, is neither settled nor under way"))
}

/// The status that the history leaves the booking with.
fn last_status(events: &[ExaminedEvent]) -> Option<(&str, i64)> {
    events.iter().rev().find_map(|event| match (&event.next_status, event.kind.as_str()) {
        (Some(status), _) => Some((status.as_str(), event.event_id)),
        // An older generation, whose place another one has taken.
        (None, "booking.cancelled") => Some(("cancelling", event.event_id)),
        (None, _) => None,
    })
}

fn status_fits_history(examined: &Examined, _: &RuleContext) -> Option<String> {
    let (status, event_id) = last_status(&examined.events)?;
    (status != examined.status)
        .then(|| format!("it is {}, but event {event_id} left it {status}", examined.status))
}

fn has_outcome_or_is_due(examined: &Examined, _: &RuleContext) -> Option<String> {
    let is_over = ["provisioned", "cancelled", "failed"].contains(&examined.status.as_str());
    let says = format!("it is {} and not due, so no worker will ever work on it", examined.status);
    (examined.due_at.is_none() && !is_over).then_some(says)
}

fn settled_agrees(examined: &Examined, _: &RuleContext) -> Option<String> {
    let booking = examined.booking.as_ref().ok()?;
    if booking.progress != Progress::Settled {
        return None;
    }
    if booking.wanted.desired_state == DesiredState::Present && booking.observed.meeting.is_none() {
        return Some(format!("it is {} and has no meeting", examined.status));
    }
    let call = booking.next_call()?;
    Some(format!(
        "it is {}, but no call was made to {} what is wanted",
        examined.status,
        call.kind().as_str()
    ))
}

fn meeting_is_in_history(examined: &Examined, _: &RuleContext) -> Option<String> {
    let recorded: BTreeSet<&str> =
        examined.events.iter().filter_map(|event| event.meeting_id.as_deref()).collect();
    let has = examined.meeting_id.as_deref();
    if let Some(other) = recorded.iter().find(|meeting| Some(**meeting) != has) {
        let has = has.unwrap_or("none");
        return Some(format!("its history names meeting {other}, which has no booking: the row has {has}"));
    }
    let made = examined.events.iter().any(|event| {
        matches!(event.kind.as_str(), "meeting.created" | "meeting.found")
            && event.meeting_id.as_deref() == has
    });
    let has = has.filter(|_| !made)?;
    Some(format!("no event says how it came to meeting {has}"))
}

fn link_is_that_of_the_history(examined: &Examined, _: &RuleContext) -> Option<String> {
    let link = examined.join_web_url.as_deref()?;
    let digest = sha256_hex(link);
    let mut told = settled(examined).filter(|event| TELL_THE_LINK.contains(&event.kind.as_str())).peekable();
    // Of a meeting that no event tells of another rule does.
    told.peek()?;
    let other = told.find(|event| event.join_web_url_sha256.as_deref() != Some(digest.as_str()))?;
    Some(format!(
        "its join link is not the one that Graph gave: the digest in event {} is of another link",
        other.event_id
    ))
}

fn meeting_is_of_one_booking(examined: &Examined, _: &RuleContext) -> Option<String> {
    let meeting = examined.meeting_id.as_deref()?;
    let others = examined.beside.sharing_meeting;
    (others > 0).then(|| format!("its meeting {meeting} belongs to {others} other bookings as well"))
}

fn lease_is_young(examined: &Examined, context: &RuleContext) -> Option<String> {
    let lease = examined.lease?;
    let may_last_until = lease.started_at + context.lease + LEASE_GRACE;
    let (id, begun) = (lease.id, lease.started_at);
    (may_last_until < context.now).then(|| {
        format!(
            "attempt {id} was begun at {begun}; its lease is older than it may be, and no worker took it over"
        )
    })
}

fn generations_follow_each_other(examined: &Examined, _: &RuleContext) -> Option<String> {
    if examined.beside.lacks_predecessor {
        return Some("the generation before it is not there".to_owned());
    }
    let booking = examined.booking.as_ref().ok()?;
    (booking.wanted.desired_state == DesiredState::Present && examined.beside.is_succeeded)
        .then(|| "a later generation has its meeting, and this one was not cancelled".to_owned())
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
