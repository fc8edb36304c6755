//! The connections to Postgres, and the schema behind them.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;

use super::claims::{Claims, FailingClaims};
use super::connections::{ConnectionLimits, Connections};
use super::error::{Again, StoreError};
use super::transport::Unverified;
use super::writes::Writes;
use crate::shares::{Refusals, Share};

/// Without the lock of sqlx's own, which belongs to a session: see `migrate`.
pub(super) static MIGRATOR: Migrator = Migrator { locking: false, ..sqlx::migrate!("./migrations") };

/// How to reach Postgres.
#[derive(Debug, Clone)]
pub(crate) struct StoreSettings {
    /// `postgres://…`
    pub(crate) url: String,
    /// Most connections at once.
    pub(crate) connections_max: u32,
    /// Longest wait for a connection.
    pub(crate) acquire_timeout: Duration,
    /// How much of the connections one source system may use.
    pub(crate) share: Share,
    /// Counts the connections that are refused.
    pub(crate) refusals: Refusals,
    /// Whether Postgres is told at each connection to end statements that take too long.
    pub(crate) limits_statements: bool,
    /// Whether Postgres on another machine may be spoken to without verified TLS.
    pub(crate) allows_unverified_tls: bool,
}

/// The store, reached by its connections.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(super) connections: Connections,
    unverified: Option<Unverified>,
    pub(super) connections_max: u32,
    pub(super) writes: Arc<Writes>,
    claims: Arc<Claims>,
    unreadable: Arc<AtomicU64>,
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
    ///
    /// # Errors
    /// The URL can't be read, or leads to another machine without verified TLS, which the settings don't allow.
    pub(crate) fn open(settings: &StoreSettings) -> Result<Self, StoreError> {
        let mut options = PgConnectOptions::from_str(&settings.url)
            .map_err(StoreError::Url)?
            .application_name("meeting-provisioner");
        let unverified = Unverified::of(&options);
        if let Some(way) = unverified.clone().filter(|_| !settings.allows_unverified_tls) {
            return Err(StoreError::UnverifiedTls(way));
        }
        if settings.limits_statements {
            let milliseconds = SERVER_STATEMENT_TIMEOUT.as_millis().to_string();
            // Statements here are over before one could be compiled, whatever Postgres expects of them.
            options = options.options([("statement_timeout", milliseconds), ("jit", "off".to_owned())]);
        }
        let most = settings.connections_max;
        let limits = ConnectionLimits {
            most,
            acquire_timeout: settings.acquire_timeout,
            share: settings.share,
            refusals: settings.refusals.clone(),
        };
        let connections = Connections::open(options, limits);
        Ok(Self {
            connections,
            unverified,
            connections_max: most,
            writes: Arc::default(),
            claims: Arc::default(),
            unreadable: Arc::default(),
        })
    }

    /// Connects once, past all that is kept open, so that the first refusal is told: a pool tries again until its own patience
    /// ends, and then knows that alone.
    pub(crate) async fn connect_once(&self) -> Result<(), StoreError> {
        let connected = tokio::time::timeout(STATEMENT_TIMEOUT, self.connections.connect_once()).await;
        connected.unwrap_or(Err(StoreError::no_answer()))
    }

    /// The way to Postgres, where it leads to another machine without verified TLS.
    pub(crate) fn unverified_tls(&self) -> Option<&Unverified> {
        self.unverified.as_ref()
    }

    /// A look of the worker at what is due went well, or failed for this reason.
    pub(crate) fn note_claim(&self, now: crate::clock::Timestamp, failed: Option<String>) {
        self.claims.note(now, failed);
    }

    /// The worker's claims that failed since one went well, if the latest failed.
    pub(crate) fn failing_claims(&self) -> Option<FailingClaims> {
        self.claims.failing()
    }

    /// Whether Postgres answers, has our tables and takes writes.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        if self.condition().await?.is_read_only {
            // Should it be this session only, the next one is better.
            let _recycled = self.connections.recycle_all();
            return Err(StoreError::read_only());
        }
        Ok(())
    }

    /// Whether the latest writes failed, for a reason that lies with Postgres: on a full disk reads still succeed.
    pub(crate) fn writes_fail(&self) -> bool {
        self.writes.fail()
    }

    /// Reads one of several rows; nothing where that can't be done, which is logged and counted and must hold up no other.
    pub(super) fn read_row<T>(&self, read: impl FnOnce() -> Result<T, StoreError>) -> Option<T> {
        let row = read();
        if let Err(error) = &row {
            self.unreadable.fetch_add(1, Ordering::Relaxed);
            tracing::error!(%error, "a row can't be read and is passed over: another version of this program wrote it, or a hand");
        }
        row.ok()
    }

    /// How often a row was passed over that can't be read.
    pub(crate) fn unreadable_rows(&self) -> u64 {
        self.unreadable.load(Ordering::Relaxed)
    }

    /// How the schema stands.
    pub(crate) async fn schema_state(&self) -> Result<SchemaState, StoreError> {
        let exists: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
            .fetch_one(&mut self.connections.acquire().await?)
            .await?;
        let applied = if exists {
            sqlx::query_scalar("select max(version) from _sqlx_migrations where success")
                .fetch_one(&mut self.connections.acquire().await?)
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
                .fetch_one(&mut self.connections.acquire().await?)
                .await?;
        Ok(row)
    }

    /// Closes all connections once their statements are done.
    pub(crate) async fn close(&self) {
        self.connections.close().await;
    }
}

