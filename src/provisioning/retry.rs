//! Makes bookings due again, because somebody asked for it.

use std::sync::Arc;
use std::time::Duration;

use super::answer::{ProvisioningError, Retry};
use super::{Provisioning, events};
use crate::audit::Origin;
use crate::booking::{BookingKey, Generation};
use crate::clock::Timestamp;
use crate::meeting::{Retried, Standing};
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
            let kept = match generation {
                Some(generation) => self.store.generation(&key, generation).await?,
                None => self.store.latest(&key).await?,
            };
            let Some(kept) = kept else { return Ok(Retry::NotThere) };
            let now = self.clock.now();
            match kept.standing.retried(kept.attempt.is_some(), now) {
                Retried::Settled => return Ok(Retry::Settled(kept.standing)),
                Retried::UnderWay => return Ok(Retry::Tried(self.wait_for(kept.standing, patience).await)),
                Retried::Now(standing) => {
                    let attempt = self.fresh_attempt(now);
                    let event = events::retried(&kept.standing, &standing, &origin);
                    let revision = kept.standing.revision;
                    let stored = self.store.retry(revision, &standing, Some(attempt), &event).await;
                    let stored = stored.inspect_err(|error| self.unconfirmed.note(error, [attempt]));
                    if stored? == Changed::Stored {
                        let standing = self.carry_out_and_wait(*standing, attempt, origin, patience).await;
                        return Ok(Retry::Tried(standing));
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
    known: &Standing,
    origin: &Origin,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Retried::Now(standing) = known.retried(false, now) else { return Ok(false) };
    let event = events::retried(known, &standing, origin);
    Ok(store.retry(known.revision, &standing, None, &event).await? == Changed::Stored)
}
