//! What a simulator is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::organizers::OrganizerState;
use crate::clock::{Clock, SystemClock};

/// What a simulator is started with. The default serves one tenant on a free loopback port, where every organizer
/// exists and is permitted.
#[derive(Debug, Clone)]
pub struct SimulatorSettings {
    /// Where to listen; loopback only. Port 0 takes a free port.
    pub address: SocketAddr,
    /// The one Entra tenant that exists, as it stands in the token path.
    pub tenant_id: String,
    /// The one application that is registered in the tenant.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: SecretString,
    /// How long an access token is good for; sent as `expires_in` in whole seconds.
    pub token_lifetime: Duration,
    /// Sent as `refresh_in` when set. Entra does so for long-lived tokens only.
    pub token_refresh_in: Option<Duration>,
    /// The application permissions that were granted: they stand in every token and open the endpoints.
    pub roles: Vec<String>,
    /// The standing of an organizer that was not declared.
    pub undeclared_organizers: OrganizerState,
    /// Seed of the faults that come with a probability: the same seed and the same calls give the same faults.
    pub seed: u64,
    /// Worker threads of the HTTP server, at least 1.
    pub workers: usize,
    /// How many calls the ledger keeps; older ones are dropped, the counts stay exact.
    pub calls_kept_max: usize,
    /// Where time and fresh ids come from.
    pub clock: Arc<dyn Clock>,
}

impl Default for SimulatorSettings {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tenant_id: "9188040d-6c67-4c5b-b112-36a304b66dad".to_owned(),
            client_id: "5d7f7f2c-8e0b-4f6f-9c53-0a4f3c1e2b77".to_owned(),
            client_secret: SecretString::from("simulator-secret"),
            token_lifetime: Duration::from_secs(3_599),
            token_refresh_in: None,
            roles: ["OnlineMeetings.ReadWrite.All", "User.Read.All"].map(str::to_owned).into(),
            undeclared_organizers: OrganizerState::Permitted,
            seed: 0,
            workers: 1,
            calls_kept_max: 100_000,
            clock: Arc::new(SystemClock),
        }
    }
}
