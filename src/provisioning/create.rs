//! Accepts a booking, or finds the one that is there.

use std::sync::Arc;
use std::time::Duration;

use super::results::{CreateOrGet, ProvisioningError};
use super::{Provisioning, events};
use crate::audit::{NewAuditEvent, Origin};
use crate::booking::{BookingKey, BookingSpec, Generation, MeetingSettings, derive, differences};
use crate::clock::Timestamp;
use crate::meeting::{Attempt, AttemptId, Booking, DesiredState, Failures, Observed, Progress, Wanted};
use crate::store::StoreError;
use crate::store::writing::Accepted;
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
        if let Some(known) = self.store.latest(&key).await? {
            return self.compare(known.booking, &spec, patience).await;
        }
        let now = self.clock.now();
        let spec = self.with_default_settings(&key, spec);
        let booking = self.fresh_generation(key, Generation::FIRST, spec, now);
        let attempt = self.fresh_attempt(now);
        let event = events::accepted(&booking, &origin, attempt);
        match self.accept(&booking, None, &attempt, &event).await? {
            Accepted::Known(known) => self.compare(known.booking, &booking.wanted.spec, patience).await,
            Accepted::New => {
                self.metrics.booking_accepted(&booking.key.source_system, Acceptance::New);
                let booking = self.carry_out_and_wait(booking, attempt, origin, patience).await;
                Ok(CreateOrGet::New(booking))
            }
        }
    }

    /// Stores a generation of a booking. Should no answer come, it may be stored all the same: the worker finds out.
    pub(super) async fn accept(
        &self,
        booking: &Booking,
        predecessor_revision: Option<u32>,
        attempt: &Attempt,
        event: &NewAuditEvent,
    ) -> Result<Accepted, StoreError> {
        let accepted = self.store.accept(booking, predecessor_revision, attempt, event).await;
        if let Err(error) = &accepted {
            self.unconfirmed.note(error, [*attempt]);
        }
        accepted
    }

    async fn compare(
        self: &Arc<Self>,
        stored: Booking,
        requested: &BookingSpec,
        patience: Duration,
    ) -> Result<CreateOrGet, ProvisioningError> {
        if stored.wanted.desired_state == DesiredState::Cancelled {
            self.metrics.booking_accepted(&stored.key.source_system, Acceptance::Differs);
            return Ok(CreateOrGet::Cancelled(stored));
        }
        let differences = differences(&stored.wanted.spec, requested);
        if !differences.is_empty() {
            self.metrics.booking_accepted(&stored.key.source_system, Acceptance::Differs);
            return Ok(CreateOrGet::Differs(stored, differences));
        }
        self.metrics.booking_accepted(&stored.key.source_system, Acceptance::Replayed);
        Ok(CreateOrGet::Known(self.wait_for(stored, patience).await))
    }

    /// How a generation of a booking stands that nobody has worked on.
    pub(super) fn fresh_generation(
        &self,
        key: BookingKey,
        generation: Generation,
        spec: BookingSpec,
        now: Timestamp,
    ) -> Booking {
        let external_id = derive(self.namespace, self.tenant, &key, generation).external_id;
        Booking {
            key,
            generation,
            revision: 1,
            wanted: Wanted { desired_state: DesiredState::Present, external_id, spec, revision: 1 },
            observed: Observed::default(),
            progress: Progress::Due(now),
            attempts: 0,
            failures: Failures::default(),
            last_error: None,
            provisioned_at: None,
            created_at: now,
            updated_at: now,
        }
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
