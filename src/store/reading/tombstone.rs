//! A cancel that came before its booking.

use crate::booking::{BookingKey, Dtstamp, MessageOrder, Sequence};
use crate::meeting::Tombstone;
use crate::store::postgres::again_if_lost;
use crate::store::{Store, StoreError};

impl Store {
    /// The cancel that was received of a booking before the booking itself, if there was one. It stays there when the booking
    /// is created after all.
    pub(crate) async fn tombstone(&self, key: &BookingKey) -> Result<Option<Tombstone>, StoreError> {
        again_if_lost!(self, async {
            let row = sqlx::query!(
                r#"
                select revision, sequence, dtstamp, received_at, request_id from tombstone
                where source_system = $1 and booking_id = $2
                "#,
                key.source_system.as_str(),
                key.booking_id.as_str(),
            )
            .fetch_optional(&mut self.connections.acquire().await?)
            .await?;
            let Some(row) = row else { return Ok(None) };
            let bad = |column, number: i32| StoreError::BadRow {
                table: "tombstone",
                column,
                id: key.to_string(),
                detail: number.to_string(),
            };
            let sequence = row
                .sequence
                .map(|number| {
                    let sequence = u32::try_from(number).ok().and_then(Sequence::new);
                    sequence.ok_or_else(|| bad("sequence", number))
                })
                .transpose()?;
            Ok(Some(Tombstone {
                key: key.clone(),
                revision: u32::try_from(row.revision).map_err(|_| bad("revision", row.revision))?,
                order: MessageOrder { sequence, dtstamp: row.dtstamp.map(Dtstamp::new) },
                received_at: row.received_at,
                request_id: row.request_id,
            }))
        })
    }
}
