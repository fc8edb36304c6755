//! Asks the token endpoint for a token. The only file that knows the crate oauth2.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use oauth2::basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, ExtraTokenFields, HttpRequest, HttpResponse,
    RequestTokenError, Scope, StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
};
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client_certificate::{AssertionClaims, ClientCertificate};
use super::connection::{ConnectionFault, GraphConnection};
use super::credential::{Credential, CredentialStatus};
use super::credential_files::Proof;
use super::exchange::{HttpClients, NoAnswer};
use super::identity_request::IdentitySource;
use super::interpret::header;
use super::kept_credential::KeptCredential;
use super::request::CLIENT_REQUEST_ID;
use super::retry_after;
use super::sent_secrets::SentSecrets;
use super::text::{clean, without_mark};
use super::token_failure::{TokenFailure, TokenFailureKind};
use crate::clock::Clock;
use crate::meeting::aadsts_number;

/// How an assertion is marked (RFC 7523, 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// For how long an assertion that we sign is good, which is used at once.
const ASSERTION_LIFETIME: Duration = Duration::from_mins(10);

/// The credential of a connection, and the endpoint that gives tokens for it.
#[derive(Debug)]
pub(super) struct TokenSource {
    credential: KeptCredential,
    endpoint: TokenEndpoint,
}

#[derive(Debug)]
enum TokenEndpoint {
    Entra(EntraSource),
    Identity(IdentitySource),
}

/// Entra's token endpoint.
#[derive(Debug)]
struct EntraSource {
    connections: Arc<HttpClients>,
    clock: Arc<dyn Clock>,
    url: TokenUrl,
    client_id: ClientId,
    scope: Scope,
}

/// A token as it was granted.
pub(super) struct GrantedToken {
    /// The whole `Authorization` header, marked so that nothing prints it.
    pub(super) authorization: HeaderValue,
    /// For how long it is good.
    pub(super) expires_in: Option<Duration>,
    /// When Entra wishes it to be fetched anew.
    pub(super) refresh_in: Option<Duration>,
}

type TokenClient = oauth2::Client<
    TokenErrorWire,
    StandardTokenResponse<RefreshWire, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
>;

/// Entra's error body. Serialized never, but the crate asks for it.
#[derive(Debug, Deserialize, Serialize)]
struct TokenErrorWire {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
    #[serde(default)]
    error_codes: Value,
    #[serde(default)]
    trace_id: Option<String>,
    #[serde(default)]
    correlation_id: Option<String>,
}

impl std::fmt::Display for TokenErrorWire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.error)
    }
}

impl oauth2::ErrorResponse for TokenErrorWire {}

/// What Entra adds to RFC 6749's token answer.
#[derive(Debug, Deserialize, Serialize)]
struct RefreshWire {
    #[serde(default)]
    refresh_in: Option<Value>,
}

impl ExtraTokenFields for RefreshWire {}

type TokenRefusal = RequestTokenError<NoAnswer, TokenErrorWire>;

impl TokenSource {
    /// The source of this connection's tokens. Reads the credential, so that what is wrong with it is told at the start.
    pub(super) fn of(connection: &GraphConnection, clock: Arc<dyn Clock>) -> Result<Self, ConnectionFault> {
        let credential = KeptCredential::open(&connection.credential, Arc::clone(&clock))
            .map_err(ConnectionFault::Credential)?;
        let endpoint = match &connection.credential {
            Credential::ManagedIdentity { identity, endpoint } => {
                TokenEndpoint::Identity(IdentitySource::of(connection, *identity, endpoint, clock)?)
            }
            _ => TokenEndpoint::Entra(EntraSource::of(connection, clock)?),
        };
        Ok(Self { credential, endpoint })
    }

    /// Asks for a token, with the credential as it is now.
    pub(super) async fn fetch(&self) -> Result<GrantedToken, TokenFailure> {
        match &self.endpoint {
            TokenEndpoint::Entra(source) => source.fetch(self.credential.current().await).await,
            TokenEndpoint::Identity(source) => source.fetch().await,
        }
    }

    /// Reads the credential's files again.
    pub(super) async fn read_credential(&self) {
        self.credential.read_again().await;
    }

