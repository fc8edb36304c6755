//! What is observed once a call was answered.

use super::call::Call;
use super::observed::{Agreement, CreatedBy, Meeting, Observed, Seen};
use super::outcome::{Outcome, Refusal, SeenMeeting};
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
    /// Whether the meeting that it tells of agrees with what is wanted now.
    pub(super) agrees: bool,
    /// Whether that meeting has moved away from its booking since they agreed.
    pub(super) has_drifted: bool,
}

/// What is observed after an answer. `wanted_revision` is that of what is wanted by now: a caller may have changed it while
/// the call was under way.
#[must_use]
pub(super) fn observe(
    mut observed: Observed,
    wanted_revision: u32,
    told: &Told<'_>,
    now: Timestamp,
) -> Observed {
    let Told { call, outcome, .. } = *told;
    observed.organizer = call.organizer().or(observed.organizer);
    match outcome {
        Outcome::OrganizerFound(id) => observed.organizer = Some(*id),
        Outcome::Created(seen) | Outcome::Found(seen) => {
            observed.creation_unknown = false;
            observed.meeting = Some(Meeting {
                agreement: if told.agrees { Agreement::At(wanted_revision) } else { Agreement::Differs },
                ..first_seen(seen, outcome, now)
            });
        }
        Outcome::Changed(None) => {
            if let Some(meeting) = &mut observed.meeting {
                note_change_untold(meeting, told, wanted_revision);
            }
        }
        Outcome::Seen(None) => {
            if let Some(meeting) = &mut observed.meeting {
                meeting.agreement = meeting.agreement.with_nothing_requested();
            }
        }
        Outcome::Changed(Some(content)) | Outcome::Seen(Some(content)) => {
            if let Some(meeting) = &mut observed.meeting {
                // What was asked for is settled by the answer, whatever it says; what else is found to differ is not.
                let agreed = Agreement::At(told.asked_by);
                meeting.agreement = if told.has_drifted { Agreement::Differs } else { agreed };
                meeting.lobby_closed |= matches!(call, Call::Change { change, .. } if change.close_lobby);
                meeting.seen = content.seen.clone();
                meeting.seen_at = now;
            }
        }
        Outcome::Gone => {
            if let Some(meeting) = &mut observed.meeting {
                meeting.removed = true;
                meeting.agreement = meeting.agreement.with_nothing_requested();
            }
        }
        // A refusal that says nothing of what was asked doesn't say either that nothing was done.
        Outcome::Unknown
        | Outcome::Throttled { .. }
        | Outcome::Unavailable { .. }
        | Outcome::Refused(Refusal::Passing) => {
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
        agreement: Agreement::Differs,
        lobby_closed: false,
        removed: false,
    }
}
