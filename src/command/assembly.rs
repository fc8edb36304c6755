//! Builds the service from its rooms. `serve`, `demo` and the tests run this same assembly.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::graph_connection;
use crate::access::{ApiKeyFaults, Authenticator};
use crate::api::{ApiState, Remedies, WaitSettings};
use crate::booking::{MeetingSettings, SourceSystem};
use crate::clock::Clock;
use crate::config::Settings;
use crate::meeting::RetryPolicy;
use crate::msgraph::{ConnectionFault, MicrosoftGraph};
use crate::provisioning::{Alarm, InFlight, Provisioning, Quotas, Unconfirmed};
use crate::server::{AdminServer, Health, PublicServer, bind};
use crate::store::{Store, StoreError, StoreSettings};
use crate::telemetry::Metrics;
use crate::throttling::Gate;
use crate::under_way::UnderWay;
use crate::waiting::{NoticeEffects, Waiting, WaitingParts};
use crate::worker::{Rounds, Worker};

/// Longest wait for a connection to Postgres before a request is told that the store is out of reach.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// Rest between two attempts to prepare the schema while Postgres is not there yet.
const MIGRATE_AGAIN: Duration = Duration::from_millis(500);
/// How often the month's meetings are counted; that reads the month's history.
const QUOTAS: Duration = Duration::from_mins(30);
/// Time to answer all who wait when there is no more of it.
const FINAL_RESPONSE_GRACE: Duration = Duration::from_secs(1);
/// How often the file of API keys is looked at for changes.
const KEYS_RELOAD: Duration = Duration::from_secs(10);

/// Whether the clockwork runs by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackgroundWork {
    /// The worker resumes what is due, by itself.
    Spawned,
    /// Nothing happens by itself: [`Replica::resume_due`] does what the worker would.
    Manual,
}

