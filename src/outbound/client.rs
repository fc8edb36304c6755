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
    /// The destination is not on this machine or its own link.
    #[error(
        "{0} can't be the address of a metadata endpoint: it must be a loopback or link-local address (169.254.0.0/16)"
    )]
    NotLocal(Url),
    /// TLS or the resolver could not be set up.
    #[error("the HTTP client can't be set up")]
    Setup(#[source] reqwest::Error),
}

/// Makes a client for `destination` and nothing else. For https it reads the machine's root certificates, which takes
/// tens of milliseconds: make a client once and keep it. Proxies are taken from the standard environment variables.
pub fn client(destination: &Url, timeouts: Timeouts) -> Result<reqwest::Client, ClientFault> {
    let loopback = is_loopback(destination);
    if !loopback && destination.scheme() != "https" {
        return Err(ClientFault::Insecure(destination.clone()));
    }
    let mut builder = with_limits(timeouts).https_only(!loopback);
    if loopback {
        builder = builder.no_proxy();
    }
    if destination.scheme() == "http" {
        // Without TLS the root certificates, slow to read, are not needed.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(ClientFault::Setup)
}

/// Makes a client for a metadata endpoint, which hands out tokens to all who reach it: one on this machine or its own link,
/// asked without TLS (it has none) and never through a proxy, whatever the environment says.
pub fn metadata_client(destination: &Url, timeouts: Timeouts) -> Result<reqwest::Client, ClientFault> {
    if !is_loopback(destination) && !is_link_local(destination) {
        return Err(ClientFault::NotLocal(destination.clone()));
    }
    with_limits(timeouts).no_proxy().tls_certs_only([]).build().map_err(ClientFault::Setup)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that makes outgoing clients")]
fn with_limits(timeouts: Timeouts) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(timeouts.connect.min(timeouts.total))
        .timeout(timeouts.total)
        .redirect(reqwest::redirect::Policy::none())
        .pool_idle_timeout(IDLE_MAX)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
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

/// Whether an address is one of the link itself: 169.254.0.0/16 (RFC 3927), which no router passes on.
#[must_use]
pub fn is_link_local(address: &Url) -> bool {
    matches!(address.host(), Some(Host::Ipv4(ip)) if ip.is_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token of the machine's identity is asked for on this machine or its link alone.
    #[test]
    fn only_what_is_near_may_be_asked_for_an_identity() {
        let timeouts = Timeouts { connect: Duration::from_secs(1), total: Duration::from_secs(2) };
        for (address, allowed) in [
            ("http://169.254.169.254", true),
            ("http://169.254.129.2:8081/msi/token", true),
            ("http://localhost:42356/msi/token", true),
            ("http://169.255.0.1", false),
            ("http://metadata.contoso.com", false),
            ("https://login.microsoftonline.com", false),
        ] {
            let made = metadata_client(&Url::parse(address).unwrap(), timeouts);
            assert_eq!(made.is_ok(), allowed, "{address}");
        }
    }

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
