//! What is observed once a call was answered.

use super::booking::Wanted;
use super::call::{Call, Change};
use super::observed::{Agreement, CreatedBy, Meeting, Observed, Seen};
use super::outcome::{Outcome, Refusal, SeenMeeting};
use super::seen_settings::SeenSettings;
use crate::booking::Organizer;
use crate::clock::Timestamp;

/// An answer of Graph, beside what is wanted.
#[derive(Debug)]
pub(super) struct Told<'a> {
    /// What was asked.
    pub(super) call: &'a Call,
    /// The revision of what was wanted that asked for it.
    pub(super) asked_by: u32,
    /// What came of it.
    pub(super) outcome: &'a Outcome,
    /// What it tells of the meeting.
    pub(super) seen: Option<&'a Seen>,
    /// What would have to change so that this agrees with what is wanted now; nothing where it tells nothing.
    pub(super) lacking: Option<&'a Change>,
    /// Whether the meeting has moved away from its booking since they agreed, in what a call can change.
    pub(super) has_drifted: bool,
}

/// What is observed after an answer. `wanted` is that by now: a caller may have changed it while the call was under way. An
/// answer about the former name of a corrected organizer says nothing of this one.
#[must_use]
pub(super) fn observe(mut observed: Observed, wanted: &Wanted, told: &Told<'_>, now: Timestamp) -> Observed {
    let Told { call, outcome, .. } = *told;
    observed.organizer = call.organizer().or(observed.organizer);
    match outcome {
        Outcome::OrganizerFound(id) => {
            if matches!(call, Call::FindOrganizer(upn) if wanted.spec.organizer == Organizer::Upn(upn.clone()))
            {
                observed.organizer = Some(*id);
            }
        }
        Outcome::Created(seen) | Outcome::Found(seen) => {
            let is_ours = matches!(outcome, Outcome::Created(_)) || observed.creation_unknown;
            observed.creation_unknown = false;
            let mut meeting = first_seen(seen, outcome, now);
            if told.lacking.is_some_and(Change::is_empty) {
                meeting.agreement = Agreement::At(wanted.revision);
            }
            // A meeting that we made has its first settings yet. One that was there may have been set for this booking before
            // its row was lost.
            if is_ours {
                meeting.settings_before.note_first(&wanted.spec.effective_settings, &meeting.seen.settings);
            }
            observed.meeting = Some(meeting);
        }
        Outcome::Changed(None) => {
            if let Some(meeting) = &mut observed.meeting {
                note_change_untold(meeting, told, wanted.revision);
            }
        }
        Outcome::Seen(None) => {
            if let Some(meeting) = &mut observed.meeting {
                meeting.agreement = meeting.agreement.with_nothing_requested();
            }
        }
        Outcome::Changed(Some(_)) | Outcome::Seen(Some(_)) => {
            if let (Some(meeting), Some(seen)) = (&mut observed.meeting, told.seen) {
                meeting.agreement = agreement(meeting.agreement, told, seen.is_under_way(now));
                meeting.lobby_closed |= matches!(call, Call::Change { change, .. } if change.close_lobby);
                meeting.seen = seen.clone();
                meeting.seen_at = now;
            }
        }
        Outcome::Gone => {
            observed.creation_unknown = false;
            if let Some(meeting) = &mut observed.meeting {
                meeting.removed = true;
                meeting.agreement = meeting.agreement.with_nothing_requested();
            }
        }
        // A refusal that says nothing of what was asked doesn't say either that nothing was done.
        Outcome::Unknown
        | Outcome::Throttled { .. }
        | Outcome::Unavailable { .. }
        | Outcome::Refused(Refusal::Passing { .. }) => {
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

/// Whether the meeting agrees after an answer that tells of it. What was asked for is settled by the answer, whatever it says;
/// what else is found to differ is not, nor are times that Graph left as they were because the meeting is under way
/// (Microsoft's page "Update onlineMeeting": changing the times of a meeting in progress has no effect).
fn agreement(before: Agreement, told: &Told<'_>, is_under_way: bool) -> Agreement {
    let asked_for_times = match told.call {
        Call::Change { change, .. } => change.times.is_some(),
        _ => before == Agreement::UnderWay(told.asked_by),
    };
    let lacks_times = told.lacking.is_some_and(|change| change.times.is_some());
    match asked_for_times && lacks_times {
        true if is_under_way => Agreement::UnderWay(told.asked_by),
        // It was under way when it was last changed, and is over.
        true if !matches!(told.call, Call::Change { .. }) => Agreement::Differs,
        _ if told.has_drifted => Agreement::Differs,
        _ => Agreement::At(told.asked_by),
    }
}

/// Graph changed the meeting, but did not tell how it is now: what was seen before holds no more, and it is looked at, once.
/// A closed lobby needs no look, since the meeting is removed next. Where a caller has changed what is wanted meanwhile, the
/// next change tells more than a look would.
fn note_change_untold(meeting: &mut Meeting, told: &Told<'_>, wanted_revision: u32) {
    let Call::Change { change, .. } = told.call else { return };
    if change.close_lobby {
        meeting.lobby_closed = true;
        return;
    }
    meeting.seen = Seen::default();
    meeting.agreement = if told.asked_by == wanted_revision {
        Agreement::CheckRequested(wanted_revision)
    } else {
        Agreement::Unknown
    };
}

fn first_seen(seen: &SeenMeeting, outcome: &Outcome, now: Timestamp) -> Meeting {
    let is_made = matches!(outcome, Outcome::Created(_));
    Meeting {
        id: seen.id.clone(),
        join_web_url: seen.join_web_url.clone(),
        chat_thread_id: seen.chat_thread_id.clone(),
        created_by: if is_made { CreatedBy::ThisRequest } else { CreatedBy::Existing },
        seen: seen.content.seen.clone(),
        seen_at: now,
        settings_before: SeenSettings::default(),
        agreement: Agreement::Differs,
        lobby_closed: false,
        removed: false,
    }
}
