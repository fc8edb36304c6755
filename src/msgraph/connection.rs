//! How to reach Graph, and as whom.

use url::Url;

use super::credential::Credential;
use super::version::GraphVersion;
use crate::booking::TenantId;
use crate::outbound::{ClientFault, Timeouts};

/// How to reach Graph, and as whom.
#[derive(Debug, Clone)]
pub struct GraphConnection {
    /// The Entra tenant.
    pub tenant_id: TenantId,
    /// Our application's (client) id in it.
    pub client_id: String,
    /// What proves that we are that application.
    pub credential: Credential,
    /// Whether this cloud's Graph has the beta version, without which no meeting can be made in a channel.
    pub channel_meetings: bool,
    /// The version to use where a call doesn't need beta.
    pub version: GraphVersion,
    /// Graph's address. The token's scope is made of it.
    pub root_url: Url,
    /// The token endpoint's address.
    pub login_url: Url,
    /// Time-outs of each single exchange, with Graph and with the token endpoint.
    pub timeouts: Timeouts,
}

/// Why a connection can't be used at all: reported at the start, not at the first booking.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionFault {
    /// The address can't be built upon.
    #[error(
        "{0} can't be Graph's or the token endpoint's address: it must be an http(s) address without query"
    )]
    Address(Url),
    /// The credential can't be used: what is wrong with which file.
    #[error("the credential for it can't be used: {0}")]
    Credential(String),
    /// No client for it.
    #[error(transparent)]
    Client(#[from] ClientFault),
}

impl GraphConnection {
    /// Checks what can be checked without sending anything.
    pub fn check(&self) -> Result<(), ConnectionFault> {
        for address in [&self.root_url, &self.login_url] {
            let whole = address.has_host() && address.query().is_none() && address.fragment().is_none();
            if !whole || !matches!(address.scheme(), "https" | "http") {
                return Err(ConnectionFault::Address(address.clone()));
            }
        }
        Ok(())
    }

    /// Graph's address without a slash at its end.
    pub(super) fn root(&self) -> &str {
        self.root_url.as_str().trim_end_matches('/')
    }

    /// Where tokens of our tenant are to be had.
    pub(super) fn token_url(&self) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.login_url.as_str().trim_end_matches('/'), self.tenant_id)
    }

    /// What a token is to be good for: everything that was granted to us at this Graph.
    pub(super) fn scope(&self) -> String {
        format!("{}/.default", self.root())
    }
}
