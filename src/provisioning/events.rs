//! The events that testify to what is done here.

use crate::audit::{AttemptFacts, EventKind, NewAuditEvent, NextFacts, Origin, Testimony};
use crate::booking::Difference;
use crate::clock::Timestamp;
use crate::meeting::{Attempt, Call, DriftPolicy, Outcome, Reply, Standing, meeting_differences, next_call};

/// A booking is stored, and its first attempt is begun.
pub(super) fn accepted(standing: &Standing, origin: &Origin, attempt: Attempt) -> NewAuditEvent {
    let call = next_call(&standing.wanted, &standing.observed);
    let testimony = Testimony {
        requested: Some(standing.wanted.booking.clone()),
        next: Some(next(standing)),
        attempt: Some(facts(attempt, 1, call.as_ref())),
        ..from(origin)
    };
    event(standing.updated_at, EventKind::BookingAccepted, None, origin, testimony)
}

/// Something else is wanted of the booking, in these fields.
pub(super) fn changed(standing: &Standing, differences: &[Difference], origin: &Origin) -> NewAuditEvent {
    let testimony = Testimony {
        requested: Some(standing.wanted.booking.clone()),
        differs_in: differences.iter().map(|difference| difference.field.to_owned()).collect(),
        next: Some(next(standing)),
        ..from(origin)
    };
    event(standing.updated_at, EventKind::BookingChanged, None, origin, testimony)
}

/// The booking was called off.
pub(super) fn cancelled(standing: &Standing, origin: &Origin) -> NewAuditEvent {
    let testimony = Testimony { next: Some(next(standing)), ..from(origin) };
    event(standing.updated_at, EventKind::BookingCancelled, None, origin, testimony)
}

/// An older generation was called off, because this one takes its place or was called off itself.
pub(super) fn retired(standing: &Standing, origin: &Origin) -> NewAuditEvent {
    let note = format!("Generation {} has taken the place of this one.", standing.generation.number());
    let testimony = Testimony { note: Some(note), ..from(origin) };
    event(standing.updated_at, EventKind::BookingCancelled, None, origin, testimony)
}

/// Somebody made the booking due again: `before` is how it stood, `standing` how it stands now.
pub(super) fn retried(before: &Standing, standing: &Standing, origin: &Origin) -> NewAuditEvent {
    let status = before.status().as_str();
    let note = match &before.last_error {
        Some(error) => {
            format!("Made due by hand. It was {status}, with the last error {}.", error.code.code())
        }
        None => format!("Made due by hand. It was {status}."),
    };
    let testimony = Testimony { next: Some(next(standing)), note: Some(note), ..from(origin) };
    event(standing.updated_at, EventKind::BookingRetried, None, origin, testimony)
}

/// A booking was parked for want of an access policy, and this attempt for the same organizer went well. It may be of
/// another source system, so nothing else of it is told.
pub(super) fn freed(attempt: Attempt, now: Timestamp) -> NewAuditEvent {
    let note =
        format!("Attempt {} for the same organizer went well, so the access policy is there.", attempt.id);
    let origin = Origin::worker();
    let testimony = Testimony { note: Some(note), ..Testimony::default() };
    event(now, EventKind::BookingFreed, None, &origin, testimony)
}

/// An attempt is settled: `before` is how the booking stood, `standing` how it stands now. `drift_policy` is what was
/// done about a meeting that had moved away from its booking; none where it hadn't.
pub(super) fn settled(
    before: &Standing,
    standing: &Standing,
    origin: &Origin,
    (attempt, call, reply): (Attempt, &Call, &Reply),
    drift_policy: Option<DriftPolicy>,
) -> NewAuditEvent {
    let wanted = &before.wanted.booking;
    let seen = reply.outcome.meeting();
    let is_adopted = standing.wanted.revision != before.wanted.revision;
    let testimony = Testimony {
        requested: is_adopted.then(|| standing.wanted.booking.clone()),
        attempt: Some(facts(attempt, standing.attempts, Some(call))),
        graph: Some(reply.evidence.clone()),
        differences: seen.map(|seen| meeting_differences(wanted, &seen.seen)).unwrap_or_default(),
        drift_policy: drift_policy.map(|policy| policy.as_str().to_owned()),
        next: Some(next(standing)),
        ..from(origin)
    };
    let kind = match EventKind::of(&reply.outcome) {
        EventKind::MeetingSeen if drift_policy.is_some() => EventKind::MeetingDrifted,
        kind => kind,
    };
    event(standing.updated_at, kind, Some(reply.outcome.as_str()), origin, testimony)
}

/// An attempt was begun, and its call could not be sent before a time: nothing was asked of Graph, and it doesn't count.
pub(super) fn postponed(standing: &Standing, origin: &Origin, attempt: Attempt, why: &str) -> NewAuditEvent {
    let testimony = Testimony {
        attempt: Some(facts(attempt, standing.attempts.saturating_add(1), None)),
        next: Some(next(standing)),
        note: Some(why.to_owned()),
        ..from(origin)
    };
    event(standing.updated_at, EventKind::CallPostponed, None, origin, testimony)
}

/// A booking was due, and there turned out to be nothing to ask.
pub(super) fn agreed(standing: &Standing, origin: &Origin) -> NewAuditEvent {
    let testimony = Testimony { next: Some(next(standing)), ..from(origin) };
    event(standing.updated_at, EventKind::BookingAgreed, None, origin, testimony)
}

/// An attempt was begun and never settled; the claim that finds it fills in which one.
pub(super) fn abandoned(now: Timestamp) -> NewAuditEvent {
    let note = "The lease of this attempt ran out before it was settled: the process that made it ended, or could \
                not reach Postgres. Whether Graph carried it out is unknown; it is asked again.";
    let origin = Origin::worker();
    let testimony = Testimony { note: Some(note.to_owned()), ..from(&origin) };
    event(now, EventKind::CallUnknown, Some(Outcome::Unknown.as_str()), &origin, testimony)
}

fn event(
    occurred_at: Timestamp,
    kind: EventKind,
    outcome: Option<&'static str>,
    origin: &Origin,
    testimony: Testimony,
) -> NewAuditEvent {
    NewAuditEvent { occurred_at, kind, outcome, actor: origin.actor.clone(), testimony }
}

fn from(origin: &Origin) -> Testimony {
    Testimony {
        request_id: origin.request_id.clone(),
        traceparent: origin.traceparent.clone(),
        ..Testimony::default()
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

fn next(standing: &Standing) -> NextFacts {
    let call = standing.due_at().and_then(|_| next_call(&standing.wanted, &standing.observed));
    NextFacts {
        status: standing.status().as_str().to_owned(),
        call: call.map(|call| call.kind().as_str().to_owned()),
        due_at: standing.due_at(),
    }
}
