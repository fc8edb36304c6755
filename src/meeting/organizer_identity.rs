//! Who the organizer of a booking is, however a caller names the person: the object id decides. And whether the
//! organizer may still be corrected.

use super::booking::Booking;
use super::next_call::organizer;
use super::outcome::Evidence;
use crate::booking::{Organizer, Upn, UserId};

/// What Graph told of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameLookup {
    /// The name.
    pub name: Upn,
    /// The user who has it; none where Graph says that there is no such user.
    pub user: Option<UserId>,
    /// What proves it.
    pub evidence: Evidence,
}

/// The names that were looked up for one decision. It needs two at most: the requested one and the stored one.
#[derive(Debug, Clone, PartialEq)]
pub struct NameLookups(Vec<NameLookup>);

impl NameLookups {
    /// No name was looked up yet.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Adds what was told of one more name.
    pub fn add(&mut self, lookup: NameLookup) {
        self.0.push(lookup);
    }

    /// What was told of how a caller names an organizer.
    #[must_use]
    pub fn of(&self, organizer: &Organizer) -> Option<&NameLookup> {
        match organizer {
            Organizer::Upn(upn) => self.0.iter().find(|lookup| lookup.name == *upn),
            Organizer::UserId(_) => None,
        }
    }
}

/// Whether a caller means the organizer of a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// The same person.
    Same,
    /// Another person.
    Other,
    /// No one: the name that the caller uses is no user's.
    NoUser(Box<NameLookup>),
    /// Not known until this name is looked up.
    Unresolved(Upn),
}

impl Booking {
    /// Whether `requested` is this booking's organizer: named alike, or the same user by object id. The name under which the
    /// booking was stored stays the same organizer for ever, although Graph may give it to another user.
    pub(super) fn identity(&self, requested: &Organizer, lookups: &NameLookups) -> Identity {
        let stored = &self.wanted.spec.organizer;
        if requested == stored {
            return Identity::Same;
        }
        let user = |organizer: &Organizer| match (organizer, lookups.of(organizer)) {
            (Organizer::UserId(id), _) => Ok(*id),
            (Organizer::Upn(upn), None) => Err(Identity::Unresolved(upn.clone())),
            (Organizer::Upn(_), Some(lookup)) => {
                lookup.user.ok_or_else(|| Identity::NoUser(Box::new(lookup.clone())))
            }
        };
        let known = self.organizer_id().map_or_else(|| user(stored), Ok);
        match (user(requested), known) {
            (Err(unclear), _) => unclear,
            (Ok(_), Err(unresolved @ Identity::Unresolved(_))) => unresolved,
            (Ok(requested), Ok(known)) if requested == known => Identity::Same,
            (Ok(_), _) => Identity::Other,
        }
    }

    /// The organizer's object id, as far as it is known.
    pub(super) fn organizer_id(&self) -> Option<UserId> {
        organizer(&self.wanted, &self.observed)
    }

    /// Whether Graph may hold a meeting under this generation's externalId: one was seen, the outcome of a `createOrGet` is
    /// unknown, or one may be under way. While the organizer's object id isn't known, none can be. Once it may hold one the
    /// organizer is pinned: the same externalId under another organizer would be a second meeting.
    pub(super) fn may_have_meeting(&self, under_way: bool) -> bool {
        let may_be_creating = under_way && self.organizer_id().is_some();
        self.observed.meeting.is_some() || self.observed.creation_unknown || may_be_creating
    }
}

#[cfg(test)]
#[path = "organizer_identity_tests.rs"]
mod tests;
