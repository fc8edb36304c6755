//! What became of a request, for `api` and `command`.

use std::time::Duration;

use super::name_lookup::LookupFailure;
use crate::booking::{Difference, Lateness, OutOfReach, SourceSystem};
use crate::meeting::{Booking, Tombstone};
use crate::store::StoreError;

/// What became of a request to create a booking or get it.
#[derive(Debug)]
pub(crate) enum CreateOrGet {
    /// It was not known; it stands like this now.
    New(Booking),
    /// It was known, and is the same; it stands like this now.
    Known(Booking),
    /// It is known, but is not the same: in these fields.
    Differs(Booking, Vec<Difference>),
    /// It is known, and was cancelled.
    Cancelled(Booking),
    /// A newer message was here before.
    Stale(Booking, Lateness),
    /// It isn't known, and was cancelled before by a message that this one doesn't follow.
    CancelledBefore(Tombstone, Lateness),
    /// It is known, and whether under another name of its organizer can't be said now.
    OrganizerUnresolved(Booking, Box<LookupFailure>),
}

/// What became of a declaration.
#[derive(Debug)]
pub(crate) enum Declare {
    /// A booking, or a generation of one, was made; it stands like this now.
    New(Booking),
    /// It was like this already.
    Same(Booking),
    /// It was changed; it stands like this now.
    Changed(Booking),
    /// A newer message was here before.
    Stale(Booking, Lateness),
    /// It isn't known, and was cancelled before by a message that this one doesn't follow.
    CancelledBefore(Tombstone, Lateness),
    /// Another organizer would be another meeting, and the caller did not allow that.
    OrganizerFixed(Booking, Vec<Difference>),
    /// Whether it names the organizer by another name or is another one can't be said now.
    OrganizerUnresolved(Booking, Box<LookupFailure>),
    /// A meeting can't move to another channel.
    ChannelFixed(Booking, Vec<Difference>),
    /// It does not stand as the caller believes.
    RevisionMismatch(Booking),
    /// It isn't there, and the caller believes it is.
    NoneMatches,
}

/// What became of a cancel.
#[derive(Debug)]
pub(crate) enum Cancel {
    /// It is cancelled, and stands like this now.
    Cancelled(Booking),
    /// It isn't known; the cancel is kept, so that an older create makes no meeting.
    Kept(Tombstone),
    /// It isn't known, and a newer cancel of it was kept before.
    CancelledBefore(Tombstone, Lateness),
    /// A newer message was here before.
    Stale(Booking, Lateness),
    /// It does not stand as the caller believes.
    RevisionMismatch(Booking),
    /// It isn't there, and a cancel without keys of order is not kept.
    NotThere,
    /// It isn't there, and the caller believes it is.
    NoneMatches,
}

/// What became of a booking that was to be tried again by hand.
#[derive(Debug)]
pub(crate) enum Retry {
    /// It was tried again, or is being tried; it stands like this now.
    Tried(Booking),
    /// There is nothing to try: it stands like this.
    Settled(Booking),
    /// It isn't there.
    NotThere,
}

/// Why a source system doesn't get what it asks for. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// It may not have it.
    #[error(transparent)]
    OutOfReach(#[from] OutOfReach),
    /// It has stored as many bookings today as it may.
    #[error(
        "The source system {source_system} has stored {limit} bookings today (UTC), and may store no more: the operator sets \
         `bookings_per_day`. Nothing was stored; what is known already is answered as ever."
    )]
    Day {
        /// Which.
        source_system: SourceSystem,
        /// How many it may store in a day.
        limit: u32,
        /// How long it is until the next day begins.
        until: Duration,
    },
}

impl From<OutOfReach> for ProvisioningError {
    fn from(out: OutOfReach) -> Self {
        Self::Refused(out.into())
    }
}

/// Why nothing was done, or nothing can be said.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProvisioningError {
    /// The store can't say; nothing was accepted, as far as anyone knows.
    #[error("the booking can't be stored")]
    Store(#[from] StoreError),
    /// Others changed the booking each time that this request was about to.
    #[error("too many requests change this booking at once")]
    Contended,
    /// The source system may not have it.
    #[error(transparent)]
    Refused(#[from] Refused),
}
