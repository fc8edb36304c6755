//! Whether a place in the history is still one: after a restore to an earlier moment, or a failover, transaction ids and event
//! ids may be given out again, and a reader who went on from an old place would pass over events.

use super::audit_event_position::AuditEventPosition;
use crate::clock::Timestamp;
use crate::store::StoreError;
use crate::store::connections::Connection;

/// One run of a database's history: a cluster, and a timeline of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timeline {
    /// The cluster, as Postgres names it.
    pub(crate) system_identifier: i64,
    /// Its timeline.
    pub(crate) timeline_id: i32,
}

/// How far the history reaches.
#[derive(Debug, Clone, Copy)]
pub(super) struct HistoryEnd {
    /// Every transaction before this one has ended.
    pub(super) first_open: i64,
    /// No transaction from this one on has ended.
    pub(super) next: i64,
    /// On which timeline; nothing where Postgres does not say.
    pub(super) timeline: Option<Timeline>,
}

/// Where the history of a timeline certainly reached, and from when on a reader is to begin again who went further.
struct Mark {
    transaction_id: i64,
    from: Timestamp,
}

impl HistoryEnd {
    /// Reads it.
    pub(super) async fn read(connection: &mut Connection) -> Result<Self, StoreError> {
        let row = sqlx::query!(
            r#"
            select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as "first_open!",
                pg_snapshot_xmax(pg_current_snapshot())::text::bigint as "next!", system_identifier, timeline_id
            from current_timeline()
            "#
        );
        let row = row.fetch_one(connection).await?;
        let timeline = row.system_identifier.zip(row.timeline_id);
        let timeline =
            timeline.map(|(system_identifier, timeline_id)| Timeline { system_identifier, timeline_id });
        Ok(Self { first_open: row.first_open, next: row.next, timeline })
    }

    /// Refuses a place behind which events may have been given out anew: one ahead of the history, one of another cluster, and one
    /// of another timeline unless it lies before the last mark of that.
    pub(super) async fn check(
        &self,
        connection: &mut Connection,
        from: Option<&AuditEventPosition>,
    ) -> Result<(), StoreError> {
        let Some(from) = from else { return Ok(()) };
        if from.transaction_id() > self.next {
            return Err(StoreError::PositionLost { from: None });
        }
        let (Some(theirs), Some(ours)) = (from.timeline, self.timeline) else { return Ok(()) };
        if theirs == ours {
            return Ok(());
        }
        if theirs.system_identifier != ours.system_identifier {
            return Err(StoreError::PositionLost { from: None });
        }
        match Mark::read(connection, theirs).await? {
            Some(mark) if from.is_before(mark.transaction_id) => Ok(()),
            mark => Err(StoreError::PositionLost { from: mark.map(|mark| mark.from) }),
        }
    }
}

impl Mark {
    /// The last mark of a timeline. An event that is recorded behind it happened three hours before the first of those at the
    /// most: see the constraint `audit_event_occurred_when_recorded`.
    async fn read(connection: &mut Connection, timeline: Timeline) -> Result<Option<Self>, StoreError> {
        let row = sqlx::query!(
            r#"
            select marked_transaction::text::bigint as "transaction_id!",
                date_trunc('second', coalesce(
                    (
                        select recorded_at from audit_event where transaction_id >= marked_transaction
                        order by transaction_id, event_id limit 1
                    ),
                    statement_timestamp()
                ) - interval '3 hours') as "from!"
            from database_timeline where system_identifier = $1 and timeline_id = $2
            "#,
            timeline.system_identifier,
            timeline.timeline_id
        );
        let row = row.fetch_optional(connection).await?;
        Ok(row.map(|row| Self { transaction_id: row.transaction_id, from: row.from }))
    }
}
