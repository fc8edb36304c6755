//! What a 503 with a `Retry-After` is about: one booking, all of a source system, or all calls.

use std::time::Duration;

use super::pause::{Pause, PauseScope};
use super::sign::Subject;
use crate::booking::SourceSystem;
use crate::clock::Timestamp;

/// How long a 503 counts as a witness, at most, whatever time it names.
const WITNESS_MAX: Duration = Duration::from_mins(1);
/// Most witnesses that are kept; older ones give way.
const WITNESSES_MAX: usize = 64;

/// The 503s whose time is not over. One alone backs off its own booking: it may be about that booking, or about the one
/// machine of Graph's that answered, and another connection leads to another one.
#[derive(Debug, Default)]
pub(super) struct Unavailability {
    witnesses: Vec<Witness>,
}

/// A 503 with a `Retry-After`.
#[derive(Debug, Clone)]
pub(super) struct Witness {
    /// Whose call got it.
    pub(super) source_system: SourceSystem,
    /// For whom.
    pub(super) whom: Subject,
    /// Over which connection.
    pub(super) connection: u64,
    /// Until when Graph asks to wait.
    pub(super) until: Timestamp,
}

impl Unavailability {
    /// Notes one more, and says what is to wait now: nothing, unless another one came over another connection for another
    /// organizer. If that one was of the same source system, it is about this one; if it was of another, about all.
    pub(super) fn note(&mut self, witness: Witness, now: Timestamp) -> Option<Pause> {
        self.witnesses.retain(|known| known.until > now);
        let others: Vec<&Witness> = self
            .witnesses
            .iter()
            .filter(|known| known.connection != witness.connection && known.whom != witness.whom)
            .collect();
        let is_about_all = others.iter().any(|known| known.source_system != witness.source_system);
        let scope = if is_about_all {
            Some(PauseScope::Application)
        } else {
            (!others.is_empty()).then(|| PauseScope::SourceSystem(witness.source_system.clone()))
        };
        let soon = witness.until.min(now + WITNESS_MAX);
        // One source system's calls may have a reason of their own, so they don't wait for an hour.
        let pause = scope.map(|scope| {
            let until = if scope == PauseScope::Application { witness.until } else { soon };
            Pause { scope, until }
        });
        if self.witnesses.len() >= WITNESSES_MAX {
            self.witnesses.remove(0);
        }
        self.witnesses.push(Witness { until: soon, ..witness });
        pause
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::booking::UserId;

    const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);

    /// What a 503 of this source system, organizer and connection makes wait, after one of `crm`, organizer 1, connection 1,
    /// whose time is over after 7 s.
    #[test]
    fn a_second_one_says_whom_it_is_about() {
        let witness = |source_system: &str, organizer: u128, connection| Witness {
            source_system: SourceSystem::parse(source_system).unwrap(),
            whom: Subject::Organizer(UserId::new(Uuid::from_u128(organizer))),
            connection,
            until: NOW + Duration::from_secs(7),
        };
        let crm = PauseScope::SourceSystem(SourceSystem::parse("crm").unwrap());
        for (source_system, organizer, connection, after, expected) in [
            ("crm", 1, 1, 0, None),
            ("crm", 1, 2, 0, None),
            ("crm", 2, 1, 0, None),
            ("crm", 2, 2, 0, Some(crm.clone())),
            ("rooms", 1, 2, 0, None),
            ("rooms", 2, 1, 0, None),
            ("rooms", 2, 2, 0, Some(PauseScope::Application)),
            ("rooms", 2, 2, 7, None),
        ] {
            let mut unavailability = Unavailability::default();
            assert_eq!(unavailability.note(witness("crm", 1, 1), NOW), None);
            let second = witness(source_system, organizer, connection);
            let pause = unavailability.note(second.clone(), NOW + Duration::from_secs(after));
            let expected = expected.map(|scope| Pause { scope, until: second.until });
            assert_eq!(pause, expected, "{source_system} {organizer} {connection} {after}");
        }
    }

    /// One that names an hour is no witness for an hour.
    #[test]
    fn a_witness_is_heard_for_a_minute() {
        let witness = |number: u128, until| Witness {
            source_system: SourceSystem::parse("crm").unwrap(),
            whom: Subject::Organizer(UserId::new(Uuid::from_u128(number))),
            connection: u64::try_from(number).unwrap(),
            until,
        };
        let (mut unavailability, hour) = (Unavailability::default(), NOW + Duration::from_hours(1));
        assert_eq!(unavailability.note(witness(1, hour), NOW), None);
        assert_eq!(unavailability.note(witness(2, hour), NOW + WITNESS_MAX), None);
        for number in 3..200 {
            unavailability.note(witness(number, hour), NOW + WITNESS_MAX);
        }
        assert_eq!(unavailability.witnesses.len(), WITNESSES_MAX);
    }
}
