//! `[http]`: the doors.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::reader::Reader;
use super::rule::{Rule, seconds};

/// Where the service listens, and how long it lets callers and itself wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// The public door, `/v1` and the documents. Port 0 lets the system choose.
    pub address: SocketAddr,
    /// The operators' door: `/livez`, `/readyz`, `/startupz`, `/metrics`. Not for the outside.
    pub admin_address: SocketAddr,
    /// How long a request waits for its meeting when the caller does not say.
    pub wait_default: Duration,
    /// The longest `Prefer: wait=N` that is honoured.
    pub wait_max: Duration,
    /// From SIGTERM until the process ends, at most.
    pub shutdown: Duration,
}

impl HttpSettings {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let address = reader.or_default("http.address", loopback(8080), &listening_address());
        let admin_address = reader.or_default("http.admin_address", loopback(9090), &listening_address());
        let wait_default =
            reader.or_default("http.wait_default_seconds", Duration::from_secs(10), &seconds(0..=300));
        let wait_max = reader.or_default("http.wait_max_seconds", Duration::from_secs(30), &seconds(0..=300));
        let shutdown = reader.or_default("http.shutdown_seconds", Duration::from_secs(25), &seconds(1..=600));
        Some(Self {
            address: address?,
            admin_address: admin_address?,
            wait_default: wait_default?,
            wait_max: wait_max?,
            shutdown: shutdown?,
        })
    }
}

fn listening_address() -> Rule<SocketAddr> {
    Rule::text(|text| {
        text.parse().map_err(|_| {
            "must be an IP address and a port, such as 127.0.0.1:8080, 0.0.0.0:8080 or [::]:8080 \
             (a host name will not do)"
                .to_owned()
        })
    })
}
