//! The public port.

use std::net::TcpListener;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, web};
use tracing_actix_web::TracingLogger;

use super::admission::admit;
use super::answering::answering;
use super::health::Health;
use super::port::{PUBLIC, Port};
use super::progress::TimeLimits;
use super::rate_limits::RateLimits;
use super::request_line::{RequestSpan, request_line};
use super::tls::Tls;
use crate::access::Authenticator;
use crate::api::{self, ApiState};
use crate::telemetry::Metrics;

/// An idle connection is kept this long for the next request.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Once no request is under way, connections that clients keep for the next one are closed after this time.
const IDLE_SECONDS_MAX: u64 = 1;

/// What the public port needs.
#[derive(Debug, Clone)]
pub(crate) struct PublicServer {
    /// What the API answers with.
    pub(crate) state: web::Data<ApiState>,
    /// Authenticates the callers.
    pub(crate) authenticator: web::Data<Authenticator>,
    /// How many requests a second each source system may send.
    pub(crate) rate_limits: web::Data<RateLimits>,
    /// The metrics.
    pub(crate) metrics: Arc<Metrics>,
    /// Whether this replica is stopping, and the requests that it answers.
    pub(crate) health: Arc<Health>,
    /// How long a client may take to send a request's head.
    pub(crate) read_timeout: Duration,
    /// How long a client that takes no more of an answer may go on so, until it has taken all.
    pub(crate) write_timeout: Duration,
    /// The certificate, where TLS is spoken.
    pub(crate) tls: Option<Tls>,
    /// The most connections at once; one more makes a silent one close.
    pub(crate) connections_max: usize,
    /// The most connections of one peer address, if there is a limit.
    pub(crate) connections_per_peer_max: Option<usize>,
}

impl PublicServer {
    /// Opens the public port.
    pub(crate) fn open(self, listener: TcpListener) -> std::io::Result<Server> {
        let metrics = web::Data::from(Arc::clone(&self.metrics));
        let port = Port {
            name: PUBLIC,
            threads: std::thread::available_parallelism().map_or(1, NonZero::get),
            connections_max: self.connections_max,
            connections_per_peer_max: self.connections_per_peer_max,
            tls: self.tls.clone(),
            limits: TimeLimits { read: self.read_timeout, write: self.write_timeout, keep_alive: KEEP_ALIVE },
            shutdown_seconds: IDLE_SECONDS_MAX,
            metrics: Arc::clone(&self.metrics),
        };
        port.open(listener, move || {
            let state = self.state.clone();
            App::new()
                .app_data(metrics.clone())
                .app_data(self.authenticator.clone())
                .app_data(self.rate_limits.clone())
                .app_data(web::Data::from(Arc::clone(&self.health)))
                .wrap(from_fn(admit))
                .wrap(Compress::default())
                .wrap(from_fn(request_line))
                .wrap(TracingLogger::<RequestSpan>::new())
                .wrap(from_fn(answering))
                .configure(|routes| api::configure(routes, state))
        })
    }
}