    /// What is known of the credential; `failure` is why there was no token last.
    pub(super) fn credential_status(&self, failure: Option<TokenFailure>) -> CredentialStatus {
        CredentialStatus {
            kind: self.credential.kind(),
            place: self.credential.place(),
            facts: self.credential.facts(),
            file_fault: self.credential.fault(),
            failure,
        }
    }
}

impl EntraSource {
    fn of(connection: &GraphConnection, clock: Arc<dyn Clock>) -> Result<Self, ConnectionFault> {
        let url = TokenUrl::new(connection.token_url())
            .map_err(|_| ConnectionFault::Address(connection.login_url.clone()))?;
        Ok(Self {
            connections: Arc::new(HttpClients::to(&connection.login_url, connection.timeouts)?),
            clock,
            url,
            client_id: ClientId::new(connection.client_id.clone()),
            scope: Scope::new(connection.scope()),
        })
    }

    /// Asks for a token, once.
    async fn fetch(&self, proof: Proof) -> Result<GrantedToken, TokenFailure> {
        let exchange = TokenExchange {
            connections: Arc::clone(&self.connections),
            clock: Arc::clone(&self.clock),
            head: Mutex::default(),
        };
        let other = |detail: String| failure(RequestTokenError::Other(detail), None, &*self.clock);
        let mut client = TokenClient::new(self.client_id.clone())
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(self.url.clone());
        let mut assertion = None;
        match proof {
            Proof::Secret(secret) => {
                client = client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
            }
            Proof::Certificate(certificate) => assertion = Some(self.assertion(&certificate).map_err(other)?),
            Proof::FederatedToken(token) => assertion = Some(token),
            Proof::Presence => {}
        }
        let mut request = client.exchange_client_credentials().add_scope(self.scope.clone());
        if let Some(assertion) = &assertion {
            request = request
                .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                .add_extra_param("client_assertion", assertion.expose_secret());
        }
        let answer = request.request_async(&exchange).await;
        let head = exchange.head.lock().unwrap_or_else(PoisonError::into_inner).take();
        let granted = answer.map_err(|refusal| failure(refusal, head.as_ref(), &*self.clock))?;
        let Some(authorization) = bearer(granted.access_token().secret()) else {
            let unreadable = RequestTokenError::Other("the token holds characters that no header may".into());
            return Err(failure(unreadable, head.as_ref(), &*self.clock));
        };
        let refresh_in = granted.extra_fields().refresh_in.as_ref().and_then(seconds);
        Ok(GrantedToken { authorization, expires_in: granted.expires_in(), refresh_in })
    }

    /// An assertion for this one request: each has an id of its own.
    fn assertion(&self, certificate: &ClientCertificate) -> Result<SecretString, String> {
        let now = self.clock.now();
        certificate.sign(&AssertionClaims {
            aud: self.url.as_str(),
            iss: self.client_id.as_str(),
            sub: self.client_id.as_str(),
            jti: self.clock.fresh_id().to_string(),
            nbf: now.unix_timestamp(),
            iat: now.unix_timestamp(),
            exp: (now + ASSERTION_LIFETIME).unix_timestamp(),
        })
    }
}

/// The header `Authorization` for a token, marked so that nothing prints it; none where no header may hold it.
pub(super) fn bearer(token: &str) -> Option<HeaderValue> {
    let mut authorization = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    authorization.set_sensitive(true);
    Some(authorization)
}

/// One exchange with the token endpoint, in oauth2's types. A type of its own, because through a closure the compiler
/// can't see that the future may change threads.
struct TokenExchange {
    connections: Arc<HttpClients>,
    clock: Arc<dyn Clock>,
    /// Status and headers of the answer, which oauth2 doesn't pass on.
    head: Mutex<Option<(u16, HeaderMap)>>,
}

impl<'c> AsyncHttpClient<'c> for TokenExchange {
    type Error = NoAnswer;
    type Future = BoxFuture<'c, Result<HttpResponse, NoAnswer>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl TokenExchange {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let not_sent = |fault: &dyn std::error::Error| NoAnswer::NotSent(fault.to_string());
        let mut request = reqwest::Request::try_from(request).map_err(|fault| not_sent(&fault))?;
        let id =
            HeaderValue::try_from(self.clock.fresh_id().to_string()).map_err(|fault| not_sent(&fault))?;
        request.headers_mut().insert(CLIENT_REQUEST_ID, id);
        let sent = SentSecrets::of(&request);
        let answer = self.connections.exchange(request, &*self.clock).await?;
        let status = answer.status;
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = Some((status.as_u16(), answer.headers));
        let mut response = HttpResponse::new(readable(&answer.body.map_err(NoAnswer::Lost)?, &sent));
        *response.status_mut() = status;
        Ok(response)
    }
}

