//! The meetings that exist: one per key, for ever found under the same id.

use std::collections::HashMap;
use std::sync::Arc;

use super::organizers::UserId;
use crate::clock::Timestamp;

/// The identity of a meeting within the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct MeetingKey {
    pub(super) organizer: UserId,
    pub(super) external_id: String,
}

/// A meeting, deleted or not. `content` is its JSON without `@odata.context`.
#[derive(Debug, Clone)]
pub(super) struct SimulatedMeeting {
    pub(super) key: MeetingKey,
    pub(super) id: String,
    pub(super) join_web_url: String,
    pub(super) created_at: Timestamp,
    pub(super) deleted_at: Option<Timestamp>,
    pub(super) attendees_count: usize,
    pub(super) content: Arc<str>,
}

/// All meetings in the order of their creation.
#[derive(Debug, Default)]
pub(super) struct Meetings {
    all: Vec<SimulatedMeeting>,
    by_key: HashMap<MeetingKey, KeyUse>,
    by_id: HashMap<String, usize>,
}

/// The newest meeting of a key and how many came before it.
#[derive(Debug, Clone, Copy)]
struct KeyUse {
    newest: usize,
    predecessors: usize,
}

impl Meetings {
    pub(super) fn all(&self) -> &[SimulatedMeeting] {
        &self.all
    }

    /// The living meeting of a key, or how many meetings it has had.
    pub(super) fn find(&self, key: &MeetingKey) -> Result<&SimulatedMeeting, usize> {
        match self.by_key.get(key) {
            None => Err(0),
            Some(key_use) => {
                let newest = &self.all[key_use.newest];
                if newest.deleted_at.is_none() { Ok(newest) } else { Err(key_use.predecessors + 1) }
            }
        }
    }

    /// Adds a meeting unless its key has a living one by now, which is then handed back.
    pub(super) fn add(&mut self, meeting: SimulatedMeeting) -> Result<(), &SimulatedMeeting> {
        let Err(predecessors) = self.find(&meeting.key) else {
            return Err(&self.all[self.by_key[&meeting.key].newest]);
        };
        let newest = self.all.len();
        self.by_key.insert(meeting.key.clone(), KeyUse { newest, predecessors });
        self.by_id.insert(meeting.id.clone(), newest);
        self.all.push(meeting);
        Ok(())
    }

    /// The newest living meeting with this external id.
    pub(super) fn living(&mut self, external_id: &str) -> Option<&mut SimulatedMeeting> {
        let mut newest_first = self.all.iter_mut().rev();
        newest_first.find(|meeting| meeting.key.external_id == external_id && meeting.deleted_at.is_none())
    }

    /// A living meeting of an organizer by its id.
    pub(super) fn item(&mut self, organizer: UserId, id: &str) -> Option<&mut SimulatedMeeting> {
        let meeting = self.all.get_mut(*self.by_id.get(id)?)?;
        (meeting.key.organizer == organizer && meeting.deleted_at.is_none()).then_some(meeting)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;

    fn meeting(organizer: u128, external_id: &str, id: &str) -> SimulatedMeeting {
        SimulatedMeeting {
            key: MeetingKey {
                organizer: Uuid::from_u128(organizer).into(),
                external_id: external_id.to_owned(),
            },
            id: id.to_owned(),
            join_web_url: String::new(),
            created_at: datetime!(2026-01-01 00:00 UTC),
            deleted_at: None,
            attendees_count: 0,
            content: "{}".into(),
        }
    }

    #[test]
    fn a_key_has_one_living_meeting() {
        let mut meetings = Meetings::default();
        assert!(meetings.add(meeting(1, "a", "first")).is_ok());
        assert_eq!(meetings.add(meeting(1, "a", "second")).unwrap_err().id, "first");
        assert!(meetings.add(meeting(2, "a", "third")).is_ok(), "another organizer, another meeting");
        assert_eq!(meetings.all().len(), 2);
    }

    #[test]
    fn a_deleted_meeting_makes_room_for_another_one() {
        let mut meetings = Meetings::default();
        let first = meeting(1, "a", "first");
        let (key, organizer) = (first.key.clone(), first.key.organizer);
        assert!(meetings.add(first).is_ok());
        meetings.item(organizer, "first").unwrap().deleted_at = Some(datetime!(2026-01-02 00:00 UTC));
        assert!(meetings.item(organizer, "first").is_none());
        assert_eq!(meetings.find(&key).unwrap_err(), 1);
        assert!(meetings.add(meeting(1, "a", "second")).is_ok());
        assert_eq!(meetings.find(&key).unwrap().id, "second");
    }

    #[test]
    fn a_meeting_is_not_found_under_another_organizer() {
        let mut meetings = Meetings::default();
        assert!(meetings.add(meeting(1, "a", "first")).is_ok());
        assert!(meetings.item(Uuid::from_u128(2).into(), "first").is_none());
    }
}
