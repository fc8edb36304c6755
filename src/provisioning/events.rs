//! The events that record what is done here.

use crate::audit::{AttemptFacts, EventKind, EventPayload, NewAuditEvent, NextFacts, Origin, sha256_hex};
use crate::booking::{Difference, MessageOrder};
use crate::clock::Timestamp;
use crate::meeting::{
    Answered, Attempt, Booking, Call, MeetingDifference, NameLookups, Outcome, Tombstone, Transition,
};

/// A booking is stored, and its first attempt is begun.
pub(super) fn accepted(transition: &Transition, origin: &Origin, attempt: Attempt) -> NewAuditEvent {
    let payload = EventPayload {
        requested: Some(transition.booking.wanted.spec.clone()),
        next: Some(next(transition)),
        attempt: Some(facts(attempt, 1, transition.next.as_ref())),
        ..from(origin)
    };
    event(transition.booking.updated_at, EventKind::BookingAccepted, None, origin, payload)
}

/// Something else is wanted of the booking, in these fields. Where it calls its organizer by another name from now on, what
/// Graph answered to the look-up of that name is the reason.
pub(super) fn changed(
    transition: &Transition,
    differences: &[Difference],
    lookups: &NameLookups,
    origin: &Origin,
) -> NewAuditEvent {
    let spec = &transition.booking.wanted.spec;
    let found = lookups.of(&spec.organizer).and_then(|lookup| Some((lookup, lookup.user?)));
    let renamed = found.filter(|(_, user)| transition.booking.observed.organizer == Some(*user));
    let payload = EventPayload {
        requested: Some(spec.clone()),
        differs_in: differences.iter().map(|difference| difference.field.to_owned()).collect(),
        graph: renamed.map(|(lookup, _)| lookup.evidence.clone()),
        note: renamed.map(|(lookup, user)| {
            format!("The organizer is called {} from now on: the same user, {user}.", lookup.name)
        }),
        next: Some(next(transition)),
        ..from(origin)
    };
    event(transition.booking.updated_at, EventKind::BookingChanged, None, origin, payload)
}

/// The booking was cancelled, by a message with these keys of order.
pub(super) fn cancelled(transition: &Transition, sent: MessageOrder, origin: &Origin) -> NewAuditEvent {
    let MessageOrder { sequence, dtstamp } = sent;
    let payload = EventPayload { sequence, dtstamp, next: Some(next(transition)), ..from(origin) };
    event(transition.booking.updated_at, EventKind::BookingCancelled, None, origin, payload)
}

/// A booking that is not known was cancelled by a message with these keys of order; the tombstone says so from here on.
pub(super) fn cancel_kept(tombstone: &Tombstone, sent: MessageOrder, origin: &Origin) -> NewAuditEvent {
    let note = "The booking is not known. A create of it that is not newer makes no meeting.".to_owned();
    let MessageOrder { sequence, dtstamp } = sent;
    let payload = EventPayload { sequence, dtstamp, note: Some(note), ..from(origin) };
    event(tombstone.received_at, EventKind::CancelKept, None, origin, payload)
}

/// An older generation was cancelled, because this one takes its place or was cancelled itself.
pub(super) fn retired(booking: &Booking, origin: &Origin) -> NewAuditEvent {
    let note = format!("Generation {} has taken the place of this one.", booking.generation.number());
    let payload = EventPayload { note: Some(note), ..from(origin) };
    event(booking.updated_at, EventKind::BookingCancelled, None, origin, payload)
}

/// Its caller or an operator retried the booking: `before` is how it stood.
pub(super) fn retried(before: &Booking, transition: &Transition, origin: &Origin) -> NewAuditEvent {
    let status = before.status().as_str();
    let note = match &before.last_error {
        Some(error) => {
            format!("Made due by hand. It was {status}, with the last error {}.", error.code.code())
        }
        None => format!("Made due by hand. It was {status}."),
    };
    let payload = EventPayload { next: Some(next(transition)), note: Some(note), ..from(origin) };
    event(transition.booking.updated_at, EventKind::BookingRetried, None, origin, payload)
}

/// A booking was parked for a reason that this attempt for the same organizer refutes. The attempt may be of another source
/// system, so nothing else of it is told.
pub(super) fn freed(attempt: Attempt, now: Timestamp) -> NewAuditEvent {
    let note = format!(
        "Attempt {} for the same organizer went well, so that the reason for which this booking failed no longer holds.",
        attempt.id
    );
    let origin = Origin::worker();
    let payload = EventPayload { note: Some(note), ..EventPayload::default() };
    event(now, EventKind::BookingFreed, None, &origin, payload)
}