/// A token answer as oauth2 can read it. Some token endpoints write a byte order mark before it, and the seconds of
/// `expires_in` as a string; a lifetime that can't be read counts as untold. What it says is without our own secret.
fn readable(body: &[u8], sent: &SentSecrets) -> Vec<u8> {
    let body = without_mark(body);
    let Ok(Value::Object(mut answer)) = serde_json::from_slice(body) else { return body.to_vec() };
    let lifetime = answer.remove("expires_in").as_ref().and_then(seconds);
    if let Some(lifetime) = lifetime {
        answer.insert("expires_in".to_owned(), lifetime.as_secs().into());
    }
    let mut answer = Value::Object(answer);
    sent.scrub_json(&mut answer);
    answer.to_string().into_bytes()
}

/// A number of seconds, which some token endpoints write as a string.
pub(super) fn seconds(value: &Value) -> Option<Duration> {
    number(value).map(Duration::from_secs)
}

/// A whole number; a fraction is cut off.
fn number(value: &Value) -> Option<u64> {
    let parsed = |text: &str| text.trim().split('.').next().and_then(|whole| whole.parse().ok());
    match value {
        Value::Number(number) => number.as_u64().or_else(|| parsed(&number.to_string())),
        Value::String(text) => parsed(text),
        _ => None,
    }
}

fn failure(refusal: TokenRefusal, head: Option<&(u16, HeaderMap)>, clock: &dyn Clock) -> TokenFailure {
    let kept = |name| header(&head?.1, name);
    let (date, retry_after_text) = (kept(DATE), kept(RETRY_AFTER));
    let answered_at = date.as_deref().and_then(retry_after::date).unwrap_or_else(|| clock.now());
    let mut failure = TokenFailure {
        kind: head.map_or(TokenFailureKind::Unreachable, |_| TokenFailureKind::Unavailable),
        status: head.map(|(status, _)| *status),
        error: None,
        message: String::new(),
        aadsts: None,
        trace_id: None,
        correlation_id: None,
        retry_after: retry_after_text.as_deref().and_then(|text| retry_after::parse(text, answered_at)),
        retry_after_text,
        date,
    };
    match refusal {
        RequestTokenError::ServerResponse(wire) => note_refusal(&mut failure, &wire),
        RequestTokenError::Request(fault) => failure.message = clean(&fault.to_string()),
        // The parser's own message could quote the answer, and a good answer holds a token.
        RequestTokenError::Parse(fault, _) => {
            failure.message = clean(&format!("the answer can't be read at {}", fault.path()));
        }
        RequestTokenError::Other(text) => failure.message = clean(&text),
    }
    failure
}

fn note_refusal(failure: &mut TokenFailure, wire: &TokenErrorWire) {
    let description = wire.error_description.as_deref().unwrap_or_default();
    let aadsts = wire.error_codes.get(0).and_then(number).or_else(|| aadsts_number(description));
    failure.kind = TokenFailureKind::of(failure.status.unwrap_or_default(), Some(&wire.error), aadsts);
    failure.error = Some(clean(&wire.error));
    // Entra breaks its description into lines; a message is one line.
    let mut message = description.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(number) = aadsts.filter(|_| aadsts_number(description).is_none()) {
        message = format!("AADSTS{number}: {message}");
    }
    for (name, id) in [("Trace ID", &wire.trace_id), ("Correlation ID", &wire.correlation_id)] {
        if let Some(id) = id.as_deref().filter(|id| !message.contains(*id)) {
            message = format!("{message} {name}: {id}");
        }
    }
    failure.message = clean(message.trim());
    failure.aadsts = aadsts;
    failure.trace_id = wire.trace_id.as_deref().map(clean);
    failure.correlation_id = wire.correlation_id.as_deref().map(clean);
}
