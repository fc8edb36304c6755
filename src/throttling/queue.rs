//! Which call gets the next permit: a bulkhead with shares, so that no organizer and no source system takes all.

use std::collections::{HashMap, HashSet, VecDeque};

use super::gate::CallClass;
use crate::booking::{SourceSystem, UserId};

/// Most calls of one source system that are queued.
const QUEUED_MAX: usize = 500;

/// The calls under way, and those that are queued.
#[derive(Debug)]
pub(super) struct Queue<T> {
    under_way: usize,
    of_organizer: HashMap<UserId, usize>,
    of_source_system: HashMap<SourceSystem, usize>,
    /// Organizers that Graph throttled: one call at a time, until one succeeds.
    recovering: HashSet<UserId>,
    queued: VecDeque<(CallClass, T)>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            under_way: 0,
            of_organizer: HashMap::new(),
            of_source_system: HashMap::new(),
            recovering: HashSet::new(),
            queued: VecDeque::new(),
        }
    }
}

impl<T> Queue<T> {
    /// How many are under way.
    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Starts a call, if the limit and its shares allow one more of this class: an organizer may have half of what may be
    /// under way, a source system seven eighths. So neither a noisy caller nor calls that hang for one organizer take all
    /// permits. The queue needs no look: what could start from it has started.
    pub(super) fn start(&mut self, class: &CallClass, limit: usize) -> bool {
        if !self.has_room_for(class, limit) {
            return false;
        }
        self.under_way += 1;
        if let Some(organizer) = class.organizer {
            *self.of_organizer.entry(organizer).or_default() += 1;
        }
        *self.of_source_system.entry(class.source_system.clone()).or_default() += 1;
        true
    }

    /// A call is over.
    pub(super) fn finish(&mut self, class: &CallClass) {
        self.under_way = self.under_way.saturating_sub(1);
        if let Some(organizer) = class.organizer {
            one_less(&mut self.of_organizer, &organizer);
        }
        one_less(&mut self.of_source_system, &class.source_system);
    }

    /// From now on one call at a time for this organizer.
    pub(super) fn limit_to_one(&mut self, organizer: UserId) {
        self.recovering.insert(organizer);
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
    pub(super) fn next(&mut self, limit: usize) -> Option<(CallClass, T)> {
        let place = self.queued.iter().position(|(class, _)| self.has_room_for(class, limit))?;
        let (class, waiting) = self.queued.remove(place)?;
        self.start(&class, limit).then_some((class, waiting))
    }

    /// Rejects the queued calls for which `leaves` says so, by dropping what waits.
    pub(super) fn reject_waiting(&mut self, leaves: impl Fn(&CallClass) -> bool) {
        self.queued.retain(|(class, _)| !leaves(class));
    }

    fn has_room_for(&self, class: &CallClass, limit: usize) -> bool {
        let share = |numerator: usize, denominator: usize| (limit * numerator / denominator).max(1);
        let of_source_system = self.of_source_system.get(&class.source_system).copied().unwrap_or(0);
        let of_organizer = class.organizer.and_then(|id| self.of_organizer.get(&id).copied()).unwrap_or(0);
        let is_recovering = class.organizer.is_some_and(|organizer| self.recovering.contains(&organizer));
        let share_of_organizer = if is_recovering { 1 } else { share(1, 2) };
        self.under_way < limit && of_source_system < share(7, 8) && of_organizer < share_of_organizer
    }
}

fn one_less<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn class(organizer: u128, source_system: &str) -> CallClass {
        CallClass {
            organizer: Some(UserId::new(Uuid::from_u128(organizer))),
            source_system: SourceSystem::parse(source_system).unwrap(),
        }
    }

    /// One organizer gets half, one source system seven eighths, and the rest is there for others.
    #[test]
    fn no_class_takes_all_permits() {
        let mut queue: Queue<()> = Queue::default();
        let sent = |queue: &mut Queue<()>, organizer: u128, system: &str| {
            (0..20).filter(|_| queue.start(&class(organizer, system), 16)).count()
        };
        assert_eq!(sent(&mut queue, 1, "crm"), 8);
        assert_eq!(sent(&mut queue, 2, "crm"), 6);
        assert_eq!(sent(&mut queue, 3, "crm"), 0);
        assert_eq!(sent(&mut queue, 3, "rooms"), 2);
        assert_eq!(queue.under_way(), 16);
        queue.finish(&class(1, "crm"));
        assert_eq!(sent(&mut queue, 4, "rooms"), 1);
    }

    /// A throttled organizer has one call at a time, until one succeeds.
    #[test]
    fn who_was_throttled_comes_back_one_by_one() {
        let mut queue: Queue<()> = Queue::default();
        queue.limit_to_one(UserId::new(Uuid::from_u128(1)));
        assert!(queue.start(&class(1, "crm"), 16));
        assert!(!queue.start(&class(1, "crm"), 16));
        assert!(queue.start(&class(2, "crm"), 16));
        queue.finish(&class(1, "crm"));
        queue.succeeded(&class(1, "crm"));
        assert!(queue.start(&class(1, "crm"), 16) && queue.start(&class(1, "crm"), 16));
    }

    /// With a limit of one the calls take turns.
    #[test]
    fn one_at_a_time_is_possible() {
        let mut queue: Queue<()> = Queue::default();
        assert!(queue.start(&class(1, "crm"), 1));
        assert!(!queue.start(&class(2, "rooms"), 1));
        queue.finish(&class(1, "crm"));
        assert!(queue.start(&class(2, "rooms"), 1));
    }

    /// First come, first served, but whose share is used up lets others by; and one system's line doesn't grow for ever.
    #[test]
    fn the_line_is_served_in_order_of_those_who_may() {
        let mut queue: Queue<usize> = Queue::default();
        assert!(queue.start(&class(1, "crm"), 2));
        for n in 0..QUEUED_MAX {
            assert_eq!(queue.wait(class(1, "crm"), n), Ok(()));
        }
        assert_eq!(queue.wait(class(9, "crm"), 9_999), Err(9_999), "the line is full");
        assert_eq!(queue.wait(class(2, "rooms"), 7_000), Ok(()));
        assert_eq!(queue.next(2).map(|(_, n)| n), Some(7_000), "both shares of crm are used up");
        assert_eq!(queue.next(2), None);
        queue.finish(&class(1, "crm"));
        assert_eq!(queue.next(2).map(|(_, n)| n), Some(0));
        queue.reject_waiting(|class| class.source_system.as_str() == "crm");
        queue.finish(&class(1, "crm"));
        assert_eq!(queue.next(2), None);
    }
}
