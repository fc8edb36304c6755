//! Makes bookings due again, because somebody asked for it.

use std::sync::Arc;
use std::time::Duration;

use super::results::{ProvisioningError, Retry};
use super::{Provisioning, events};
use crate::audit::Origin;
use crate::booking::{BookingKey, Generation};
use crate::clock::Timestamp;
use crate::meeting::{Booking, Retried};
use crate::store::writing::Changed;
use crate::store::{Store, StoreError};

impl Provisioning {
    /// Tries a booking again now, in this generation or its latest: one that is parked, or one that is due later. The
    /// patience of the retry policy begins anew.
    pub(crate) async fn retry(
        self: &Arc<Self>,
        (key, generation): (BookingKey, Option<Generation>),
        origin: Origin,
        patience: Duration,
    ) -> Result<Retry, ProvisioningError> {
        loop {
            let leased = match generation {
                Some(generation) => self.store.generation(&key, generation).await?,
                None => self.store.latest(&key).await?,
            };
            let Some(leased) = leased else { return Ok(Retry::NotThere) };
            let now = self.clock.now();
            match leased.booking.retried(leased.attempt.is_some(), now) {
                Retried::Settled => return Ok(Retry::Settled(leased.booking)),
                Retried::UnderWay => return Ok(Retry::Tried(self.wait_for(leased.booking, patience).await)),
                Retried::Now(booking) => {
                    let attempt = self.fresh_attempt(now);
                    let event = events::retried(&leased.booking, &booking, &origin);
                    let revision = leased.booking.revision;
                    let stored = self.store.retry(revision, &booking, Some(attempt), &event).await;
                    let stored = stored.inspect_err(|error| self.unconfirmed.note(error, [attempt]));
                    if stored? == Changed::Stored {
                        let booking = self.carry_out_and_wait(*booking, attempt, origin, patience).await;
                        return Ok(Retry::Tried(booking));
                    }
                }
            }
        }
    }
}

/// Makes a booking due again, for a worker of any replica to take up; whether it still stood as it was read, with nobody
/// at work on it.
pub(crate) async fn make_due(
    store: &Store,
    known: &Booking,
    origin: &Origin,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Retried::Now(booking) = known.retried(false, now) else { return Ok(false) };
    let event = events::retried(known, &booking, origin);
    Ok(store.retry(known.revision, &booking, None, &event).await? == Changed::Stored)
}
