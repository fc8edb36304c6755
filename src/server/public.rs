//! The public port.

use std::net::TcpListener;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};
use tracing_actix_web::TracingLogger;

use super::admission::admit;
use super::health::Health;
use super::request_line::{RequestSpan, request_line};
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
    /// The metrics.
    pub(crate) metrics: Arc<Metrics>,
    /// Whether this replica is stopping, and the requests that it answers.
    pub(crate) health: Arc<Health>,
    /// A client that takes longer to send the head of its first request is disconnected.
    pub(crate) read_timeout: Duration,
    /// The most connections at once; others wait in the system's queue.
    pub(crate) connections_max: usize,
}

impl PublicServer {
    /// Opens the public port.
    pub(crate) fn open(self, listener: TcpListener) -> std::io::Result<Server> {
        let metrics = web::Data::from(Arc::clone(&self.metrics));
        let (read_timeout, connections_max) = (self.read_timeout, self.connections_max);
        let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
        let server = HttpServer::new(move || {
            let state = self.state.clone();
            App::new()
                .app_data(metrics.clone())
                .app_data(self.authenticator.clone())
                .app_data(web::Data::from(Arc::clone(&self.health)))
                .wrap(from_fn(admit))
                .wrap(Compress::default())
                .wrap(from_fn(request_line))
                .wrap(TracingLogger::<RequestSpan>::new())
                .configure(|routes| api::configure(routes, state))
        });
        let server = server
            .workers(workers)
            .max_connections(connections_max.div_ceil(workers))
            .client_request_timeout(read_timeout)
            .keep_alive(KEEP_ALIVE)
            .tcp_nodelay(true)
            .disable_signals()
            .shutdown_timeout(IDLE_SECONDS_MAX);
        Ok(server.listen(listener)?.run())
    }
}
