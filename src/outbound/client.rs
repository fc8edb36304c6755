//! Builds a client for one destination.

use std::time::Duration;

use url::{Host, Url};

/// The header `User-Agent`: `meeting-provisioner/<version>`.
const USER_AGENT: &str = concat!("meeting-provisioner/", env!("CARGO_PKG_VERSION"));

/// An idle connection older than this is closed: load balancers drop theirs silently after minutes.
const IDLE_MAX: Duration = Duration::from_mins(1);
/// Most idle connections kept to one host.
const IDLE_CONNECTIONS_MAX: usize = 256;

/// Time-outs of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection is made, TLS included.
    pub connect: Duration,
    /// From the start of the request to the last byte of the answer.
    pub total: Duration,
}

/// Why a client can't be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientFault {
    /// The destination would get secrets unencrypted.
    #[error("{0} must be an https address; http is for loopback addresses only")]
    Insecure(Url),
    /// TLS or the resolver could not be set up.
    #[error("the HTTP client can't be set up")]
    Setup(#[source] reqwest::Error),
}

/// Makes a client for `destination` and nothing else. For https it reads the machine's root certificates, which takes
/// tens of milliseconds: make a client once and keep it. Proxies are taken from the standard environment variables.
#[expect(clippy::disallowed_methods, reason = "this is the one place that makes outgoing clients")]
pub fn client(destination: &Url, timeouts: Timeouts) -> Result<reqwest::Client, ClientFault> {
    let loopback = is_loopback(destination);
    if !loopback && destination.scheme() != "https" {
        return Err(ClientFault::Insecure(destination.clone()));
    }
    let mut builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(timeouts.connect.min(timeouts.total))
        .timeout(timeouts.total)
        .redirect(reqwest::redirect::Policy::none())
        .pool_idle_timeout(IDLE_MAX)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .https_only(!loopback);
    if loopback {
        builder = builder.no_proxy();
    }
    if destination.scheme() == "http" {
        // Without TLS the root certificates, slow to read, are not needed.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(ClientFault::Setup)
}

/// Whether an address is a loopback address: `localhost`, 127.0.0.0/8 or `::1`.
#[must_use]
pub fn is_loopback(address: &Url) -> bool {
    match address.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// The same of a host's name or address alone, an address of IPv6 with or without brackets.
#[must_use]
pub fn is_loopback_host(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only https, except to loopback however it is written; a name that looks like it is another host.
    #[test]
    fn only_loopback_may_be_called_without_tls() {
        let timeouts = Timeouts { connect: Duration::from_secs(1), total: Duration::from_secs(2) };
        for (address, allowed) in [
            ("https://graph.microsoft.com", true),
            ("http://graph.microsoft.com", false),
            ("http://localhost:8080", true),
            ("http://127.8.0.1", true),
            ("http://[::1]:80", true),
            ("http://localhost.contoso.com", false),
            ("http://128.0.0.1", false),
        ] {
            let made = client(&Url::parse(address).unwrap(), timeouts);
            assert_eq!(made.is_ok(), allowed, "{address}");
        }
    }
}
