//! What runs beside the requests until the service stops.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::assembly::{CLOCK_SKEW_MAX, know_source_systems};
use crate::access::{Authenticator, Reload};
use crate::clock::Clock;
use crate::config::WorkerSettings;
use crate::error_chain::chain;
use crate::provisioning::Provisioning;
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::worker::{Rounds, Worker};

/// How often the month's meetings are counted; that reads the month's history.
const QUOTAS_INTERVAL: Duration = Duration::from_mins(30);
/// How often our clock is compared with Postgres's.
const CLOCK_INTERVAL: Duration = Duration::from_mins(1);
/// How often the file of API keys is read again.
const KEYS_RELOAD_INTERVAL: Duration = Duration::from_secs(10);

/// Whether the background loops run by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackgroundWork {
    /// The worker resumes what is due, by itself.
    Spawned,
    /// No loop runs: [`Replica::resume_due`](super::Replica::resume_due) does what the worker would.
    Manual,
}

/// A loop that runs until it is stopped.
#[derive(Debug)]
pub(super) struct BackgroundLoop {
    /// Its name in the log.
    name: &'static str,
    handle: JoinHandle<()>,
}

impl BackgroundLoop {
    /// Starts it.
    pub(super) fn spawn(name: &'static str, running: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { name, handle: tokio::spawn(running) }
    }

    /// Waits until it has ended. One that panicked is logged, and the shutdown goes on.
    pub(super) async fn ended(self) {
        if let Err(error) = self.handle.await {
            tracing::error!(name = self.name, error = chain(&error), "a background loop broke off");
        }
    }
}

/// The loops of one replica: the worker, the comparing rounds where they are switched on, the count of the month's
/// meetings, the reload of the API keys and the comparison of clocks.
pub(super) fn spawn_all(
    provisioning: &Arc<Provisioning>,
    clock: Arc<dyn Clock>,
    authenticator: web::Data<Authenticator>,
    settings: &WorkerSettings,
    stop: &CancellationToken,
) -> Vec<BackgroundLoop> {
    let (store, metrics) = (provisioning.store.clone(), Arc::clone(&provisioning.metrics));
    let clocks = compare_clocks(store, Arc::clone(&clock), stop.clone());
    let worker = Worker {
        provisioning: Arc::clone(provisioning),
        clock,
        poll: settings.poll,
        claim_max: claim_max(settings),
    };
    let mut loops = vec![
        BackgroundLoop::spawn("worker", worker.run(stop.clone())),
        BackgroundLoop::spawn("quotas", count_quotas(Arc::clone(provisioning), stop.clone())),
        BackgroundLoop::spawn("api-keys", reload_keys(authenticator, metrics, stop.clone())),
        BackgroundLoop::spawn("clocks", clocks),
    ];
    if let Some(unseen_for) = settings.rounds {
        let rest = Duration::from_mins(1) / settings.rounds_per_minute;
        let rounds = Rounds { provisioning: Arc::clone(provisioning), unseen_for, rest };
        loops.push(BackgroundLoop::spawn("rounds", rounds.run(stop.clone())));
    }
    loops
}

/// The most bookings that a worker claims at once.
pub(super) fn claim_max(settings: &WorkerSettings) -> usize {
    usize::try_from(settings.claim_max).unwrap_or(usize::MAX)
}

async fn count_quotas(provisioning: Arc<Provisioning>, stop: CancellationToken) {
    loop {
        if let Err(error) = provisioning.look_at_quotas().await {
            let error = chain(&error);
            tracing::warn!(error, "the month's meetings can't be counted, trying again later");
        }
        if tokio::time::timeout(QUOTAS_INTERVAL, stop.cancelled()).await.is_ok() {
            return;
        }
    }
}

async fn reload_keys(
    authenticator: web::Data<Authenticator>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) {
    while tokio::time::timeout(KEYS_RELOAD_INTERVAL, stop.cancelled()).await.is_err() {
        let reload = authenticator.reload();
        metrics.set_api_keys_file_faulty(reload == Reload::Refused);
        if reload == Reload::Replaced {
            know_source_systems(&metrics, &authenticator);
        }
    }
}

/// Warns when our clock and Postgres's come to differ, and says when they agree again.
async fn compare_clocks(store: Store, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut differs = false;
    loop {
        // Where Postgres gives no answer nothing is known, and others say so.
        if let Ok(condition) = store.condition().await {
            let ahead = clock.now() - condition.clock;
            let differed = std::mem::replace(&mut differs, ahead.unsigned_abs() > CLOCK_SKEW_MAX);
            let ahead_seconds = ahead.as_seconds_f64();
            if differs && !differed {
                tracing::warn!(
                    ahead_seconds,
                    "this machine's clock differs from Postgres's: replicas disagree on when a lease ends and a booking \
                     is due; let all machines follow one time server (NTP)"
                );
            } else if differed && !differs {
                tracing::info!(ahead_seconds, "this machine's clock agrees with Postgres's again");
            }
        }
        if tokio::time::timeout(CLOCK_INTERVAL, stop.cancelled()).await.is_ok() {
            return;
        }
    }
}
