//! Keeps a cancel of a booking that is not known, so that a create which it has overtaken makes no meeting.

use super::Changed;
use super::input::{EventInput, TombstoneInput, int};
use crate::audit::NewAuditEvent;
use crate::booking::{Dtstamp, ExternalId, Sequence};
use crate::meeting::Tombstone;
use crate::store::postgres::write_again_if_lost;
use crate::store::{Store, StoreError};

impl Store {
    /// Stores the tombstone with its event, only while there is no such booking and the tombstone still has the revision that
    /// was read, `known_revision`. It waits for an accept of the same booking that is under way, and the other way round
    /// (`keep_cancel`, `tombstone_is_as_known`), so one of the two sees the other.
    ///
    /// May be repeated: a tombstone that is stored already counts as stored.
    pub(crate) async fn keep_cancel(
        &self,
        known_revision: Option<u32>,
        tombstone: &Tombstone,
        external_id: ExternalId,
        event: &NewAuditEvent,
    ) -> Result<Changed, StoreError> {
        let key = &tombstone.key;
        write_again_if_lost!(self, async {
            let input = TombstoneInput {
                source_system: key.source_system.as_str(),
                booking_id: key.booking_id.as_str(),
                external_id: external_id.uuid(),
                known_revision: known_revision.map(int),
                sequence: tombstone.order.sequence.map(Sequence::number).map(int),
                dtstamp: tombstone.order.dtstamp.map(Dtstamp::time),
                request_id: tombstone.request_id.as_deref(),
                event: EventInput::of(event)?,
            };
            let kept = sqlx::query_scalar!(
                r#"
                -- All of it is one function, because what it looks for must be what is there once it has its lock.
                select keep_cancel($1::tombstone_input) as "kept!"
                "#,
                input as _,
            )
            .fetch_one(&mut self.connections.acquire().await?)
            .await?;
            if kept || self.tombstone(key).await?.as_ref() == Some(tombstone) {
                return Ok(Changed::Stored);
            }
            Ok(Changed::Overtaken)
        })
    }
}
