//! Places of one kind, of which there is a fixed number.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::holders::{Holders, Share};
use crate::booking::SourceSystem;

/// Places of one kind. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Places(Arc<PlacesState>);

#[derive(Debug)]
struct PlacesState {
    number: usize,
    refusals: Refusals,
    table: Mutex<Table>,
}

#[derive(Debug)]
struct Table {
    holders: Holders,
    /// Those that wait for a place, by source system, each with its number in the order in which they came.
    queued: BTreeMap<Option<SourceSystem>, VecDeque<(u64, oneshot::Sender<Place>)>>,
    came: u64,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    /// None where it was given to a task that no longer waited.
    places: Option<Places>,
    source_system: Option<SourceSystem>,
}

/// Stands beside its place, so that another may have it; takes it again when it is dropped, free or not.
#[derive(Debug)]
pub(crate) struct Aside {
    places: Places,
    source_system: SourceSystem,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// All are taken.
    AllTaken,
    /// There are free ones, or would be but for what the service holds for itself at this moment, and this source
    /// system's share is used up.
    ShareUsedUp,
}

/// Counts the refusals.
#[derive(Clone)]
pub(crate) struct Refusals(Arc<dyn Fn(NoPlace) + Send + Sync>);

impl Refusals {
    /// Told of each refusal.
    pub(crate) fn told_to(count: impl Fn(NoPlace) + Send + Sync + 'static) -> Self {
        Self(Arc::new(count))
    }

    /// For what counts nothing, such as a command.
    pub(crate) fn uncounted() -> Self {
        Self::told_to(|_| {})
    }

    /// One more.
    pub(crate) fn note(&self, why: NoPlace) {
        (self.0)(why);
    }
}

impl fmt::Debug for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refusals")
    }
}

impl Places {
    /// So many places, none of them taken.
    pub(crate) fn new(number: usize, share: Share, refusals: Refusals) -> Self {
        let table = Table { holders: Holders::with(share), queued: BTreeMap::new(), came: 0 };
        Self(Arc::new(PlacesState { number, refusals, table: Mutex::new(table) }))
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.table().holders.taken()
    }

    /// A place for this source system (none: for the service itself), if it may have one now.
    pub(crate) fn try_take(&self, source_system: Option<SourceSystem>) -> Result<Place, NoPlace> {
        let taken = self.table().take(source_system.as_ref(), self.0.number);
        match taken {
            Ok(()) => Ok(self.place(source_system)),
            Err(why) => {
                self.0.refusals.note(why);
                Err(why)
            }
        }
    }

    /// The same, and waits in line until it may. Those whose share is used up let others by. Who waits no longer leaves
    /// the line by dropping the future, and may ask [`Places::why_none`].
    pub(crate) async fn take(&self, source_system: Option<SourceSystem>) -> Place {
        loop {
            let waiting = {
                let mut table = self.table();
                match table.take(source_system.as_ref(), self.0.number) {
                    Ok(()) => return self.place(source_system),
                    Err(_) => table.queue(source_system.clone()),
                }
            };
            if let Ok(place) = waiting.await {
                return place;
            }
        }
    }

    /// Why a place that this source system waited for did not become free; it is counted as refused.
    pub(crate) fn why_none(&self, source_system: Option<&SourceSystem>) -> NoPlace {
        let why = self.table().why_none(source_system, self.0.number);
        self.0.refusals.note(why);
        why
    }

    /// Takes a place for what is under way already, free or not.
    pub(crate) fn take_anyway(&self, source_system: SourceSystem) -> Place {
        self.table().holders.take(Some(&source_system));
        self.place(Some(source_system))
    }

    /// Lends the place that this source system holds to others, until what is handed back is dropped.
    pub(crate) fn step_aside(&self, source_system: SourceSystem) -> Aside {
        self.give_back(Some(&source_system));
        Aside { places: self.clone(), source_system }
    }

    /// How many more places each source system that holds some may take now, and how many one that holds none.
    pub(crate) fn rooms(&self) -> (Vec<(SourceSystem, usize)>, usize) {
        let table = self.table();
        let room = |source_system| table.holders.room_for(Some(source_system), self.0.number);
        let rooms = table.holders.source_systems().map(|one| (one.clone(), room(one))).collect();
        let free = self.0.number.saturating_sub(table.holders.taken());
        (rooms, table.holders.room_for_a_new_one(free))
    }

    fn place(&self, source_system: Option<SourceSystem>) -> Place {
        Place { places: Some(self.clone()), source_system }
    }

    fn give_back(&self, source_system: Option<&SourceSystem>) {
        self.table().holders.give_back(source_system);
        self.serve();
    }

    /// Gives the places that are free to those in line that may have them. None is handed over under the lock: one that
    /// isn't wanted any more would come back through it.
    fn serve(&self) {
        loop {
            let next = self.table().next(self.0.number);
            let Some((source_system, waiting)) = next else { return };
            if let Err(mut unwanted) = waiting.send(self.place(source_system)) {
                unwanted.places = None;
                self.table().holders.give_back(unwanted.source_system.as_ref());
            }
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn take(&mut self, source_system: Option<&SourceSystem>, number: usize) -> Result<(), NoPlace> {
        if self.holders.room_for(source_system, number) == 0 {
            return Err(self.why_none(source_system, number));
        }
        self.holders.take(source_system);
        Ok(())
    }

    fn why_none(&self, source_system: Option<&SourceSystem>, number: usize) -> NoPlace {
        match source_system {
            Some(one) if self.holders.is_share_used_up(one, number) => NoPlace::ShareUsedUp,
            _ => NoPlace::AllTaken,
        }
    }

    fn queue(&mut self, source_system: Option<SourceSystem>) -> oneshot::Receiver<Place> {
        let (sender, waiting) = oneshot::channel();
        self.came += 1;
        let line = self.queued.entry(source_system).or_default();
        // Who has left would be kept for as long as no place comes back.
        while line.front().is_some_and(|(_, first)| first.is_closed()) {
            line.pop_front();
        }
        line.push_back((self.came, sender));
        waiting
    }

    /// The first in line that may have a place, which is its own from now on.
    fn next(&mut self, number: usize) -> Option<(Option<SourceSystem>, oneshot::Sender<Place>)> {
        let may = self.queued.iter().filter(|(one, _)| self.holders.room_for(one.as_ref(), number) > 0);
        let first = may.min_by_key(|(_, line)| line.front().map(|(came, _)| *came))?;
        let source_system = first.0.clone();
        let line = self.queued.get_mut(&source_system)?;
        let waiting = line.pop_front();
        if line.is_empty() {
            self.queued.remove(&source_system);
        }
        let (_, waiting) = waiting?;
        self.holders.take(source_system.as_ref());
        Some((source_system, waiting))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(places) = self.places.take() {
            places.give_back(self.source_system.as_ref());
        }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.places.table().holders.take(Some(&self.source_system));
    }
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
