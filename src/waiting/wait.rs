//! Waits for a booking that this replica or another one works on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::notices::Notices;
use super::registry::{WaitRegistry, WorkGuard};
use super::remote_waiters::RemoteWaiters;
use crate::booking::ExternalId;
use crate::clock::Clock;
use crate::error_chain::chain;
use crate::meeting::{Booking, Progress, Status};
use crate::shares::{Aside, Place, Places, served_source_system};
use crate::store::{ReplicaId, Store};
use crate::telemetry::Metrics;

/// How often a waiting request looks for itself where no notice would reach it. The first looks come soon, for calls that
/// take milliseconds; later ones cost a busy Postgres little.
const LOOKS: [Duration; 4] = [
    Duration::from_millis(15),
    Duration::from_millis(40),
    Duration::from_millis(100),
    Duration::from_millis(250),
];

/// So many waiting requests look as often as is said; twice as many look half as often, and so on, so that the looks of all
/// of them together cost Postgres the same.
const POLL_SCALE: usize = 1_000;

/// What waiting is built from.
#[derive(Debug)]
pub(crate) struct WaitingParts {
    /// Where bookings are looked at.
    pub(crate) store: Store,
    /// Time and ids.
    pub(crate) clock: Arc<dyn Clock>,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// The places of requests that are answered; one that waits lends its own.
    pub(crate) answering: Places,
    /// Those of requests that wait.
    pub(crate) requests: Places,
    /// Those of them that look at the store: they must leave connections to requests that accept and settle.
    pub(crate) looks: Places,
    /// How often a request looks for itself that notices reach.
    pub(crate) poll: Duration,
    /// Whether this replica publishes notices and listens to them.
    pub(crate) listens: bool,
}

/// The requests of this replica that wait, and what replicas tell each other for their sake.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(super) store: Store,
    pub(super) metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    pub(super) poll: Duration,
    pub(super) registry: WaitRegistry,
    pub(super) notices: Notices,
    remote_waiters: Mutex<RemoteWaiters>,
    answering: Places,
    requests: Places,
    looks: Places,
    over: CancellationToken,
}

impl Waiting {
    /// No request waits yet.
    pub(crate) fn new(parts: WaitingParts) -> Self {
        Self {
            notices: Notices::of(ReplicaId::new(parts.clock.fresh_id()), parts.listens),
            store: parts.store,
            metrics: parts.metrics,
            clock: parts.clock,
            poll: parts.poll,
            registry: WaitRegistry::default(),
            remote_waiters: Mutex::default(),
            answering: parts.answering,
            requests: parts.requests,
            looks: parts.looks,
            over: CancellationToken::new(),
        }
    }

    /// This replica, as it names itself to others.
    pub(crate) fn replica(&self) -> ReplicaId {
        self.notices.replica
    }

    /// Answers each request that waits at once, now and from now on, with how its booking stands.
    pub(crate) fn end(&self) {
        self.over.cancel();
        self.registry.wake_all();
    }

    /// Notes that a booking is worked on here; dropping the guard wakes the requests that wait for it.
    pub(crate) fn working_on(&self, external_id: ExternalId) -> WorkGuard<'_> {
        self.registry.working_on(external_id)
    }

    /// Awaits this work, at most until then. Nothing where it takes longer, where as many requests wait already as may, and
    /// once waiting is over; the work goes on.
    pub(crate) async fn await_until<T>(&self, work: impl Future<Output = T>, until: Instant) -> Option<T> {
        if until <= Instant::now() {
            return None;
        }
        let _place = self.place()?;
        tokio::select! {
            biased;
            done = tokio::time::timeout_at(until, work) => done.ok(),
            () = self.over.cancelled() => None,
        }
    }

    /// Waits until the booking is settled or parked, at most as long as the caller is patient, and no longer than that can
    /// happen at all; says how it stands then, as far as is known: should Postgres go away meanwhile, the booking is stored
    /// all the same.
    pub(crate) async fn wait_for(&self, booking: Booking, patience: Duration) -> Booking {
        // A meeting that is merely being checked is there.
        if booking.status() == Status::Provisioned {
            return booking;
        }
        self.wait_until_settled(booking, patience).await
    }

    /// The same, but also while a meeting that is there is being checked.
    pub(crate) async fn wait_until_settled(&self, booking: Booking, patience: Duration) -> Booking {
        let deadline = Instant::now() + patience;
        if !self.is_worth_waiting(&booking, deadline) {
            return booking;
        }
        // Apart, so that only requests that wait pay for the memory that waiting takes.
        Box::pin(self.look_until(booking, deadline)).await
    }

    async fn look_until(&self, mut booking: Booking, deadline: Instant) -> Booking {
        let Some(_place) = self.place() else { return booking };
        let external_id = booking.wanted.external_id;
        let waiting = self.registry.wait_for(external_id);
        let mut looks = LOOKS.into_iter();
        loop {
            // Listening begins before the look, here and at the other replicas, so that no settlement in between is
            // missed.
            let notified = waiting.notify.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            let is_told = self.registry.is_worked_on(external_id)
                || tokio::time::timeout_at(deadline, self.publish_awaited(external_id))
                    .await
                    .unwrap_or(false);
            let turn = tokio::time::timeout_at(deadline, self.looks.take(served_source_system())).await;
            if turn.is_err() || self.over.is_cancelled() {
                return booking;
            }
            let looked = self.store.generation(&booking.key, booking.generation).await;
            drop(turn);
            match looked {
                Ok(Some(leased)) => booking = leased.booking,
                Ok(None) => return booking,
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(booking = %booking.key, error, "waiting ends, for the store is away");
                    return booking;
                }
            }
            if !self.is_worth_waiting(&booking, deadline) {
                return booking;
            }
            let look = if is_told { self.poll } else { looks.next().unwrap_or(LOOKS[LOOKS.len() - 1]) };
            let until = deadline.min(Instant::now() + look * self.poll_factor());
            // Whether a notification came or the time did, the next look tells.
            let _notified = tokio::time::timeout_at(until, notified).await;
        }
    }

    /// A place among the requests that wait, in exchange for the one among those that are answered; none when all are taken,
    /// or as many as this source system may have.
    fn place(&self) -> Option<(Place, Option<Aside>)> {
        let source_system = served_source_system();
        let place = self.requests.try_take(source_system.clone()).ok()?;
        Some((place, source_system.map(|one| self.answering.step_aside(one))))
    }

    /// By how much the looks are rarer for all that wait.
    fn poll_factor(&self) -> u32 {
        u32::try_from(1 + self.requests.taken() / POLL_SCALE).unwrap_or(u32::MAX)
    }

    fn is_worth_waiting(&self, booking: &Booking, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        match booking.progress {
            Progress::Due(at) => {
                let is_over = left.is_zero() || self.over.is_cancelled();
                !is_over && at <= self.clock.now() + left
            }
            Progress::Settled | Progress::Parked => false,
        }
    }

    pub(super) fn remote_waiters(&self) -> MutexGuard<'_, RemoteWaiters> {
        self.remote_waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
