//! One running service: starts it, lets tests drive it, and stops it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::background_loops::{
    BackgroundLoops, BackgroundWork, LoopEnded, claim_max, follow_certificate, spawn_all,
};
use super::listening_server::{BoundPort, ListeningServer};
use super::start_fault::StartFault;
use super::{assembly, schema};
use crate::clock::Clock;
use crate::config::Settings;
use crate::error_chain::chain;
use crate::provisioning::Provisioning;
use crate::server::Health;
use crate::waiting::NoticeEffects;
use crate::worker::Rounds;

/// Time before the end of the shutdown in which requests that still wait for their meeting are answered 202.
const FINAL_RESPONSE_GRACE: Duration = Duration::from_secs(1);
/// The last part of the shutdown: what is not over by then is handed back, and no later step may take longer.
const HAND_BACK: Duration = Duration::from_secs(2);
/// Each of these is at most this part of the whole.
const PARTS: u32 = 4;

/// One running service, of which there may be many on one database: both ports open, the schema ready.
#[derive(Debug)]
pub struct Replica {
    provisioning: Arc<Provisioning>,
    health: Arc<Health>,
    public: ListeningServer,
    admin: ListeningServer,
    servers: BackgroundLoops,
    loops: BackgroundLoops,
    stop: CancellationToken,
    /// The exchange of notices with other replicas; it is stopped last.
    notices: BackgroundLoops,
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
        let authenticator = assembly::authenticator(settings, &clock).await?;
        let tls = assembly::tls(settings)?;
        let (provisioning, requests) = assembly::provisioning(settings, Arc::clone(&clock))?;
        let provisioning = Arc::new(provisioning);
        assembly::know_source_systems(&provisioning.metrics, &authenticator);
        assembly::tell_who_has_no_reach(settings, &authenticator);
        let store = provisioning.store.clone();
        if let Some(way) = store.unverified_tls() {
            tracing::warn!("Postgres is reached at {way}, as database.allow_unverified_tls allows");
        }
        let health = Arc::new(Health::starting(store, requests.answering, requests.waiting));
        let admin_server = assembly::admin_server(settings, &provisioning, &health, authenticator.clone());
        let mut servers = BackgroundLoops::default();
        let admin = admin.serve("admin-port", &mut servers, |listener| admin_server.open(listener))?;
        if settings.database.migrate {
            schema::prepare(&provisioning.store).await?;
        }
        let public_server =
            assembly::public_server(settings, &provisioning, &health, authenticator.clone(), tls.clone());
        let public = public.serve("public-port", &mut servers, |listener| public_server.open(listener))?;
        health.started();
        let notices_stop = CancellationToken::new();
        let effects: Arc<dyn NoticeEffects> = Arc::<Provisioning>::clone(&provisioning);
        let exchange = Arc::clone(&provisioning.waiting).exchange_notices(effects, notices_stop.clone());
        let (following, stop_following) = (Arc::clone(&provisioning), notices_stop.clone());
        let mut notices = BackgroundLoops::default();
        notices.spawn("notices", async move {
            tokio::join!(exchange, following.follow_pauses(stop_following));
        });
        let stop = CancellationToken::new();
        let mut loops = match background_work {
            BackgroundWork::Spawned => {
                spawn_all(&provisioning, clock, authenticator.clone(), settings, &stop)
            }
            BackgroundWork::Manual => BackgroundLoops::default(),
        };
        // Whatever else is manual: without its issuer's keys no token is accepted.
        loops.keep_issuers_keys(&authenticator, &stop);
        if let Some(tls) = tls {
            follow_certificate(&mut loops, tls, &stop);
        }
        Ok(Self {
            provisioning,
            health,
            public,
            admin,
            servers,
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
        let resumed = self.provisioning.resume(self.claim_max).await.map_err(|error| error.to_string())?;
        let count = resumed.begun.len();
        for one in resumed.begun {
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

    /// Waits until something that runs beside the requests has ended though it was not stopped: a loop that panicked, or a
    /// port that is not served any more. Such a replica would seem well and do half of its work.
    pub async fn broke_off(&mut self) -> LoopEnded {
        tokio::select! {
            ended = self.servers.one_ended() => ended,
            ended = self.loops.one_ended() => ended,
            ended = self.notices.one_ended() => ended,
        }
    }

    /// Stops the service: not ready, no more work is claimed, calls under way are finished or handed back. The public
    /// port stays open as long as the drain lasts, and then until no request is being answered, so that no client's
    /// connection is reset: every response tells its client to connect again, which leads to another replica.
    ///
    /// All of it ends by one deadline, whatever hangs: what is not over a little before is handed back and left.
    pub async fn stop(mut self) {
        let began = Instant::now();
        let deadline = began + self.shutdown;
        let at_most = |time: Duration| time.min(self.shutdown / PARTS);
        let hand_back = deadline - at_most(HAND_BACK);
        let final_response = hand_back - at_most(FINAL_RESPONSE_GRACE);
        self.health.stopping();
        self.stop.cancel();
        sleep_until(final_response.min(began + self.drain)).await;
        let answered = || self.health.requests().nothing();
        // Whether they ended or the time did: a request that still waits then is answered with how its booking stands.
        let _answered = timeout_at(final_response, answered()).await;
        self.provisioning.waiting.end();
        let _answered = timeout_at(hand_back, answered()).await;
        let _closed = timeout_at(hand_back + at_most(HAND_BACK) / 2, self.public.handle.stop(true)).await;
        self.loops.all_ended(hand_back).await;
        self.provisioning.finish(hand_back, deadline).await;
        // Last, for other replicas wait for what was settled until now.
        self.notices_stop.cancel();
        self.notices.all_ended(deadline).await;
        let _closed = timeout_at(deadline, self.admin.handle.stop(false)).await;
        let _closed = timeout_at(deadline, self.provisioning.store.close()).await;
    }
}
