//! Asks for a token of a managed identity (Microsoft's pages "How to use managed identities on a VM to acquire an access
//! token" and "How to use managed identities for App Service").

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Request};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::connection::{ConnectionFault, GraphConnection};
use super::credential::{Identity, IdentityEndpoint};
use super::exchange::{HttpClients, NoAnswer, RawResponse};
use super::interpret::header;
use super::retry_after;
use super::text::{clean, without_mark};
use super::token_failure::{TokenFailure, TokenFailureKind};
use super::token_request::{GrantedToken, bearer, seconds};
use crate::clock::Clock;

/// The versions of the two endpoints.
const METADATA_VERSION: &str = "2018-02-01";
const APP_SERVICE_VERSION: &str = "2019-08-01";
/// The header without which the metadata service refuses; a request that was forged through another program lacks it.
const METADATA: HeaderName = HeaderName::from_static("metadata");
/// What `SentSecrets` takes for a secret, too.
pub(super) const IDENTITY_HEADER: HeaderName = HeaderName::from_static("x-identity-header");
/// How often it is asked for one token. The metadata service answers 404 and 410 while it is updated, and 429 early.
const TRIES_MAX: u32 = 5;
/// The wait before the second try; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(800);

/// The endpoint that knows this machine's identity.
#[derive(Debug)]
pub(super) struct IdentitySource {
    connections: HttpClients,
    clock: Arc<dyn Clock>,
    endpoint: IdentityEndpoint,
    /// Of the identity, where the machine may have several.
    client_id: Option<String>,
    /// What the token is to be good for.
    resource: String,
    /// All tries of one token together.
    time_max: Duration,
}

/// An answer of either endpoint. Numbers arrive as texts.
#[derive(Debug, Deserialize)]
struct IdentityWire {
    #[serde(default)]
    access_token: Option<String>,
    #[serde(default)]
    expires_in: Option<Value>,
    /// In seconds since 1970.
    #[serde(default)]
    expires_on: Option<Value>,
    #[serde(default)]
    refresh_in: Option<Value>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    error_description: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

impl IdentitySource {
    /// The source of this connection's tokens, if they are those of a managed identity.
    pub(super) fn of(
        connection: &GraphConnection,
        identity: Identity,
        endpoint: &IdentityEndpoint,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConnectionFault> {
        Ok(Self {
            connections: HttpClients::to_metadata(endpoint.url(), connection.timeouts)?,
            clock,
            endpoint: endpoint.clone(),
            client_id: (identity == Identity::UserAssigned).then(|| connection.client_id.clone()),
            resource: connection.root().to_owned(),
            time_max: connection.timeouts.total,
        })
    }

    /// Asks for a token, and again for as long as the endpoint is only out of order.
    pub(super) async fn fetch(&self) -> Result<GrantedToken, TokenFailure> {
        let begun = Instant::now();
        let mut wait = FIRST_WAIT;
        for tries in 1.. {
            let failure = match self.fetch_once().await {
                Ok(granted) => return Ok(granted),
                Err(failure) => failure,
            };
            let pause = failure
                .retry_after
                .unwrap_or_default()
                .max(wait.mul_f64(0.75 + self.clock.fresh_fraction() / 2.0));
            let is_passing = failure.status.is_some_and(|status| matches!(status, 404 | 410 | 429 | 500..));
            if !is_passing || tries == TRIES_MAX || begun.elapsed() + pause > self.time_max {
                return Err(failure);
            }
            tracing::debug!(status = failure.status, tries, "the identity endpoint is asked again");
            tokio::time::sleep(pause).await;
            wait *= 2;
        }
        unreachable!("the loop ends with its last try")
    }

    async fn fetch_once(&self) -> Result<GrantedToken, TokenFailure> {
        match self.connections.exchange(self.request(), &*self.clock).await {
            Ok(answer) => self.granted(answer).map_err(|failure| *failure),
            Err(NoAnswer::NotSent(message) | NoAnswer::Lost(message)) => {
                Err(failure(TokenFailureKind::IdentityUnreachable, None, clean(&message)))
            }
        }
    }

    fn request(&self) -> Request {
        let (url, version, name, value) = match &self.endpoint {
            IdentityEndpoint::Metadata(url) => {
                let mut url = url.clone();
                url.set_path("/metadata/identity/oauth2/token");
                (url, METADATA_VERSION, METADATA, Ok(HeaderValue::from_static("true")))
            }
            IdentityEndpoint::AppService { url, header } => {
                let value = HeaderValue::from_str(header.expose_secret());
                (url.clone(), APP_SERVICE_VERSION, IDENTITY_HEADER, value)
            }
        };
        let mut url = url;
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("api-version", version).append_pair("resource", &self.resource);
            if let Some(client_id) = &self.client_id {
                query.append_pair("client_id", client_id);
            }
        }
        let mut request = Request::new(Method::GET, url);
        if let Ok(mut value) = value {
            value.set_sensitive(name == IDENTITY_HEADER);
            request.headers_mut().insert(name, value);
        }
        request
    }

    fn granted(&self, answer: RawResponse) -> Result<GrantedToken, Box<TokenFailure>> {
        let status = answer.status.as_u16();
        let retry_after_text = header(&answer.headers, RETRY_AFTER);
        let unavailable = |message: String| {
            Box::new(TokenFailure {
                retry_after: retry_after_text
                    .as_deref()
                    .and_then(|text| retry_after::parse(text, self.clock.now())),
                retry_after_text: retry_after_text.clone(),
                ..failure(TokenFailureKind::IdentityUnavailable, Some(status), message)
            })
        };
        let body = answer.body.map_err(&unavailable)?;
        // The parser's own message could quote the answer, and a good answer holds a token.
        let wire: IdentityWire = serde_json::from_slice(without_mark(&body))
            .map_err(|_| unavailable("the answer is not that of an identity endpoint".to_owned()))?;
        if let (true, Some(token)) = (answer.status.is_success(), &wire.access_token) {
            let Some(authorization) = bearer(token) else {
                return Err(unavailable("the token holds characters that no header may".to_owned()));
            };
            let left = |on: Duration| {
                let on = i64::try_from(on.as_secs()).unwrap_or(i64::MAX);
                Duration::from_secs(u64::try_from(on - self.clock.now().unix_timestamp()).unwrap_or(0))
            };
            let expires_in = wire.expires_in.as_ref().and_then(seconds);
            return Ok(GrantedToken {
                authorization,
                expires_in: expires_in.or_else(|| wire.expires_on.as_ref().and_then(seconds).map(left)),
                refresh_in: wire.refresh_in.as_ref().and_then(seconds),
            });
        }
        let error = wire.error.as_deref().map(clean);
        let said = wire.error_description.or(wire.message);
        let is_refusal = matches!(status, 400 | 401 | 403) && (error.is_some() || said.is_some());
        let message = clean(&said.unwrap_or_else(|| format!("the identity endpoint answered {status}")));
        if !is_refusal {
            return Err(unavailable(message));
        }
        let refused = failure(TokenFailureKind::IdentityRefused, Some(status), message);
        Err(Box::new(TokenFailure { error, ..refused }))
    }
}

fn failure(kind: TokenFailureKind, status: Option<u16>, message: String) -> TokenFailure {
    TokenFailure {
        kind,
        status,
        error: None,
        message,
        aadsts: None,
        trace_id: None,
        correlation_id: None,
        date: None,
        retry_after_text: None,
        retry_after: None,
    }
}
