//! Between which transactions the events of a period were written.

use super::event_place::Between;
use crate::clock::Timestamp;
use crate::store::StoreError;
use crate::store::connections::Connection;

/// Events are in the order in which they were written, not in that of the replicas' clocks. So of each hour of a period the
/// first transaction is looked for, in so many hours from its beginning on, and the last one in as many before its end:
/// an event would be passed over only if a replica's clock was wrong by more hours than these, in which anything happened.
const HOURS_MAX: i64 = 48;

impl Between {
    /// Of these events the ones that a period may have; an end that is not given is open.
    pub(super) async fn of_period(
        self,
        from: Option<Timestamp>,
        before: Option<Timestamp>,
        connection: &mut Connection,
    ) -> Result<Self, StoreError> {
        let mut found = self;
        if from.is_some() {
            let first = sqlx::query_scalar!(
                r#"
                with recursive later as (
                    (
                        select date_trunc('hour', occurred_at at time zone 'UTC') as hour, transaction_id from audit_event
                        where date_trunc('hour', occurred_at at time zone 'UTC')
                            between date_trunc('hour', $1::timestamptz at time zone 'UTC')
                            and coalesce($2::timestamptz at time zone 'UTC', 'infinity')
                        order by date_trunc('hour', occurred_at at time zone 'UTC'), transaction_id
                        limit 1
                    )
                    union all
                    select next.hour, next.transaction_id from later cross join lateral (
                        select date_trunc('hour', occurred_at at time zone 'UTC') as hour, transaction_id
                        from audit_event
                        where date_trunc('hour', occurred_at at time zone 'UTC') > later.hour
                            and date_trunc('hour', occurred_at at time zone 'UTC')
                                <= coalesce($2::timestamptz at time zone 'UTC', 'infinity')
                        order by date_trunc('hour', occurred_at at time zone 'UTC'), transaction_id
                        limit 1
                    ) as next
                )
                select min(transaction_id::text::bigint)
                from (select transaction_id from later limit $3) as first_of_each
                "#,
                from,
                before,
                HOURS_MAX,
            );
            found = found.written_from(first.fetch_one(&mut *connection).await?);
        }
        if before.is_some() {
            let last = sqlx::query_scalar!(
                r#"
                with recursive earlier as (
                    (
                        select date_trunc('hour', occurred_at at time zone 'UTC') as hour, transaction_id from audit_event
                        where date_trunc('hour', occurred_at at time zone 'UTC')
                            between coalesce(date_trunc('hour', $1::timestamptz at time zone 'UTC'), '-infinity')
                            and $2::timestamptz at time zone 'UTC'
                        order by date_trunc('hour', occurred_at at time zone 'UTC') desc, transaction_id desc
                        limit 1
                    )
                    union all
                    select next.hour, next.transaction_id from earlier cross join lateral (
                        select date_trunc('hour', occurred_at at time zone 'UTC') as hour, transaction_id
                        from audit_event
                        where date_trunc('hour', occurred_at at time zone 'UTC') < earlier.hour
                            and date_trunc('hour', occurred_at at time zone 'UTC')
                                >= coalesce(date_trunc('hour', $1::timestamptz at time zone 'UTC'), '-infinity')
                        order by date_trunc('hour', occurred_at at time zone 'UTC') desc, transaction_id desc
                        limit 1
                    ) as next
                )
                select max(transaction_id::text::bigint)
                from (select transaction_id from earlier limit $3) as last_of_each
                "#,
                from,
                before,
                HOURS_MAX,
            );
            found = found.written_up_to(last.fetch_one(connection).await?);
        }
        Ok(found)
    }
}
