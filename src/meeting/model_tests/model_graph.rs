//! Graph, as its documentation has it, in memory.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::ORGANIZERS;
use crate::booking::{
    ALLOWED_PRESENTERS, Attendee, AttendeeRole, BookingSpec, ExternalId, SettingValue, UserId,
};
use crate::meeting::{
    Call, JoinWebUrl, MeetingContent, MeetingId, Outcome, Refusal, Seen, SeenAttendee, SeenMeeting,
    SeenSetting, SeenSettings,
};

/// A meeting in the model.
#[derive(Debug, Clone)]
pub(super) struct HeldMeeting {
    pub(super) organizer: UserId,
    pub(super) seen: Seen,
    pub(super) is_live: bool,
}

/// Graph, as its documentation has it: one live meeting for each organizer and externalId; a known pair is answered whatever
/// the body says. The same externalId under another organizer is another meeting.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) meetings: BTreeMap<Uuid, Vec<HeldMeeting>>,
}

impl Graph {
    pub(super) fn carry_out(&mut self, call: &Call, external_id: ExternalId) -> Outcome {
        let key = external_id.uuid();
        let meetings = self.meetings.entry(key).or_default();
        let number = meetings.len();
        let live = meetings
            .iter_mut()
            .find(|meeting| meeting.is_live && call.organizer() == Some(meeting.organizer));
        match (call, live) {
            (Call::FindOrganizer(name), _) => Outcome::OrganizerFound(user(name.as_str())),
            (Call::CreateOrGet { .. }, Some(meeting)) => Outcome::Found(told(key, number, &meeting.seen)),
            (Call::CreateOrGet { organizer, spec, .. }, None) => {
                let seen = Seen { settings: at_first(), ..seen(spec) };
                meetings.push(HeldMeeting { organizer: *organizer, seen: seen.clone(), is_live: true });
                Outcome::Created(told(key, number + 1, &seen))
            }
            (Call::Remove { .. }, live) => {
                if let Some(meeting) = live {
                    meeting.is_live = false;
                }
                Outcome::Gone
            }
            (Call::Look { .. }, Some(meeting)) => Outcome::Seen(Some(Box::new(content(&meeting.seen)))),
            (Call::Change { change, .. }, Some(meeting)) => {
                if let Some(subject) = &change.subject {
                    meeting.seen.subject = subject.as_ref().map(|subject| subject.as_str().to_owned());
                }
                if let Some((start, end)) = change.times {
                    (meeting.seen.start, meeting.seen.end) = (Some(start), Some(end));
                }
                if let Some(attendees) = &change.attendees {
                    meeting.seen.attendees = Some(attendees.iter().map(taking_part).collect());
                }
                for (path, value) in change.settings.iter() {
                    meeting.seen.settings.note(path, has(value));
                }
                Outcome::Changed(Some(Box::new(content(&meeting.seen))))
            }
            (Call::Look { .. } | Call::Change { .. }, None) => Outcome::Refused(Refusal::MeetingMissing),
        }
    }
}

/// The user whom a caller means.
pub(super) fn user(name: &str) -> UserId {
    let known = ORGANIZERS.iter().find(|(known, _)| *known == name);
    UserId::parse(known.unwrap().1).unwrap()
}

fn taking_part(attendee: &Attendee) -> SeenAttendee {
    let role = (attendee.role != AttendeeRole::Attendee).then(|| attendee.role.as_str().to_owned());
    SeenAttendee { user_id: None, upn: Some(attendee.upn.folded()), role }
}

fn has(value: SettingValue) -> SeenSetting {
    match value {
        SettingValue::Switch(on) => SeenSetting::Switch(on),
        SettingValue::Word(word) => SeenSetting::Word(word.to_owned()),
    }
}

/// The settings with which Graph makes a meeting.
fn at_first() -> SeenSettings {
    let mut settings = SeenSettings::default();
    settings.note(ALLOWED_PRESENTERS, SeenSetting::Word("everyone".to_owned()));
    settings
}

/// The meeting as it should be for this booking, whatever it was before.
pub(super) fn seen(spec: &BookingSpec) -> Seen {
    let mut settings = at_first();
    for (path, value) in spec.effective_settings.iter() {
        settings.note(path, has(value));
    }
    Seen {
        subject: spec.subject.as_ref().map(|subject| subject.as_str().to_owned()),
        start: Some(spec.start_date_time),
        end: Some(spec.end_date_time),
        attendees: Some(spec.attendees.iter().map(taking_part).collect()),
        settings,
        join_web_url: None,
    }
}

fn told(key: Uuid, number: usize, seen: &Seen) -> Box<SeenMeeting> {
    Box::new(SeenMeeting {
        id: MeetingId::parse(&format!("meeting {number} of {key}")).unwrap(),
        join_web_url: JoinWebUrl::parse(&format!("https://teams.example/{key}/{number}")).unwrap(),
        chat_thread_id: None,
        content: content(seen),
    })
}

fn content(seen: &Seen) -> MeetingContent {
    MeetingContent { join_web_url: None, seen: seen.clone(), online_meeting: "{}".into() }
}
