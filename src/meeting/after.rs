//! What is observed once a call was answered.

use super::booking::Wanted;
use super::call::Call;
use super::compare::compare;
use super::meeting_difference::{MeetingDifference, meeting_differences};
use super::observed::{Agreement, CreatedBy, Meeting, Observed, Seen};
use super::outcome::{Outcome, SeenMeeting};
use crate::booking::BookingSpec;
use crate::clock::Timestamp;

/// What is observed after a call that was asked for by this revision of what is wanted. `wanted` is what is wanted by
/// now: it may have changed while the call was under way.
#[must_use]
pub fn after(
    mut observed: Observed,
    (wanted, asked_by): (&Wanted, u32),
    call: &Call,
    outcome: &Outcome,
    now: Timestamp,
) -> Observed {
    observed.organizer = call.organizer().or(observed.organizer);
    match outcome {
        Outcome::OrganizerFound(id) => observed.organizer = Some(*id),
        Outcome::Created(seen) => note_meeting(&mut observed, wanted, seen, (CreatedBy::ThisRequest, now)),
        Outcome::Found(seen) => note_meeting(&mut observed, wanted, seen, (CreatedBy::Existing, now)),
        Outcome::Changed(seen) | Outcome::Seen(seen) => {
            if let Some(meeting) = &mut observed.meeting {
                note_look(meeting, (wanted, asked_by), call, (seen, now));
            }
        }
        Outcome::Gone => {
            if let Some(meeting) = &mut observed.meeting {
                meeting.removed = true;
                meeting.agreement = meeting.agreement.with_nothing_requested();
            }
        }
        Outcome::Unknown | Outcome::Throttled { .. } | Outcome::Unavailable { .. } => {
            observed.creation_unknown |= matches!(call, Call::CreateOrGet { .. });
            if matches!(call, Call::Change { change, .. } if !change.close_lobby)
                && let Some(meeting) = &mut observed.meeting
            {
                meeting.agreement = Agreement::Unknown;
            }
        }
        Outcome::Refused(_) => {}
    }
    observed
}

fn note_meeting(
    observed: &mut Observed,
    wanted: &Wanted,
    seen: &SeenMeeting,
    (created_by, now): (CreatedBy, Timestamp),
) {
    let agrees = compare(&wanted.spec, &seen.seen).is_empty();
    observed.creation_unknown = false;
    observed.meeting = Some(Meeting {
        id: seen.id.clone(),
        join_web_url: seen.join_web_url.clone(),
        chat_thread_id: seen.chat_thread_id.clone(),
        created_by,
        seen: seen.seen.clone(),
        seen_at: now,
        agreement: if agrees { Agreement::At(wanted.revision) } else { Agreement::Differs },
        lobby_closed: false,
        removed: false,
    });
}

/// What was asked for is settled by the answer, whatever it says; what else is found to differ is not.
fn note_look(
    meeting: &mut Meeting,
    (wanted, asked_by): (&Wanted, u32),
    call: &Call,
    (seen, now): (&SeenMeeting, Timestamp),
) {
    let has_drifted =
        asked_by == wanted.revision && !drift(&wanted.spec, &meeting.seen, &seen.seen, call).is_empty();
    meeting.lobby_closed |= matches!(call, Call::Change { change, .. } if change.close_lobby);
    meeting.agreement = if has_drifted { Agreement::Differs } else { Agreement::At(asked_by) };
    meeting.seen = seen.seen.clone();
    meeting.seen_at = now;
}

/// In what a meeting that Graph told of before, and tells of now in answer to a call, has moved away from its booking.
/// What the call asked for doesn't count, and neither does a difference that was known before: it was settled then.
#[must_use]
pub fn drift(spec: &BookingSpec, before: &Seen, now: &Seen, call: &Call) -> Vec<MeetingDifference> {
    let asked = match call {
        Call::Change { change, .. } => change.members(),
        _ => Vec::new(),
    };
    let known = meeting_differences(spec, before);
    let mut found = meeting_differences(spec, now);
    found.retain(|one| !asked.contains(&one.field.as_str()) && !known.contains(one));
    found
}