/// How often a statement is repeated that was rolled back because of others.
const AS_IT_IS_MAX: u32 = 3;
/// Longest that a statement may take, with the wait for a connection: a host that has vanished gives no answer at all.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// When Postgres ends a statement by itself. Dropping a statement here doesn't stop it there: it would run on, hold its locks, and
/// fill the server's connections. Below our own limit, so that mostly Postgres's answer is what we hear.
const SERVER_STATEMENT_TIMEOUT: Duration = Duration::from_secs(9);

/// How often a statement has been repeated.
#[derive(Debug, Default)]
pub(super) struct Repeated {
    on_another: u32,
    as_it_is: u32,
}

impl Store {
    /// Waits for a statement, but not for ever.
    pub(super) async fn in_time<T>(
        &self,
        statement: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::time::timeout(STATEMENT_TIMEOUT, statement).await.unwrap_or(Err(StoreError::no_answer()))
    }

    /// Whether a statement that failed like this is worth repeating at once. A restart of Postgres leaves up to the
    /// whole pool dead, so that is how often another connection is tried.
    pub(super) fn repeats(&self, error: &StoreError, repeated: &mut Repeated) -> bool {
        let repeats = match error.again() {
            Some(Again::OnAnotherConnection) => {
                self.connections.suspect_idle();
                repeated.on_another += 1;
                repeated.on_another <= self.connections_max
            }
            Some(Again::AsItIs) => {
                repeated.as_it_is += 1;
                repeated.as_it_is <= AS_IT_IS_MAX
            }
            Some(Again::OnRecycledConnection) => self.connections.recycle_all(),
            None => false,
        };
        if repeats {
            tracing::debug!(error = %error, "a statement is repeated");
        }
        repeats
    }
}

/// Runs a statement that may be repeated, again where that may help at once.
macro_rules! again_if_lost {
    ($store:expr, $statement:expr) => {{
        let mut repeated = $crate::store::postgres::Repeated::default();
        loop {
            // On the heap: a request holds several of these one in another, most of them at rest.
            match $store.in_time(Box::pin($statement)).await {
                Err(error) if $store.repeats(&error, &mut repeated) => {}
                other => break other,
            }
        }
    }};
}
pub(super) use again_if_lost;

/// The same for a statement that writes: whether writes fail is kept in mind.
macro_rules! write_again_if_lost {
    ($store:expr, $statement:expr) => {{
        let written = $crate::store::postgres::again_if_lost!($store, $statement);
        $store.writes.note(&written);
        written
    }};
}
pub(super) use write_again_if_lost;
