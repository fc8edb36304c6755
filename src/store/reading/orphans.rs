//! Events whose booking is not there.

use super::audited_bookings::{Period, name};
use super::event_place::{Between, EventPlace};
use super::search_bounds::EXAMINED_MAX;
use crate::audit::{Order, Orphans};
use crate::store::{Store, StoreError};

/// What one look at the history has found.
#[derive(Debug)]
pub(crate) struct OrphansPart {
    /// By booking; what comes later in the history may be about the same ones.
    pub(crate) orphans: Vec<Orphans>,
    /// Where the next look goes on; none at the end.
    pub(crate) next: Option<EventPlace>,
}

impl Store {
    /// Events of a period whose booking is not there, by booking; from behind a place on, [`EXAMINED_MAX`] events at once. Those
    /// of generation 0 are of the booking's tombstone.
    pub(crate) async fn orphans(
        &self,
        period: Period,
        behind: Option<EventPlace>,
    ) -> Result<OrphansPart, StoreError> {
        let mut connection = self.connections.acquire().await?;
        let between = Between::ALL.behind(behind.unwrap_or(EventPlace::BEGINNING), Order::Ascending);
        let between = between.of_period(period.from, period.before, &mut connection).await?;
        let reached = sqlx::query!(
            r#"
            select transaction_id::text::bigint as "transaction_id!", event_id from audit_event
            where (transaction_id, event_id) > ($1::bigint::text::xid8, $2::bigint)
                and (transaction_id, event_id) < ($3::bigint::text::xid8, $4::bigint)
            order by transaction_id, event_id
            offset $5
            limit 1
            "#,
            between.behind.transaction_id,
            between.behind.event_id,
            between.before.transaction_id,
            between.before.event_id,
            i64::from(EXAMINED_MAX) - 1,
        );
        let reached = reached.fetch_optional(&mut connection).await?;
        let next =
            reached.map(|row| EventPlace { transaction_id: row.transaction_id, event_id: row.event_id });
        let between = next.map_or(between, |place| between.up_to(place, Order::Ascending));
        let rows = sqlx::query!(
            r#"
            select source_system, booking_id, generation, count(*) as "events!", max(meeting_id) as meeting_id
            from (
                select * from audit_event
                where (transaction_id, event_id) > ($3::bigint::text::xid8, $4::bigint)
                    and (transaction_id, event_id) < ($5::bigint::text::xid8, $6::bigint)
                offset 0
            ) as audit_event
            where ($1::timestamptz is null or occurred_at >= $1) and ($2::timestamptz is null or occurred_at < $2)
                and not coalesce((
                    select true from booking
                    where booking.source_system = audit_event.source_system
                        and booking.booking_id = audit_event.booking_id
                        and booking.generation = audit_event.generation
                ), false)
                and not (generation = 0 and coalesce((
                    select true from tombstone
                    where tombstone.source_system = audit_event.source_system
                        and tombstone.booking_id = audit_event.booking_id
                        and tombstone.revision >= audit_event.number
                ), false))
            group by source_system, booking_id, generation
            order by source_system, booking_id, generation
            "#,
            period.from,
            period.before,
            between.behind.transaction_id,
            between.behind.event_id,
            between.before.transaction_id,
            between.before.event_id,
        )
        .fetch_all(&mut connection)
        .await?;
        let orphans = rows.into_iter().map(|row| Orphans {
            name: name(&row.source_system, &row.booking_id, row.generation),
            events: row.events,
            meeting_id: row.meeting_id,
        });
        Ok(OrphansPart { orphans: orphans.collect(), next })
    }
}
