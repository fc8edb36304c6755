//! A cancel that came before its booking.

use crate::booking::{BookingKey, Lateness, MessageOrder, Precedence};
use crate::clock::Timestamp;

/// A booking that was cancelled before it was known: its create may still be on its way, and must make no meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// Which booking.
    pub key: BookingKey,
    /// Counts the cancels that were kept, from 1.
    pub revision: u32,
    /// The keys of the newest cancel; it has one at least.
    pub order: MessageOrder,
    /// When that was received.
    pub received_at: Timestamp,
    /// The request that brought it.
    pub request_id: Option<String>,
}

/// What becomes of a tombstone when its booking is cancelled once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelledAgain {
    /// It says so already.
    Already,
    /// These keys are newer, and are kept.
    Renewed(MessageOrder),
    /// A newer cancel was here before.
    Stale(Lateness),
}

impl Tombstone {
    /// The keys with which a booking begins that a message creates now. Only one that is newer than the cancel creates it:
    /// where that can't be said no meeting is made, for one that is missing shows, and one too many doesn't.
    ///
    /// # Errors
    /// Why the message doesn't count.
    pub fn admits(&self, sent: MessageOrder) -> Result<MessageOrder, Lateness> {
        match sent.precedence_over(self.order) {
            Precedence::Newer(_) => Ok(self.order.renewed_by(sent)),
            precedence => Err(Lateness { sent, stored: self.order, precedence }),
        }
    }

    /// What becomes of it when the booking is cancelled again.
    #[must_use]
    pub fn cancelled_again(&self, sent: MessageOrder) -> CancelledAgain {
        if let Some(lateness) = sent.lateness(self.order) {
            return CancelledAgain::Stale(lateness);
        }
        let renewed = self.order.renewed_by(sent);
        if renewed == self.order { CancelledAgain::Already } else { CancelledAgain::Renewed(renewed) }
    }
}
