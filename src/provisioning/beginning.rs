//! Begins a booking, unless it is there, or was cancelled before it came.

use std::sync::Arc;

use super::results::{Cancel, ProvisioningError};
use super::tries::Tries;
use super::{Provisioning, events};
use crate::audit::Origin;
use crate::booking::{BookingKey, BookingSpec, Generation, Lateness, MessageOrder, derive};
use crate::meeting::{Attempt, CancelledAgain, Tombstone, Transition};
use crate::store::LeasedBooking;
use crate::store::writing::{Accepted, Before, Changed};

/// What became of a booking that was to begin.
#[derive(Debug)]
pub(super) enum Beginning {
    /// It is stored, and its first attempt is ours.
    Begun(Box<Transition>, Attempt),
    /// It was there already; this is what was sent.
    Known(Box<LeasedBooking>, BookingSpec),
    /// It was cancelled before, by a message that this one doesn't follow.
    CancelledBefore(Tombstone, Lateness),
}

impl Provisioning {
    /// Stores the first generation of a booking, if its source system may have it. Most have no tombstone, so none is looked for: the statement finds out.
    pub(super) async fn begin_first(
        self: &Arc<Self>,
        key: &BookingKey,
        spec: BookingSpec,
        origin: &Origin,
    ) -> Result<Beginning, ProvisioningError> {
        self.check_newly_wanted(key, &spec)?;
        self.check_day(&key.source_system).await?;
        let sent = spec.order();
        let mut spec = self.with_default_settings(key, spec);
        let mut before = Before::Nothing;
        let mut tries = Tries::default();
        loop {
            let now = self.clock.now();
            let accepted = self.fresh_generation(key.clone(), Generation::FIRST, spec, now);
            let attempt = self.fresh_attempt(now);
            let outcome = self.accept(&accepted, before, attempt, origin).await?;
            let tombstone = match outcome {
                Accepted::New => {
                    self.stored_one(&key.source_system);
                    return Ok(Beginning::Begun(Box::new(accepted), attempt));
                }
                Accepted::Known(known) => {
                    return Ok(Beginning::Known(known, accepted.booking.wanted.spec.with_order(sent)));
                }
                Accepted::CancelledBefore(tombstone) => tombstone,
            };
            match tombstone.admits(sent) {
                Ok(order) => spec = accepted.booking.wanted.spec.with_order(order),
                Err(lateness) => return Ok(Beginning::CancelledBefore(tombstone, lateness)),
            }
            before = Before::Tombstone(tombstone.revision);
            self.overtaken(&mut tries).await?;
        }
    }

    /// Keeps a cancel of a booking that is not known. Nothing where the booking has come meanwhile, or another cancel of it.
    pub(super) async fn keep_cancel(
        self: &Arc<Self>,
        key: &BookingKey,
        sent: MessageOrder,
        origin: &Origin,
    ) -> Result<Option<Cancel>, ProvisioningError> {
        if sent == MessageOrder::default() {
            return Ok(Some(Cancel::NotThere));
        }
        let known = self.store.tombstone(key).await?;
        let order = match known.as_ref().map(|known| known.cancelled_again(sent)) {
            None => sent,
            Some(CancelledAgain::Renewed(order)) => order,
            Some(CancelledAgain::Already) => return Ok(known.map(Cancel::Kept)),
            Some(CancelledAgain::Stale(lateness)) => {
                return Ok(known.map(|known| Cancel::CancelledBefore(known, lateness)));
            }
        };
        let known_revision = known.map(|known| known.revision);
        let tombstone = Tombstone {
            key: key.clone(),
            revision: known_revision.map_or(1, |revision| revision.saturating_add(1)),
            order,
            received_at: self.clock.now(),
            request_id: origin.request_id.clone(),
        };
        let external_id = derive(self.namespace, self.tenant, key, Generation::FIRST).external_id;
        let event = events::cancel_kept(&tombstone, sent, origin);
        let kept = self.store.keep_cancel(known_revision, &tombstone, external_id, &event).await?;
        Ok((kept == Changed::Stored).then_some(Cancel::Kept(tombstone)))
    }
}
