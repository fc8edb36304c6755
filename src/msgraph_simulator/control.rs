//! Steering the simulator over HTTP, under `/_simulator`.

use actix_web::HttpRequest;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::faults::InjectedFault;
use super::graph_refusal::GraphRefusal;
use super::graph_response::GraphResponse;
use super::ledger_entries::{LedgerSnapshot, MeetingEntry};
use super::meeting_item::organizer_acts;
use super::organizers::{OrganizerState, UserId};
use super::tenant::Tenant;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclarationBody {
    standing: OrganizerState,
    upn: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RenameBody {
    upn: String,
}

pub(super) fn answer(
    tenant: &Tenant,
    method: &str,
    segments: &[String],
    request: &HttpRequest,
    body: &[u8],
) -> GraphResponse {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (method, segments.as_slice()) {
        ("GET", []) => about(tenant),
        ("GET", ["faults"]) => faults(tenant, 200),
        ("POST", ["faults"]) => inject(tenant, body),
        ("DELETE", ["faults"]) => {
            tenant.faults().clear();
            GraphResponse::empty(204)
        }
        ("GET", ["ledger"]) => ledger(tenant, request.query_string()),
        ("PUT", ["roles"]) => grant(tenant, body),
        ("PUT", ["credentials", kind]) => register(tenant, kind, body),
        ("PUT", ["organizers", organizer]) => declare(tenant, organizer, body),
        ("PATCH", ["meetings", external_id]) => change_meeting(tenant, external_id, body),
        ("DELETE", ["meetings", external_id]) => organizer_acted(organizer_acts(tenant, external_id, None)),
        ("PUT", ["organizers", organizer, "upn"]) => rename(tenant, organizer, body),
        ("DELETE", ["tokens"]) => {
            tenant.tokens().revoke();
            GraphResponse::empty(204)
        }
        ("POST", ["reset"]) => {
            tenant.reset();
            GraphResponse::empty(204)
        }
        (
            _,
            []
            | ["faults" | "ledger" | "roles" | "tokens" | "reset"]
            | ["organizers" | "meetings" | "credentials", _]
            | ["organizers", _, "upn"],
        ) => refusal(405, "this method does nothing here; see docs/SIMULATOR.md"),
        _ => refusal(404, "there is no such control; see docs/SIMULATOR.md"),
    }
}

fn refusal(status: u16, detail: &str) -> GraphResponse {
    GraphResponse::json(status, &json!({ "error": detail }))
}

fn about(tenant: &Tenant) -> GraphResponse {
    let settings = tenant.settings();
    let body = json!({
        "graphRootUrl": tenant.root_url(),
        "loginUrl": tenant.root_url(),
        "tenantId": settings.tenant_id,
        "clientId": settings.client_id,
    });
    GraphResponse::json(200, &body)
}

fn faults(tenant: &Tenant, status: u16) -> GraphResponse {
    let faults = tenant.faults().faults();
    GraphResponse::json(status, &json!({ "faults": faults }))
}

fn inject(tenant: &Tenant, body: &[u8]) -> GraphResponse {
    // One fault or a list; an untagged enum would swallow the reason of a refusal.
    let parsed = match serde_json::from_slice::<Value>(body) {
        Ok(several @ Value::Array(_)) => serde_json::from_value::<Vec<InjectedFault>>(several),
        Ok(one) => serde_json::from_value::<InjectedFault>(one).map(|one| vec![one]),
        Err(error) => Err(error),
    };
    match parsed {
        Ok(several) => {
            for fault in several {
                tenant.faults().inject(fault);
            }
            faults(tenant, 201)
        }
        Err(error) => refusal(400, &error.to_string()),
    }
}

fn declare(tenant: &Tenant, organizer: &str, body: &[u8]) -> GraphResponse {
    change_organizer(organizer, body, |organizer, body: DeclarationBody| {
        tenant.organizers().declare(organizer, body.standing, body.upn.as_deref());
    })
}

fn rename(tenant: &Tenant, organizer: &str, body: &[u8]) -> GraphResponse {
    change_organizer(organizer, body, |organizer, body: RenameBody| {
        tenant.organizers().name(organizer, &body.upn);
    })
}

fn change_organizer<Body: DeserializeOwned>(
    organizer: &str,
    body: &[u8],
    change: impl FnOnce(UserId, Body),
) -> GraphResponse {
    let Some(organizer) = UserId::parse(organizer) else {
        return refusal(400, "an organizer is declared by object id; the UPN goes into the body");
    };
    match serde_json::from_slice::<Body>(body) {
        Ok(body) => {
            change(organizer, body);
            GraphResponse::empty(204)
        }
        Err(error) => refusal(400, &error.to_string()),
    }
}

fn change_meeting(tenant: &Tenant, external_id: &str, body: &[u8]) -> GraphResponse {
    match serde_json::from_slice(body) {
        Ok(change) => organizer_acted(organizer_acts(tenant, external_id, Some(change))),
        Err(error) => refusal(400, &error.to_string()),
    }
}

fn organizer_acted(acted: Result<(), GraphRefusal>) -> GraphResponse {
    match acted {
        Ok(()) => GraphResponse::empty(204),
        Err(refused) => refusal(refused.status, &refused.message),
    }
}

fn grant(tenant: &Tenant, body: &[u8]) -> GraphResponse {
    match serde_json::from_slice(body) {
        Ok(roles) => {
            *tenant.roles() = roles;
            GraphResponse::empty(204)
        }
        Err(error) => refusal(400, &error.to_string()),
    }
}

/// Registers the application's credentials of one kind, in place of those before.
fn register(tenant: &Tenant, kind: &str, body: &[u8]) -> GraphResponse {
    let read = |error: serde_json::Error| error.to_string();
    let registered = match kind {
        "secrets" => serde_json::from_slice::<Vec<String>>(body).map_err(read).map(|secrets| {
            tenant.credentials().set_secrets(secrets.into_iter().map(SecretString::from).collect());
        }),
        "certificates" => tenant.credentials().set_certificates(&String::from_utf8_lossy(body)),
        "federated" => serde_json::from_slice(body)
            .map_err(read)
            .and_then(|federated| tenant.credentials().set_federated(federated)),
        _ => return refusal(404, "credentials are secrets, certificates or federated"),
    };
    match registered {
        Ok(()) => GraphResponse::empty(204),
        Err(detail) => refusal(400, &detail),
    }
}

fn ledger(tenant: &Tenant, query: &str) -> GraphResponse {
    let newest = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "callsMax");
    let newest = match newest.map(|(_, number)| number.parse::<usize>()) {
        None => usize::MAX,
        Some(Ok(number)) => number,
        Some(Err(_)) => return refusal(400, "callsMax is a whole number"),
    };
    match serde_json::to_string(&snapshot(tenant, newest)) {
        Ok(body) => GraphResponse::json_text(200, body),
        Err(error) => refusal(500, &error.to_string()),
    }
}

/// Everything the ledger holds, with the `newest` so many calls.
pub(super) fn snapshot(tenant: &Tenant, newest: usize) -> LedgerSnapshot {
    let meetings = tenant.meetings().all().iter().map(MeetingEntry::of).collect();
    let log = tenant.ledger().locked();
    let skipped = log.calls().len().saturating_sub(newest);
    LedgerSnapshot {
        meetings,
        calls: log.calls().skip(skipped).cloned().collect(),
        counts: log.counts().clone(),
    }
}
