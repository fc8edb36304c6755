//! Entra's token endpoint for client credentials, and the check of the tokens it issued.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use url::form_urlencoded;
use uuid::Uuid;

use super::client_assertion::{self, Expected};
use super::graph_refusal::GraphRefusal;
use super::graph_response::{Exchange, GraphResponse};
use super::graph_time;
use super::tenant::Tenant;
use crate::clock::Timestamp;

/// How an assertion is marked (RFC 7523, 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// From this many on, expired tokens are thrown away when another one is issued.
const TOKENS_SWEPT_FROM: usize = 1_000;

/// The tokens that were issued.
#[derive(Debug, Default)]
pub(super) struct IssuedTokens {
    issued: Mutex<HashMap<String, Issued>>,
}

/// What a token is good for.
#[derive(Debug)]
struct Issued {
    expires_at: Timestamp,
    roles: Vec<String>,
}

impl IssuedTokens {
    fn locked(&self) -> MutexGuard<'_, HashMap<String, Issued>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes every token worthless that was issued so far.
    pub(super) fn revoke(&self) {
        self.locked().clear();
    }

    fn keep(&self, token: String, issued: Issued, now: Timestamp) {
        let mut all = self.locked();
        if all.len() >= TOKENS_SWEPT_FROM {
            all.retain(|_, issued| issued.expires_at > now);
        }
        all.insert(token, issued);
    }

    /// Checks the `Authorization` header of a Graph call; hands back the application permissions that the token holds.
    pub(super) fn check(
        &self,
        authorization: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<String>, GraphRefusal> {
        let Some(authorization) = authorization else {
            return Err(GraphRefusal::invalid_token("Access token is empty."));
        };
        let token = match authorization.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token,
            _ => return Err(GraphRefusal::invalid_token("Access token is empty.")),
        };
        match self.locked().get(token) {
            Some(issued) if issued.expires_at > now => Ok(issued.roles.clone()),
            Some(_) => Err(GraphRefusal::invalid_token("Lifetime validation failed, the token is expired.")),
            None => Err(GraphRefusal::invalid_token("Access token validation failure. Invalid token.")),
        }
    }
}

/// Answers a token request. The scope may name this simulator or the global Graph.
pub(super) fn answer(
    tenant: &Tenant,
    tenant_in_path: &str,
    form: &[u8],
    exchange: &Exchange,
) -> GraphResponse {
    match check(tenant, tenant_in_path, form, exchange.now) {
        Err(refused) => refusal(refused.code, &refused.detail, exchange),
        Ok(()) => issue(tenant, exchange),
    }
}

/// The AADSTS number of what Entra would refuse, with the value it complains about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    code: u32,
    detail: String,
}

