//! Entra's token endpoint for client credentials, and the check of the tokens it issued.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use url::form_urlencoded;

use super::client_assertion::{self, Expected};
use super::entra_refusal::{Refused, with_token_headers};
use super::graph_refusal::GraphRefusal;
use super::graph_response::{Exchange, GraphResponse};
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
        Err(refused) => refused.answer(exchange),
        Ok(()) => issue(tenant, exchange),
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
