//! What runs beside the requests until the service stops.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::assembly::{CLOCK_SKEW_MAX, know_source_systems};
use super::running_replica;
use crate::access::{Authenticator, Reload};
use crate::clock::Clock;
use crate::config::{Settings, WorkerSettings};
use crate::error_chain::chain;
use crate::provisioning::Provisioning;
use crate::server::Tls;
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::worker::{Rounds, Worker};

/// How often the month's meetings are counted; that goes through all organizers.
const QUOTAS_INTERVAL: Duration = Duration::from_mins(30);
/// How often our clock is compared with Postgres's.
const CLOCK_INTERVAL: Duration = Duration::from_mins(1);
/// How often the files of API keys and of the certificate are read again.
const FILES_RELOAD_INTERVAL: Duration = Duration::from_secs(10);

/// How often the file of the credential toward Graph is read again; it is also read for each token.
const CREDENTIAL_INTERVAL: Duration = Duration::from_secs(30);

/// Whether the background loops run by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackgroundWork {
    /// The worker resumes what is due, by itself.
    Spawned,
    /// No loop runs: [`Replica::resume_due`](super::Replica::resume_due) does what the worker would.
    Manual,
}

/// Loops that run until they are stopped, each with its name in the log.
#[derive(Debug, Default)]
pub(super) struct BackgroundLoops {
    running: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

/// A loop that has ended though it was not stopped. Without it the replica does less than it seems to.
#[derive(Debug, thiserror::Error)]
#[error("the background loop {name} {how}")]
pub struct LoopEnded {
    name: &'static str,
    how: String,
}

impl BackgroundLoops {
    /// Starts one.
    pub(super) fn spawn(&mut self, name: &'static str, running: impl Future<Output = ()> + Send + 'static) {
        self.names.insert(self.running.spawn(running).id(), name);
    }

    /// Keeps the keys of each issuer of tokens.
    pub(super) fn keep_issuers_keys(&mut self, authenticator: &Authenticator, stop: &CancellationToken) {
        for issuer in authenticator.issuers().each() {
            self.spawn("issuer-keys", until_stopped(stop, Arc::clone(issuer).keep()));
        }
    }

    /// Waits until one has ended. Dropped before, it has taken nothing away.
    pub(super) async fn one_ended(&mut self) -> LoopEnded {
        match self.running.join_next_with_id().await {
            Some(Ok((id, ()))) => self.ended(id, "has ended by itself".to_owned()),
            Some(Err(error)) => self.broke_off(&error),
            None => std::future::pending().await,
        }
    }

    /// Waits until all have ended that are told to, at most until then; what hangs longer is left in the middle of what
    /// it does. One that panicked is logged, and the shutdown goes on.
    pub(super) async fn all_ended(&mut self, by: Instant) {
        while let Ok(Some(ended)) = timeout_at(by, self.running.join_next_with_id()).await {
            match ended {
                Ok((id, ())) => drop(self.names.remove(&id)),
                Err(error) => {
                    let ended = self.broke_off(&error);
                    tracing::error!("{ended}");
                }
            }
        }
        if !self.running.is_empty() {
            let names: Vec<_> = self.names.values().copied().collect();
            tracing::warn!(loops = names.join(", "), "background loops did not end in time");
            self.running.shutdown().await;
        }
    }

    fn broke_off(&mut self, error: &JoinError) -> LoopEnded {
        self.ended(error.id(), format!("broke off: {}", chain(error)))
    }

    fn ended(&mut self, id: Id, how: String) -> LoopEnded {
        LoopEnded { name: self.names.remove(&id).unwrap_or("unknown"), how }
    }
}

/// The loops of one replica: the worker, the comparing rounds where they are switched on, the count of the month's
/// meetings, the reload of the API keys, the comparison of clocks and what this replica tells of itself.
pub(super) fn spawn_all(
    provisioning: &Arc<Provisioning>,
    clock: Arc<dyn Clock>,
    authenticator: web::Data<Authenticator>,
    settings: &Settings,
    stop: &CancellationToken,
) -> BackgroundLoops {
    let (store, metrics) = (provisioning.store.clone(), Arc::clone(&provisioning.metrics));
    let id = provisioning.waiting.replica();
    let telling = running_replica::tell(store.clone(), id, settings, Arc::clone(&clock), stop.clone());
    let clocks = compare_clocks(store, Arc::clone(&clock));
    let settings = &settings.worker;
    let worker = Worker {
        provisioning: Arc::clone(provisioning),
        clock,
        poll: settings.poll,
        claim_max: claim_max(settings),
    };
    let mut loops = BackgroundLoops::default();
    loops.spawn("worker", worker.run(stop.clone()));
    loops.spawn("quotas", until_stopped(stop, count_quotas(Arc::clone(provisioning))));
    loops.spawn("api-keys", until_stopped(stop, reload_keys(authenticator, metrics)));
    loops.spawn("replica", telling);
    loops.spawn("clocks", until_stopped(stop, clocks));
    loops.spawn("credential", until_stopped(stop, reread_credential(Arc::clone(provisioning))));
    if let Some(unseen_for) = settings.rounds {
        let rest = Duration::from_mins(1) / settings.rounds_per_minute;
        let rounds = Rounds { provisioning: Arc::clone(provisioning), unseen_for, rest };
        loops.spawn("rounds", rounds.run(stop.clone()));
    }
    loops
}

/// Has the certificate of the public port read again when its files change, as one of these loops.
pub(super) fn follow_certificate(loops: &mut BackgroundLoops, tls: Tls, stop: &CancellationToken) {
    loops.spawn("certificate", until_stopped(stop, reload_certificate(tls)));
}

/// The most bookings that a worker claims at once.
pub(super) fn claim_max(settings: &WorkerSettings) -> usize {
    usize::try_from(settings.claim_max).unwrap_or(usize::MAX)
}

/// Runs a loop that may be left at any point.
fn until_stopped(
    stop: &CancellationToken,
    running: impl Future<Output = ()> + Send + 'static,
) -> impl Future<Output = ()> + Send + 'static {
    let running = stop.clone().run_until_cancelled_owned(running);
    async move {
        let _stopped = running.await;
    }
}

