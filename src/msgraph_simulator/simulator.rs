//! Starting, steering and stopping a simulator from within the process.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use actix_web::dev::ServerHandle;
use actix_web::web::{Data, PayloadConfig};
use actix_web::{App, HttpServer, web};
use secrecy::SecretString;
use tokio::task::JoinHandle;

use super::app_credentials::FederatedCredential;
use super::faults::InjectedFault;
use super::identity_endpoint::IDENTITY_HEADER_VALUE;
use super::ledger::NotInTime;
use super::ledger_entries::{CallCounts, CallEntry, LedgerSnapshot, MeetingEntry};
use super::organizers::{OrganizerState, UserId};
use super::route::Operation;
use super::simulator_settings::SimulatorSettings;
use super::tenant::Tenant;
use super::{control, cut, front};

/// Graph takes at most 4 MB in a write.
const BODY_BYTES_MAX: usize = 4_000_000;

/// Longer than any client keeps an idle connection, so that none is closed under a caller's feet.
const KEEP_ALIVE: Duration = Duration::from_mins(5);

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The simulator takes fixed secrets and obeys any caller, so it must not be reachable from elsewhere.
    #[error("the simulator only listens on the loopback (127.0.0.0/8 or ::1), not on {address}")]
    NotLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The address can't be listened on.
    #[error("can't listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

/// A running simulator. It stops when it is dropped; [`Simulator::stop`] also waits for the end.
pub struct Simulator {
    tenant: Arc<Tenant>,
    address: SocketAddr,
    server: ServerHandle,
    running: Option<JoinHandle<io::Result<()>>>,
}

