//! Stores what an attempt did to a booking.

use super::ask::Asked;
use super::carry_out::STORE_AGAIN;
use super::{Provisioning, events};
use crate::audit::{NewAuditEvent, Origin};
use crate::error_chain::chain;
use crate::meeting::{Attempt, Booking, Refuted, Transition};
use crate::store::StoreError;
use crate::store::writing::{Settled, Settlement};

/// An attempt that is over.
#[derive(Debug)]
pub(super) struct Closing<'a> {
    /// How the booking stood.
    pub(super) before: &'a Booking,
    /// What came of asking.
    pub(super) asked: &'a Asked,
    /// What that does to the booking.
    pub(super) transition: &'a Transition,
    /// Which attempt.
    pub(super) attempt: Attempt,
    /// The attempt that follows at once.
    pub(super) next_attempt: Option<Attempt>,
    /// On whose behalf.
    pub(super) origin: &'a Origin,
}

/// What became of a settlement.
#[derive(Debug)]
pub(super) enum SettleResult {
    /// It is stored.
    Stored,
    /// The row is no longer as it was read: changed by a caller, or leased by another attempt.
    Overtaken,
    /// The schema refuses it: this meeting belongs to another booking.
    MeetingTaken(String),
    /// Postgres refuses what is to be stored, as it would again: this is why.
    Refused(String),
    /// Postgres did not answer for the length of a lease.
    Unanswered,
}

impl Closing<'_> {
    fn event(&self) -> NewAuditEvent {
        match self.asked {
            Asked::NothingToAsk => events::agreed(self.transition, self.origin),
            Asked::Postponed(postponed) => {
                events::postponed(self.transition, self.origin, self.attempt, &postponed.why)
            }
            Asked::Answered(answered) => {
                events::settled(self.before, self.transition, answered, self.attempt, self.origin)
            }
        }
    }

    /// Whether the attempt changes nothing but when the booking is due, for a reason of our own, while its last error stands
    /// already: the history has been told that it waits, and an hour of overload must not fill it.
    fn is_told_before(&self) -> bool {
        match self.asked {
            Asked::Postponed(postponed) => !postponed.is_graphs_wish && self.before.last_error.is_some(),
            Asked::Answered(_) | Asked::NothingToAsk => false,
        }
    }

    fn refuted(&self) -> Refuted {
        match self.asked {
            Asked::Answered(answered) => answered.reply.refutes(),
            Asked::Postponed(_) | Asked::NothingToAsk => Refuted::NOTHING,
        }
    }

    fn online_meeting(&self) -> Option<&str> {
        match self.asked {
            Asked::Answered(answered) => {
                answered.reply.outcome.meeting().map(|seen| seen.online_meeting.as_ref())
            }
            Asked::Postponed(_) | Asked::NothingToAsk => None,
        }
    }
}

impl Provisioning {
    /// Settles, again and again while Postgres is away and our lease lasts: the answer is known only here.
    pub(super) async fn settle(&self, closing: &Closing<'_>) -> SettleResult {
        let give_up = tokio::time::Instant::now() + self.lease;
        let (booking, attempt) = (&closing.transition.booking, closing.attempt.id);
        let settlement = Settlement {
            attempt,
            worked_on: closing.before.revision,
            booking,
            next_attempt: closing.next_attempt,
            online_meeting: closing.online_meeting(),
            is_adopted: closing.transition.is_adopted,
            event: &closing.event(),
            retired: &events::retired(booking, closing.origin),
            freed: &events::freed(closing.attempt, booking.updated_at),
            refuted: closing.refuted(),
        };
        loop {
            let settled = if closing.is_told_before() {
                self.store.hand_back(&settlement).await
            } else {
                self.store.settle(&settlement).await
            };
            match settled {
                Ok(Settled::Stored) => return SettleResult::Stored,
                Ok(Settled::Overtaken) => return SettleResult::Overtaken,
                Err(StoreError::MeetingTaken(meeting)) => return SettleResult::MeetingTaken(meeting),
                Err(error) if error.may_pass() && tokio::time::Instant::now() < give_up => {
                    let error = chain(&error);
                    tracing::warn!(booking = %booking.key, %attempt, error, "settling again");
                    tokio::time::sleep(STORE_AGAIN).await;
                }
                Err(error @ StoreError::Unreachable(_)) => {
                    let error = chain(&error);
                    tracing::error!(booking = %booking.key, %attempt, error, "attempt not settled: its lease will end");
                    return SettleResult::Unanswered;
                }
                Err(error) => {
                    self.metrics.settlement_refused();
                    let why = error.refusal();
                    let error = chain(&error);
                    tracing::error!(booking = %booking.key, %attempt, error, "settlement refused by Postgres");
                    return SettleResult::Refused(why);
                }
            }
        }
    }
}
