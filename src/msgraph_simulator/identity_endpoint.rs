//! The endpoints that give tokens of a managed identity: a virtual machine's metadata service, and App Service's.

use std::collections::HashMap;

use serde_json::json;
use url::form_urlencoded;

use super::graph_response::{Exchange, GraphResponse};
use super::route::IdentityShape;
use super::tenant::Tenant;
use super::token_endpoint::issue_token;

/// The value of `IDENTITY_HEADER` for the endpoint in the shape of App Service's.
pub(super) const IDENTITY_HEADER_VALUE: &str = "simulator-identity-header";

/// The two headers by which callers show that they are on the machine or in the container.
#[derive(Debug, Default)]
pub(super) struct IdentityHeaders {
    pub(super) metadata: Option<String>,
    pub(super) identity: Option<String>,
    /// Of a request that came through a proxy.
    pub(super) forwarded: Option<String>,
}

/// Answers a request for a token. Numbers are texts, as at Azure.
pub(super) fn answer(
    tenant: &Tenant,
    shape: IdentityShape,
    query: &str,
    headers: &IdentityHeaders,
    exchange: &Exchange,
) -> GraphResponse {
    let query: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
    let field = |name: &str| query.get(name).map(AsRef::as_ref);
    let shown = match shape {
        IdentityShape::Metadata => headers.metadata.as_deref() == Some("true") && headers.forwarded.is_none(),
        IdentityShape::AppService => headers.identity.as_deref() == Some(IDENTITY_HEADER_VALUE),
    };
    if !shown {
        return refusal(400, "Required metadata header not specified");
    }
    if field("api-version") != Some(shape.version()) {
        return refusal(400, "The api-version query string parameter is missing or not supported");
    }
    let resource = field("resource").unwrap_or_default().trim_end_matches('/');
    if resource != tenant.root_url() && resource != "https://graph.microsoft.com" {
        return refusal(400, "AADSTS500011: The resource principal was not found in the tenant");
    }
    let ours = &tenant.settings().client_id;
    if field("client_id").is_some_and(|client_id| !client_id.eq_ignore_ascii_case(ours)) {
        return refusal(400, "Identity not found");
    }
    let token = issue_token(tenant, exchange);
    let lifetime_seconds = tenant.settings().token_lifetime.as_secs();
    let expires_on = (exchange.now + tenant.settings().token_lifetime).unix_timestamp();
    let mut body = json!({
        "access_token": token,
        "expires_on": expires_on.to_string(),
        "resource": resource,
        "token_type": "Bearer",
        "client_id": ours,
    });
    if shape == IdentityShape::Metadata {
        body["expires_in"] = lifetime_seconds.to_string().into();
        body["ext_expires_in"] = lifetime_seconds.to_string().into();
        body["not_before"] = exchange.now.unix_timestamp().to_string().into();
    }
    GraphResponse::json(200, &body)
}

/// A refusal in the endpoint's own shape.
pub(super) fn refusal(status: u16, description: &str) -> GraphResponse {
    let error = match status {
        400 => "invalid_request",
        404 | 410 | 429 => "temporarily_unavailable",
        _ => "unknown_error",
    };
    GraphResponse::json(status, &json!({ "error": error, "error_description": description }))
}