impl fmt::Debug for Simulator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Simulator").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Simulator {
    /// Starts a simulator; it answers when this returns.
    ///
    /// # Errors
    /// If the address is not on the loopback, or can't be listened on.
    #[expect(
        clippy::unused_async,
        reason = "must be called within a tokio runtime, and says so by being async"
    )]
    pub async fn start(settings: SimulatorSettings) -> Result<Self, SimulatorError> {
        let asked = settings.address;
        if !asked.ip().is_loopback() {
            return Err(SimulatorError::NotLoopback { address: asked });
        }
        let failed = |source| SimulatorError::Listen { address: asked, source };
        let listener = TcpListener::bind(asked).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let workers = settings.workers.max(1);
        let tenant = Arc::new(Tenant::new(settings, format!("http://{address}")));
        let shared = Data::from(tenant.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .app_data(PayloadConfig::new(BODY_BYTES_MAX))
                .default_service(web::to(front::answer))
        })
        .workers(workers)
        .keep_alive(KEEP_ALIVE)
        .tcp_nodelay(true)
        .on_connect(cut::remember)
        .disable_signals()
        .shutdown_timeout(0)
        .listen(listener)
        .map_err(failed)?
        .run();
        let handle = server.handle();
        Ok(Self { tenant, address, server: handle, running: Some(tokio::spawn(server)) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The root that stands in for `https://graph.microsoft.com`, without a slash at the end.
    #[must_use]
    pub fn graph_root_url(&self) -> &str {
        self.tenant.root_url()
    }

    /// The root that stands in for `https://login.microsoftonline.com`, without a slash at the end.
    #[must_use]
    pub fn login_url(&self) -> &str {
        self.tenant.root_url()
    }

    /// What it was started with.
    #[must_use]
    pub fn settings(&self) -> &SimulatorSettings {
        self.tenant.settings()
    }

    /// Adds a fault behind those that are planned already.
    pub fn inject(&self, fault: InjectedFault) {
        self.tenant.faults().inject(fault);
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.tenant.faults().clear();
    }

    /// Declares an organizer's standing and, if given, the UPN.
    pub fn declare(&self, organizer: impl Into<UserId>, standing: OrganizerState, upn: Option<&str>) {
        self.tenant.organizers().declare(organizer.into(), standing, upn);
    }

    /// Gives a user another UPN, as after a marriage. The former one is no user's from now on.
    pub fn rename(&self, user: impl Into<UserId>, upn: &str) {
        self.tenant.organizers().name(user.into(), upn);
    }

    /// Grants the application access policy for an organizer; it takes effect at once.
    pub fn permit(&self, organizer: impl Into<UserId>) {
        self.declare(organizer, OrganizerState::Permitted, None);
    }

    /// Takes the application access policy for an organizer away.
    pub fn forbid(&self, organizer: impl Into<UserId>) {
        self.declare(organizer, OrganizerState::WithoutPolicy, None);
    }

    /// Grants the application exactly these permissions. They count in the tokens that are issued from now on.
    pub fn grant(&self, roles: &[&str]) {
        *self.tenant.roles() = roles.iter().map(|role| (*role).to_owned()).collect();
    }

    /// Registers these client secrets for the application, in place of those before.
    pub fn set_secrets(&self, secrets: &[&str]) {
        self.tenant.credentials().set_secrets(secrets.iter().map(|one| SecretString::from(*one)).collect());
    }

    /// Registers the certificates of a PEM text for the application, in place of those before.
    ///
    /// # Errors
    /// If one can't be read.
    pub fn set_certificates(&self, pem: &str) -> Result<(), String> {
        self.tenant.credentials().set_certificates(pem)
    }

    /// Registers federated credentials for the application, in place of those before.
    ///
    /// # Errors
    /// If a key can't be read.
    pub fn set_federated_credentials(&self, federated: Vec<FederatedCredential>) -> Result<(), String> {
        self.tenant.credentials().set_federated(federated)
    }

    /// The value of `IDENTITY_HEADER` for the managed identity's endpoint in the shape of App Service's, at `/msi/token`.
    #[must_use]
    pub fn identity_header(&self) -> &'static str {
        IDENTITY_HEADER_VALUE
    }

    /// Makes every access token worthless that was issued so far.
    pub fn revoke_tokens(&self) {
        self.tenant.tokens().revoke();
    }

    /// Back to the start: no meeting, no call, no fault, no declared user. Issued tokens stay good.
    pub fn reset(&self) {
        self.tenant.reset();
    }

    /// Everything the ledger holds now.
    #[must_use]
    pub fn ledger(&self) -> LedgerSnapshot {
        control::snapshot(&self.tenant, usize::MAX)
    }

    /// All meetings, deleted ones too, in the order of their creation.
    #[must_use]
    pub fn meetings(&self) -> Vec<MeetingEntry> {
        self.tenant.meetings().all().iter().map(MeetingEntry::of).collect()
    }

    /// The calls of one operation that are kept, oldest first.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> Vec<CallEntry> {
        let log = self.tenant.ledger().locked();
        log.calls().filter(|call| call.operation == operation).cloned().collect()
    }

    /// Exact counts of all calls.
    #[must_use]
    pub fn counts(&self) -> CallCounts {
        self.tenant.ledger().locked().counts().clone()
    }

    /// Waits until a call that is kept satisfies `wanted`, and hands back the oldest one that does. A call is seen
    /// when it has arrived, again when its work is done, and again when it has ended.
    ///
    /// # Errors
    /// If none does in time.
    pub async fn wait_for_call(
        &self,
        within: Duration,
        wanted: impl Fn(&CallEntry) -> bool,
    ) -> Result<CallEntry, NotInTime> {
        self.tenant.ledger().wait_for(within, |log| log.calls().find(|call| wanted(call)).cloned()).await
    }

    /// Waits until the counts satisfy `wanted`.
    ///
    /// # Errors
    /// If they don't in time.
    pub async fn wait_for_counts(
        &self,
        within: Duration,
        wanted: impl Fn(&CallCounts) -> bool,
    ) -> Result<(), NotInTime> {
        self.tenant.ledger().wait_for(within, |log| wanted(log.counts()).then_some(())).await
    }

    /// Stops at once: connections are dropped, the port is free when this returns.
    pub async fn stop(mut self) {
        self.server.stop(false).await;
        if let Some(running) = self.running.take() {
            // It ended, however it did: there is nothing left to stop.
            let _ = running.await;
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if self.running.is_some() {
            // The command to stop is sent here; only waiting for the end would need the future.
            drop(self.server.stop(false));
        }
    }
}
