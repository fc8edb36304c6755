//! Accepts a booking, or finds the one that is there.

use std::sync::Arc;
use std::time::Duration;

use super::answer::{CreateOrGet, ProvisioningError};
use super::{Provisioning, events};
use crate::audit::{NewAuditEvent, Origin};
use crate::booking::{Booking, BookingKey, Generation, MeetingSettings, derive, differences};
use crate::clock::Timestamp;
use crate::meeting::{Attempt, AttemptId, Failures, Life, Observed, Progress, Standing, Wanted};
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
        booking: Booking,
        origin: Origin,
        patience: Duration,
    ) -> Result<CreateOrGet, ProvisioningError> {
        if let Some(known) = self.store.latest(&key).await? {
            return self.compare(known.standing, &booking, patience).await;
        }
        let now = self.clock.now();
        let booking = self.with_default_settings(&key, booking);
        let standing = self.fresh_generation(key, Generation::FIRST, booking, now);
        let attempt = self.fresh_attempt(now);
        let event = events::accepted(&standing, &origin, attempt);
        match self.accept(&standing, None, &attempt, &event).await? {
            Accepted::Known(known) => self.compare(known.standing, &standing.wanted.booking, patience).await,
            Accepted::New => {
                self.metrics.booking_accepted(&standing.key.source_system, Acceptance::New);
                let standing = self.carry_out_and_wait(standing, attempt, origin, patience).await;
                Ok(CreateOrGet::New(standing))
            }
        }
    }

    /// Stores a generation of a booking. Should no answer come, it may be stored all the same: the worker finds out.
    pub(super) async fn accept(
        &self,
        standing: &Standing,
        predecessor_revision: Option<u32>,
        attempt: &Attempt,
        event: &NewAuditEvent,
    ) -> Result<Accepted, StoreError> {
        let accepted = self.store.accept(standing, predecessor_revision, attempt, event).await;
        if let Err(error) = &accepted {
            self.unconfirmed.note(error, [*attempt]);
        }
        accepted
    }

    async fn compare(
        self: &Arc<Self>,
        stored: Standing,
        requested: &Booking,
        patience: Duration,
    ) -> Result<CreateOrGet, ProvisioningError> {
        if stored.wanted.life == Life::Cancelled {
            self.metrics.booking_accepted(&stored.key.source_system, Acceptance::Differs);
            return Ok(CreateOrGet::Cancelled(stored));
        }
        let differences = differences(&stored.wanted.booking, requested);
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
        booking: Booking,
        now: Timestamp,
    ) -> Standing {
        let external_id = derive(self.namespace, self.tenant, &key, generation).external_id;
        Standing {
            key,
            generation,
            revision: 1,
            wanted: Wanted { life: Life::Held, external_id, booking, revision: 1 },
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
    pub(super) fn with_default_settings(&self, key: &BookingKey, booking: Booking) -> Booking {
        match self.default_settings.get(&key.source_system) {
            Some(defaults) => booking.with_default_settings(defaults),
            None => booking.with_default_settings(&MeetingSettings::default()),
        }
    }

    /// A fresh attempt that begins now.
    pub(super) fn fresh_attempt(&self, now: Timestamp) -> Attempt {
        Attempt { id: AttemptId::new(self.clock.fresh_id()), started_at: now, leased_until: now + self.lease }
    }
}
