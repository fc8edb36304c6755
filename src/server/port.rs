//! A port: accepts connections, bounds their number, and speaks HTTP/1.1 over each with time limits.
//!
//! In place of `actix_web::HttpServer`, whose limits end with the first request's head: a later head, the rest of a body
//! that no endpoint reads, and an answer that no client takes have none there.

use std::cell::Cell;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, KeepAlive, Request};
use actix_server::{Server, ServerBuilder};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, map_config,
};
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, ServiceResponse};
use tokio::net::TcpStream;

use super::connection::{Closed, Connection, WatchedStream};
use super::peers::{PeerPlace, Peers};
use super::progress::{Late, TimeLimits};
use super::stream::Stream;
use super::tls::Tls;
use super::waiting_line::WaitingLine;
use crate::access::PeerCertificate;
use crate::telemetry::Metrics;

/// So many connections above the limit are taken by each thread, for the moment in which those that make room for them are
/// closed.
const ABOVE_LIMIT: usize = 8;
/// How long a client whose body is not read may take to notice that its connection is being closed.
const CLOSING: Duration = Duration::from_secs(1);

/// What holds for a port.
#[derive(Debug, Clone)]
pub(super) struct Port {
    /// Its name in metrics.
    pub(super) name: &'static str,
    /// How many threads answer on it.
    pub(super) threads: usize,
    /// The most connections at once. One more makes the one whose client has been silent longest close; none is closed
    /// over which a request is being answered.
    pub(super) connections_max: usize,
    /// The most connections of one peer address, if there is a limit.
    pub(super) connections_per_peer_max: Option<usize>,
    /// The certificate, where TLS is spoken.
    pub(super) tls: Option<Tls>,
    /// How long clients may take.
    pub(super) limits: TimeLimits,
    /// Once no request is under way, connections that clients keep for the next one are closed after this time.
    pub(super) shutdown_seconds: u64,
    /// Where connections are counted.
    pub(super) metrics: Arc<Metrics>,
}

impl Port {
    /// Answers with an app on a listener.
    pub(super) fn open<F, A, S, B>(self, listener: TcpListener, app: F) -> std::io::Result<Server>
    where
        F: Fn() -> A + Send + Clone + 'static,
        A: IntoServiceFactory<S, Request>,
        S: ServiceFactory<
                Request,
                Config = AppConfig,
                Response = ServiceResponse<B>,
                Error = actix_web::Error,
                InitError = (),
            > + 'static,
        S::Service: 'static,
        <S::Service as Service<Request>>::Future: 'static,
        B: MessageBody + 'static,
    {
        let builder = ServerBuilder::new();
        let stopping = builder.graceful_shutdown_signal();
        let peers = self.connections_per_peer_max.map(Peers::with_at_most);
        let (threads, shutdown_seconds) = (self.threads, self.shutdown_seconds);
        let of_thread = self.connections_max.div_ceil(threads);
        let builder = builder
            .workers(threads)
            .max_concurrent_connections(of_thread + ABOVE_LIMIT)
            .disable_signals()
            .shutdown_timeout(shutdown_seconds);
        let server = builder.listen(self.name, listener, move || {
            let stopping = stopping.clone();
            let app = map_config(app().into_factory(), |()| AppConfig::default());
            let http = HttpService::build()
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                // Every time limit but that of closing is the connection's own.
                .keep_alive(KeepAlive::Os)
                .client_request_timeout(Duration::ZERO)
                .client_disconnect_timeout(CLOSING)
                .on_connect_ext(|stream: &WatchedStream, data| {
                    data.insert(Rc::clone(&stream.0));
                    data.insert(stream.0.peer());
                })
                .h1(app.map_err(|error| error.error_response()));
            let door = Rc::new(Door::of(self.clone(), of_thread, peers.clone()));
            apply_fn_factory(http, move |stream: TcpStream, http: &_| door.admit(stream, http))
        })?;
        Ok(server.run())
    }
}

/// The connections of one thread.
struct Door {
    port: Port,
    most: usize,
    open: Rc<Cell<usize>>,
    line: Rc<WaitingLine>,
    peers: Option<Arc<Peers>>,
}

