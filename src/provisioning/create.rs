//! Accepts a booking, or finds the one that is there.

use std::sync::Arc;
use std::time::Duration;

use super::beginning::Beginning;
use super::carry_out::Work;
use super::declaration::Change;
use super::results::{CreateOrGet, ProvisioningError};
use super::{Provisioning, events};
use crate::audit::Origin;
use crate::booking::{BookingKey, BookingSpec, Generation, MeetingSettings, derive};
use crate::clock::Timestamp;
use crate::meeting::{Attempt, AttemptId, Booking, Repetition, Transition};
use crate::store::writing::{Accepted, Before};
use crate::store::{LeasedBooking, StoreError};
use crate::telemetry::Acceptance;

impl Provisioning {
    /// Creates a booking and its meeting, or gets what is there; never changes an existing meeting.
    ///
    /// Once the booking is stored the work goes on without the caller, who is told how the booking stands when
    /// it is settled or when the patience ends.
    pub(crate) async fn create_or_get(
        self: &Arc<Self>,
        key: BookingKey,
        spec: BookingSpec,
        origin: Origin,
        patience: Duration,
    ) -> Result<CreateOrGet, ProvisioningError> {
        let mut spec = spec;
        loop {
            let known = if let Some(known) = self.store.latest(&key).await? {
                known
            } else {
                match self.begin_first(&key, spec, &origin).await? {
                    Beginning::Begun(accepted, attempt) => {
                        let Transition { booking, next, .. } = *accepted;
                        self.metrics.booking_accepted(&key.source_system, Acceptance::New);
                        let work = Work { booking, next, attempt, origin };
                        return Ok(CreateOrGet::New(self.carry_out_and_wait(work, patience).await));
                    }
                    Beginning::Known(known, sent) => {
                        spec = sent;
                        *known
                    }
                    Beginning::CancelledBefore(tombstone, lateness) => {
                        self.metrics.booking_accepted(&key.source_system, Acceptance::Differs);
                        return Ok(CreateOrGet::CancelledBefore(tombstone, lateness));
                    }
                }
            };
            if let Some(found) = self.compare(known, &spec, &origin, patience).await? {
                return Ok(found);
            }
        }
    }

    /// Stores a generation of a booking. Should no answer come, it may be stored all the same: the worker finds out.
    pub(super) async fn accept(
        &self,
        accepted: &Transition,
        before: Before,
        attempt: Attempt,
        origin: &Origin,
    ) -> Result<Accepted, StoreError> {
        let event = events::accepted(accepted, origin, attempt);
        let stored = self.store.accept(&accepted.booking, before, &attempt, &event).await;
        stored.inspect_err(|error| self.unconfirmed.note(error, [attempt]))
    }

    /// What a known booking is to the request. Nothing when it is no longer as it was read.
    async fn compare(
        self: &Arc<Self>,
        known: LeasedBooking,
        requested: &BookingSpec,
        origin: &Origin,
        patience: Duration,
    ) -> Result<Option<CreateOrGet>, ProvisioningError> {
        let repetition = known.booking.repeated(requested, self.clock.now());
        let is_same = matches!(repetition, Repetition::Same | Repetition::Renewed(..));
        let counted = if is_same { Acceptance::Replayed } else { Acceptance::Differs };
        self.metrics.booking_accepted(&known.booking.key.source_system, counted);
        let stored = known.booking;
        Ok(Some(match repetition {
            Repetition::Same => CreateOrGet::Known(self.waiting.wait_for(stored, patience).await),
            Repetition::Renewed(renewed, keys) => {
                let event = events::changed(&renewed, &keys, origin);
                let known = LeasedBooking { booking: stored, attempt: known.attempt };
                let change = Change { known: &known, changed: *renewed, event };
                return Ok(Box::pin(self.change(change, origin, patience)).await?.map(CreateOrGet::Known));
            }
            Repetition::Differs(differences) => CreateOrGet::Differs(stored, differences),
            Repetition::Cancelled => CreateOrGet::Cancelled(stored),
            Repetition::Stale(lateness) => CreateOrGet::Stale(stored, lateness),
        }))
    }

    /// A generation of a booking that is to be accepted now.
    pub(super) fn fresh_generation(
        &self,
        key: BookingKey,
        generation: Generation,
        spec: BookingSpec,
        now: Timestamp,
    ) -> Transition {
        let external_id = derive(self.namespace, self.tenant, &key, generation).external_id;
        Booking::accepted(key, generation, external_id, spec, now)
    }

    /// The booking with the settings that its meeting should have, by what is set for its source system now. Whatever
    /// is newly wanted passes through here before it is stored; what is compared with the stored needs not.
    pub(super) fn with_default_settings(&self, key: &BookingKey, spec: BookingSpec) -> BookingSpec {
        match self.default_settings.get(&key.source_system) {
            Some(defaults) => spec.with_default_settings(defaults),
            None => spec.with_default_settings(&MeetingSettings::default()),
        }
    }

    /// A fresh attempt that begins now.
    pub(super) fn fresh_attempt(&self, now: Timestamp) -> Attempt {
        Attempt { id: AttemptId::new(self.clock.fresh_id()), started_at: now, leased_until: now + self.lease }
    }
}
