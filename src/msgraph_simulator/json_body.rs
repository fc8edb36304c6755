//! Reading a JSON request body as Graph does: strict about names and types, terse about the reason.

use serde_json::{Map, Value, json};

use super::graph_refusal::GraphRefusal;
use super::graph_time;
use crate::clock::Timestamp;

const ROLES: &[&str] = &["attendee", "presenter", "producer", "coorganizer"];

/// Reads the body of a write.
pub(super) fn object(body: &[u8], content_type: Option<&str>) -> Result<Map<String, Value>, GraphRefusal> {
    let Some(content_type) = content_type else {
        return Err(GraphRefusal::bad_request(
            "Write requests (excluding DELETE) must contain the Content-Type header declaration.",
        ));
    };
    let is_json = content_type.split(';').next().is_some_and(|kind| kind.trim() == "application/json");
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) if is_json => Ok(object),
        _ => Err(GraphRefusal::bad_request(
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid \
             JSON format.",
        )),
    }
}

/// A string member; absent and null are the same.
pub(super) fn string<'a>(
    object: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a str>, GraphRefusal> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong_type(name, "Edm.String")),
    }
}

/// A time member; absent and null are the same.
pub(super) fn time(object: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, GraphRefusal> {
    match string(object, name)? {
        None => Ok(None),
        Some(text) => graph_time::read(text).map(Some).ok_or_else(|| wrong_type(name, "Edm.DateTimeOffset")),
    }
}

/// An object member; absent and null are the same.
pub(super) fn nested<'a>(
    object: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a Map<String, Value>>, GraphRefusal> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(nested)) => Ok(Some(nested)),
        Some(_) => Err(wrong_type(name, "a complex type")),
    }
}

/// The refusal of a member whose value is of the wrong type.
pub(super) fn wrong_type(name: &str, kind: &str) -> GraphRefusal {
    GraphRefusal::bad_request(format!(
        "Cannot convert the literal of '{name}' to the expected type '{kind}'."
    ))
}

/// The attendees of a `participants` member as they are kept, or none where the member says nothing of them.
pub(super) fn attendees(
    participants: Option<&Map<String, Value>>,
    tenant_id: &str,
) -> Result<Option<Vec<Value>>, GraphRefusal> {
    match participants.and_then(|participants| participants.get("attendees")) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) => {
            list.iter().map(|item| attendee(item, tenant_id)).collect::<Result<Vec<_>, _>>().map(Some)
        }
        Some(_) => Err(wrong_type("attendees", "Collection(microsoft.graph.meetingParticipantInfo)")),
    }
}

fn attendee(item: &Value, tenant_id: &str) -> Result<Value, GraphRefusal> {
    let Value::Object(item) = item else {
        return Err(wrong_type("attendees", "microsoft.graph.meetingParticipantInfo"));
    };
    let role = string(item, "role")?;
    if role.is_some_and(|role| !ROLES.contains(&role)) {
        return Err(wrong_type("role", "microsoft.graph.onlineMeetingRole"));
    }
    let upn = string(item, "upn")?;
    let user = match nested(item, "identity")? {
        Some(identity) => nested(identity, "user")?,
        None => None,
    };
    let (id, display_name) = match user {
        Some(user) => (string(user, "id")?, string(user, "displayName")?),
        None => (None, None),
    };
    Ok(participant(upn, role, &identity(id, display_name, tenant_id)))
}

/// A participant as Graph writes it. The role is null where none was given.
pub(super) fn participant(upn: Option<&str>, role: Option<&str>, identity: &Value) -> Value {
    json!({ "upn": upn, "role": role, "identity": identity })
}

/// An identity set as Graph writes it, with members that the schema does not list.
pub(super) fn identity(id: Option<&str>, display_name: Option<&str>, tenant_id: &str) -> Value {
    json!({
        "application": null,
        "device": null,
        "user": {
            "@odata.type": "#microsoft.graph.teamworkUserIdentity",
            "id": id,
            "displayName": display_name,
            "tenantId": tenant_id,
            "identityProvider": "AAD",
        }
    })
}

/// Graph's one documented quirk: an attendee without a UPN is an internal error, for ever.
pub(super) fn check_upns(attendees: &[Value]) -> Result<(), GraphRefusal> {
    let lacks_upn = |attendee: &Value| attendee["upn"].as_str().unwrap_or_default().is_empty();
    if attendees.iter().any(lacks_upn) { Err(GraphRefusal::of_status(500)) } else { Ok(()) }
}