/// An attempt was answered; `before` is how the booking stood.
pub(super) fn settled(
    before: &Booking,
    transition: &Transition,
    answered: &Answered,
    attempt: Attempt,
    origin: &Origin,
) -> NewAuditEvent {
    let (booking, reply) = (&transition.booking, &answered.reply);
    let outcome = if transition.is_gone { &Outcome::Gone } else { &reply.outcome };
    let tells_link = matches!(outcome, Outcome::Created(_) | Outcome::Found(_) | Outcome::Changed(_));
    let meeting = booking.observed.meeting.as_ref().filter(|_| tells_link);
    let payload = EventPayload {
        requested: transition.is_adopted.then(|| booking.wanted.spec.clone()),
        attempt: Some(facts(attempt, booking.attempts, Some(&answered.call))),
        graph: Some(reply.evidence.clone()),
        differences: transition.differences.iter().cloned().map(MeetingDifference::cut).collect(),
        drift_policy: transition.drift.as_ref().map(|drift| drift.policy.as_str().to_owned()),
        join_web_url_sha256: meeting.map(|meeting| sha256_hex(meeting.join_web_url.as_str())),
        next: Some(next(transition)),
        note: is_unexpected(before, outcome).then(|| UNEXPECTED.to_owned()),
        ..from(origin)
    };
    let kind = match EventKind::of(outcome) {
        EventKind::MeetingSeen if transition.drift.is_some() => EventKind::MeetingDrifted,
        kind => kind,
    };
    event(booking.updated_at, kind, Some(outcome.as_str()), origin, payload)
}

const UNEXPECTED: &str = "Graph had this meeting before the booking first asked for it, and no earlier answer was lost. That is so \
                          after this service's database was restored; otherwise another application may have made it under \
                          this externalId.";

/// Whether Graph had the meeting before this booking can have made it: no answer to a creation was lost.
pub(super) fn is_unexpected(before: &Booking, outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Found(_)) && !before.observed.creation_unknown
}

/// An attempt was begun, and its call could not be sent before a time: nothing was asked of Graph, and it doesn't count.
pub(super) fn postponed(
    transition: &Transition,
    origin: &Origin,
    attempt: Attempt,
    why: &str,
) -> NewAuditEvent {
    let booking = &transition.booking;
    let payload = EventPayload {
        attempt: Some(facts(attempt, booking.attempts.saturating_add(1), None)),
        next: Some(next(transition)),
        note: Some(why.to_owned()),
        ..from(origin)
    };
    event(booking.updated_at, EventKind::CallPostponed, None, origin, payload)
}

/// A booking was due, and there turned out to be nothing to ask.
pub(super) fn agreed(transition: &Transition, origin: &Origin) -> NewAuditEvent {
    let payload = EventPayload { next: Some(next(transition)), ..from(origin) };
    event(transition.booking.updated_at, EventKind::BookingAgreed, None, origin, payload)
}

/// An attempt was begun and never settled; the claim that finds it fills in which one.
pub(super) fn abandoned(now: Timestamp) -> NewAuditEvent {
    let note = "The lease of this attempt ran out before it was settled: the process that made it ended, or could \
                not reach Postgres. Whether Graph carried it out is unknown; it is asked again.";
    let origin = Origin::worker();
    let payload = EventPayload { note: Some(note.to_owned()), ..from(&origin) };
    event(now, EventKind::CallUnknown, Some(Outcome::Unknown.as_str()), &origin, payload)
}

fn event(
    occurred_at: Timestamp,
    kind: EventKind,
    outcome: Option<&'static str>,
    origin: &Origin,
    payload: EventPayload,
) -> NewAuditEvent {
    NewAuditEvent { occurred_at, kind, outcome, actor: origin.actor.clone(), payload }
}

fn from(origin: &Origin) -> EventPayload {
    EventPayload {
        request_id: origin.request_id.clone(),
        traceparent: origin.traceparent.clone(),
        ..EventPayload::default()
    }
}

fn facts(attempt: Attempt, number: u32, call: Option<&Call>) -> AttemptFacts {
    AttemptFacts {
        id: attempt.id.uuid(),
        number,
        call: call.map(|call| call.kind().as_str().to_owned()),
        started_at: attempt.started_at,
    }
}

fn next(transition: &Transition) -> NextFacts {
    NextFacts {
        status: transition.booking.status().as_str().to_owned(),
        call: transition.next.as_ref().map(|call| call.kind().as_str().to_owned()),
        due_at: transition.booking.due_at(),
    }
}
