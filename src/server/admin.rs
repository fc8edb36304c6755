//! The admin port: probes and metrics, never on the public port.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpRequest, HttpResponse, web};

use super::answering::answering;
use super::health::{CredentialWatch, Health, Ready};
use super::port::{ADMIN, Port};
use super::progress::TimeLimits;
use crate::access::{Authenticator, CallerName};
use crate::clock::{Clock, Timestamp};
use crate::error_chain::chain;
use crate::store::Store;
use crate::telemetry::{AccessCounts, BacklogCounts, DatabaseState, Exposition, IssuerCounts, Metrics};

/// Longest that a scrape waits for Postgres; what is counted in memory is answered in any case.
const READ_TIMEOUT: Duration = Duration::from_secs(2);
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
    /// What authenticates callers at the public port, of which operators hear.
    pub(crate) authenticator: web::Data<Authenticator>,
    /// The metrics.
    pub(crate) metrics: Arc<Metrics>,
    /// The store, whose backlog is counted.
    pub(crate) store: Store,
    /// The credential toward Graph.
    pub(crate) credential: Arc<dyn CredentialWatch>,
    /// Time, for the age of what is due.
    pub(crate) clock: Arc<dyn Clock>,
    /// How far ahead a booking without a join link counts as one that starts soon.
    pub(crate) starting_soon: Duration,
}

impl AdminServer {
    /// Opens the admin port.
    pub(crate) fn open(self, listener: TcpListener) -> std::io::Result<Server> {
        let port = Port {
            name: ADMIN,
            threads: 1,
            connections_max: CONNECTIONS_MAX,
            connections_per_peer_max: None,
            tls: None,
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

/// A replica without a good credential takes requests all the same: bookings are stored, and made when it is mended.
async fn readyz(state: web::Data<AdminServer>) -> HttpResponse {
    let now = state.clock.now();
    let mut reasons: Vec<String> = match state.health.readiness(now).await {
        Ok(Ready::Ready) => Vec::new(),
        Ok(Ready::Degraded(lasting, cause)) => vec![format!(
            "for {} s this replica has not been able to claim what is due: {cause}",
            lasting.as_secs()
        )],
        Err(why) => {
            return HttpResponse::ServiceUnavailable().body(format!("not ready: {}\n", why.as_str()));
        }
    };
    reasons.extend(state.credential.look(now).trouble);
    reasons.extend(without_keys(&state.authenticator));
    if reasons.is_empty() {
        return HttpResponse::Ok().body("ready\n");
    }
    HttpResponse::Ok().body(format!("ready, but degraded: {}\n", reasons.join("\nand: ")))
}

/// Each issuer of tokens whose keys are not known. The replica takes requests all the same: callers with API keys and with
/// tokens of other issuers are served, and another replica hardly knows more.
fn without_keys(authenticator: &Authenticator) -> impl Iterator<Item = String> {
    let without = authenticator.condition().issuers.into_iter().filter(|issuer| issuer.keys == 0);
    without.map(|issuer| {
        let why = issuer.failure.unwrap_or_else(|| "they are being fetched".to_owned());
        format!("tokens of {} can't be checked, for its keys are not known: {why}", issuer.name)
    })
}

async fn startupz(state: web::Data<AdminServer>) -> HttpResponse {
    if state.health.is_started() {
        HttpResponse::Ok().body("started\n")
    } else {
        HttpResponse::ServiceUnavailable().body("starting\n")
    }
}

async fn metrics(state: web::Data<AdminServer>, request: HttpRequest) -> HttpResponse {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let exposition = Exposition::accepted(accept.unwrap_or_default());
    tokio::join!(state.read_database(), state.read_backlog());
    let counts = state.store.connection_counts();
    state.metrics.set_connections(counts.in_use, counts.idle, counts.most);
    let failing = state.store.failing_claims();
    let now = state.clock.now();
    state.metrics.set_claims_failing(failing.map_or(Duration::ZERO, |failing| failing.lasting(now)));
    state.metrics.set_rows_unreadable(state.store.unreadable_rows());
    let credential = state.credential.look(now);
    state.metrics.set_credential(credential.remaining_days, credential.is_refused, credential.is_file_faulty);
    state.metrics.set_access(&access_counts(&state.authenticator));
    state.metrics.set_requests(state.health.requests().count(), state.health.waiting());
    match state.metrics.encode(exposition) {
        Ok(text) => HttpResponse::Ok().content_type(exposition.content_type()).body(text),
        Err(error) => HttpResponse::InternalServerError().body(format!("{error}\n")),
    }
}

/// What the metrics tell of authentication.
fn access_counts(authenticator: &Authenticator) -> AccessCounts {
    let condition = authenticator.condition();
    let since_1970 = |at: Timestamp| (at - Timestamp::UNIX_EPOCH).as_seconds_f64();
    let use_of = |(name, at): (CallerName, Option<Timestamp>)| (name.to_string(), at.map_or(0.0, since_1970));
    AccessCounts {
        is_keys_file_faulty: condition.is_file_faulty,
        last_uses: condition.keys.into_iter().map(use_of).collect(),
        refusals: condition.refusals,
        issuers: condition
            .issuers
            .into_iter()
            .map(|issuer| IssuerCounts { name: issuer.name, keys: issuer.keys, age: issuer.age })
            .collect(),
    }
}

impl AdminServer {
    /// Reads how Postgres is; no answer in time is an answer.
    async fn read_database(&self) {
        let condition = tokio::time::timeout(READ_TIMEOUT, self.store.condition()).await;
        let now = self.clock.now();
        self.metrics.set_database(match condition {
            Ok(Ok(condition)) => DatabaseState::Answers {
                takes_writes: !condition.is_read_only && !self.store.writes_fail(),
                clock_ahead_seconds: (now - condition.clock).as_seconds_f64(),
            },
            Ok(Err(_)) | Err(_) => DatabaseState::Away,
        });
    }

    /// Counts the backlog. What can't be read is not answered: an old number would look like a present one.
    async fn read_backlog(&self) {
        let now = self.clock.now();
        let read = tokio::time::timeout(READ_TIMEOUT, self.store.backlog(now, self.starting_soon)).await;
        let age = |since: Option<Timestamp>| since.map_or(Duration::ZERO, |at| (now - at).unsigned_abs());
        let why = match read {
            Ok(Ok(backlog)) => {
                let by_status = backlog.by_status.iter().map(|(status, count)| (status.as_str(), *count));
                let counts = BacklogCounts {
                    due: backlog.due,
                    oldest_due_age: age(backlog.oldest_due_at),
                    longest_failing_age: age(backlog.failing_since),
                    starting_soon: backlog.starting_soon_without_link,
                    by_status: by_status.collect(),
                };
                return self.metrics.set_backlog(Some(&counts));
            }
            Ok(Err(error)) => chain(&error),
            Err(_) => format!("no answer within {} seconds", READ_TIMEOUT.as_secs()),
        };
        tracing::warn!(error = why, "the backlog can't be read for the metrics");
        self.metrics.set_backlog(None);
    }
}