impl Refused {
    pub(super) fn new(code: u32, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// The first thing that Entra would refuse.
fn check(tenant: &Tenant, tenant_in_path: &str, form: &[u8], now: Timestamp) -> Result<(), Refused> {
    let settings = tenant.settings();
    let fields: HashMap<_, _> = form_urlencoded::parse(form).collect();
    let field = |name: &str| fields.get(name).map_or("", |value| value.as_ref());
    if ["common", "organizations", "consumers"].contains(&tenant_in_path) {
        return Err(Refused::new(50_059, ""));
    }
    if !tenant_in_path.eq_ignore_ascii_case(&settings.tenant_id) {
        return Err(Refused::new(90_002, tenant_in_path));
    }
    for required in ["grant_type", "client_id", "scope"] {
        if field(required).is_empty() {
            return Err(Refused::new(900_144, required));
        }
    }
    if field("grant_type") != "client_credentials" {
        return Err(Refused::new(70_003, field("grant_type")));
    }
    if !field("client_id").eq_ignore_ascii_case(&settings.client_id) {
        return Err(Refused::new(700_016, field("client_id")));
    }
    let scope = field("scope").strip_suffix("/.default").map(|root| root.trim_end_matches('/'));
    if scope != Some(tenant.root_url()) && scope != Some("https://graph.microsoft.com") {
        return Err(Refused::new(70_011, field("scope")));
    }
    let assertion = field("client_assertion");
    if !assertion.is_empty() {
        if field("client_assertion_type") != ASSERTION_TYPE {
            return Err(Refused::new(900_144, "client_assertion_type"));
        }
        let token_url = format!("{}/{tenant_in_path}/oauth2/v2.0/token", tenant.root_url());
        let expected = Expected { client_id: &settings.client_id, token_url: &token_url, now };
        return client_assertion::check(&mut tenant.credentials(), assertion, expected);
    }
    match field("client_secret") {
        "" => Err(Refused::new(7_000_218, "")),
        secret if !tenant.credentials().has_secret(secret) => {
            Err(Refused::new(7_000_215, settings.client_id.clone()))
        }
        _ => Ok(()),
    }
}

fn issue(tenant: &Tenant, exchange: &Exchange) -> GraphResponse {
    let settings = tenant.settings();
    let lifetime_seconds = settings.token_lifetime.as_secs();
    let mut body = json!({
        "token_type": "Bearer",
        "expires_in": lifetime_seconds,
        "ext_expires_in": lifetime_seconds,
        "access_token": issue_token(tenant, exchange),
    });
    if let Some(refresh_in) = settings.token_refresh_in {
        body["refresh_in"] = json!(refresh_in.as_secs());
    }
    with_token_headers(GraphResponse::json(200, &body), exchange)
}

/// Issues a token that Graph takes.
pub(super) fn issue_token(tenant: &Tenant, exchange: &Exchange) -> String {
    let settings = tenant.settings();
    let mut random = [0; 48];
    for part in random.chunks_mut(16) {
        part.copy_from_slice(settings.clock.fresh_id().as_bytes());
    }
    let expires_at = exchange.now + settings.token_lifetime;
    let roles = tenant.roles().clone();
    // The form of Entra's tokens, so that a caller can look into it; the signature is random, and nothing checks it.
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": "simulated"});
    let claims = json!({
        "aud": tenant.root_url(),
        "iss": format!("{}/{}/", tenant.root_url(), settings.tenant_id),
        "iat": exchange.now.unix_timestamp(),
        "nbf": exchange.now.unix_timestamp(),
        "exp": expires_at.unix_timestamp(),
        "appid": settings.client_id,
        "tid": settings.tenant_id,
        "roles": roles,
        "ver": "1.0",
    });
    let parts = [header.to_string().as_bytes(), claims.to_string().as_bytes(), &random]
        .map(|part| URL_SAFE_NO_PAD.encode(part));
    let token = parts.join(".");
    tenant.tokens().keep(token.clone(), Issued { expires_at, roles }, exchange.now);
    token
}

/// Entra's refusal with an AADSTS number. `detail` is the value that is complained about.
pub(super) fn refusal(code: u32, detail: &str, exchange: &Exchange) -> GraphResponse {
    let (status, error, text) = match code {
        7_000_215 => (401, "invalid_client", format!("Invalid client secret provided for app '{detail}'.")),
        7_000_222 => (401, "invalid_client", "The provided client secret keys are expired.".to_owned()),
        700_027 => (
            401,
            "invalid_client",
            format!("Client assertion failed signature validation. [Reason - {detail}]"),
        ),
        700_021 => (
            401,
            "invalid_client",
            "Client assertion application identifier doesn't match 'client_id' parameter.".to_owned(),
        ),
        700_023 => {
            (401, "invalid_client", "Client assertion audience claim does not match Realm issuer.".to_owned())
        }
        700_024 => {
            (401, "invalid_client", format!("Client assertion is not within its valid time range: {detail}."))
        }
        50_027 => (401, "invalid_client", format!("JWT token is invalid or malformed: {detail}.")),
        50_013 => {
            (401, "invalid_client", format!("Assertion failed signature validation. [Reason - {detail}]"))
        }
        700_211 | 700_212 | 700_213 => {
            let what = match code {
                700_211 => "issuer",
                700_212 => "audience",
                _ => "subject",
            };
            let said = format!(
                "No matching federated identity record found for presented assertion {what} '{detail}'. Check your \
                 federated identity credential Subject, Audience and Issuer against the presented assertion."
            );
            (401, "invalid_client", said)
        }
        70_023 => (
            400,
            "invalid_request",
            format!(
                "External OIDC Provider token must have a lifetime of less than or equal to 1.01:00:00 ({detail})."
            ),
        ),
        7_000_218 => (
            401,
            "invalid_client",
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
                .to_owned(),
        ),
        70_021 => (
            400,
            "invalid_request",
            "No matching federated identity record found for presented assertion.".to_owned(),
        ),
        700_016 => (
            400,
            "unauthorized_client",
            format!("Application with identifier '{detail}' was not found in the directory."),
        ),
        90_002 => (400, "invalid_request", format!("Tenant '{detail}' not found.")),
        50_059 => {
            (400, "invalid_request", "No tenant-identifying information found in the request.".to_owned())
        }
        900_144 => (
            400,
            "invalid_request",
            format!("The request body must contain the following parameter: '{detail}'."),
        ),
        70_003 => (400, "unsupported_grant_type", format!("The grant type '{detail}' isn't supported.")),
        70_011 => (400, "invalid_scope", format!("The scope '{detail}' isn't valid.")),
        _ => (400, "invalid_request", "The request was refused.".to_owned()),
    };
    described(status, error, code, &text, exchange)
}

/// Entra can't answer now: throttled or broken.
pub(super) fn unavailable(status: u16, exchange: &Exchange) -> GraphResponse {
    let code = if status == 429 { 90_055 } else { 90_033 };
    described(
        status,
        "temporarily_unavailable",
        code,
        "A transient error has occurred. Please try again.",
        exchange,
    )
}

fn described(status: u16, error: &str, code: u32, text: &str, exchange: &Exchange) -> GraphResponse {
    let trace_id = exchange.request_id;
    let correlation_id = correlation_id(exchange);
    let timestamp = graph_time::write_entra(exchange.now);
    let body = json!({
        "error": error,
        "error_description": format!(
            "AADSTS{code}: {text} Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {timestamp}"
        ),
        "error_codes": [code],
        "timestamp": timestamp,
        "trace_id": trace_id,
        "correlation_id": correlation_id,
        "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
    });
    with_token_headers(GraphResponse::json(status, &body), exchange)
}

/// Entra correlates by the caller's id where it is a UUID.
fn correlation_id(exchange: &Exchange) -> Uuid {
    let given = exchange.client_request_id.as_deref().and_then(|id| Uuid::parse_str(id).ok());
    given.unwrap_or(exchange.request_id)
}

fn with_token_headers(answer: GraphResponse, exchange: &Exchange) -> GraphResponse {
    answer
        .with_header("cache-control", "no-store, no-cache")
        .with_header("pragma", "no-cache")
        .with_header("x-ms-request-id", exchange.request_id.to_string())
}

/// The form of a token request with everything secret left out, for the ledger.
pub(super) fn without_secrets(form: &[u8]) -> String {
    let mut fields = serde_json::Map::new();
    for (name, value) in form_urlencoded::parse(form) {
        let secret = name == "client_secret" || name == "client_assertion";
        let shown = if secret { "(withheld)" } else { value.as_ref() };
        fields.insert(name.into_owned(), shown.into());
    }
    serde_json::Value::Object(fields).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_reaches_the_ledger() {
        let shown = without_secrets(b"grant_type=client_credentials&client_secret=pssst&client_assertion=ey");
        assert!(!shown.contains("pssst"));
        assert_eq!(
            shown,
            r#"{"client_assertion":"(withheld)","client_secret":"(withheld)","grant_type":"client_credentials"}"#
        );
    }
}
