//! Accepts a booking, or finds the one that is there.

use std::sync::Arc;
use std::time::Duration;

use super::beginning::Beginning;
use super::carry_out::Work;
use super::declaration::Change;
use super::results::{CreateOrGet, ProvisioningError};
use super::tries::Tries;
use super::{Provisioning, events};
use crate::audit::Origin;
use crate::booking::{BookingKey, BookingSpec, Generation, MeetingSettings, OutOfReach, derive};
use crate::clock::Timestamp;
use crate::meeting::{Attempt, AttemptId, Booking, NameLookups, Repetition, Transition};
use crate::store::writing::{Accepted, Before};
use crate::store::{LeasedBooking, StoreError};
use crate::telemetry::Acceptance;

/// What a caller sent, to be compared with what is stored.
struct Sent<'a> {
    spec: &'a BookingSpec,
    /// The names that were looked up for it.
    lookups: &'a mut NameLookups,
}

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
        let mut lookups = NameLookups::none();
        let mut tries = Tries::default();
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
            if let Some(found) =
                self.compare(known, Sent { spec: &spec, lookups: &mut lookups }, &origin, patience).await?
            {
                return Ok(found);
            }
            self.overtaken(&mut tries).await?;
        }
    }

    /// Stores a generation of a booking.
    pub(super) async fn accept(
        &self,
        accepted: &Transition,
        before: Before,
        attempt: Attempt,
        origin: &Origin,
    ) -> Result<Accepted, StoreError> {
        let event = events::accepted(accepted, origin, attempt);
        let stored = self.store.accept(&accepted.booking, before, &attempt, &event);
        self.unconfirmed.opening(vec![attempt], stored).await
    }

    /// What a known booking is to the request. Nothing when it is no longer as it was read, or when that depends on a name
    /// that is looked up now: it may have changed meanwhile.
    async fn compare(
        self: &Arc<Self>,
        known: LeasedBooking,
        sent: Sent<'_>,
        origin: &Origin,
        patience: Duration,
    ) -> Result<Option<CreateOrGet>, ProvisioningError> {
        let Sent { spec, lookups } = sent;
        let LeasedBooking { booking: stored, attempt } = known;
        let source_system = stored.key.source_system.clone();
        let count = |acceptance| self.metrics.booking_accepted(&source_system, acceptance);
        let other = match stored.repeated(spec, lookups, self.clock.now()) {
            Repetition::Same => {
                count(Acceptance::Replayed);
                return Ok(Some(CreateOrGet::Known(self.waiting.wait_for(stored, patience).await)));
            }
            Repetition::Renewed(renewed, keys) => {
                count(Acceptance::Replayed);
                let event = events::changed(&renewed, &keys, &NameLookups::none(), origin);
                let known = LeasedBooking { booking: stored, attempt };
                let change = Change { known: &known, changed: *renewed, event };
                return Ok(Box::pin(self.change(change, origin, patience)).await?.map(CreateOrGet::Known));
            }
            Repetition::OrganizerUnresolved(name) => {
                // Before Graph is asked: whose name it is, is not told of those out of reach.
                self.check_newly_wanted(&stored.key, spec)?;
                return Ok(match self.look_up(name, &stored.key, origin).await {
                    Ok(lookup) => {
                        lookups.add(lookup);
                        None
                    }
                    Err(failure) => Some(CreateOrGet::OrganizerUnresolved(stored, failure)),
                });
            }
            Repetition::Differs(differences) => CreateOrGet::Differs(stored, differences),
            Repetition::Cancelled => CreateOrGet::Cancelled(stored),
            Repetition::Stale(lateness) => CreateOrGet::Stale(stored, lateness),
        };
        count(Acceptance::Differs);
        Ok(Some(other))
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

    /// Whether what is newly wanted is within its source system's reach. What is stored already is not asked about: it is
    /// answered and carried out as it was accepted, whatever was set since.
    pub(super) fn check_newly_wanted(&self, key: &BookingKey, spec: &BookingSpec) -> Result<(), OutOfReach> {
        self.reaches.check(&key.source_system, spec)
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
