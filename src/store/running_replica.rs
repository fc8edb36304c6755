//! Replicas that run, as they tell of themselves. That is no act on a booking, so it has no event and stands apart from `writing`.

use super::postgres::{Store, write_again_if_lost};
use super::{ReplicaId, StoreError};
use crate::clock::{Clock, Timestamp};

/// What a running replica tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunningReplica {
    /// The name of its machine.
    pub(crate) name: String,
    /// Its process on that machine.
    pub(crate) process_id: i32,
    /// The version of the program.
    pub(crate) version: String,
    /// When it started, by its own clock.
    pub(crate) started_at: Timestamp,
    /// Tells client secrets apart, and gives none away.
    pub(crate) credential: String,
    /// Tells settings apart.
    pub(crate) settings: String,
}

/// One of them, as the database has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SeenReplica {
    /// What it told.
    pub(crate) replica: RunningReplica,
    /// When it did, by the clock of the database.
    pub(crate) seen_at: Timestamp,
    /// How long ago that was, in seconds.
    pub(crate) unseen_seconds: f64,
    /// How far its clock was ahead of that of the database, in seconds.
    pub(crate) ahead_seconds: f64,
}

impl Store {
    /// Keeps that a replica runs, forgets those that were not seen for a day, and marks how far the history certainly reaches on
    /// this timeline of the database.
    ///
    /// May be repeated.
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
                on conflict (replica_id) do update
                set clock_at = excluded.clock_at, credential = excluded.credential, seen_at = excluded.seen_at
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
