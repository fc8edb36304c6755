//! Runs the migrations: one process at a time, with a bounded wait.

use std::time::Duration;

use sqlx::PgConnection;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

use super::error::StoreError;
use super::postgres::{MIGRATOR, Store};
use crate::clock::Timestamp;

/// The advisory lock of those that migrate, of one transaction: a lock of a session would stay behind on a connection of a
/// pooler that gives each transaction another one, and the next one would wait for it for ever. A number that no other program takes on this database.
const LOCK: i64 = 0x6d70_6d69_6772_6174;
/// How long another process may hold it before its name is told.
const WAIT_MAX: Duration = Duration::from_mins(1);
/// How often it is tried.
const TRY_EVERY: Duration = Duration::from_millis(250);

impl Store {
    /// Runs the migrations that are pending. Replicas that start together wait for each other, a minute at most.
    pub(crate) async fn migrate(&self) -> Result<(), StoreError> {
        self.migrate_within(WAIT_MAX).await
    }

    /// The same with another longest wait.
    pub(super) async fn migrate_within(&self, wait_max: Duration) -> Result<(), StoreError> {
        let give_up = Instant::now() + wait_max;
        let apart = self.connections.one_apart("meeting-provisioner-migrate");
        let mut lock = apart.begin().await?;
        loop {
            let is_ours: bool = sqlx::query_scalar("select pg_try_advisory_xact_lock($1)")
                .bind(LOCK)
                .fetch_one(&mut *lock)
                .await?;
            if is_ours {
                break;
            }
            if Instant::now() >= give_up {
                return Err(StoreError::MigrationsLocked(holder(&mut lock).await?));
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
        // A connection of its own, whose statements take as long as a large table asks for.
        let migrating = self.connections.one_apart("meeting-provisioner-migration");
        let mut connection = migrating.acquire().await?;
        sqlx::query("set statement_timeout = 0").execute(&mut *connection).await?;
        let migrated = MIGRATOR.run(&mut *connection).await;
        connection.close().await?;
        lock.commit().await?;
        Ok(migrated?)
    }
}

/// The session that holds the lock, in words.
async fn holder(connection: &mut PgConnection) -> Result<String, StoreError> {
    let found: Option<(i32, Option<String>, Option<Timestamp>)> = sqlx::query_as(
        "select activity.pid, application_name, coalesce(xact_start, backend_start)
        from pg_locks join pg_stat_activity activity on activity.pid = pg_locks.pid
        where locktype = 'advisory' and granted and objsubid = 1
            and ((classid::bigint << 32) | objid::bigint) = $1
            and database = (select oid from pg_database where datname = current_database())
        limit 1",
    )
    .bind(LOCK)
    .fetch_optional(connection)
    .await?;
    let Some((pid, application, since)) = found else {
        return Ok("a session that has just ended".to_owned());
    };
    let application =
        application.filter(|name| !name.is_empty()).unwrap_or_else(|| "without a name".to_owned());
    let since =
        since.and_then(|since| since.format(&Rfc3339).ok()).unwrap_or_else(|| "an unknown time".to_owned());
    Ok(format!("the session with pid {pid} ({application}), since {since}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::database_tests::TestStore;

    /// One that migrates, or hangs while it does, is named; once it has ended the next one goes on.
    #[tokio::test]
    async fn the_holder_of_the_lock_is_named() {
        let test = TestStore::start().await;
        let mut holds = test.pool.begin().await.unwrap();
        sqlx::query("select pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *holds).await.unwrap();
        let pid: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *holds).await.unwrap();
        let told = test.store.migrate_within(Duration::from_millis(300)).await.unwrap_err().to_string();
        let expected = format!("another process migrates the schema: the session with pid {pid} (");
        assert!(told.starts_with(&expected), "{told}");
        holds.rollback().await.unwrap();
        test.store.migrate_within(Duration::from_millis(300)).await.unwrap();
    }
}
