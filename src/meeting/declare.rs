//! What a caller's word changes about a booking.

use super::next_call::next_call;
use super::next_step::Failures;
use super::standing::{Life, Progress, Standing};
use crate::booking::{Booking, Difference, Organizer, Sequence, differences};
use crate::clock::Timestamp;

/// What becomes of a booking that is declared to be like this.
#[derive(Debug, Clone, PartialEq)]
pub enum Declared {
    /// It is like this already.
    Same,
    /// It becomes like this, in these fields.
    Changed(Box<Standing>, Vec<Difference>),
    /// It was called off, and is booked again as its next generation.
    BookedAgain,
    /// It moves to another organizer, as its next generation.
    Replaced,
    /// A newer message was here before: this is the sequence that is stored.
    Stale(Sequence),
    /// Another organizer would be another meeting with another link, and nobody said that it may be.
    OrganizerFixed(Vec<Difference>),
    /// A meeting can't move to another channel.
    ChannelFixed(Vec<Difference>),
}

/// What becomes of a booking that is called off.
#[derive(Debug, Clone, PartialEq)]
pub enum CalledOff {
    /// It was called off before.
    Already,
    /// It is called off now.
    Now(Box<Standing>),
    /// A newer message was here before: this is the sequence that is stored.
    Stale(Sequence),
}

/// Whether another organizer may take over, which makes another meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizerChange {
    /// No.
    Refused,
    /// Yes: the next generation has the other organizer, and this one's meeting is removed once that one is there.
    Replaces,
}

impl Standing {
    /// What becomes of the booking when it is declared to be `requested`. `under_way` says whether an attempt is.
    #[must_use]
    pub fn declared(
        &self,
        mut requested: Booking,
        organizer_change: OrganizerChange,
        under_way: bool,
        now: Timestamp,
    ) -> Declared {
        let stored = &self.wanted.booking;
        if let (Some(stored), Some(requested)) = (stored.sequence, requested.sequence)
            && (requested < stored || (requested == stored && self.wanted.life == Life::Cancelled))
        {
            return Declared::Stale(stored);
        }
        if self.wanted.life == Life::Cancelled {
            return Declared::BookedAgain;
        }
        let told_sequence = requested.sequence;
        requested.sequence = told_sequence.or(stored.sequence);
        if self.is_the_same_organizer(&requested.organizer) {
            requested.organizer = stored.organizer.clone();
        }
        let differences = differences(stored, &requested);
        let differs_in = |field| differences.iter().any(|difference| difference.field == field);
        if differences.is_empty() {
            return Declared::Same;
        }
        if let Some(sequence) = told_sequence.filter(|told| stored.sequence == Some(*told)) {
            return Declared::Stale(sequence);
        }
        if differs_in("organizer") {
            return match organizer_change {
                OrganizerChange::Refused => Declared::OrganizerFixed(differences),
                OrganizerChange::Replaces => Declared::Replaced,
            };
        }
        if differs_in("chatInfo") {
            return Declared::ChannelFixed(differences);
        }
        let mut changed = self.wanting(Life::Held, now);
        changed.wanted.booking = requested;
        Declared::Changed(Box::new(changed.with_work(under_way, now)), differences)
    }

    /// What becomes of the booking when it is called off.
    #[must_use]
    pub fn called_off(&self, sequence: Option<Sequence>, under_way: bool, now: Timestamp) -> CalledOff {
        if self.wanted.life == Life::Cancelled {
            return CalledOff::Already;
        }
        let stored = self.wanted.booking.sequence;
        if let (Some(stored), Some(told)) = (stored, sequence)
            && told < stored
        {
            return CalledOff::Stale(stored);
        }
        let mut called_off = self.wanting(Life::Cancelled, now);
        called_off.wanted.booking.sequence = sequence.or(stored);
        CalledOff::Now(Box::new(called_off.with_work(under_way, now)))
    }

    /// A name that was resolved to this very id means the same person.
    fn is_the_same_organizer(&self, requested: &Organizer) -> bool {
        match requested {
            Organizer::UserId(id) => self.observed.organizer == Some(*id),
            Organizer::Upn(_) => *requested == self.wanted.booking.organizer,
        }
    }

    fn wanting(&self, life: Life, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.wanted.life = life;
        next.wanted.revision = self.wanted.revision.saturating_add(1);
        next.revision = self.revision.saturating_add(1);
        next.failures = Failures::default();
        next.last_error = None;
        next.updated_at = now;
        next
    }

    /// What happens next: an attempt that is under way has to be waited for, because it may yet change what is seen.
    fn with_work(mut self, under_way: bool, now: Timestamp) -> Self {
        let is_work_left = under_way || next_call(&self.wanted, &self.observed).is_some();
        self.progress = if is_work_left { Progress::Due(now) } else { Progress::Settled };
        let agrees = self.progress == Progress::Settled && self.wanted.life == Life::Held;
        self.provisioned_at = self.provisioned_at.or(agrees.then_some(now));
        self
    }
}

#[cfg(test)]
#[path = "declare_tests.rs"]
mod tests;
