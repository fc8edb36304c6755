//! Which call gets the next permit: a bulkhead with shares, so that no organizer and no source system takes all.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::circuits::Circuits;
use super::gate::CallClass;
use crate::booking::UserId;
use crate::clock::Timestamp;
use crate::shares::{Holders, Share};

/// Most calls of one source system that are queued.
const QUEUED_MAX: usize = 500;
/// How long after its pause an organizer that Graph throttled has one call at a time, where none succeeds earlier.
const RECOVERY: Duration = Duration::from_mins(10);

/// The calls under way, and those that are queued.
#[derive(Debug)]
pub(super) struct Queue<T> {
    holders: Holders,
    of_organizer: HashMap<UserId, usize>,
    /// Organizers that Graph throttled: one call at a time, until one succeeds or this time has come.
    recovering: HashMap<UserId, Timestamp>,
    queued: VecDeque<(CallClass, T)>,
}

/// How many calls may be under way now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits<'a> {
    /// Of all.
    pub(super) all: usize,
    /// Of each source system, where that is less than its share.
    pub(super) circuits: &'a Circuits,
    /// Now.
    pub(super) now: Timestamp,
}

impl<T> Queue<T> {
    /// No call is under way.
    pub(super) fn with(share: Share) -> Self {
        Self {
            holders: Holders::with(share),
            of_organizer: HashMap::new(),
            recovering: HashMap::new(),
            queued: VecDeque::new(),
        }
    }

    /// How many are under way.
    pub(super) fn under_way(&self) -> usize {
        self.holders.taken()
    }

    /// How many of this class's source system are under way.
    pub(super) fn under_way_beside(&self, class: &CallClass) -> usize {
        self.holders.taken_by(&class.source_system)
    }

    /// Starts a call, if the limits and its shares allow one more of this class: an organizer may have half of what may be
    /// under way, a source system its share. So neither a noisy caller nor calls that hang for one organizer take all
    /// permits. The queue needs no look: what could start from it has started.
    pub(super) fn start(&mut self, class: &CallClass, limits: Limits<'_>) -> bool {
        if !self.has_room_for(class, limits) {
            return false;
        }
        self.holders.take(Some(&class.source_system));
        if let Some(organizer) = class.organizer {
            *self.of_organizer.entry(organizer).or_default() += 1;
        }
        true
    }

    /// A call is over.
    pub(super) fn finish(&mut self, class: &CallClass) {
        self.holders.give_back(Some(&class.source_system));
        if let Some(organizer) = class.organizer
            && let Some(count) = self.of_organizer.get_mut(&organizer)
        {
            *count -= 1;
            if *count == 0 {
                self.of_organizer.remove(&organizer);
            }
        }
    }

    /// From now on one call at a time for this organizer, whose pause ends then.
    pub(super) fn limit_to_one(&mut self, organizer: UserId, until: Timestamp, now: Timestamp) {
        self.recovering.retain(|_, over| *over > now);
        self.recovering.insert(organizer, until + RECOVERY);
    }

    /// A call of this class succeeded.
    pub(super) fn succeeded(&mut self, class: &CallClass) {
        if let Some(organizer) = &class.organizer {
            self.recovering.remove(organizer);
        }
    }

    /// Queues a call; hands `waiting` back where that source system has too many in the queue.
    pub(super) fn wait(&mut self, class: CallClass, waiting: T) -> Result<(), T> {
        let same = self.queued.iter().filter(|(other, _)| other.source_system == class.source_system);
        if same.count() >= QUEUED_MAX {
            return Err(waiting);
        }
        self.queued.push_back((class, waiting));
        Ok(())
    }

    /// Takes the first call of the queue that may start, and starts it.
    pub(super) fn next(&mut self, limits: Limits<'_>) -> Option<(CallClass, T)> {
        let place = self.queued.iter().position(|(class, _)| self.has_room_for(class, limits))?;
        let (class, waiting) = self.queued.remove(place)?;
        self.start(&class, limits).then_some((class, waiting))
    }

    /// Rejects the queued calls for which `leaves` says so, by dropping what waits.
    pub(super) fn reject_waiting(&mut self, leaves: impl Fn(&CallClass) -> bool) {
        self.queued.retain(|(class, _)| !leaves(class));
    }

    fn has_room_for(&self, class: &CallClass, limits: Limits<'_>) -> bool {
        let source_system = &class.source_system;
        let of_organizer = class.organizer.and_then(|id| self.of_organizer.get(&id).copied()).unwrap_or(0);
        let is_recovering =
            class.organizer.is_some_and(|id| self.recovering.get(&id).is_some_and(|over| *over > limits.now));
        let share_of_organizer = if is_recovering { 1 } else { (limits.all / 2).max(1) };
        self.holders.room_for(Some(source_system), limits.all) > 0
            && self.holders.taken_by(source_system) < limits.circuits.limit_of(source_system)
            && of_organizer < share_of_organizer
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
