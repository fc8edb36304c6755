//! The events that testify to what is done here.

use crate::audit::{AttemptFacts, EventKind, EventPayload, NewAuditEvent, NextFacts, Origin};
use crate::booking::Difference;
use crate::clock::Timestamp;
use crate::meeting::{Attempt, Booking, Call, DriftPolicy, Outcome, Reply, meeting_differences, next_call};

/// A booking is stored, and its first attempt is begun.
pub(super) fn accepted(booking: &Booking, origin: &Origin, attempt: Attempt) -> NewAuditEvent {
    let call = next_call(&booking.wanted, &booking.observed);
    let payload = EventPayload {
        requested: Some(booking.wanted.spec.clone()),
        next: Some(next(booking)),
        attempt: Some(facts(attempt, 1, call.as_ref())),
        ..from(origin)
    };
    event(booking.updated_at, EventKind::BookingAccepted, None, origin, payload)
}

/// Something else is wanted of the booking, in these fields.
pub(super) fn changed(booking: &Booking, differences: &[Difference], origin: &Origin) -> NewAuditEvent {
    let payload = EventPayload {
        requested: Some(booking.wanted.spec.clone()),
        differs_in: differences.iter().map(|difference| difference.field.to_owned()).collect(),
        next: Some(next(booking)),
        ..from(origin)
    };
    event(booking.updated_at, EventKind::BookingChanged, None, origin, payload)
}

/// The booking was called off.
pub(super) fn cancelled(booking: &Booking, origin: &Origin) -> NewAuditEvent {
    let payload = EventPayload { next: Some(next(booking)), ..from(origin) };
    event(booking.updated_at, EventKind::BookingCancelled, None, origin, payload)
}

/// An older generation was called off, because this one takes its place or was called off itself.
pub(super) fn retired(booking: &Booking, origin: &Origin) -> NewAuditEvent {
    let note = format!("Generation {} has taken the place of this one.", booking.generation.number());
    let payload = EventPayload { note: Some(note), ..from(origin) };
    event(booking.updated_at, EventKind::BookingCancelled, None, origin, payload)
}

/// Somebody made the booking due again: `before` is how it stood, `booking` how it stands now.
pub(super) fn retried(before: &Booking, booking: &Booking, origin: &Origin) -> NewAuditEvent {
    let status = before.status().as_str();
    let note = match &before.last_error {
        Some(error) => {
            format!("Made due by hand. It was {status}, with the last error {}.", error.code.code())
        }
        None => format!("Made due by hand. It was {status}."),
    };
    let payload = EventPayload { next: Some(next(booking)), note: Some(note), ..from(origin) };
    event(booking.updated_at, EventKind::BookingRetried, None, origin, payload)
}

/// A booking was parked for want of an access policy, and this attempt for the same organizer went well. It may be of
/// another source system, so nothing else of it is told.
pub(super) fn freed(attempt: Attempt, now: Timestamp) -> NewAuditEvent {
    let note =
        format!("Attempt {} for the same organizer went well, so the access policy is there.", attempt.id);
    let origin = Origin::worker();
    let payload = EventPayload { note: Some(note), ..EventPayload::default() };
    event(now, EventKind::BookingFreed, None, &origin, payload)
}

/// An attempt is settled: `before` is how the booking stood, `booking` how it stands now. `drift_policy` is what was
/// done about a meeting that had moved away from its booking; none where it hadn't.
pub(super) fn settled(
    before: &Booking,
    booking: &Booking,
    origin: &Origin,
    (attempt, call, reply): (Attempt, &Call, &Reply),
    drift_policy: Option<DriftPolicy>,
) -> NewAuditEvent {
    let wanted = &before.wanted.spec;
    let seen = reply.outcome.meeting();
    let is_adopted = booking.wanted.revision != before.wanted.revision;
    let payload = EventPayload {
        requested: is_adopted.then(|| booking.wanted.spec.clone()),
        attempt: Some(facts(attempt, booking.attempts, Some(call))),
        graph: Some(reply.evidence.clone()),
        differences: seen.map(|seen| meeting_differences(wanted, &seen.seen)).unwrap_or_default(),
        drift_policy: drift_policy.map(|policy| policy.as_str().to_owned()),
        next: Some(next(booking)),
        ..from(origin)
    };
    let kind = match EventKind::of(&reply.outcome) {
        EventKind::MeetingSeen if drift_policy.is_some() => EventKind::MeetingDrifted,
        kind => kind,
    };
    event(booking.updated_at, kind, Some(reply.outcome.as_str()), origin, payload)
}

/// An attempt was begun, and its call could not be sent before a time: nothing was asked of Graph, and it doesn't count.
pub(super) fn postponed(booking: &Booking, origin: &Origin, attempt: Attempt, why: &str) -> NewAuditEvent {
    let payload = EventPayload {
        attempt: Some(facts(attempt, booking.attempts.saturating_add(1), None)),
        next: Some(next(booking)),
        note: Some(why.to_owned()),
        ..from(origin)
    };
    event(booking.updated_at, EventKind::CallPostponed, None, origin, payload)
}

/// A booking was due, and there turned out to be nothing to ask.
pub(super) fn agreed(booking: &Booking, origin: &Origin) -> NewAuditEvent {
    let payload = EventPayload { next: Some(next(booking)), ..from(origin) };
    event(booking.updated_at, EventKind::BookingAgreed, None, origin, payload)
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

fn next(booking: &Booking) -> NextFacts {
    let call = booking.due_at().and_then(|_| next_call(&booking.wanted, &booking.observed));
    NextFacts {
        status: booking.status().as_str().to_owned(),
        call: call.map(|call| call.kind().as_str().to_owned()),
        due_at: booking.due_at(),
    }
}
