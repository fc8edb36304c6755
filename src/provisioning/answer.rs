//! What the doors are told.

use crate::booking::Difference;
use crate::meeting::Standing;
use crate::store::StoreError;

/// What became of a request to create a booking or get it.
#[derive(Debug)]
pub(crate) enum CreateOrGet {
    /// It was not known; it stands like this now.
    New(Standing),
    /// It was known, and is the same; it stands like this now.
    Known(Standing),
    /// It is known, but is not the same: in these fields.
    Differs(Standing, Vec<Difference>),
    /// It is known, and was called off.
    Cancelled(Standing),
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProvisioningError {
    /// The store can't say; nothing was accepted, as far as anyone knows.
    #[error("the booking can't be stored")]
    Store(#[from] StoreError),
}
