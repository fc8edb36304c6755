//! Makes bookings due again by hand.

use std::sync::Arc;
use std::time::Duration;

use super::carry_out::Work;
use super::results::{ProvisioningError, Retry};
use super::tries::Tries;
use super::{Provisioning, events};
use crate::audit::Origin;
use crate::booking::{BookingKey, Generation};
use crate::clock::Timestamp;
use crate::meeting::{Booking, Retried, Transition};
use crate::store::writing::Changed;
use crate::store::{Store, StoreError};

impl Provisioning {
    /// Tries a booking again now, in this generation or its latest: one that is parked, or one that is due later. The
    /// patience of the retry policy begins anew.
    pub(crate) async fn retry(
        self: &Arc<Self>,
        key: BookingKey,
        generation: Option<Generation>,
        origin: Origin,
        patience: Duration,
    ) -> Result<Retry, ProvisioningError> {
        let mut tries = Tries::default();
        loop {
            let leased = match generation {
                Some(generation) => self.store.generation(&key, generation).await?,
                None => self.store.latest(&key).await?,
            };
            let Some(leased) = leased else { return Ok(Retry::NotThere) };
            let now = self.clock.now();
            match leased.booking.retried(leased.attempt.is_some(), now) {
                Retried::Settled => return Ok(Retry::Settled(leased.booking)),
                Retried::UnderWay => {
                    return Ok(Retry::Tried(self.waiting.wait_for(leased.booking, patience).await));
                }
                Retried::Now(retried) => {
                    let attempt = self.fresh_attempt(now);
                    let event = events::retried(&leased.booking, &retried, &origin);
                    let Transition { booking, next, .. } = *retried;
                    let stored = self.store.retry(leased.booking.revision, &booking, Some(attempt), &event);
                    if self.unconfirmed.opening(vec![attempt], stored).await? == Changed::Stored {
                        let work = Work { booking, next, attempt, origin };
                        return Ok(Retry::Tried(self.carry_out_and_wait(work, patience).await));
                    }
                    self.overtaken(&mut tries).await?;
                }
            }
        }
    }
}

/// Makes a booking due again, for a worker of any replica to take up; whether it still stood as it was read, with no
/// attempt under way.
pub(crate) async fn make_due(
    store: &Store,
    known: &Booking,
    origin: &Origin,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Retried::Now(retried) = known.retried(false, now) else { return Ok(false) };
    let event = events::retried(known, &retried, origin);
    Ok(store.retry(known.revision, &retried.booking, None, &event).await? == Changed::Stored)
}
