//! Fetches an issuer's keys: its discovery document, and the key set that this names. One of the two files here that know
//! HTTP.

use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::key_set::KeySet;
use crate::error_chain::chain;
use crate::outbound::{self, ClientFault, Timeouts, is_loopback};

/// Longest document that is read, in bytes. Entra's key set has 20 KiB.
const BYTES_MAX: usize = 256 * 1024;
/// How long each of the two requests may take.
const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(3), total: Duration::from_secs(5) };
/// Where an issuer tells of itself (OpenID Connect Discovery 1.0, 4): behind its own address.
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// Why an issuer's keys can't be fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFetchFault {
    /// No answer, or not a whole one in time.
    #[error("{url} can't be reached: {why}")]
    Unreachable {
        /// What was asked.
        url: Url,
        /// What broke.
        why: String,
    },
    /// Another answer than the document.
    #[error("{url} {why}")]
    Unfit {
        /// What was asked.
        url: Url,
        /// What is wrong with the answer.
        why: String,
    },
}

/// Where an issuer's keys are fetched.
#[derive(Debug)]
pub(super) struct KeySource {
    issuer: String,
    discovery: Url,
    client: reqwest::Client,
}

/// What is needed of the discovery document.
#[derive(Deserialize)]
struct DiscoveryWire {
    issuer: String,
    jwks_uri: Url,
}

impl KeySource {
    /// The source of this issuer's keys; nothing is asked yet.
    pub(super) fn of(issuer: &str) -> Result<Self, KeySourceFault> {
        let discovery = Url::parse(&format!("{}{WELL_KNOWN}", issuer.trim_end_matches('/')))
            .map_err(|_| KeySourceFault::NoAddress(issuer.to_owned()))?;
        let client = outbound::client(&discovery, TIMEOUTS)?;
        Ok(Self { issuer: issuer.to_owned(), discovery, client })
    }

    /// Asks for the keys.
    pub(super) async fn fetch(&self) -> Result<KeySet, KeyFetchFault> {
        let document = self.get(&self.discovery).await?;
        let unfit = |why: String| KeyFetchFault::Unfit { url: self.discovery.clone(), why };
        let discovered: DiscoveryWire = serde_json::from_slice(&document).map_err(|_| {
            unfit("answers without issuer and jwks_uri: it is no discovery document".to_owned())
        })?;
        if discovered.issuer != self.issuer {
            let other: String = discovered.issuer.chars().take(200).collect();
            return Err(unfit(format!(
                "is of the issuer {other:?}, not of {:?}: write access.issuer.issuer as it is there, to the letter",
                self.issuer
            )));
        }
        let keys = discovered.jwks_uri;
        // What reads secrets from inside this network must not be asked because an address outside says so.
        let is_safe =
            if is_loopback(&self.discovery) { is_loopback(&keys) } else { keys.scheme() == "https" };
        if !is_safe || !keys.username().is_empty() || keys.password().is_some() {
            return Err(unfit("names a jwks_uri that is not https".to_owned()));
        }
        let set = self.get(&keys).await?;
        KeySet::parse(&set)
            .map_err(|why| KeyFetchFault::Unfit { url: keys, why: format!("has no key set: {why}") })
    }

    /// The body of a 200 answer.
    async fn get(&self, url: &Url) -> Result<Vec<u8>, KeyFetchFault> {
        let unreachable = |error: reqwest::Error| KeyFetchFault::Unreachable {
            url: url.clone(),
            why: chain(&error.without_url()),
        };
        let unfit = |why: String| KeyFetchFault::Unfit { url: url.clone(), why };
        let request = self.client.get(url.clone()).header("Accept", "application/json");
        let mut answer = request.send().await.map_err(unreachable)?;
        match answer.status() {
            reqwest::StatusCode::OK => {}
            status if status.is_redirection() => {
                return Err(unfit(format!("answers {}: redirects are not followed", status.as_u16())));
            }
            status => return Err(unfit(format!("answers {}", status.as_u16()))),
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > BYTES_MAX {
                return Err(unfit(format!("answers with more than {BYTES_MAX} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Why an issuer's keys can't even be asked for.
#[derive(Debug, thiserror::Error)]
pub enum KeySourceFault {
    /// Its name is no address.
    #[error("the issuer {0:?} is no address")]
    NoAddress(String),
    /// No client can be made for it.
    #[error(transparent)]
    Client(#[from] ClientFault),
}
