//! In what two lists of people differ: who was added, who was removed, who takes part otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// How many people of each kind are named; the others are counted.
pub const NAMED_MAX: usize = 20;

/// In what the attendees of one side differ from those of the other. Complete, so that two can be compared, until
/// [`AttendeeChanges::cut`] makes it fit for an answer or an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AttendeeChanges {
    /// Only the later side has them.
    pub added: Vec<Participant>,
    /// Only the earlier side has them.
    pub removed: Vec<Participant>,
    /// Both sides have them, otherwise.
    pub changed: Vec<ParticipantChange>,
    /// How many more were added than are named.
    pub more_added: usize,
    /// How many more were removed than are named.
    pub more_removed: usize,
    /// How many more were changed than are named.
    pub more_changed: usize,
}

/// One person with a role, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// User principal name, in lower case.
    pub upn: Option<String>,
    /// Object id.
    pub user_id: Option<String>,
    /// The role, in lower case.
    pub role: String,
}

/// One person that both sides have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipantChange {
    /// As the earlier side has it.
    pub from: Participant,
    /// As the later side has it.
    pub to: Participant,
}

impl Participant {
    /// By what a person is the same on both sides.
    fn name(&self) -> Option<&str> {
        self.upn.as_deref().or(self.user_id.as_deref())
    }
}

impl AttendeeChanges {
    /// What makes the later side out of the earlier one. The order of either makes no difference.
    #[must_use]
    pub fn between(earlier: &BTreeSet<Participant>, later: &BTreeSet<Participant>) -> Self {
        let mut changes = Self::default();
        let mut left: BTreeMap<String, Vec<Participant>> = BTreeMap::new();
        for participant in earlier.difference(later) {
            let name = participant.name().unwrap_or_default().to_owned();
            left.entry(name).or_default().push(participant.clone());
        }
        for to in later.difference(earlier) {
            let same = left.get_mut(to.name().unwrap_or_default()).and_then(Vec::pop);
            match same {
                Some(from) => changes.changed.push(ParticipantChange { from, to: to.clone() }),
                None => changes.added.push(to.clone()),
            }
        }
        changes.removed = left.into_values().flatten().collect();
        changes
    }

    /// With the first [`NAMED_MAX`] of each kind, and the others counted.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.more_added += cut(&mut self.added);
        self.more_removed += cut(&mut self.removed);
        self.more_changed += cut(&mut self.changed);
        self
    }
}

fn cut<T>(named: &mut Vec<T>) -> usize {
    let more = named.len().saturating_sub(NAMED_MAX);
    named.truncate(NAMED_MAX);
    more
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `upn role`, or `role` alone for a person without a name.
    fn people(texts: &[&str]) -> BTreeSet<Participant> {
        let one = |text: &&str| {
            let (upn, role) = text.split_once(' ').map_or((None, *text), |(upn, role)| (Some(upn), role));
            Participant { upn: upn.map(str::to_owned), user_id: None, role: role.to_owned() }
        };
        texts.iter().map(one).collect()
    }

    fn told(changes: &AttendeeChanges) -> Vec<String> {
        let text = |one: &Participant| format!("{} {}", one.upn.as_deref().unwrap_or("-"), one.role);
        let added = changes.added.iter().map(|one| format!("+{}", text(one)));
        let removed = changes.removed.iter().map(|one| format!("-{}", text(one)));
        let otherwise = changes.changed.iter().map(|one| format!("{} > {}", text(&one.from), text(&one.to)));
        added.chain(removed).chain(otherwise).collect()
    }

    /// Each person is named once: added, removed, or with both roles.
    #[test]
    fn changes_name_who_makes_the_difference() {
        for (earlier, later, expected) in [
            (&["a attendee", "b presenter"][..], &["b presenter", "a attendee"][..], &[][..]),
            (&["a attendee"], &["a presenter"], &["a attendee > a presenter"]),
            (
                &["a attendee", "b attendee", "c attendee"],
                &["a attendee", "c presenter", "d attendee"],
                &["+d attendee", "-b attendee", "c attendee > c presenter"],
            ),
            (&[], &["a attendee"], &["+a attendee"]),
            (&["a attendee"], &[], &["-a attendee"]),
            (&["a attendee"], &["a attendee", "a presenter"], &["+a presenter"]),
            (&["attendee"], &["presenter"], &["- attendee > - presenter"]),
        ] {
            let changes = AttendeeChanges::between(&people(earlier), &people(later));
            assert_eq!(told(&changes), expected, "{earlier:?} {later:?}");
        }
    }

    /// Of each kind twenty are named and the others are counted, also when it is cut again.
    #[test]
    fn few_are_named_and_all_are_counted() {
        let names: Vec<String> = (100..400).map(|n| format!("{n} attendee")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let changes = AttendeeChanges::between(&people(&names), &people(&["100 presenter", "x attendee"]));
        assert_eq!((changes.added.len(), changes.removed.len(), changes.changed.len()), (1, 299, 1));
        let cut = changes.clone().cut();
        assert_eq!((cut.added.len(), cut.removed.len(), cut.changed.len()), (1, NAMED_MAX, 1));
        assert_eq!((cut.more_added, cut.more_removed, cut.more_changed), (0, 279, 0));
        assert_eq!(cut.clone().cut(), cut);
        assert_ne!(cut, changes);
    }
}
