//! What a caller's message changes about what is wanted of a booking.

use super::booking::{Booking, DesiredState, Progress};
use super::next_step::Failures;
use super::organizer_identity::{Identity, NameLookup, NameLookups};
use super::seen_settings::SeenSettings;
use super::transition::Transition;
use crate::booking::{
    BookingSpec, Difference, Lateness, MessageOrder, Organizer, Precedence, Upn, UserId, differences,
};
use crate::clock::Timestamp;

/// What becomes of a booking that is declared to be like this.
#[derive(Debug, Clone, PartialEq)]
pub enum Declared {
    /// It is like this already.
    Same,
    /// It becomes like this, in these fields.
    Changed(Box<Transition>, Vec<Difference>),
    /// It was cancelled, and is booked again as its next generation.
    BookedAgain,
    /// It moves to another organizer, as its next generation.
    Replaced,
    /// A newer message was here before, or a cancel that this one doesn't follow.
    Stale(Lateness),
    /// Another organizer would be another meeting with another link, and the caller did not allow that.
    OrganizerFixed(Vec<Difference>),
    /// Whether the organizer is another one shows when this name is looked up.
    OrganizerUnresolved(Upn),
    /// The caller allowed another organizer, and this name is no user's. It may be one's soon, should Graph's copies lag behind
    /// a rename, and then that of the same user.
    OrganizerUnknown(Box<NameLookup>),
    /// A meeting can't move to another channel.
    ChannelFixed(Vec<Difference>),
}

impl Declared {
    /// Whether the caller wants something that isn't stored yet. A newer message with the same content only repeats it.
    #[must_use]
    pub fn wants_something_new(&self) -> bool {
        match self {
            Self::Same | Self::Stale(_) => false,
            Self::Changed(_, differences) => {
                let is_order = |difference: &Difference| ["sequence", "dtstamp"].contains(&difference.field);
                !differences.iter().all(is_order)
            }
            Self::BookedAgain
            | Self::Replaced
            | Self::OrganizerFixed(_)
            | Self::OrganizerUnresolved(_)
            | Self::OrganizerUnknown(_)
            | Self::ChannelFixed(_) => true,
        }
    }
}

/// What a known booking is to a request that creates it or gets what is there.
#[derive(Debug, Clone, PartialEq)]
pub enum Repetition {
    /// The same.
    Same,
    /// The same by a newer message: its keys of order are kept, so that nothing older counts any more.
    Renewed(Box<Transition>, Vec<Difference>),
    /// Another one, in these fields.
    Differs(Vec<Difference>),
    /// It was cancelled.
    Cancelled,
    /// A newer message was here before.
    Stale(Lateness),
    /// It differs in nothing else, and whether the organizer is another one shows when this name is looked up.
    OrganizerUnresolved(Upn),
}

/// What becomes of a booking that is cancelled.
#[derive(Debug, Clone, PartialEq)]
pub enum Cancellation {
    /// It was cancelled before.
    Already,
    /// It is cancelled now.
    Now(Box<Transition>),
    /// It was cancelled before, by an older message: the keys of order of this one are kept, so that nothing older counts
    /// any more.
    Renewed(Box<Transition>, Vec<Difference>),
    /// A newer message was here before.
    Stale(Lateness),
}

/// Whether another organizer may take over, which makes another meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizerChange {
    /// No.
    Refused,
    /// Yes: the next generation has the other organizer, and this one's meeting is removed once that one is there.
    Replaces,
}

/// What a decision on a caller's message takes beside the message.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The names that were looked up for it.
    pub lookups: &'a NameLookups,
    /// Whether an attempt is under way.
    pub under_way: bool,
    /// The time.
    pub now: Timestamp,
}

impl Booking {
    /// What becomes of the booking when it is declared to be `requested`.
    #[must_use]
    pub fn declared(
        &self,
        mut requested: BookingSpec,
        organizer_change: OrganizerChange,
        moment: &Moment<'_>,
    ) -> Declared {
        let Moment { lookups, under_way, now } = *moment;
        let (stored, sent) = (&self.wanted.spec, requested.order());
        if let Some(lateness) = sent.lateness(stored.order()) {
            return Declared::Stale(lateness);
        }
        if self.wanted.desired_state == DesiredState::Cancelled {
            // A change that the cancel has overtaken must not bring the meeting back.
            return match sent.precedence_over(stored.order()) {
                precedence @ Precedence::Equal => {
                    Declared::Stale(Lateness { sent, stored: stored.order(), precedence })
                }
                _ => Declared::BookedAgain,
            };
        }
        requested = requested.with_order(stored.order().renewed_by(sent));
        let is_free = !self.may_have_meeting(under_way);
        let organizer_id = match self.identity(&requested.organizer, lookups) {
            Identity::Same => self.call_organizer(&mut requested),
            _ if is_free => None,
            Identity::Unresolved(name) => return Declared::OrganizerUnresolved(name),
            other => return self.moved(other, &requested, organizer_change),
        };
        let differences = differences(stored, &requested);
        if differences.is_empty() {
            return Declared::Same;
        }
        if !is_free && differences.iter().any(|difference| difference.field == "chatInfo") {
            return Declared::ChannelFixed(differences);
        }
        let mut changed = self.wanting(DesiredState::Present, now);
        changed.observed.organizer = organizer_id;
        if let Some(meeting) = &mut changed.observed.meeting {
            meeting.settings_before.note_first(&requested.effective_settings, &meeting.seen.settings);
            take_back_settings(&mut requested, stored, &meeting.settings_before);
        }
        changed.wanted.spec = requested;
        Declared::Changed(Box::new(changed.with_work(under_way, now)), differences)
    }

