//! The row of table `audit_event`, and what it means.

use uuid::Uuid;

use super::event_place::EventPlace;
use super::list_part::{RowKey, UnreadableRow};
use crate::audit::AuditEvent;
use crate::booking::{BookingId, BookingKey, ExternalId, Generation, SourceSystem};
use crate::clock::Timestamp;
use crate::store::StoreError;

#[derive(sqlx::FromRow)]
pub(super) struct AuditEventRow {
    event_id: i64,
    pub(super) transaction_id: i64,
    occurred_at: Timestamp,
    event_type: String,
    outcome: Option<String>,
    source_system: String,
    booking_id: String,
    pub(super) generation: i32,
    pub(super) number: i32,
    external_id: Uuid,
    organizer: Option<String>,
    meeting_id: Option<String>,
    actor: String,
    pub(super) payload: String,
}

/// What a query for [`AuditEventRow`]s selects.
pub(super) const AUDIT_EVENT_COLUMNS: &str = "event_id, transaction_id::text::bigint as transaction_id, occurred_at, \
    event_type, outcome, source_system, booking_id, generation, number, external_id, organizer, meeting_id, actor, \
    payload::text as payload";

impl AuditEventRow {
    /// Where it stands.
    pub(super) fn place(&self) -> EventPlace {
        EventPlace { transaction_id: self.transaction_id, event_id: self.event_id }
    }
}

impl RowKey for AuditEventRow {
    fn key(&self) -> UnreadableRow {
        UnreadableRow {
            source_system: self.source_system.clone(),
            booking_id: self.booking_id.clone(),
            generation: self.generation,
            event_id: Some(self.event_id),
        }
    }
}

impl TryFrom<AuditEventRow> for AuditEvent {
    type Error = StoreError;

    fn try_from(row: AuditEventRow) -> Result<Self, StoreError> {
        let bad = |column, detail: String| StoreError::BadRow {
            table: "audit_event",
            column,
            id: row.event_id.to_string(),
            detail,
        };
        Ok(Self {
            event_id: row.event_id,
            transaction_id: row.transaction_id,
            occurred_at: row.occurred_at,
            key: BookingKey {
                source_system: SourceSystem::parse(&row.source_system)
                    .map_err(|fault| bad("source_system", fault.to_string()))?,
                booking_id: BookingId::parse(&row.booking_id)
                    .map_err(|fault| bad("booking_id", fault.to_string()))?,
            },
            generation: u32::try_from(row.generation)
                .map(Generation::new)
                .map_err(|_| bad("generation", row.generation.to_string()))?,
            kind: row.event_type,
            outcome: row.outcome,
            external_id: ExternalId::new(row.external_id),
            organizer: row.organizer,
            meeting_id: row.meeting_id,
            actor: row.actor,
            payload: row.payload.into_boxed_str(),
        })
    }
}
