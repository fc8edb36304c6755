//! One running service: starts it, lets tests drive it, and stops it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::background_loops::{BackgroundLoop, BackgroundWork, claim_max, spawn_all};
use super::listening_server::{BoundPort, ListeningServer};
use super::start_fault::StartFault;
use super::{assembly, schema};
use crate::access::Authenticator;
use crate::clock::Clock;
use crate::config::Settings;
use crate::error_chain::chain;
use crate::provisioning::Provisioning;
use crate::server::Health;
use crate::under_way::UnderWay;
use crate::waiting::NoticeEffects;
use crate::worker::Rounds;

/// Time before the end of the shutdown in which requests that still wait for their meeting are answered 202.
const FINAL_RESPONSE_GRACE: Duration = Duration::from_secs(1);

/// One running service, of which there may be many on one database: both ports open, the schema ready.
#[derive(Debug)]
pub struct Replica {
    provisioning: Arc<Provisioning>,
    health: Arc<Health>,
    public: ListeningServer,
    admin: ListeningServer,
    loops: Vec<BackgroundLoop>,
    stop: CancellationToken,
    /// The exchange of notices with other replicas; it is stopped last.
    notices: BackgroundLoop,
    notices_stop: CancellationToken,
    claim_max: usize,
    drain: Duration,
    shutdown: Duration,
}

impl Replica {
    /// Starts the service. Probes are answered at once; the public port opens when the schema is ready, however long
    /// Postgres takes to come up.
    pub async fn start(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        background_work: BackgroundWork,
    ) -> Result<Self, StartFault> {
        let public = BoundPort::bind("http.address", settings.http.address)?;
        let admin = BoundPort::bind("http.admin_address", settings.http.admin_address)?;
        let authenticator = web::Data::new(Authenticator::open(
            &settings.access.api_keys_file,
            assembly::published_key(settings),
        )?);
        let waiting = Arc::new(UnderWay::default());
        let provisioning =
            Arc::new(assembly::provisioning(settings, Arc::clone(&clock), Arc::clone(&waiting))?);
        assembly::know_source_systems(&provisioning.metrics, &authenticator);
        let store = provisioning.store.clone();
        let health = Arc::new(Health::starting(store, waiting, settings.http.requests_max));
        let admin_server = assembly::admin_server(settings, &provisioning, &health);
        let admin = admin.serve(|listener| admin_server.open(listener))?;
        if settings.database.migrate {
            schema::prepare(&provisioning.store).await?;
        }
        let public_server = assembly::public_server(settings, &provisioning, &health, authenticator.clone());
        let public = public.serve(|listener| public_server.open(listener))?;
        health.started();
        let notices_stop = CancellationToken::new();
        let effects: Arc<dyn NoticeEffects> = Arc::<Provisioning>::clone(&provisioning);
        let exchange = Arc::clone(&provisioning.waiting).exchange_notices(effects, notices_stop.clone());
        let (following, stop_following) = (Arc::clone(&provisioning), notices_stop.clone());
        let notices = BackgroundLoop::spawn("notices", async move {
            tokio::join!(exchange, following.follow_pauses(stop_following));
        });
        let stop = CancellationToken::new();
        let loops = match background_work {
            BackgroundWork::Spawned => {
                spawn_all(&provisioning, clock, authenticator, &settings.worker, &stop)
            }
            BackgroundWork::Manual => Vec::new(),
        };
        Ok(Self {
            provisioning,
            health,
            public,
            admin,
            loops,
            stop,
            notices,
            notices_stop,
            claim_max: claim_max(&settings.worker),
            drain: settings.http.drain,
            shutdown: settings.http.shutdown,
        })
    }

    /// The address of the public port.
    #[must_use]
    pub fn public_address(&self) -> SocketAddr {
        self.public.address
    }

    /// The address of the admin port.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.admin.address
    }

    /// Waits until no attempt is under way in this process.
    pub async fn idle(&self) {
        self.provisioning.in_flight.idle().await;
    }

    /// Resumes what is due now and waits until it is over; returns how many bookings that were.
    pub async fn resume_due(&self) -> Result<usize, String> {
        let begun = self.provisioning.resume(self.claim_max).await.map_err(|error| error.to_string())?;
        let count = begun.len();
        for one in begun {
            one.await.map_err(|error| error.to_string())?;
        }
        Ok(count)
    }

    /// Compares meetings with their bookings as one round does, with no wait between calls: those that no answer of Graph
    /// has shown for so long. Returns how many that were.
    pub async fn compare_all(&self, unseen_for: Duration) -> Result<usize, String> {
        let provisioning = Arc::clone(&self.provisioning);
        let rounds = Rounds { provisioning, unseen_for, rest: Duration::ZERO };
        rounds.make(&self.stop).await.map_err(|error| error.to_string())
    }

    /// Counts the month's meetings, as the background loop does.
    pub async fn look_at_quotas(&self) -> Result<(), String> {
        self.provisioning.look_at_quotas().await.map_err(|error| error.to_string())
    }

    /// Asks for a token in the background, so that a credential that is refused is in the log at the start.
    pub fn check_credential(&self) {
        let provisioning = Arc::clone(&self.provisioning);
        tokio::spawn(async move {
            if let Err(fault) = provisioning.graph.check_token().await {
                let error = chain(&fault);
                tracing::error!(error, "no token for Graph; meeting-provisioner doctor tells more");
            }
        });
    }

    /// Stops the service: not ready, no more work is claimed, calls under way are finished or handed back. The public
    /// port stays open as long as the drain lasts, and then until no request is being answered, so that no client's
    /// connection is reset: every response tells its client to connect again, which leads to another replica.
    pub async fn stop(self) {
        let began = Instant::now();
        let deadline = began + self.shutdown;
        self.health.stopping();
        self.stop.cancel();
        tokio::time::sleep_until(deadline.min(began + self.drain)).await;
        let answered = || self.health.requests().nothing();
        // Whether they ended or the time did: a request that still waits then is answered with how its booking stands.
        let _answered =
            tokio::time::timeout_at(deadline - FINAL_RESPONSE_GRACE.min(self.shutdown / 4), answered()).await;
        self.provisioning.waiting.end();
        let _answered = tokio::time::timeout_at(deadline, answered()).await;
        self.public.handle.stop(true).await;
        for one in self.loops {
            one.ended().await;
        }
        self.provisioning.finish(deadline.saturating_duration_since(Instant::now())).await;
        // Last, for other replicas wait for what was settled until now.
        self.notices_stop.cancel();
        self.notices.ended().await;
        self.admin.handle.stop(false).await;
        self.provisioning.store.close().await;
    }
}
