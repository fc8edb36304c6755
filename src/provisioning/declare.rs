//! Declares what a booking should be, or calls it off.

use std::sync::Arc;
use std::time::Duration;

use super::answer::{Cancel, Declare, ProvisioningError};
use super::{Provisioning, events};
use crate::audit::{NewAuditEvent, Origin};
use crate::booking::{Booking, BookingKey, Generation, Sequence};
use crate::meeting::{Attempt, CalledOff, Declared, OrganizerChange, Standing, next_call};
use crate::store::Kept;
use crate::store::writing::{Accepted, Changed};

/// What a caller declares.
#[derive(Debug, Clone)]
pub(crate) struct Declaration {
    /// Of which booking.
    pub(crate) key: BookingKey,
    /// What it should be.
    pub(crate) booking: Booking,
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
    fn holds(&self, standing: &Standing) -> bool {
        match self {
            Self::Exists => true,
            Self::OneOf(known) => known.contains(&(standing.generation.number(), standing.revision)),
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
        let booking = self.with_default_settings(&declaration.key, declaration.booking);
        let declaration = Declaration { booking, ..declaration };
        loop {
            let Some(kept) = self.store.latest(&declaration.key).await? else {
                if declaration.only_if.is_some() {
                    return Ok(Declare::NotThere);
                }
                match self.begin(&declaration, None, &origin, patience).await? {
                    Some(declared) => return Ok(declared),
                    None => continue,
                }
            };
            if declaration.only_if.as_ref().is_some_and(|condition| !condition.holds(&kept.standing)) {
                return Ok(Declare::Moved(kept.standing));
            }
            let declared = kept.standing.declared(
                declaration.booking.clone(),
                declaration.organizer_change,
                kept.attempt.is_some(),
                self.clock.now(),
            );
            let (standing, differences) = match declared {
                Declared::Same => return Ok(Declare::Same(self.wait_for(kept.standing, patience).await)),
                Declared::Stale(stored) => return Ok(Declare::Stale(kept.standing, stored)),
                Declared::OrganizerFixed(differences) => {
                    return Ok(Declare::OrganizerFixed(kept.standing, differences));
                }
                Declared::ChannelFixed(differences) => {
                    return Ok(Declare::ChannelFixed(kept.standing, differences));
                }
                Declared::BookedAgain | Declared::Replaced => {
                    match self.begin(&declaration, Some(&kept.standing), &origin, patience).await? {
                        Some(declared) => return Ok(declared),
                        None => continue,
                    }
                }
                Declared::Changed(standing, differences) => (*standing, differences),
            };
            let event = events::changed(&standing, &differences, &origin);
            if let Some(standing) = Box::pin(self.change(&kept, (standing, event), &origin, patience)).await?
            {
                return Ok(Declare::Changed(standing));
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
            let Some(kept) = self.store.latest(&key).await? else { return Ok(Cancel::NotThere) };
            if only_if.as_ref().is_some_and(|condition| !condition.holds(&kept.standing)) {
                return Ok(Cancel::Moved(kept.standing));
            }
            match kept.standing.called_off(sequence, kept.attempt.is_some(), self.clock.now()) {
                CalledOff::Already => {
                    return Ok(Cancel::Cancelled(self.wait_for(kept.standing, patience).await));
                }
                CalledOff::Stale(stored) => return Ok(Cancel::Stale(kept.standing, stored)),
                CalledOff::Now(standing) => {
                    let event = events::cancelled(&standing, &origin);
                    if let Some(standing) =
                        Box::pin(self.change(&kept, (*standing, event), &origin, patience)).await?
                    {
                        return Ok(Cancel::Cancelled(standing));
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
        before: Option<&Standing>,
        origin: &Origin,
        patience: Duration,
    ) -> Result<Option<Declare>, ProvisioningError> {
        let now = self.clock.now();
        let generation = before.map_or(Generation::FIRST, |before| before.generation.next());
        let mut booking = declaration.booking.clone();
        booking.sequence = booking.sequence.or(before.and_then(|before| before.wanted.booking.sequence));
        let standing = self.fresh_generation(declaration.key.clone(), generation, booking, now);
        let attempt = self.fresh_attempt(now);
        let event = events::accepted(&standing, origin, attempt);
        let overtakes = before.map(|before| before.revision);
        match self.accept(&standing, overtakes, &attempt, &event).await? {
            Accepted::Known(_) => Ok(None),
            Accepted::New => {
                let standing = self.carry_out_and_wait(standing, attempt, origin.clone(), patience).await;
                if let Some(before) = before {
                    // The generation before may be due now, and its removal needs nobody's patience.
                    self.alarm.set(before.updated_at);
                }
                Ok(Some(Declare::New(standing)))
            }
        }
    }

    /// Stores a change and carries it out, or lets the attempt that is under way find it. Nothing when the booking is
    /// no longer as it was read.
    async fn change(
        self: &Arc<Self>,
        kept: &Kept,
        (standing, event): (Standing, NewAuditEvent),
        origin: &Origin,
        patience: Duration,
    ) -> Result<Option<Standing>, ProvisioningError> {
        let is_work_left = next_call(&standing.wanted, &standing.observed).is_some();
        let ours: Option<Attempt> =
            (kept.attempt.is_none() && is_work_left).then(|| self.fresh_attempt(standing.updated_at));
        let attempt = kept.attempt.or(ours);
        let retired = events::retired(&standing, origin);
        let declared = self.store.declare(kept, &standing, attempt, (&event, &retired)).await;
        if let Err(error) = &declared {
            // It may be stored all the same, with our attempt: the worker finds out.
            self.unconfirmed.note(error, ours);
        }
        if declared? == Changed::Overtaken {
            return Ok(None);
        }
        if standing.generation > Generation::FIRST {
            self.alarm.set(standing.updated_at);
        }
        if let Some(attempt) = ours {
            return Ok(Some(self.carry_out_and_wait(standing, attempt, origin.clone(), patience).await));
        }
        // What needs no work is settled by this very change, and somebody may wait for it.
        self.tell_settled(standing.wanted.external_id);
        Ok(Some(self.wait_for(standing, patience).await))
    }
}
