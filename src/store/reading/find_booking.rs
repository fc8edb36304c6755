//! One booking.

use crate::booking::{BookingKey, Generation};
use crate::store::booking_row::{LeasedBooking, booking_rows};
use crate::store::postgres::again_if_lost;
use crate::store::writing::input::int;
use crate::store::{Store, StoreError};

impl Store {
    /// The latest generation of a booking.
    pub(crate) async fn latest(&self, key: &BookingKey) -> Result<Option<LeasedBooking>, StoreError> {
        again_if_lost!(self, async {
            let row = booking_rows!(
                "select",
                "from booking where source_system = $1 and booking_id = $2 order by generation desc limit 1",
                key.source_system.as_str(),
                key.booking_id.as_str(),
            )
            .fetch_optional(&mut self.connections.acquire().await?)
            .await?;
            row.map(LeasedBooking::try_from).transpose()
        })
    }

    /// One generation of a booking.
    pub(crate) async fn generation(
        &self,
        key: &BookingKey,
        generation: Generation,
    ) -> Result<Option<LeasedBooking>, StoreError> {
        again_if_lost!(self, async {
            let row = booking_rows!(
                "select",
                "from booking where source_system = $1 and booking_id = $2 and generation = $3",
                key.source_system.as_str(),
                key.booking_id.as_str(),
                int(generation.number()),
            )
            .fetch_optional(&mut self.connections.acquire().await?)
            .await?;
            row.map(LeasedBooking::try_from).transpose()
        })
    }

    /// The whole meeting of a booking as Graph sent it last, JSON text.
    pub(crate) async fn online_meeting(
        &self,
        key: &BookingKey,
        generation: Generation,
    ) -> Result<Option<String>, StoreError> {
        again_if_lost!(self, async {
            let text = sqlx::query_scalar!(
                r#"
                select online_meeting::text from booking
                where source_system = $1 and booking_id = $2 and generation = $3
                "#,
                key.source_system.as_str(),
                key.booking_id.as_str(),
                int(generation.number()),
            )
            .fetch_optional(&mut self.connections.acquire().await?)
            .await?;
            Ok(text.flatten())
        })
    }
}
