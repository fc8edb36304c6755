//! Values as statements take them.

use crate::audit::{EventPayload, NewAuditEvent};
use crate::store::StoreError;

/// A number as Postgres keeps it; ours never come near the limit.
pub(super) fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A document as it is kept.
pub(super) fn json<T: serde::Serialize>(document: &T) -> Result<String, StoreError> {
    serde_json::to_string(document).map_err(|error| StoreError::Refused(sqlx::Error::Encode(Box::new(error))))
}

/// A payload as it is kept.
pub(super) fn payload(event: &NewAuditEvent) -> Result<String, StoreError> {
    json(&event.payload)
}

/// A whole event, for the functions of the schema.
pub(super) fn whole(event: &NewAuditEvent) -> Result<String, StoreError> {
    #[derive(serde::Serialize)]
    struct EventRow<'a> {
        r#type: &'static str,
        actor: String,
        payload: &'a EventPayload,
    }
    let row =
        EventRow { r#type: event.kind.as_str(), actor: event.actor.to_string(), payload: &event.payload };
    json(&row)
}