/// Why the service can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// A port is taken or not ours to take.
    #[error("can't listen on {address}")]
    Listen {
        /// Which one.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file of API keys can't be used.
    #[error("the API keys can't be used: {0}")]
    ApiKeys(#[from] ApiKeyFaults),
    /// Graph can't be spoken to like this.
    #[error("Microsoft Graph can't be used")]
    Graph(#[from] ConnectionFault),
    /// The database can't be used.
    #[error("the database can't be used: {0}")]
    Database(String),
}

/// One running service, of which there may be many on one database: both doors open, the schema ready.
#[derive(Debug)]
pub struct Replica {
    provisioning: Arc<Provisioning>,
    health: Arc<Health>,
    public: (SocketAddr, ServerHandle),
    admin: (SocketAddr, ServerHandle),
    stop: CancellationToken,
    background_work: Vec<JoinHandle<()>>,
    notices: (CancellationToken, JoinHandle<()>),
    claim_max: usize,
    drain: Duration,
    shutdown: Duration,
}

impl Replica {
    /// Starts the service. Probes are answered at once; the public door opens when the schema is ready, however
    /// long Postgres takes to come up.
    pub async fn start(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        background_work: BackgroundWork,
    ) -> Result<Self, StartFault> {
        let public = listen(settings.http.address)?;
        let admin = listen(settings.http.admin_address)?;
        let authenticator = web::Data::new(Authenticator::open(&settings.access.api_keys_file)?);
        let waiting = Arc::new(UnderWay::default());
        let provisioning = Arc::new(provisioning(settings, Arc::clone(&clock), Arc::clone(&waiting))?);
        let store = provisioning.store.clone();
        let health = Arc::new(Health::starting(store, waiting, settings.http.requests_max));
        let admin = open(admin, |listener| {
            let state = AdminServer {
                health: Arc::clone(&health),
                metrics: Arc::clone(&provisioning.metrics),
                store: provisioning.store.clone(),
                clock: Arc::clone(&clock),
                starting_soon: settings.telemetry.starting_soon,
            };
            state.open(listener)
        })?;
        if settings.database.migrate {
            migrate(&provisioning.store).await?;
        }
        let public = open(public, |listener| {
            let state = PublicServer {
                state: web::Data::new(state(settings, &provisioning)),
                authenticator: authenticator.clone(),
                metrics: Arc::clone(&provisioning.metrics),
                health: Arc::clone(&health),
                read_timeout: settings.http.read_timeout,
                connections_max: settings.http.connections_max,
            };
            state.open(listener)
        })?;
        health.started();
        let stop = CancellationToken::new();
        let notices_stop = CancellationToken::new();
        let effects: Arc<dyn NoticeEffects> = Arc::<Provisioning>::clone(&provisioning);
        let waiting = Arc::clone(&provisioning.waiting);
        let notices = tokio::spawn(waiting.exchange_notices(effects, notices_stop.clone()));
        let mut service = Self {
            provisioning,
            health,
            public,
            admin,
            stop,
            background_work: Vec::new(),
            notices: (notices_stop, notices),
            claim_max: usize::try_from(settings.worker.claim_max).unwrap_or(usize::MAX),
            drain: settings.http.drain,
            shutdown: settings.http.shutdown,
        };
        if background_work == BackgroundWork::Spawned {
            service.spawn_background_tasks(settings, clock, authenticator);
        }
        Ok(service)
    }

    fn spawn_background_tasks(
        &mut self,
        settings: &Settings,
        clock: Arc<dyn Clock>,
        authenticator: web::Data<Authenticator>,
    ) {
        let worker = Worker {
            provisioning: Arc::clone(&self.provisioning),
            clock,
            poll: settings.worker.poll,
            claim_max: self.claim_max,
        };
        self.background_work.push(tokio::spawn(worker.run(self.stop.clone())));
        if let Some(unseen_for) = settings.worker.rounds {
            let rest = Duration::from_mins(1) / settings.worker.rounds_per_minute;
            let rounds = Rounds { provisioning: Arc::clone(&self.provisioning), unseen_for, rest };
            self.background_work.push(tokio::spawn(rounds.run(self.stop.clone())));
        }
        let (stop, provisioning) = (self.stop.clone(), Arc::clone(&self.provisioning));
        self.background_work.push(tokio::spawn(async move {
            loop {
                if let Err(error) = provisioning.look_at_quotas().await {
                    tracing::warn!(
                        error = chain(&error),
                        "the month's meetings can't be counted, trying again later"
                    );
                }
                if tokio::time::timeout(QUOTAS, stop.cancelled()).await.is_ok() {
                    return;
                }
            }
        }));
        let stop = self.stop.clone();
        self.background_work.push(tokio::spawn(async move {
            while tokio::time::timeout(KEYS_RELOAD, stop.cancelled()).await.is_err() {
                authenticator.reload();
            }
        }));
    }

    /// Where the public door is.
    #[must_use]
    pub fn public_address(&self) -> SocketAddr {
        self.public.0
    }

    /// Where the operators' door is.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.admin.0
    }

    /// Waits until no attempt is under way in this process.
    pub async fn idle(&self) {
        self.provisioning.in_flight.idle().await;
    }

    /// Resumes what is due now and waits until it is over; says how many bookings that were.
    pub async fn resume_due(&self) -> Result<usize, String> {
        let begun = self.provisioning.resume(self.claim_max).await.map_err(|error| error.to_string())?;
        let count = begun.len();
        for one in begun {
            one.await.map_err(|error| error.to_string())?;
        }
        Ok(count)
    }

    /// Makes one of the rounds that compare meetings with their bookings, with no rest on the way: of those that Graph
    /// has not told of for this long. Says how many that were.
    pub async fn compare_all(&self, unseen_for: Duration) -> Result<usize, String> {
        let provisioning = Arc::clone(&self.provisioning);
        let rounds = Rounds { provisioning, unseen_for, rest: Duration::ZERO };
        rounds.make(&self.stop).await.map_err(|error| error.to_string())
    }

    /// Counts the month's meetings, as the clockwork does.
    pub async fn look_at_quotas(&self) -> Result<(), String> {
        self.provisioning.look_at_quotas().await.map_err(|error| error.to_string())
    }

    /// Asks for a token in the background, so that a credential that is refused is in the log at the start.
    pub fn check_credential(&self) {
        let provisioning = Arc::clone(&self.provisioning);
        tokio::spawn(async move {
            if let Err(fault) = provisioning.graph.check_token().await {
                tracing::error!(
                    error = chain(&fault),
                    "no token for Graph; meeting-provisioner doctor tells more"
                );
            }
        });
    }

    /// Stops: not ready, no more work taken, calls under way finished or handed back. The public door stays open as long
    /// as its drain says, and then until nobody is being answered, so that nobody's connection is reset: every answer
    /// tells its client to connect anew, which is elsewhere.
    pub async fn stop(self) {
        let began = tokio::time::Instant::now();
        let deadline = began + self.shutdown;
        self.health.stopping();
        self.stop.cancel();
        tokio::time::sleep_until(deadline.min(began + self.drain)).await;
        let answered = || self.health.requests().nothing();
        // Whether they ended or the time did: who still waits then is told how the booking stands.
        let _answered =
            tokio::time::timeout_at(deadline - FINAL_RESPONSE_GRACE.min(self.shutdown / 4), answered()).await;
        self.provisioning.waiting.end();
        let _answered = tokio::time::timeout_at(deadline, answered()).await;
        self.public.1.stop(true).await;
        for one in self.background_work {
            // A worker that panicked has said so; the shutdown goes on.
            let _ended = one.await;
        }
        let left = deadline.saturating_duration_since(tokio::time::Instant::now());
        self.provisioning.finish(left).await;
        // Last, for others wait for what was settled until now.
        self.notices.0.cancel();
        let _ended = self.notices.1.await;
        self.admin.1.stop(false).await;
        self.provisioning.store.close().await;
    }
}

fn listen(address: SocketAddr) -> Result<(SocketAddr, std::net::TcpListener), StartFault> {
    let fault = |source| StartFault::Listen { address, source };
    let listener = bind(address).map_err(fault)?;
    Ok((listener.local_addr().map_err(fault)?, listener))
}

fn open(
    (address, listener): (SocketAddr, std::net::TcpListener),
    state: impl FnOnce(std::net::TcpListener) -> std::io::Result<actix_web::dev::Server>,
) -> Result<(SocketAddr, ServerHandle), StartFault> {
    let server = state(listener).map_err(|source| StartFault::Listen { address, source })?;
    let handle = server.handle();
    tokio::spawn(server);
    Ok((address, handle))
}

pub(super) fn store(settings: &crate::config::DatabaseSettings) -> Result<Store, StoreError> {
    use secrecy::ExposeSecret;
    Store::open(&StoreSettings {
        url: settings.url.expose_secret().to_owned(),
        connections_max: settings.connections_max,
        acquire_timeout: ACQUIRE_TIMEOUT,
    })
}

fn provisioning(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    waiting: Arc<UnderWay>,
) -> Result<Provisioning, StartFault> {
    let metrics = Arc::new(Metrics::new());
    let store = store(&settings.database).map_err(|error| StartFault::Database(chain(&error)))?;
    let graph = MicrosoftGraph::new(&graph_connection::of(&settings.graph), Arc::clone(&clock))?;
    let waiting = Arc::new(Waiting::new(WaitingParts {
        store: store.clone(),
        clock: Arc::clone(&clock),
        metrics: Arc::clone(&metrics),
        requests: waiting,
        waiting_max: settings.http.waiting_max,
        looks_max: looks_at_once(settings),
        poll: settings.worker.poll,
        listens: settings.database.listen,
    }));
    Ok(Provisioning {
        store,
        graph,
        quotas: Quotas::default(),
        gate: Gate::new(settings.graph.calls_max, Arc::clone(&clock)),
        clock,
        metrics,
        namespace: settings.external_id.namespace,
        tenant: settings.graph.tenant_id,
        default_settings: default_settings(settings),
        drift_policies: settings.source_systems.iter().map(|(name, one)| (name.clone(), one.drift)).collect(),
        policy: RetryPolicy::default(),
        lease: settings.worker.lease,
        alarm: Alarm::default(),
        waiting,
        unconfirmed: Unconfirmed::default(),
        in_flight: InFlight::on(tokio::runtime::Handle::current()),
    })
}

/// A quarter of the connections to Postgres is what waiting requests may look with; the others accept and settle.
fn looks_at_once(settings: &Settings) -> usize {
    usize::try_from(settings.database.connections_max / 4).unwrap_or(1)
}

fn default_settings(settings: &Settings) -> BTreeMap<SourceSystem, MeetingSettings> {
    let each = settings.source_systems.iter();
    each.map(|(name, one)| (name.clone(), one.meeting_settings.clone())).collect()
}

fn state(settings: &Settings, provisioning: &Arc<Provisioning>) -> ApiState {
    ApiState {
        provisioning: Arc::clone(provisioning),
        waits: WaitSettings { default: settings.http.wait_default, maximum: settings.http.wait_max },
        read_timeout: settings.http.read_timeout,
        remedies: Remedies { client_id: settings.graph.client_id.to_string() },
        channel_meetings: graph_connection::has_beta(settings.graph.cloud),
    }
}

/// Prepares the schema. Postgres may come up later than we do; only what it refuses is final.
async fn migrate(store: &Store) -> Result<(), StartFault> {
    loop {
        match store.migrate().await {
            Ok(()) => return Ok(()),
            Err(error) if error.may_pass() => {
                tracing::warn!(error = chain(&error), "Postgres can't be reached, waiting for it");
                tokio::time::sleep(MIGRATE_AGAIN).await;
            }
            Err(error) => return Err(StartFault::Database(chain(&error))),
        }
    }
}

/// An error with its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some libraries repeat their cause in their own words.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
