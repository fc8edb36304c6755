//! Entra's token endpoint for client credentials, and the check of the tokens it issued.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret as _;
use serde_json::json;
use url::form_urlencoded;
use uuid::Uuid;

use super::graph_refusal::GraphRefusal;
use super::graph_response::{Exchange, GraphResponse};
use super::graph_time;
use super::tenant::Tenant;
use crate::clock::Timestamp;

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
    match refused_number(tenant, tenant_in_path, form) {
        Some((code, detail)) => refusal(code, &detail, exchange),
        None => issue(tenant, exchange),
    }
}

/// The number of the first thing that Entra would refuse, with the value it complains about.
fn refused_number(tenant: &Tenant, tenant_in_path: &str, form: &[u8]) -> Option<(u32, String)> {
    let settings = tenant.settings();
    let fields: HashMap<_, _> = form_urlencoded::parse(form).collect();
    let field = |name: &str| fields.get(name).map_or("", |value| value.as_ref());
    if ["common", "organizations", "consumers"].contains(&tenant_in_path) {
        return Some((50_059, String::new()));
    }
    if !tenant_in_path.eq_ignore_ascii_case(&settings.tenant_id) {
        return Some((90_002, tenant_in_path.to_owned()));
    }
    for required in ["grant_type", "client_id", "scope"] {
        if field(required).is_empty() {
            return Some((900_144, required.to_owned()));
        }
    }
    if field("grant_type") != "client_credentials" {
        return Some((70_003, field("grant_type").to_owned()));
    }
    if !field("client_id").eq_ignore_ascii_case(&settings.client_id) {
        return Some((700_016, field("client_id").to_owned()));
    }
    let scope = field("scope").strip_suffix("/.default").map(|root| root.trim_end_matches('/'));
    if scope != Some(tenant.root_url()) && scope != Some("https://graph.microsoft.com") {
        return Some((70_011, field("scope").to_owned()));
    }
    match field("client_secret") {
        "" => Some((7_000_218, String::new())),
        secret if secret != settings.client_secret.expose_secret() => {
            Some((7_000_215, settings.client_id.clone()))
        }
        _ => None,
    }
}

fn issue(tenant: &Tenant, exchange: &Exchange) -> GraphResponse {
    let settings = tenant.settings();
    let mut random = [0; 48];
    for part in random.chunks_mut(16) {
        part.copy_from_slice(settings.clock.fresh_id().as_bytes());
    }
    let lifetime_seconds = settings.token_lifetime.as_secs();
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
    let mut body = json!({
        "token_type": "Bearer",
        "expires_in": lifetime_seconds,
        "ext_expires_in": lifetime_seconds,
        "access_token": token,
    });
    if let Some(refresh_in) = settings.token_refresh_in {
        body["refresh_in"] = json!(refresh_in.as_secs());
    }
    with_token_headers(GraphResponse::json(200, &body), exchange)
}

/// Entra's refusal with an AADSTS number. `detail` is the value that is complained about.
pub(super) fn refusal(code: u32, detail: &str, exchange: &Exchange) -> GraphResponse {
    let (status, error, text) = match code {
        7_000_215 => (401, "invalid_client", format!("Invalid client secret provided for app '{detail}'.")),
        7_000_222 => (401, "invalid_client", "The provided client secret keys are expired.".to_owned()),
        700_027 => (401, "invalid_client", "The client assertion failed signature validation.".to_owned()),
        7_000_218 => (
            401,
            "invalid_client",
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
                .to_owned(),
        ),
        70_021 => {
            (400, "invalid_request", "No matching federated identity found for the assertion.".to_owned())
        }
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
