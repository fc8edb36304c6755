//! The pauses that hold at one replica.

use std::collections::{BTreeSet, HashMap};

use super::pause::{Pause, PauseScope};
use crate::booking::SourceSystem;
use crate::clock::Timestamp;

/// The pauses that hold. Each operation costs the same however many there are, but for those whose time is over.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    until: HashMap<PauseScope, Timestamp>,
    ends: BTreeSet<(Timestamp, PauseScope)>,
}

impl Pauses {
    /// Adds a pause. Says whether it holds longer than what was known.
    pub(super) fn extend(&mut self, pause: Pause, now: Timestamp) -> bool {
        self.forget_over(now);
        let known = self.until.get(&pause.scope).copied();
        if pause.until <= now || known.is_some_and(|known| known >= pause.until) {
            return false;
        }
        if let Some(known) = known {
            self.ends.remove(&(known, pause.scope.clone()));
        }
        self.until.insert(pause.scope.clone(), pause.until);
        self.ends.insert((pause.until, pause.scope));
        true
    }

    /// Until when calls of this scope have to wait, if they have to.
    pub(super) fn until(&self, scope: &PauseScope, now: Timestamp) -> Option<Timestamp> {
        self.until.get(scope).copied().filter(|until| *until > now)
    }

    /// The source systems whose calls have to wait, and until when.
    pub(super) fn of_source_systems(&self, now: Timestamp) -> Vec<(SourceSystem, Timestamp)> {
        let each = self.ends.iter().filter(|(until, _)| *until > now);
        each.filter_map(|(until, scope)| match scope {
            PauseScope::SourceSystem(name) => Some((name.clone(), *until)),
            _ => None,
        })
        .collect()
    }

    /// How many hold.
    pub(super) fn count(&mut self, now: Timestamp) -> usize {
        self.forget_over(now);
        self.until.len()
    }

    fn forget_over(&mut self, now: Timestamp) {
        while self.ends.first().is_some_and(|(until, _)| *until <= now) {
            if let Some((_, scope)) = self.ends.pop_first() {
                self.until.remove(&scope);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::booking::UserId;

    const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);

    /// The longest of what was asked for a scope holds, and what is over leaves nothing behind.
    #[test]
    fn the_longest_pause_of_a_scope_holds_until_its_end() {
        let organizer = |id| PauseScope::Organizer(UserId::new(Uuid::from_u128(id)));
        let second = |count| NOW + Duration::from_secs(count);
        let mut pauses = Pauses::default();
        for (scope, until, is_longer) in [
            (organizer(1), second(5), true),
            (organizer(1), second(3), false),
            (organizer(1), second(5), false),
            (organizer(1), second(9), true),
            (organizer(2), second(7), true),
            (PauseScope::Application, second(1), true),
            (organizer(3), NOW, false),
        ] {
            assert_eq!(
                pauses.extend(Pause { scope: scope.clone(), until }, NOW),
                is_longer,
                "{scope} {until}"
            );
        }
        for (now, of_first, count) in [
            (NOW, Some(second(9)), 3),
            (second(1), Some(second(9)), 2),
            (second(7), Some(second(9)), 1),
            (second(9), None, 0),
        ] {
            assert_eq!((pauses.until(&organizer(1), now), pauses.count(now)), (of_first, count), "{now}");
        }
        assert!(pauses.until.is_empty() && pauses.ends.is_empty());
    }
}
