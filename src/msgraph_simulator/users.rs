//! `GET /users/{id or UPN}`.

use serde_json::{Value, json};
use url::form_urlencoded;

use super::graph_refusal::GraphRefusal;
use super::graph_response::GraphResponse;
use super::route::Version;
use super::tenant::Tenant;

pub(super) fn answer(
    tenant: &Tenant,
    version: Version,
    user: &str,
    query: &str,
) -> Result<GraphResponse, GraphRefusal> {
    let (id, upn) = {
        let mut organizers = tenant.organizers();
        let id = organizers.find(user).ok_or_else(|| GraphRefusal::unknown_user(user))?;
        (id, organizers.upn(id))
    };
    let directory_entry = json!({
        "id": id,
        "userPrincipalName": upn,
        "displayName": upn.split('@').next(),
        "mail": upn,
        "businessPhones": [],
        "jobTitle": null,
    });
    let mut body = selected(directory_entry, query);
    body["@odata.context"] =
        format!("{}/{}/$metadata#users/$entity", tenant.root_url(), version.segment()).into();
    Ok(GraphResponse::json(200, &body))
}

/// Keeps the members that `$select` names; all of them where it is absent.
pub(super) fn selected(mut entry: Value, query: &str) -> Value {
    let select = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "$select");
    if let (Some((_, names)), Value::Object(members)) = (select, &mut entry) {
        let names: Vec<&str> = names.split(',').map(str::trim).collect();
        members.retain(|name, _| names.contains(&name.as_str()));
    }
    entry
}
