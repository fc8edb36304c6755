//! Who may pass next, so that nobody takes it all.

use std::collections::{HashMap, HashSet, VecDeque};

use super::gate::Visitor;
use crate::booking::{SourceSystem, UserId};

/// Most calls of one source system that wait in line.
const IN_LINE_MAX: usize = 500;

/// Who is under way, and who waits in line for that.
#[derive(Debug)]
pub(super) struct Queue<T> {
    under_way: usize,
    of_organizer: HashMap<UserId, usize>,
    of_source_system: HashMap<SourceSystem, usize>,
    /// Organizers whose calls were too many: one at a time, until one of them goes well.
    tender: HashSet<UserId>,
    line: VecDeque<(Visitor, T)>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            under_way: 0,
            of_organizer: HashMap::new(),
            of_source_system: HashMap::new(),
            tender: HashSet::new(),
            line: VecDeque::new(),
        }
    }
}

impl<T> Queue<T> {
    /// How many are under way.
    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Sends somebody on the way, if the limit and its shares allow one more like that: an organizer may have half of
    /// what may be under way, a source system seven eighths. So neither a noisy caller nor calls that hang for one
    /// organizer keep all others from passing. The line needs not be asked: who could pass in it has passed.
    pub(super) fn send(&mut self, visitor: &Visitor, limit: usize) -> bool {
        if !self.has_room_for(visitor, limit) {
            return false;
        }
        self.under_way += 1;
        if let Some(organizer) = visitor.organizer {
            *self.of_organizer.entry(organizer).or_default() += 1;
        }
        *self.of_source_system.entry(visitor.source_system.clone()).or_default() += 1;
        true
    }

    /// Somebody is back.
    pub(super) fn back(&mut self, visitor: &Visitor) {
        self.under_way = self.under_way.saturating_sub(1);
        if let Some(organizer) = visitor.organizer {
            one_less(&mut self.of_organizer, &organizer);
        }
        one_less(&mut self.of_source_system, &visitor.source_system);
    }

    /// From now on one call at a time for this organizer.
    pub(super) fn tread_softly(&mut self, organizer: UserId) {
        self.tender.insert(organizer);
    }

    /// A call of this visitor's organizer went well.
    pub(super) fn went_well(&mut self, visitor: &Visitor) {
        if let Some(organizer) = &visitor.organizer {
            self.tender.remove(organizer);
        }
    }

    /// Puts somebody in line; hands `waiting` back where the line of that source system is too long.
    pub(super) fn wait(&mut self, visitor: Visitor, waiting: T) -> Result<(), T> {
        let same = self.line.iter().filter(|(other, _)| other.source_system == visitor.source_system);
        if same.count() >= IN_LINE_MAX {
            return Err(waiting);
        }
        self.line.push_back((visitor, waiting));
        Ok(())
    }

    /// Takes the first in line who may pass, and sends it on its way.
    pub(super) fn next(&mut self, limit: usize) -> Option<(Visitor, T)> {
        let place = self.line.iter().position(|(visitor, _)| self.has_room_for(visitor, limit))?;
        let (visitor, waiting) = self.line.remove(place)?;
        self.send(&visitor, limit).then_some((visitor, waiting))
    }

    /// Sends those in line away of whom `leaves` says so, by dropping what waits.
    pub(super) fn send_away(&mut self, leaves: impl Fn(&Visitor) -> bool) {
        self.line.retain(|(visitor, _)| !leaves(visitor));
    }

    fn has_room_for(&self, visitor: &Visitor, limit: usize) -> bool {
        let share = |numerator: usize, denominator: usize| (limit * numerator / denominator).max(1);
        let of_source_system = self.of_source_system.get(&visitor.source_system).copied().unwrap_or(0);
        let of_organizer = visitor.organizer.and_then(|id| self.of_organizer.get(&id).copied()).unwrap_or(0);
        let is_tender = visitor.organizer.is_some_and(|organizer| self.tender.contains(&organizer));
        let share_of_organizer = if is_tender { 1 } else { share(1, 2) };
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

    fn visitor(organizer: u128, source_system: &str) -> Visitor {
        Visitor {
            organizer: Some(UserId::new(Uuid::from_u128(organizer))),
            source_system: SourceSystem::parse(source_system).unwrap(),
        }
    }

    /// One organizer gets half, one source system seven eighths, and the rest is there for others.
    #[test]
    fn nobody_takes_it_all() {
        let mut queue: Queue<()> = Queue::default();
        let sent = |queue: &mut Queue<()>, organizer: u128, system: &str| {
            (0..20).filter(|_| queue.send(&visitor(organizer, system), 16)).count()
        };
        assert_eq!(sent(&mut queue, 1, "crm"), 8);
        assert_eq!(sent(&mut queue, 2, "crm"), 6);
        assert_eq!(sent(&mut queue, 3, "crm"), 0);
        assert_eq!(sent(&mut queue, 3, "rooms"), 2);
        assert_eq!(queue.under_way(), 16);
        queue.back(&visitor(1, "crm"));
        assert_eq!(sent(&mut queue, 4, "rooms"), 1);
    }

    /// Whoever was throttled comes back one at a time, until one call goes well.
    #[test]
    fn who_was_throttled_comes_back_one_by_one() {
        let mut queue: Queue<()> = Queue::default();
        queue.tread_softly(UserId::new(Uuid::from_u128(1)));
        assert!(queue.send(&visitor(1, "crm"), 16));
        assert!(!queue.send(&visitor(1, "crm"), 16));
        assert!(queue.send(&visitor(2, "crm"), 16));
        queue.back(&visitor(1, "crm"));
        queue.went_well(&visitor(1, "crm"));
        assert!(queue.send(&visitor(1, "crm"), 16) && queue.send(&visitor(1, "crm"), 16));
    }

    /// With a limit of one everybody takes turns.
    #[test]
    fn one_at_a_time_is_possible() {
        let mut queue: Queue<()> = Queue::default();
        assert!(queue.send(&visitor(1, "crm"), 1));
        assert!(!queue.send(&visitor(2, "rooms"), 1));
        queue.back(&visitor(1, "crm"));
        assert!(queue.send(&visitor(2, "rooms"), 1));
    }

    /// First come, first served, but whose share is used up lets others by; and one system's line doesn't grow for ever.
    #[test]
    fn the_line_is_served_in_order_of_those_who_may() {
        let mut queue: Queue<usize> = Queue::default();
        assert!(queue.send(&visitor(1, "crm"), 2));
        for n in 0..IN_LINE_MAX {
            assert_eq!(queue.wait(visitor(1, "crm"), n), Ok(()));
        }
        assert_eq!(queue.wait(visitor(9, "crm"), 9_999), Err(9_999), "the line is full");
        assert_eq!(queue.wait(visitor(2, "rooms"), 7_000), Ok(()));
        assert_eq!(queue.next(2).map(|(_, n)| n), Some(7_000), "both shares of crm are used up");
        assert_eq!(queue.next(2), None);
        queue.back(&visitor(1, "crm"));
        assert_eq!(queue.next(2).map(|(_, n)| n), Some(0));
        queue.send_away(|visitor| visitor.source_system.as_str() == "crm");
        queue.back(&visitor(1, "crm"));
        assert_eq!(queue.next(2), None);
    }
}
