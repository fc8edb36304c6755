//! Declares what a booking should be, or calls it off.

use std::sync::Arc;
use std::time::Duration;

use super::results::{Cancel, Declare, ProvisioningError};
use super::{Provisioning, events};
use crate::audit::{NewAuditEvent, Origin};
use crate::booking::{BookingKey, BookingSpec, Generation, Sequence};
use crate::meeting::{Attempt, Booking, Cancellation, Declared, OrganizerChange, next_call};
use crate::store::LeasedBooking;
use crate::store::writing::{Accepted, Changed};

/// What a caller declares.
#[derive(Debug, Clone)]
pub(crate) struct Declaration {
    /// Of which booking.
    pub(crate) key: BookingKey,
    /// What it should be.
    pub(crate) spec: BookingSpec,
    /// Whether another organizer may take over.
    pub(crate) organizer_change: OrganizerChange,
    /// Only if the booking stands at one of these, as `(generation, revision)`; `None` where anything will do.
    pub(crate) only_if: Option<Condition>,
}

/// What a caller believes to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Anything that exists (`If-Match: *`).
    Exists,
    /// One of these generations and revisions.
    OneOf(Vec<(u32, u32)>),
}

impl Condition {
    fn holds(&self, booking: &Booking) -> bool {
        match self {
            Self::Exists => true,
            Self::OneOf(known) => known.contains(&(booking.generation.number(), booking.revision)),
        }
    }
}

impl Provisioning {
    /// Makes a booking what it is declared to be: creates it, changes it, or books it again.
    pub(crate) async fn declare(
        self: &Arc<Self>,
        declaration: Declaration,
        origin: Origin,
        patience: Duration,
    ) -> Result<Declare, ProvisioningError> {
        let spec = self.with_default_settings(&declaration.key, declaration.spec);
        let declaration = Declaration { spec, ..declaration };
        loop {
            let Some(leased) = self.store.latest(&declaration.key).await? else {
                if declaration.only_if.is_some() {
                    return Ok(Declare::NotThere);
                }
                match self.begin(&declaration, None, &origin, patience).await? {
                    Some(declared) => return Ok(declared),
                    None => continue,
                }
            };
            if declaration.only_if.as_ref().is_some_and(|condition| !condition.holds(&leased.booking)) {
                return Ok(Declare::RevisionMismatch(leased.booking));
            }
            let declared = leased.booking.declared(
                declaration.spec.clone(),
                declaration.organizer_change,
                leased.attempt.is_some(),
                self.clock.now(),
            );
            let (booking, differences) = match declared {
                Declared::Same => return Ok(Declare::Same(self.wait_for(leased.booking, patience).await)),
                Declared::Stale(stored) => return Ok(Declare::Stale(leased.booking, stored)),
                Declared::OrganizerFixed(differences) => {
                    return Ok(Declare::OrganizerFixed(leased.booking, differences));
                }
                Declared::ChannelFixed(differences) => {
                    return Ok(Declare::ChannelFixed(leased.booking, differences));
                }
                Declared::BookedAgain | Declared::Replaced => {
                    match self.begin(&declaration, Some(&leased.booking), &origin, patience).await? {
                        Some(declared) => return Ok(declared),
                        None => continue,
                    }
                }
                Declared::Changed(booking, differences) => (*booking, differences),
            };
            let event = events::changed(&booking, &differences, &origin);
            if let Some(booking) = Box::pin(self.change(&leased, (booking, event), &origin, patience)).await?
            {
                return Ok(Declare::Changed(booking));
            }
        }
    }

    /// Calls a booking off; again is harmless.
    pub(crate) async fn cancel(
        self: &Arc<Self>,
        (key, sequence): (BookingKey, Option<Sequence>),
        only_if: Option<Condition>,
        origin: Origin,
        patience: Duration,
    ) -> Result<Cancel, ProvisioningError> {
        loop {
            let Some(leased) = self.store.latest(&key).await? else { return Ok(Cancel::NotThere) };
            if only_if.as_ref().is_some_and(|condition| !condition.holds(&leased.booking)) {
                return Ok(Cancel::RevisionMismatch(leased.booking));
            }
            match leased.booking.cancelled_now(sequence, leased.attempt.is_some(), self.clock.now()) {
                Cancellation::Already => {
                    return Ok(Cancel::Cancelled(self.wait_for(leased.booking, patience).await));
                }
                Cancellation::Stale(stored) => return Ok(Cancel::Stale(leased.booking, stored)),
                Cancellation::Now(booking) => {
                    let event = events::cancelled(&booking, &origin);
                    if let Some(booking) =
                        Box::pin(self.change(&leased, (*booking, event), &origin, patience)).await?
                    {
                        return Ok(Cancel::Cancelled(booking));
                    }
                }
            }
        }
    }

    /// Stores the first generation of a booking, or the one after `before`, and carries it out. Nothing when somebody
    /// else was faster.
    async fn begin(
        self: &Arc<Self>,
        declaration: &Declaration,
        before: Option<&Booking>,
        origin: &Origin,
        patience: Duration,
    ) -> Result<Option<Declare>, ProvisioningError> {
        let now = self.clock.now();
        let generation = before.map_or(Generation::FIRST, |before| before.generation.next());
        let mut spec = declaration.spec.clone();
        spec.sequence = spec.sequence.or(before.and_then(|before| before.wanted.spec.sequence));
        let booking = self.fresh_generation(declaration.key.clone(), generation, spec, now);
        let attempt = self.fresh_attempt(now);
        let event = events::accepted(&booking, origin, attempt);
        let overtakes = before.map(|before| before.revision);
        match self.accept(&booking, overtakes, &attempt, &event).await? {
            Accepted::Known(_) => Ok(None),
            Accepted::New => {
                let booking = self.carry_out_and_wait(booking, attempt, origin.clone(), patience).await;
                if let Some(before) = before {
                    // The generation before may be due now, and its removal needs nobody's patience.
                    self.alarm.set(before.updated_at);
                }
                Ok(Some(Declare::New(booking)))
            }
        }
    }

    /// Stores a change and carries it out, or lets the attempt that is under way find it. Nothing when the booking is
    /// no longer as it was read.
    async fn change(
        self: &Arc<Self>,
        leased: &LeasedBooking,
        (booking, event): (Booking, NewAuditEvent),
        origin: &Origin,
        patience: Duration,
    ) -> Result<Option<Booking>, ProvisioningError> {
        let is_work_left = next_call(&booking.wanted, &booking.observed).is_some();
        let ours: Option<Attempt> =
            (leased.attempt.is_none() && is_work_left).then(|| self.fresh_attempt(booking.updated_at));
        let attempt = leased.attempt.or(ours);
        let retired = events::retired(&booking, origin);
        let declaration = LeasedBooking { booking, attempt };
        let declared = self.store.declare(leased, &declaration, &event, &retired).await;
        let booking = declaration.booking;
        if let Err(error) = &declared {
            // It may be stored all the same, with our attempt: the worker finds out.
            self.unconfirmed.note(error, ours);
        }
        if declared? == Changed::Overtaken {
            return Ok(None);
        }
        if booking.generation > Generation::FIRST {
            self.alarm.set(booking.updated_at);
        }
        if let Some(attempt) = ours {
            return Ok(Some(self.carry_out_and_wait(booking, attempt, origin.clone(), patience).await));
        }
        // What needs no work is settled by this very change, and somebody may wait for it.
        self.publish_settled(booking.wanted.external_id);
        Ok(Some(self.wait_for(booking, patience).await))
    }
}
