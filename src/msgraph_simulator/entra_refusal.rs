//! How Entra refuses a token: status, OAuth error, AADSTS number and words.

use serde_json::json;
use uuid::Uuid;

use super::graph_response::{Exchange, GraphResponse};
use super::graph_time;

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

    /// The answer.
    pub(super) fn answer(&self, exchange: &Exchange) -> GraphResponse {
        let (status, error) = match self.code {
            7_000_215
            | 7_000_222
            | 7_000_218
            | 700_027
            | 700_021
            | 700_023
            | 700_024
            | 50_027
            | 50_013
            | 700_211..=700_213 => (401, "invalid_client"),
            700_016 => (400, "unauthorized_client"),
            70_003 => (400, "unsupported_grant_type"),
            70_011 => (400, "invalid_scope"),
            _ => (400, "invalid_request"),
        };
        described(status, error, self.code, &self.words(), exchange)
    }

    fn words(&self) -> String {
        let detail = &self.detail;
        match self.code {
            7_000_215 => format!("Invalid client secret provided for app '{detail}'."),
            7_000_222 => "The provided client secret keys are expired.".to_owned(),
            7_000_218 => {
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
                    .to_owned()
            }
            700_027 => format!("Client assertion failed signature validation. [Reason - {detail}]"),
            700_021 => {
                "Client assertion application identifier doesn't match 'client_id' parameter.".to_owned()
            }
            700_023 => "Client assertion audience claim does not match Realm issuer.".to_owned(),
            700_024 => format!("Client assertion is not within its valid time range: {detail}."),
            50_027 => format!("JWT token is invalid or malformed: {detail}."),
            50_013 => format!("Assertion failed signature validation. [Reason - {detail}]"),
            70_021 => "No matching federated identity record found for presented assertion.".to_owned(),
            700_211 => no_federated("issuer", detail),
            700_212 => no_federated("audience", detail),
            700_213 => no_federated("subject", detail),
            70_023 => format!(
                "External OIDC Provider token must have a lifetime of less than or equal to 1.01:00:00 ({detail})."
            ),
            700_016 => format!("Application with identifier '{detail}' was not found in the directory."),
            90_002 => format!("Tenant '{detail}' not found."),
            50_059 => "No tenant-identifying information found in the request.".to_owned(),
            900_144 => format!("The request body must contain the following parameter: '{detail}'."),
            70_003 => format!("The grant type '{detail}' isn't supported."),
            70_011 => format!("The scope '{detail}' isn't valid."),
            _ => "The request was refused.".to_owned(),
        }
    }
}

fn no_federated(what: &str, detail: &str) -> String {
    format!(
        "No matching federated identity record found for presented assertion {what} '{detail}'. Check your federated \
         identity credential Subject, Audience and Issuer against the presented assertion."
    )
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

pub(super) fn with_token_headers(answer: GraphResponse, exchange: &Exchange) -> GraphResponse {
    answer
        .with_header("cache-control", "no-store, no-cache")
        .with_header("pragma", "no-cache")
        .with_header("x-ms-request-id", exchange.request_id.to_string())
}