/// One connection that is open, counted until it is dropped.
struct Open {
    of_thread: Rc<Cell<usize>>,
    name: &'static str,
    metrics: Arc<Metrics>,
    _of_peer: Option<PeerPlace>,
}

impl Door {
    fn of(port: Port, most: usize, peers: Option<Arc<Peers>>) -> Self {
        Self { port, most, open: Rc::default(), line: Rc::default(), peers }
    }

    /// Speaks HTTP over a connection, unless its peer has too many.
    fn admit<H>(
        &self,
        stream: TcpStream,
        http: &H,
    ) -> impl Future<Output = Result<(), actix_http::error::DispatchError>> + use<H>
    where
        H: Service<
                (WatchedStream, Option<std::net::SocketAddr>),
                Response = (),
                Error = actix_http::error::DispatchError,
            >,
    {
        let admitted = self.place_of(&stream).map(|open| {
            let peer = stream.peer_addr().ok();
            // Without it an answer may wait for an acknowledgement; a system that refuses it is slower, and right.
            let _set = stream.set_nodelay(true);
            let certificate = PeerCertificate::default();
            let stream = match &self.port.tls {
                Some(tls) => Stream::Agreeing(Box::new(tls.accept(stream)), certificate.clone()),
                None => Stream::Plain(stream),
            };
            let connection = Connection::opened(stream, certificate, self.port.limits, Rc::clone(&self.line));
            let served = http.call((WatchedStream(Rc::clone(&connection)), peer));
            (open, connection, served)
        });
        async move {
            let Some((open, connection, served)) = admitted else { return Ok(()) };
            let ended = connection.watched(served).await;
            if connection.is_refused() {
                open.metrics.connection_closed(open.name, TLS_REFUSED);
                return Ok(());
            }
            if let Some(reason) = ended?.and_then(reason) {
                open.metrics.connection_closed(open.name, reason);
            }
            Ok(())
        }
    }

    /// A place for one more connection; where there are too many, one that is silent is closed.
    fn place_of(&self, stream: &TcpStream) -> Option<Open> {
        let Port { name, metrics, .. } = &self.port;
        let peer = stream.peer_addr().ok();
        let of_peer = match (&self.peers, peer) {
            (Some(peers), Some(peer)) => {
                let place = peers.one_more(peer.ip());
                if place.is_none() {
                    metrics.connection_closed(name, PEER_LIMIT);
                    return None;
                }
                place
            }
            _ => None,
        };
        if self.open.get() >= self.most {
            self.line.displace_first();
        }
        self.open.set(self.open.get() + 1);
        metrics.connection_opened(name);
        Some(Open { of_thread: Rc::clone(&self.open), name, metrics: Arc::clone(metrics), _of_peer: of_peer })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.of_thread.set(self.of_thread.get() - 1);
        self.metrics.connection_ended(self.name);
    }
}

const SLOW_HEAD: &str = "slow-head";
const SLOW_READER: &str = "slow-reader";
const DISPLACED: &str = "displaced";
const PEER_LIMIT: &str = "peer-limit";
const TLS_REFUSED: &str = "tls-refused";
/// Why connections are closed, as it is counted.
pub(crate) const CLOSE_REASONS: [&str; 5] = [SLOW_HEAD, SLOW_READER, DISPLACED, PEER_LIMIT, TLS_REFUSED];
/// The names of the ports, as they are counted.
pub(crate) const PORTS: [&str; 2] = [PUBLIC, ADMIN];
/// The port of callers.
pub(super) const PUBLIC: &str = "public";
/// The port of probes and scrapers.
pub(super) const ADMIN: &str = "admin";

/// What is counted of a connection that was closed. That one is kept no longer for a next request is nothing to count.
fn reason(closed: Closed) -> Option<&'static str> {
    match closed {
        Closed::Late(Late::Request) => None,
        Closed::Late(Late::Head) => Some(SLOW_HEAD),
        Closed::Late(Late::Answer) => Some(SLOW_READER),
        Closed::Displaced => Some(DISPLACED),
    }
}
