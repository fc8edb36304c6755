//! How to reach Graph, and as whom.

use secrecy::SecretString;
use url::Url;

use super::cloud::{Cloud, GraphVersion};
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
    /// Which cloud; decides what can be asked for.
    pub cloud: Cloud,
    /// The version to use where a call doesn't need beta.
    pub version: GraphVersion,
    /// Graph's address, [`Cloud::root_url`] unless pointed elsewhere. The token's scope is made of it.
    pub root_url: Url,
    /// The token endpoint's address, [`Cloud::login_url`] unless pointed elsewhere.
    pub login_url: Url,
    /// Time-outs of each single exchange, with Graph and with the token endpoint.
    pub timeouts: Timeouts,
}

/// What proves that we are the application. A secret today; a certificate, a federated assertion and a managed
/// identity would be further kinds.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A client secret.
    ClientSecret(SecretString),
}

/// Why a connection can't be used at all: said at the start, not at the first booking.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionFault {
    /// This cloud's Graph has no createOrGet.
    #[error(
        "the cloud {} has no onlineMeetings/createOrGet, so this service can't work there; use global, us-gov-l4 \
         or us-gov-l5",
        .0.as_str()
    )]
    NoCreateOrGet(Cloud),
    /// This cloud's Graph has no beta version.
    #[error("the cloud {} has no beta version of Graph; use v1.0", .0.as_str())]
    NoBeta(Cloud),
    /// The address can't be built upon.
    #[error(
        "{0} can't be Graph's or the token endpoint's address: it must be an http(s) address without query"
    )]
    Address(Url),
    /// No client for it.
    #[error(transparent)]
    Client(#[from] ClientFault),
}

impl GraphConnection {
    /// Checks what can be checked without asking anybody.
    pub fn check(&self) -> Result<(), ConnectionFault> {
        if !self.cloud.supports_create_or_get() {
            return Err(ConnectionFault::NoCreateOrGet(self.cloud));
        }
        if self.version == GraphVersion::Beta && !self.cloud.supports_beta() {
            return Err(ConnectionFault::NoBeta(self.cloud));
        }
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
