//! The admin port: probes and metrics, never on the public port.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, web};

use super::answering::answering;
use super::health::{Health, Ready};
use super::port::Port;
use super::progress::TimeLimits;
use crate::clock::Clock;
use crate::store::Store;
use crate::telemetry::{METRICS_CONTENT_TYPE, Metrics};

/// Longest that a scrape waits for Postgres; what is counted in memory is answered in any case.
const BACKLOG_TIMEOUT: Duration = Duration::from_secs(2);
/// The most connections at once. Probes and scrapers send their request as soon as they are connected, so a stranger who
/// fills the port with silent connections loses one of them to each probe.
const CONNECTIONS_MAX: usize = 64;
/// How long probes and scrapers may take.
const LIMITS: TimeLimits = TimeLimits {
    read: Duration::from_secs(5),
    write: Duration::from_secs(10),
    keep_alive: Duration::from_secs(75),
};

/// What the admin port needs.
#[derive(Debug, Clone)]
pub(crate) struct AdminServer {
    /// Whether this replica is ready.
    pub(crate) health: Arc<Health>,
    /// The metrics.
    pub(crate) metrics: Arc<Metrics>,
    /// The store, whose backlog is counted.
    pub(crate) store: Store,
    /// Time, for the age of what is due.
    pub(crate) clock: Arc<dyn Clock>,
    /// How far ahead a booking without a join link counts as one that starts soon.
    pub(crate) starting_soon: Duration,
}

impl AdminServer {
    /// Opens the admin port.
    pub(crate) fn open(self, listener: TcpListener) -> std::io::Result<Server> {
        let port = Port {
            name: "admin",
            threads: 1,
            connections_max: CONNECTIONS_MAX,
            connections_per_peer_max: None,
            limits: LIMITS,
            shutdown_seconds: 1,
            metrics: Arc::clone(&self.metrics),
        };
        port.open(listener, move || {
            App::new()
                .wrap(from_fn(answering))
                .app_data(web::Data::new(self.clone()))
                .route("/livez", web::get().to(async || HttpResponse::Ok().body("alive\n")))
                .route("/readyz", web::get().to(readyz))
                .route("/startupz", web::get().to(startupz))
                .route("/metrics", web::get().to(metrics))
        })
    }
}

async fn readyz(state: web::Data<AdminServer>) -> HttpResponse {
    match state.health.readiness(state.clock.now()).await {
        Ok(Ready::Ready) => HttpResponse::Ok().body("ready\n"),
        Ok(Ready::Degraded(lasting, cause)) => HttpResponse::Ok().body(format!(
            "ready, but degraded: for {} s this replica has not been able to claim what is due: {cause}\n",
            lasting.as_secs()
        )),
        Err(why) => HttpResponse::ServiceUnavailable().body(format!("not ready: {}\n", why.as_str())),
    }
}

async fn startupz(state: web::Data<AdminServer>) -> HttpResponse {
    if state.health.is_started() {
        HttpResponse::Ok().body("started\n")
    } else {
        HttpResponse::ServiceUnavailable().body("starting\n")
    }
}

async fn metrics(state: web::Data<AdminServer>) -> HttpResponse {
    let now = state.clock.now();
    let read = tokio::time::timeout(BACKLOG_TIMEOUT, state.store.backlog(now, state.starting_soon)).await;
    if let Ok(Ok(backlog)) = read {
        let age = backlog.oldest_due_at.map_or(Duration::ZERO, |at| (now - at).unsigned_abs());
        state.metrics.set_due(backlog.due, age);
        state.metrics.set_starting_soon(backlog.starting_soon_without_link);
        for (status, count) in backlog.by_status {
            state.metrics.set_bookings(status.as_str(), count);
        }
        state.metrics.set_backlog_known(true);
    } else {
        state.metrics.set_backlog_known(false);
        tracing::warn!("the backlog can't be read for the metrics, which leave it out");
    }
    let failing = state.store.failing_claims();
    state.metrics.set_claims_failing(failing.map_or(Duration::ZERO, |failing| failing.lasting(now)));
    state.metrics.set_rows_unreadable(state.store.unreadable_rows());
    state.metrics.set_requests(state.health.requests().count(), state.health.waiting());
    match state.metrics.encode() {
        Ok(text) => HttpResponse::Ok().content_type(METRICS_CONTENT_TYPE).body(text),
        Err(error) => HttpResponse::InternalServerError().body(format!("{error}\n")),
    }
}
