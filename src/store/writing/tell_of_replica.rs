//! What a running replica tells of itself, with the mark of how far the history reached.

use crate::clock::Clock;
use crate::store::postgres::write_again_if_lost;
use crate::store::running_replica::RunningReplica;
use crate::store::{ReplicaId, Store, StoreError};

impl Store {
    /// Keeps that a replica runs, forgets those that were not seen for a day, and marks how far the history certainly reaches on
    /// this timeline of the database.
    ///
    /// May be repeated. It has no event: nothing becomes of a booking.
    pub(crate) async fn tell_of_replica(
        &self,
        id: ReplicaId,
        replica: &RunningReplica,
        clock: &dyn Clock,
    ) -> Result<(), StoreError> {
        write_again_if_lost!(self, async {
            let mut connection = self.connections.acquire().await?;
            // Read when the statement is about to be sent: it is compared with the clock of the database.
            let clock_at = clock.now();
            sqlx::query!(
                r#"
                with forgotten as (
                    delete from replica
                    where seen_at < statement_timestamp() - interval '1 day' and replica_id <> $1
                ), marked as (
                    insert into database_timeline as known (
                        system_identifier, timeline_id, marked_transaction, marked_at
                    )
                    select system_identifier, timeline_id, pg_snapshot_xmin(pg_current_snapshot()), statement_timestamp()
                    from current_timeline()
                    where system_identifier is not null and timeline_id is not null
                    on conflict (system_identifier, timeline_id) do update
                        set marked_transaction = greatest(known.marked_transaction, excluded.marked_transaction),
                            marked_at = excluded.marked_at
                )
                insert into replica (
                    replica_id, name, process_id, version, started_at, clock_at, credential, settings
                ) values ($1, $2, $3, $4, $5, $6, $7, $8)
                on conflict (replica_id) do update set clock_at = excluded.clock_at, seen_at = excluded.seen_at
                "#,
                id.uuid(),
                replica.name,
                replica.process_id,
                replica.version,
                replica.started_at,
                clock_at,
                replica.credential,
                replica.settings,
            )
            .execute(&mut connection)
            .await?;
            Ok(())
        })
    }

    /// Forgets a replica that stops.
    pub(crate) async fn forget_replica(&self, id: ReplicaId) -> Result<(), StoreError> {
        write_again_if_lost!(self, async {
            sqlx::query!("delete from replica where replica_id = $1", id.uuid())
                .execute(&mut self.connections.acquire().await?)
                .await?;
            Ok(())
        })
    }
}
