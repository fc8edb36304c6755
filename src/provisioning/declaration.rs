//! Declares what a booking should be, or cancels it.

use std::sync::Arc;
use std::time::Duration;

use super::beginning::Beginning;
use super::carry_out::Work;
use super::name_lookup::LookupFailure;
use super::results::{Cancel, Declare, ProvisioningError};
use super::tries::Tries;
use super::{Provisioning, events};
use crate::audit::{NewAuditEvent, Origin};
use crate::booking::{BookingKey, BookingSpec, Generation, MessageOrder, OutOfReach};
use crate::meeting::{
    Attempt, Booking, Cancellation, Declared, Moment, NameLookups, OrganizerChange, Transition,
};
use crate::store::LeasedBooking;
use crate::store::writing::{Accepted, Before, Changed};

/// What a caller declares.
#[derive(Debug, Clone)]
pub(crate) struct Declaration {
    /// Of which booking.
    pub(crate) key: BookingKey,
    /// What it should be.
    pub(crate) spec: BookingSpec,
    /// Whether another organizer may take over.
    pub(crate) organizer_change: OrganizerChange,
    /// Only if the booking stands as the caller says.
    pub(crate) only_if: Preconditions,
}

/// How a booking must stand for a request to be carried out (RFC 9110, 13).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Preconditions {
    /// This holds (`If-Match`).
    pub(crate) if_match: Option<Condition>,
    /// This doesn't hold (`If-None-Match`).
    pub(crate) if_none_match: Option<Condition>,
}

/// What a caller says of the booking as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Anything that exists (`*`).
    Exists,
    /// One of these generations and revisions.
    OneOf(Vec<(u32, u32)>),
}

/// What a caller cancels.
#[derive(Debug, Clone)]
pub(crate) struct CancelRequest {
    /// Which booking.
    pub(crate) key: BookingKey,
    /// Where the caller's message stands in the order of messages.
    pub(crate) order: MessageOrder,
    /// Only if the booking stands as the caller says.
    pub(crate) only_if: Preconditions,
}

/// A change to store, with its event.
pub(super) struct Change<'a> {
    /// The booking as it was read.
    pub(super) known: &'a LeasedBooking,
    /// What becomes of it.
    pub(super) changed: Transition,
    /// The event that records it.
    pub(super) event: NewAuditEvent,
}