async fn count_quotas(provisioning: Arc<Provisioning>) {
    loop {
        if let Err(error) = provisioning.look_at_quotas().await {
            let error = chain(&error);
            tracing::warn!(error, "the month's meetings can't be counted, trying again later");
        }
        tokio::time::sleep(QUOTAS_INTERVAL).await;
    }
}

/// The file is read by a thread that may block: on a network mount that hangs no other work waits for it.
async fn reload_keys(authenticator: web::Data<Authenticator>, metrics: Arc<Metrics>) {
    loop {
        tokio::time::sleep(FILES_RELOAD_INTERVAL).await;
        let reloading = authenticator.clone();
        match tokio::task::spawn_blocking(move || reloading.reload()).await {
            Ok(Reload::Replaced) => know_source_systems(&metrics, &authenticator),
            Ok(Reload::Unchanged) => {}
            Err(error) => tracing::error!(error = chain(&error), "the API keys can't be reloaded"),
        }
    }
}

/// A file that can't be used is told before the next token is asked for, which may be an hour later.
async fn reread_credential(provisioning: Arc<Provisioning>) {
    loop {
        tokio::time::sleep(CREDENTIAL_INTERVAL).await;
        provisioning.graph.read_credential().await;
    }
}

async fn reload_certificate(tls: Tls) {
    let mut told = String::new();
    loop {
        tokio::time::sleep(FILES_RELOAD_INTERVAL).await;
        let reloading = tls.clone();
        match tokio::task::spawn_blocking(move || reloading.reload()).await {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => {
                told.clear();
                tracing::info!("the public port shows another certificate from now on");
            }
            Ok(Err(fault)) => {
                let error = chain(&fault);
                if error != told {
                    tracing::error!(error, "the certificate can't be replaced; the one before stays in use");
                    told = error;
                }
            }
            Err(error) => tracing::error!(error = chain(&error), "the certificate can't be read again"),
        }
    }
}

/// Warns when our clock and Postgres's come to differ, and says when they agree again.
async fn compare_clocks(store: Store, clock: Arc<dyn Clock>) {
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
        tokio::time::sleep(CLOCK_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(100);

    fn told(ended: Result<LoopEnded, tokio::time::error::Elapsed>) -> String {
        ended.map_or_else(|_| "all run".to_owned(), |ended| ended.to_string())
    }

    /// A loop that panics, or ends before it is stopped, is told by name; one that runs is not.
    #[tokio::test]
    async fn a_loop_that_ends_is_told() {
        let stop = CancellationToken::new();
        let mut loops = BackgroundLoops::default();
        assert_eq!(told(tokio::time::timeout(SOON, loops.one_ended()).await), "all run");
        loops.spawn("steady", until_stopped(&stop, std::future::pending()));
        assert_eq!(told(tokio::time::timeout(SOON, loops.one_ended()).await), "all run");
        loops.spawn("short", async {});
        let ended = told(Ok(loops.one_ended().await));
        assert_eq!(ended, "the background loop short has ended by itself");
        loops.spawn("worker", async { panic!("out of ids") });
        let ended = told(Ok(loops.one_ended().await));
        assert!(ended.starts_with("the background loop worker broke off: "), "{ended}");
        assert!(ended.contains("out of ids"), "{ended}");
        stop.cancel();
        loops.all_ended(Instant::now() + Duration::from_secs(1)).await;
        assert!(loops.running.is_empty());
    }

    /// A loop that does not obey its stop is left when the time is over.
    #[tokio::test]
    async fn a_loop_that_hangs_is_left() {
        let mut loops = BackgroundLoops::default();
        loops.spawn("worker", std::future::pending());
        loops.spawn("quotas", async {});
        let (began, by) = (Instant::now(), Instant::now() + SOON);
        loops.all_ended(by).await;
        assert!((SOON..SOON * 20).contains(&began.elapsed()), "{:?}", began.elapsed());
        assert!(loops.running.is_empty());
    }
}
