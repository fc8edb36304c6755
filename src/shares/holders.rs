//! Who holds places, and who may take one more.

use std::collections::HashMap;

use crate::booking::SourceSystem;

/// The part of the places that others leave which one source system may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    percent: u32,
}

impl Share {
    /// In percent; what is above 100 is all.
    pub(crate) fn of_percent(percent: u32) -> Self {
        Self { percent: percent.min(100) }
    }

    /// That part of so many, at least one: a source system that holds nothing may take a place that is free.
    fn of(self, places: usize) -> usize {
        let percent = usize::try_from(self.percent).unwrap_or(100);
        (places.saturating_mul(percent) / 100).max(1)
    }
}

/// Who holds how many places of one kind. How many there are is said at each question, for some kinds have more at one
/// time than at another.
#[derive(Debug)]
pub(crate) struct Holders {
    share: Share,
    taken: usize,
    of_source_system: HashMap<SourceSystem, usize>,
}

impl Holders {
    /// No place is held.
    pub(crate) fn with(share: Share) -> Self {
        Self { share, taken: 0, of_source_system: HashMap::new() }
    }

    /// How many places are held.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// How many places this source system holds.
    pub(crate) fn taken_by(&self, source_system: &SourceSystem) -> usize {
        self.of_source_system.get(source_system).copied().unwrap_or(0)
    }

    /// How many more of so many places this source system may take now. The service itself has no share: it may take
    /// what is free.
    pub(crate) fn room_for(&self, source_system: Option<&SourceSystem>, places: usize) -> usize {
        let free = places.saturating_sub(self.taken);
        let Some(source_system) = source_system else { return free };
        let held = self.taken_by(source_system);
        self.share.of(free + held).saturating_sub(held).min(free)
    }

    /// Whether it is this source system's share that keeps a place from it, not that all of so many are taken. What the
    /// service holds for itself is held for moments (a probe, the metrics) and doesn't count: the cause would change with it.
    pub(crate) fn is_share_used_up(&self, source_system: &SourceSystem, places: usize) -> bool {
        let held = self.taken_by(source_system);
        let by_all: usize = self.of_source_system.values().sum();
        let left_by_others = places.saturating_sub(by_all - held);
        self.taken < places || (by_all < places && self.share.of(left_by_others) <= held)
    }

    /// How many places one that holds none may take of so many that are free.
    pub(crate) fn room_for_a_new_one(&self, free: usize) -> usize {
        self.share.of(free).min(free)
    }

    /// The source systems that hold places.
    pub(crate) fn source_systems(&self) -> impl Iterator<Item = &SourceSystem> {
        self.of_source_system.keys()
    }

    /// One more place is held.
    pub(crate) fn take(&mut self, source_system: Option<&SourceSystem>) {
        self.taken += 1;
        if let Some(source_system) = source_system {
            *self.of_source_system.entry(source_system.clone()).or_default() += 1;
        }
    }

    /// One place less is held.
    pub(crate) fn give_back(&mut self, source_system: Option<&SourceSystem>) {
        self.taken = self.taken.saturating_sub(1);
        let Some(source_system) = source_system else { return };
        if let Some(held) = self.of_source_system.get_mut(source_system) {
            *held -= 1;
            if *held == 0 {
                self.of_source_system.remove(source_system);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn source_system(number: usize) -> SourceSystem {
        SourceSystem::parse(&format!("system-{number}")).unwrap()
    }

    /// Takes as many as it may, and says how many that were.
    fn take_all(holders: &mut Holders, number: usize, places: usize) -> usize {
        let system = source_system(number);
        let took = std::iter::from_fn(|| {
            (holders.room_for(Some(&system), places) > 0).then(|| holders.take(Some(&system)))
        });
        took.count()
    }

    /// What a lone source system gets, and then a second one.
    #[test]
    fn one_gets_its_share_and_the_rest_is_there_for_others() {
        for (percent, places, first, second) in [
            (80, 500, 400, 80),
            (80, 20, 16, 3),
            (80, 4, 3, 1),
            (80, 2, 1, 1),
            (80, 1, 1, 0),
            (50, 8, 4, 2),
            (1, 20, 1, 1),
            (100, 20, 20, 0),
        ] {
            let mut holders = Holders::with(Share::of_percent(percent));
            assert_eq!(take_all(&mut holders, 1, places), first, "{percent} % of {places}");
            assert_eq!(take_all(&mut holders, 2, places), second, "{percent} % of {places}");
        }
    }

    /// What is given back is there again, and the service itself takes what is free.
    #[test]
    fn places_come_back() {
        let mut holders = Holders::with(Share::of_percent(50));
        assert_eq!(take_all(&mut holders, 1, 4), 2);
        holders.take(None);
        assert_eq!((holders.taken(), holders.room_for(None, 4)), (3, 1));
        holders.give_back(Some(&source_system(1)));
        holders.give_back(None);
        assert_eq!((holders.taken(), holders.taken_by(&source_system(1))), (1, 1));
        holders.give_back(Some(&source_system(1)));
        assert_eq!((holders.taken(), holders.source_systems().count()), (0, 0));
    }

    /// The cause of a refusal doesn't change while a probe or the metrics hold a place for a moment.
    #[test]
    fn the_services_own_places_change_no_cause() {
        for (own, held, by_another, used_up) in [
            (0, 3, 0, true),
            (1, 3, 0, true),
            (0, 3, 1, false),
            (2, 2, 0, false),
            (4, 0, 0, false),
            (1, 2, 1, true),
        ] {
            let mut holders = Holders::with(Share::of_percent(80));
            (0..own).for_each(|_| holders.take(None));
            (0..held).for_each(|_| holders.take(Some(&source_system(1))));
            (0..by_another).for_each(|_| holders.take(Some(&source_system(2))));
            let found = holders.is_share_used_up(&source_system(1), 4);
            assert_eq!(found, used_up, "{own} own, {held}, and {by_another} by another");
        }
    }

    proptest! {
        /// Two that take all that they may and give back at times, in whatever order, leave a place for a third, and
        /// neither ever gets more than its share of what the other leaves.
        #[test]
        fn whatever_two_do_a_third_finds_a_place(
            turns in prop::collection::vec((0_usize..2, prop::bool::weighted(0.8)), 0..2_000),
            places in 32_usize..600,
        ) {
            let mut holders = Holders::with(Share::of_percent(80));
            for (number, takes) in turns {
                let system = source_system(number);
                if takes && holders.room_for(Some(&system), places) > 0 {
                    holders.take(Some(&system));
                    let others = holders.taken() - holders.taken_by(&system);
                    prop_assert!(holders.taken_by(&system) * 5 <= (places - others) * 4);
                } else if holders.taken_by(&system) > 0 {
                    holders.give_back(Some(&system));
                }
                prop_assert!(holders.room_for(Some(&source_system(99)), places) > 0);
            }
        }
    }
}
