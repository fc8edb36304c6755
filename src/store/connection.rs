//! The connections to Postgres, and the schema behind them.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::connections::{Connections, TRUSTED_IDLE};
use super::error::StoreError;

static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// How to reach Postgres.
#[derive(Debug, Clone)]
pub(crate) struct StoreSettings {
    /// `postgres://…`
    pub(crate) url: String,
    /// Most connections at once.
    pub(crate) connections_max: u32,
    /// Longest wait for a connection.
    pub(crate) acquire_timeout: Duration,
}

/// The store, reached by its connections.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(super) connections: Connections,
    pub(super) connections_max: u32,
}

/// How the schema in the database stands to the one in this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SchemaState {
    /// The newest migration in the database; none in an empty one.
    pub(crate) applied: Option<i64>,
    /// The newest migration in this program.
    pub(crate) known: i64,
}

impl Store {
    /// Prepares the pool without connecting: a service may start before its Postgres does.
    pub(crate) fn open(settings: &StoreSettings) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(&settings.url)
            .map_err(StoreError::Url)?
            .application_name("meeting-provisioner");
        let pool = PgPoolOptions::new()
            .max_connections(settings.connections_max)
            .acquire_timeout(settings.acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > TRUSTED_IDLE {
                        sqlx::Connection::ping(connection).await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options);
        Ok(Self { connections: Connections::of(pool), connections_max: settings.connections_max })
    }

    /// Runs the migrations that are pending. Replicas that start together wait for each other.
    pub(crate) async fn migrate(&self) -> Result<(), StoreError> {
        Ok(MIGRATOR.run(&mut *self.connections.acquire().await?).await?)
    }

    /// Whether Postgres answers, and has our tables.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("select from booking limit 0").execute(&mut *self.connections.acquire().await?).await?;
        Ok(())
    }

    /// How the schema stands.
    pub(crate) async fn schema_state(&self) -> Result<SchemaState, StoreError> {
        let exists: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
            .fetch_one(&mut *self.connections.acquire().await?)
            .await?;
        let applied = if exists {
            sqlx::query_scalar("select max(version) from _sqlx_migrations where success")
                .fetch_one(&mut *self.connections.acquire().await?)
                .await?
        } else {
            None
        };
        Ok(SchemaState {
            applied,
            known: MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0),
        })
    }

    /// The server's version and its clock, for comparison with ours.
    pub(crate) async fn server(&self) -> Result<(String, crate::clock::Timestamp), StoreError> {
        let row: (String, crate::clock::Timestamp) =
            sqlx::query_as("select current_setting('server_version'), clock_timestamp()")
                .fetch_one(&mut *self.connections.acquire().await?)
                .await?;
        Ok(row)
    }

    /// Closes all connections once their statements are done.
    pub(crate) async fn close(&self) {
        self.connections.close().await;
    }
}

/// Runs a statement that may be repeated, again on another connection when the first one turns out to be dead. A
/// restart of Postgres leaves up to the whole pool dead, so that is how often it is tried.
macro_rules! again_if_lost {
    ($store:expr, $statement:expr) => {{
        let mut left = $store.connections_max;
        loop {
            match $statement.await {
                Err(error) if left > 0 && $crate::store::StoreError::is_lost_connection(&error) => {
                    tracing::debug!(error = %error, "a connection to Postgres was lost, trying another");
                    left -= 1;
                }
                other => break other,
            }
        }
    }};
}
pub(super) use again_if_lost;
