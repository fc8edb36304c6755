//! What harmless questions brought to light about an organizer.

use super::failure::Failure;
use super::outcome::{Evidence, Refusal};
use crate::booking::{Organizer, UserId};
use crate::clock::Timestamp;

/// What Entra and Graph answered when they were asked about an organizer, with nothing changed by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizerFacts {
    /// Whom it is about.
    pub organizer: Organizer,
    /// The object id: given, or found by name.
    pub user_id: Option<UserId>,
    /// When this was asked.
    pub checked_at: Timestamp,
    /// Whether a token can be had.
    pub token: Result<TokenFacts, TokenFault>,
    /// What came of looking the user up; none if that was not done.
    pub user: Option<Probe>,
    /// What came of reading one of the user's meetings that can't exist; none if that was not done.
    pub meeting: Option<Probe>,
}

impl OrganizerFacts {
    /// The same without the object id, for an asker that knows the name only. Graph names the id in what it says, too.
    #[must_use]
    pub fn without_user_id(mut self) -> Self {
        let Some(id) = self.user_id.take().map(|id| id.to_string()) else { return self };
        let probes = [&mut self.user, &mut self.meeting].into_iter().flatten();
        for message in probes.filter_map(|probe| probe.evidence.message.as_mut()) {
            for written in [id.clone(), id.to_uppercase()] {
                *message = message.replace(&written, "(its object id)");
            }
        }
        self
    }
}

/// A token that can be had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenFacts {
    /// The application permissions that stand in it; none for a token that can't be read, which is none of our business
    /// and no fault.
    pub roles: Option<Vec<String>>,
}

/// Why no token can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFault {
    /// Whether our credential is refused; else the way to the token endpoint is out of order.
    pub is_refusal: bool,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: &'static str,
}

/// A harmless read, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What came of it.
    pub seen: ProbeOutcome,
    /// What Graph answered.
    pub evidence: Evidence,
}

/// What a read came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// It is there.
    There,
    /// It is not there (404).
    Missing,
    /// Graph said no.
    Refused(Refusal),
    /// No answer, or none that tells anything.
    Unanswered,
    /// Graph may not be asked now.
    NotSent,
}

/// How the latest bookings for an organizer went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecentAttempts {
    /// Bookings accepted before this time were not looked at.
    pub since: Timestamp,
    /// When a meeting last was what was wanted.
    pub succeeded_at: Option<Timestamp>,
    /// When Graph last refused because of the organizer, and how, of the bookings that have had no success since.
    pub refused: Option<(Timestamp, Failure)>,
}

impl RecentAttempts {
    /// Whether the latest attempt was a success.
    #[must_use]
    pub fn ended_well(&self) -> bool {
        self.succeeded_at.is_some_and(|success| self.refused.is_none_or(|(refusal, _)| refusal < success))
    }
}
