//! `[http]`: the two ports.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::across::check_http;
use super::reader::Reader;
use crate::setting::{FaultNoted, SettingRule, path, seconds, whole};

/// Where the service listens, and how long it lets callers and itself wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// The public port, `/v1` and the documents. Port 0 lets the system choose.
    pub address: SocketAddr,
    /// The admin port: `/livez`, `/readyz`, `/startupz`, `/metrics`. It has no authentication: not for the outside.
    pub admin_address: SocketAddr,
    /// How long a request waits for its meeting when the caller does not say.
    pub wait_default: Duration,
    /// The longest `Prefer: wait=N` that is granted.
    pub wait_max: Duration,
    /// From SIGTERM until the process ends, at most.
    pub shutdown: Duration,
    /// From SIGTERM, while the public port stays open for clients that have not noticed yet.
    pub drain: Duration,
    /// How long a client may take to send a request's head, and then its body.
    pub read_timeout: Duration,
    /// How long a client may take to take an answer, once it takes no more of it.
    pub write_timeout: Duration,
    /// The most requests answered at once, apart from those that only wait for their meeting.
    pub requests_max: usize,
    /// The most requests that wait for their meeting.
    pub waiting_max: usize,
    /// The most connections to the public port, idle ones included.
    pub connections_max: usize,
    /// The most connections of one peer address to the public port, if there is a limit.
    pub connections_per_peer_max: Option<usize>,
    /// The files of the certificate, where the public port speaks TLS itself.
    pub certificate: Option<CertificateFiles>,
}

/// A certificate and its key, as PEM; relative paths are relative to the working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, and after it those that lead to a root.
    pub certificate: PathBuf,
    /// Its private key, without a passphrase.
    pub private_key: PathBuf,
    /// The authorities whose certificates clients may show, if they may show any.
    pub client_authorities: Option<PathBuf>,
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
        let drain = reader.or_default("http.drain_seconds", Duration::from_secs(5), &seconds(0..=300));
        let read_timeout =
            reader.or_default("http.read_timeout_seconds", Duration::from_secs(10), &seconds(1..=300));
        let write_timeout =
            reader.or_default("http.write_timeout_seconds", Duration::from_secs(30), &seconds(1..=300));
        let mut most = |name, default, least| {
            let most = reader.or_default(name, default, &whole(least..=1_000_000));
            most.and_then(|most| usize::try_from(most).ok())
        };
        let requests_max = most("http.requests_max", 500, 1);
        let waiting_max = most("http.waiting_max", 10_000, 1);
        let connections_max = most("http.connections_max", 16_000, 1);
        let connections_per_peer_max = most("http.connections_per_peer_max", 0, 0);
        let certificate = certificate(reader);
        check_http(reader, &HttpValues { address, admin_address, wait_default, wait_max, shutdown, drain });
        Some(Self {
            address: address?,
            admin_address: admin_address?,
            wait_default: wait_default?,
            wait_max: wait_max?,
            shutdown: shutdown?,
            drain: drain?,
            read_timeout: read_timeout?,
            write_timeout: write_timeout?,
            requests_max: requests_max?,
            waiting_max: waiting_max?,
            connections_max: connections_max?,
            connections_per_peer_max: Some(connections_per_peer_max?).filter(|most| *most > 0),
            certificate: certificate.ok()?,
        })
    }
}

/// Those of the section that are compared with each other, as far as each is right.
pub(super) struct HttpValues {
    pub(super) address: Option<SocketAddr>,
    pub(super) admin_address: Option<SocketAddr>,
    pub(super) wait_default: Option<Duration>,
    pub(super) wait_max: Option<Duration>,
    pub(super) shutdown: Option<Duration>,
    pub(super) drain: Option<Duration>,
}

const CERTIFICATE: &str = "http.tls_certificate_file";
const PRIVATE_KEY: &str = "http.tls_private_key_file";

const CLIENT_AUTHORITIES: &str = "http.tls_client_ca_file";

/// Both files or neither, and authorities of clients only with them.
fn certificate(reader: &mut Reader) -> Result<Option<CertificateFiles>, FaultNoted> {
    let [certificate, private_key, client_authorities] =
        [CERTIFICATE, PRIVATE_KEY, CLIENT_AUTHORITIES].map(|key| reader.optional(key, &path()));
    let mut without = |key, other| {
        reader.fault(key, format!("is set without {other}; TLS needs both"));
        Err(FaultNoted)
    };
    match (certificate?, private_key?, client_authorities?) {
        (Some(certificate), Some(private_key), client_authorities) => {
            Ok(Some(CertificateFiles { certificate, private_key, client_authorities }))
        }
        (Some(_), None, _) => without(CERTIFICATE, PRIVATE_KEY),
        (None, Some(_), _) => without(PRIVATE_KEY, CERTIFICATE),
        (None, None, Some(_)) => without(CLIENT_AUTHORITIES, CERTIFICATE),
        (None, None, None) => Ok(None),
    }
}

fn listening_address() -> SettingRule<SocketAddr> {
    SettingRule::text(|text| {
        text.parse().map_err(|_| {
            "must be an IP address and a port, such as 127.0.0.1:8080, 0.0.0.0:8080 or [::]:8080 \
             (a host name will not do)"
                .to_owned()
        })
    })
}
