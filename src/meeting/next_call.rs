//! The only place that decides what to ask of Graph.

use super::call::{Call, Change};
use super::compare::compare;
use super::observed::{CreatedBy, Meeting, Observed};
use super::outcome::{Outcome, SeenMeeting};
use super::standing::{Life, Wanted};
use crate::booking::{Organizer, UserId};

/// What to ask of Graph so that what is observed comes to agree with what is wanted; nothing when they agree.
///
/// A meeting is mended once for each revision of what is wanted. Should it still differ after that, Graph will
/// not have it otherwise, and asking again would never end.
#[must_use]
pub fn next_call(wanted: &Wanted, observed: &Observed) -> Option<Call> {
    match wanted.life {
        Life::Held => hold(wanted, observed),
        Life::Cancelled => cancel(wanted, observed),
    }
}

fn hold(wanted: &Wanted, observed: &Observed) -> Option<Call> {
    let Some(organizer) = organizer(wanted, observed) else { return find_organizer(wanted) };
    let Some(meeting) = &observed.meeting else { return Some(create_or_get(wanted, organizer)) };
    if meeting.agreed_revision == Some(wanted.revision) {
        return None;
    }
    let change = compare(&wanted.booking, &meeting.seen);
    (!change.is_empty()).then(|| Call::Change {
        organizer,
        meeting: meeting.id.clone(),
        in_channel: in_channel(wanted),
        change: change.with_what_belongs_to_it(&wanted.booking),
    })
}

fn cancel(wanted: &Wanted, observed: &Observed) -> Option<Call> {
    let Some(organizer) = organizer(wanted, observed) else {
        return observed.creation_unknown.then(|| find_organizer(wanted)).flatten();
    };
    match &observed.meeting {
        // Nobody saw an answer: only the same call can tell whether there is a meeting to remove.
        None => observed.creation_unknown.then(|| create_or_get(wanted, organizer)),
        Some(meeting) if meeting.removed => None,
        Some(meeting) if meeting.lobby_closed => {
            Some(Call::Remove { organizer, meeting: meeting.id.clone(), in_channel: in_channel(wanted) })
        }
        Some(meeting) => Some(Call::Change {
            organizer,
            meeting: meeting.id.clone(),
            in_channel: in_channel(wanted),
            change: Change { close_lobby: true, ..Change::default() },
        }),
    }
}

fn organizer(wanted: &Wanted, observed: &Observed) -> Option<UserId> {
    observed.organizer.or(match &wanted.booking.organizer {
        Organizer::UserId(id) => Some(*id),
        Organizer::Upn(_) => None,
    })
}

fn in_channel(wanted: &Wanted) -> bool {
    wanted.booking.chat_thread_id.is_some()
}

fn find_organizer(wanted: &Wanted) -> Option<Call> {
    match &wanted.booking.organizer {
        Organizer::Upn(upn) => Some(Call::FindOrganizer(upn.clone())),
        Organizer::UserId(_) => None,
    }
}

fn create_or_get(wanted: &Wanted, organizer: UserId) -> Call {
    Call::CreateOrGet {
        organizer,
        external_id: wanted.external_id,
        booking: Box::new(wanted.booking.clone()),
    }
}

/// What is observed after a call that was asked for by this revision of what is wanted. `wanted` is what is wanted by
/// now: it may have changed while the call was under way.
#[must_use]
pub fn after(
    mut observed: Observed,
    (wanted, asked_by): (&Wanted, u32),
    call: &Call,
    outcome: &Outcome,
) -> Observed {
    observed.organizer = match call {
        Call::FindOrganizer(_) => observed.organizer,
        Call::CreateOrGet { organizer, .. }
        | Call::Change { organizer, .. }
        | Call::Remove { organizer, .. } => Some(*organizer),
    };
    match outcome {
        Outcome::OrganizerFound(id) => observed.organizer = Some(*id),
        Outcome::Created(seen) => note_meeting(&mut observed, wanted, seen, CreatedBy::ThisRequest),
        Outcome::Found(seen) => note_meeting(&mut observed, wanted, seen, CreatedBy::Existing),
        Outcome::Changed(seen) => note_change(&mut observed, asked_by, call, seen),
        Outcome::Gone => {
            if let Some(meeting) = &mut observed.meeting {
                meeting.removed = true;
            }
        }
        Outcome::Unknown | Outcome::Throttled { .. } | Outcome::Unavailable { .. } => {
            observed.creation_unknown |= matches!(call, Call::CreateOrGet { .. });
        }
        Outcome::Refused(_) => {}
    }
    observed
}

fn note_meeting(observed: &mut Observed, wanted: &Wanted, seen: &SeenMeeting, created_by: CreatedBy) {
    let agrees = compare(&wanted.booking, &seen.seen).is_empty();
    observed.creation_unknown = false;
    observed.meeting = Some(Meeting {
        id: seen.id.clone(),
        join_web_url: seen.join_web_url.clone(),
        chat_thread_id: seen.chat_thread_id.clone(),
        created_by,
        seen: seen.seen.clone(),
        agreed_revision: agrees.then_some(wanted.revision),
        lobby_closed: false,
        removed: false,
    });
}

fn note_change(observed: &mut Observed, asked_by: u32, call: &Call, seen: &SeenMeeting) {
    let closes_lobby = matches!(call, Call::Change { change, .. } if change.close_lobby);
    if let Some(meeting) = &mut observed.meeting {
        meeting.lobby_closed |= closes_lobby;
        meeting.agreed_revision = Some(asked_by);
        meeting.seen = seen.seen.clone();
    }
}

#[cfg(test)]
#[path = "next_call_tests.rs"]
mod tests;
