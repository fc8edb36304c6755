//! The replicas that run.

use crate::store::running_replica::{RunningReplica, SeenReplica};
use crate::store::{Store, StoreError};

/// More than an installation has: those that were killed stand among them for a day.
const REPLICAS_MAX: i64 = 200;

impl Store {
    /// The replicas that told of themselves, the latest seen first.
    pub(crate) async fn replicas(&self) -> Result<Vec<SeenReplica>, StoreError> {
        let rows = sqlx::query!(
            r#"
            select name, process_id, version, started_at, seen_at, credential, settings,
                extract(epoch from clock_timestamp() - seen_at)::double precision as "unseen_seconds!",
                extract(epoch from clock_at - seen_at)::double precision as "ahead_seconds!"
            from replica order by seen_at desc limit $1
            "#,
            REPLICAS_MAX
        );
        let rows = rows.fetch_all(&mut self.connections.acquire().await?).await?.into_iter();
        let seen = rows.map(|row| SeenReplica {
            replica: RunningReplica {
                name: row.name,
                process_id: row.process_id,
                version: row.version,
                started_at: row.started_at,
                credential: row.credential,
                settings: row.settings,
            },
            seen_at: row.seen_at,
            unseen_seconds: row.unseen_seconds,
            ahead_seconds: row.ahead_seconds,
        });
        Ok(seen.collect())
    }
}