    /// What the booking is to a request that creates it or gets what is there, with the names that were looked up for this.
    /// Such a request never changes what is wanted, but an older one than the booking's last message is late, not wrong. The
    /// keys of order are no content.
    #[must_use]
    pub fn repeated(&self, requested: &BookingSpec, lookups: &NameLookups, now: Timestamp) -> Repetition {
        let (stored, sent) = (&self.wanted.spec, requested.order());
        if let Some(lateness) = sent.lateness(stored.order()) {
            return Repetition::Stale(lateness);
        }
        if self.wanted.desired_state == DesiredState::Cancelled {
            return Repetition::Cancelled;
        }
        let mut content = differences(stored, requested);
        content.retain(|difference| !matches!(difference.field, "sequence" | "dtstamp"));
        let identity = self.identity(&requested.organizer, lookups);
        if matches!(identity, Identity::Same | Identity::Unresolved(_)) {
            content.retain(|difference| difference.field != "organizer");
        }
        match identity {
            _ if !content.is_empty() => return Repetition::Differs(content),
            Identity::Unresolved(name) => return Repetition::OrganizerUnresolved(name),
            _ => {}
        }
        let renewed = stored.order().renewed_by(sent);
        if renewed == stored.order() {
            return Repetition::Same;
        }
        let mut next = self.clone();
        next.wanted.spec = next.wanted.spec.with_order(renewed);
        next.revision = self.revision.saturating_add(1);
        next.updated_at = now;
        let keys = differences(stored, &next.wanted.spec);
        // What is due stays due, and what failed stays so.
        Repetition::Renewed(Box::new(Transition::to(next, None)), keys)
    }

    /// What becomes of the booking when it is cancelled.
    #[must_use]
    pub fn cancelled_now(&self, sent: MessageOrder, under_way: bool, now: Timestamp) -> Cancellation {
        let stored = &self.wanted.spec;
        if let Some(lateness) = sent.lateness(stored.order()) {
            return Cancellation::Stale(lateness);
        }
        let renewed = stored.order().renewed_by(sent);
        let is_cancelled = self.wanted.desired_state == DesiredState::Cancelled;
        if is_cancelled && renewed == stored.order() {
            return Cancellation::Already;
        }
        let mut cancelled = self.wanting(DesiredState::Cancelled, now);
        cancelled.wanted.spec = cancelled.wanted.spec.with_order(renewed);
        let differences = differences(stored, &cancelled.wanted.spec);
        let transition = Box::new(cancelled.with_work(under_way, now));
        if is_cancelled {
            Cancellation::Renewed(transition, differences)
        } else {
            Cancellation::Now(transition)
        }
    }

    /// The same organizer is called by the name that was used last; an object id replaces no name, because the answer shows
    /// both. The object id, which is returned, stays what it was, should Graph give the name to another user before it is
    /// asked again.
    fn call_organizer(&self, requested: &mut BookingSpec) -> Option<UserId> {
        let stored = &self.wanted.spec.organizer;
        if matches!(requested.organizer, Organizer::UserId(_)) || requested.organizer == *stored {
            requested.organizer = stored.clone();
            return self.observed.organizer;
        }
        self.organizer_id()
    }

    /// What becomes of the booking when it is to have another organizer, and may have a meeting.
    fn moved(&self, other: Identity, requested: &BookingSpec, allowed: OrganizerChange) -> Declared {
        match (allowed, other) {
            (OrganizerChange::Refused, _) => {
                Declared::OrganizerFixed(differences(&self.wanted.spec, requested))
            }
            (OrganizerChange::Replaces, Identity::NoUser(lookup)) => Declared::OrganizerUnknown(lookup),
            (OrganizerChange::Replaces, _) => Declared::Replaced,
        }
    }

    fn wanting(&self, desired_state: DesiredState, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.wanted.desired_state = desired_state;
        next.wanted.revision = self.wanted.revision.saturating_add(1);
        next.revision = self.revision.saturating_add(1);
        next.failures = Failures::default();
        next.last_error = None;
        next.updated_at = now;
        next
    }

    /// What happens next: an attempt that is under way has to be waited for, because it may yet change what is seen.
    fn with_work(mut self, under_way: bool, now: Timestamp) -> Transition {
        let next = self.next_call();
        let is_work_left = under_way || next.is_some();
        self.progress = if is_work_left { Progress::Due(now) } else { Progress::Settled };
        let agrees = self.progress == Progress::Settled && self.wanted.desired_state == DesiredState::Present;
        self.provisioned_at = self.provisioned_at.or(agrees.then_some(now));
        Transition::to(self, next)
    }
}

/// Settings that were set for the booking and that it doesn't name any longer go back to what the meeting had before. Where
/// that isn't known, or is no value that we know, they stay as they are and are told as a difference.
fn take_back_settings(requested: &mut BookingSpec, stored: &BookingSpec, before: &SeenSettings) {
    let set = stored.effective_settings.iter().map(|(path, _)| path);
    for path in set.chain(stored.released_settings.iter().map(String::as_str)) {
        if requested.effective_settings.names(path) {
            continue;
        }
        let value = before.get(path).and_then(|value| serde_json::to_value(value).ok());
        match value.and_then(|value| requested.effective_settings.with(path, &value)) {
            Some(settings) => requested.effective_settings = settings,
            None => drop(requested.released_settings.insert(path.to_owned())),
        }
    }
}

#[cfg(test)]
#[path = "desired_change_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "message_order_tests.rs"]
mod message_order_tests;

#[cfg(test)]
#[path = "organizer_change_tests.rs"]
mod organizer_change_tests;
