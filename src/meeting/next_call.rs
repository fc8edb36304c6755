//! The only place that decides what to ask of Graph.

use super::booking::{DesiredState, Wanted};
use super::call::{Call, Change};
use super::compare::compare;
use super::observed::{Agreement, Observed, Seen};
use crate::booking::{Organizer, UserId};

/// What to ask of Graph so that what is observed comes to agree with what is wanted; nothing when they agree.
///
/// A meeting is mended once for each revision of what is wanted, and once more for what is found to differ later.
/// Should it still differ after that, Graph will not have it otherwise, and asking again would never end.
#[must_use]
pub fn next_call(wanted: &Wanted, observed: &Observed) -> Option<Call> {
    match wanted.desired_state {
        DesiredState::Present => hold(wanted, observed),
        DesiredState::Cancelled => cancel(wanted, observed),
    }
}

fn hold(wanted: &Wanted, observed: &Observed) -> Option<Call> {
    let Some(organizer) = organizer(wanted, observed) else { return find_organizer(wanted) };
    let Some(meeting) = &observed.meeting else { return Some(create_or_get(wanted, organizer)) };
    let in_channel = in_channel(wanted);
    if meeting.agreement.revision() != Some(wanted.revision) {
        let is_unknown = meeting.agreement == Agreement::Unknown || meeting.seen == Seen::default();
        let change =
            if is_unknown { Change::whole(&wanted.spec) } else { compare(&wanted.spec, &meeting.seen) };
        if !change.is_empty() {
            let change = change.with_what_belongs_to_it(&wanted.spec);
            return Some(Call::Change { organizer, meeting: meeting.id.clone(), in_channel, change });
        }
    }
    let is_to_be_seen = match meeting.agreement {
        Agreement::CheckRequested(_) => true,
        Agreement::UnderWay(revision) => revision == wanted.revision,
        Agreement::At(_) | Agreement::Differs | Agreement::Unknown => false,
    };
    is_to_be_seen.then(|| Call::Look { organizer, meeting: meeting.id.clone(), in_channel })
}

fn cancel(wanted: &Wanted, observed: &Observed) -> Option<Call> {
    let Some(organizer) = organizer(wanted, observed) else {
        return observed.creation_unknown.then(|| find_organizer(wanted)).flatten();
    };
    match &observed.meeting {
        // The outcome is unknown: only the same call can tell whether there is a meeting to remove.
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

/// The organizer's object id, as far as it is known: the one that a call used or found, else the one that is wanted.
pub(super) fn organizer(wanted: &Wanted, observed: &Observed) -> Option<UserId> {
    observed.organizer.or(match &wanted.spec.organizer {
        Organizer::UserId(id) => Some(*id),
        Organizer::Upn(_) => None,
    })
}

fn in_channel(wanted: &Wanted) -> bool {
    wanted.spec.chat_thread_id.is_some()
}

fn find_organizer(wanted: &Wanted) -> Option<Call> {
    match &wanted.spec.organizer {
        Organizer::Upn(upn) => Some(Call::FindOrganizer(upn.clone())),
        Organizer::UserId(_) => None,
    }
}

fn create_or_get(wanted: &Wanted, organizer: UserId) -> Call {
    Call::CreateOrGet { organizer, external_id: wanted.external_id, spec: Box::new(wanted.spec.clone()) }
}

#[cfg(test)]
#[path = "next_call_tests.rs"]
mod tests;
