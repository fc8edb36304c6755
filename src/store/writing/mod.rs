//! One file, one function, one statement for each act; each takes the event that testifies to it.
//!
//! A single statement is a whole transaction in one round trip, and there is no moment between its parts at
//! which a process can die. Called by `provisioning` only.

mod accept;
mod claim;
mod release;
mod settle;

pub(crate) use accept::Accepted;
pub(crate) use claim::Claimed;
pub(crate) use settle::{Settled, Settlement};

use super::error::StoreError;
use crate::audit::{NewAuditEvent, Testimony};

/// A number as Postgres keeps it; ours never come near the limit.
fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A document as it is kept.
fn json<T: serde::Serialize>(document: &T) -> Result<String, StoreError> {
    serde_json::to_string(document).map_err(|error| StoreError::Refused(sqlx::Error::Encode(Box::new(error))))
}

fn testimony(event: &NewAuditEvent) -> Result<String, StoreError> {
    json::<Testimony>(&event.testimony)
}