impl Preconditions {
    /// Whether a request may be carried out on this booking, or where there is none. Both must say so; neither can make up
    /// for the other, so the order of 13.2.2 makes no difference.
    fn allow(&self, booking: Option<&Booking>) -> bool {
        let holds = |condition: &Condition| booking.is_some_and(|booking| condition.holds(booking));
        self.if_match.as_ref().is_none_or(holds) && !self.if_none_match.as_ref().is_some_and(holds)
    }
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
        let mut lookups = NameLookups::none();
        let mut tries = Tries::default();
        loop {
            let Some(leased) = self.store.latest(&declaration.key).await? else {
                if !declaration.only_if.allow(None) {
                    return Ok(Declare::NoneMatches);
                }
                if let Some(declared) = self.begin(&declaration, None, &origin, patience).await? {
                    return Ok(declared);
                }
                self.overtaken(&mut tries).await?;
                continue;
            };
            if !declaration.only_if.allow(Some(&leased.booking)) {
                return Ok(Declare::RevisionMismatch(leased.booking));
            }
            let moment =
                Moment { lookups: &lookups, under_way: leased.attempt.is_some(), now: self.clock.now() };
            let (spec, organizer_change) = (declaration.spec.clone(), declaration.organizer_change);
            let declared = leased.booking.declared(spec, organizer_change, &moment);
            self.check_declared(&declared, &declaration)?;
            let (changed, differences) = match declared {
                Declared::Same => {
                    return Ok(Declare::Same(self.waiting.wait_for(leased.booking, patience).await));
                }
                Declared::Stale(lateness) => return Ok(Declare::Stale(leased.booking, lateness)),
                Declared::OrganizerUnresolved(name) => {
                    match self.look_up(name, &declaration.key, &origin).await {
                        Ok(lookup) => lookups.add(lookup),
                        Err(failure) => return Ok(Declare::OrganizerUnresolved(leased.booking, failure)),
                    }
                    continue;
                }
                Declared::OrganizerUnknown(lookup) => {
                    let failure = Box::new(LookupFailure::no_such_user(*lookup));
                    return Ok(Declare::OrganizerUnresolved(leased.booking, failure));
                }
                Declared::OrganizerFixed(differences) => {
                    return Ok(Declare::OrganizerFixed(leased.booking, differences));
                }
                Declared::ChannelFixed(differences) => {
                    return Ok(Declare::ChannelFixed(leased.booking, differences));
                }
                Declared::BookedAgain | Declared::Replaced => {
                    if let Some(declared) =
                        self.begin(&declaration, Some(&leased.booking), &origin, patience).await?
                    {
                        return Ok(declared);
                    }
                    self.overtaken(&mut tries).await?;
                    continue;
                }
                Declared::Changed(changed, differences) => (changed, differences),
            };
            let event = events::changed(&changed, &differences, &lookups, &origin);
            let change = Change { known: &leased, changed: *changed, event };
            if let Some(booking) = Box::pin(self.change(change, &origin, patience)).await? {
                return Ok(Declare::Changed(booking));
            }
            self.overtaken(&mut tries).await?;
        }
    }

    /// What a declaration comes to is within its source system's reach, or asks for nothing that isn't stored.
    fn check_declared(&self, declared: &Declared, declaration: &Declaration) -> Result<(), OutOfReach> {
        if declared.wants_something_new() {
            self.check_newly_wanted(&declaration.key, &declaration.spec)?;
        }
        Ok(())
    }

    /// Cancels a booking; again is harmless.
    pub(crate) async fn cancel(
        self: &Arc<Self>,
        cancellation: CancelRequest,
        origin: Origin,
        patience: Duration,
    ) -> Result<Cancel, ProvisioningError> {
        let CancelRequest { key, order, only_if } = cancellation;
        let mut tries = Tries::default();
        loop {
            let Some(leased) = self.store.latest(&key).await? else {
                if !only_if.allow(None) {
                    return Ok(Cancel::NoneMatches);
                }
                if let Some(kept) = self.keep_cancel(&key, order, &origin).await? {
                    return Ok(kept);
                }
                self.overtaken(&mut tries).await?;
                continue;
            };
            if !only_if.allow(Some(&leased.booking)) {
                return Ok(Cancel::RevisionMismatch(leased.booking));
            }
            let cancellation =
                leased.booking.cancelled_now(order, leased.attempt.is_some(), self.clock.now());
            let (changed, event) = match cancellation {
                Cancellation::Already => {
                    return Ok(Cancel::Cancelled(self.waiting.wait_for(leased.booking, patience).await));
                }
                Cancellation::Stale(lateness) => return Ok(Cancel::Stale(leased.booking, lateness)),
                Cancellation::Now(cancelled) => {
                    let event = events::cancelled(&cancelled, order, &origin);
                    (cancelled, event)
                }
                Cancellation::Renewed(cancelled, differences) => {
                    let event = events::changed(&cancelled, &differences, &NameLookups::none(), &origin);
                    (cancelled, event)
                }
            };
            let change = Change { known: &leased, changed: *changed, event };
            if let Some(booking) = Box::pin(self.change(change, &origin, patience)).await? {
                return Ok(Cancel::Cancelled(booking));
            }
            self.overtaken(&mut tries).await?;
        }
    }

    /// Stores the first generation of a booking, or the one after `before`, and carries it out. Nothing when another request
    /// was faster.
    async fn begin(
        self: &Arc<Self>,
        declaration: &Declaration,
        before: Option<&Booking>,
        origin: &Origin,
        patience: Duration,
    ) -> Result<Option<Declare>, ProvisioningError> {
        let Some(before) = before else {
            return match self.begin_first(&declaration.key, declaration.spec.clone(), origin).await? {
                Beginning::Begun(accepted, attempt) => {
                    let Transition { booking, next, .. } = *accepted;
                    let work = Work { booking, next, attempt, origin: origin.clone() };
                    Ok(Some(Declare::New(self.carry_out_and_wait(work, patience).await)))
                }
                Beginning::Known(..) => Ok(None),
                Beginning::CancelledBefore(tombstone, lateness) => {
                    Ok(Some(Declare::CancelledBefore(tombstone, lateness)))
                }
            };
        };
        self.check_day(&declaration.key.source_system).await?;
        let now = self.clock.now();
        let order = before.wanted.spec.order().renewed_by(declaration.spec.order());
        let spec = declaration.spec.clone().with_order(order);
        let accepted = self.fresh_generation(declaration.key.clone(), before.generation.next(), spec, now);
        let attempt = self.fresh_attempt(now);
        match self.accept(&accepted, Before::Generation(before.revision), attempt, origin).await? {
            Accepted::Known(_) | Accepted::CancelledBefore(_) => Ok(None),
            Accepted::New => {
                self.stored_one(&declaration.key.source_system);
                let Transition { booking, next, .. } = accepted;
                let work = Work { booking, next, attempt, origin: origin.clone() };
                let booking = self.carry_out_and_wait(work, patience).await;
                // The generation before may be due now, and no caller waits for its removal.
                self.alarm.set(before.updated_at);
                Ok(Some(Declare::New(booking)))
            }
        }
    }

    /// Stores a change and carries it out, or lets the attempt that is under way find it. Nothing when the booking is
    /// no longer as it was read.
    pub(super) async fn change(
        self: &Arc<Self>,
        change: Change<'_>,
        origin: &Origin,
        patience: Duration,
    ) -> Result<Option<Booking>, ProvisioningError> {
        let Change { known, changed: Transition { booking, next, .. }, event } = change;
        let ours: Option<Attempt> =
            (known.attempt.is_none() && next.is_some()).then(|| self.fresh_attempt(booking.updated_at));
        let attempt = known.attempt.or(ours);
        let retired = events::retired(&booking, origin);
        let declaration = LeasedBooking { booking, attempt };
        let declared = self.store.declare(known, &declaration, &event, &retired);
        if self.unconfirmed.opening(ours.into_iter().collect(), declared).await? == Changed::Overtaken {
            return Ok(None);
        }
        let booking = declaration.booking;
        if booking.generation > Generation::FIRST {
            self.alarm.set(booking.updated_at);
        }
        if let Some(attempt) = ours {
            let work = Work { booking, next, attempt, origin: origin.clone() };
            return Ok(Some(self.carry_out_and_wait(work, patience).await));
        }
        // What needs no work is settled by this very change, and a request may wait for it.
        self.waiting.publish_settled(booking.wanted.external_id);
        Ok(Some(self.waiting.wait_for(booking, patience).await))
    }
}
