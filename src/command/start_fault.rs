//! Why the service can't start.

use std::net::SocketAddr;

use crate::access::{ApiKeyFaults, KeySourceFault};
use crate::msgraph::ConnectionFault;
use crate::server::TlsFault;

/// Why the service can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// A port is taken or not ours to take.
    #[error("can't listen on {address} ({setting})")]
    Listen {
        /// The setting that names it.
        setting: &'static str,
        /// Which one.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file of API keys can't be used.
    #[error("the API keys can't be used: {0}")]
    ApiKeys(#[from] ApiKeyFaults),
    /// An issuer's keys can't be asked for.
    #[error("an issuer of tokens (access.issuer) can't be used")]
    Issuer(#[from] KeySourceFault),
    /// The certificate of the public port can't be used.
    #[error("the public port can't speak TLS (http.tls_certificate_file, http.tls_private_key_file)")]
    Tls(#[from] TlsFault),
    /// The connection to Graph can't be set up.
    #[error("Microsoft Graph can't be used")]
    Graph(#[from] ConnectionFault),
    /// The file of API keys could not be read by a thread of its own.
    #[error("the API keys can't be read: {0}")]
    Thread(String),
    /// The database can't be used.
    #[error("the database can't be used: {0}")]
    Database(String),
}
