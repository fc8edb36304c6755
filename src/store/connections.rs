//! The connections that are kept open between statements.
//!
//! sqlx's own pool asks Postgres after each use whether the connection is still good, from a task of its own. That is
//! a second round trip for every statement, and statements are most of what a booking costs. Here a connection whose
//! statement has ended well is kept as it is when it is dropped; any other is left to sqlx's pool, which asks. sqlx's pool
//! opens and closes all connections; as far as it knows, what is kept here is in use.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Postgres};
use tokio::runtime::{Handle, Id};

use super::error::StoreError;
use crate::shares::{NoPlace, Place, Places, Refusals, Share, served_source_system};

use super::condition::ConnectionCounts;

/// A connection that was idle this long is tried before it is used: a server that restarted has closed it.
const FRESH_IDLE: Duration = Duration::from_secs(1);
/// A connection that was idle this long is closed, not tried: on the way to Postgres, balancers and firewalls drop idle flows
/// after some minutes without telling either end, and a question on such a connection is never answered.
const IDLE_MAX: Duration = Duration::from_mins(1);
/// How long a connection may take to answer whether it is still good, before a statement that waits for it gets another.
const TRY_TIMEOUT: Duration = Duration::from_millis(500);
/// The same after a statement that did not end well: no statement waits for it.
const PING_TIMEOUT: Duration = Duration::from_secs(3);
/// All connections are recycled no more often than this, however often Postgres says that it takes no writes.
const RECYCLE_PAUSE: Duration = Duration::from_secs(1);
/// A connection is kept no longer than this; sqlx's pool then replaces it.
const AGE_MAX: Duration = Duration::from_mins(25);

/// Connections to one database. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    pool: PgPool,
    acquire_timeout: Duration,
    /// How many connections there may be.
    most: usize,
    /// One for each connection that may be in use: a caller with a place finds a connection kept here, or room in
    /// sqlx's pool.
    places: Places,
    kept: Arc<Mutex<IdleConnections>>,
    freshness: Arc<Freshness>,
}

/// How many connections there may be, and for whom.
#[derive(Debug, Clone)]
pub(super) struct ConnectionLimits {
    /// Most at once.
    pub(super) most: u32,
    /// Longest wait for one.
    pub(super) acquire_timeout: Duration,
    /// How much of them one source system may use.
    pub(super) share: Share,
    /// Counts those that are refused.
    pub(super) refusals: Refusals,
}

/// Which connections are used without a question.
#[derive(Debug, Default)]
struct Freshness {
    /// Those opened before this are replaced when their turn comes.
    recycled: Mutex<Option<Instant>>,
    /// Those idle since before this are tried when their turn comes: one was lost, and others may be.
    suspected: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct IdleConnections {
    idle: Vec<IdleConnection>,
    closed: bool,
}

#[derive(Debug)]
struct IdleConnection {
    connection: OpenedConnection,
    since: Instant,
}

/// A connection and the runtime that opened it: its socket wakes that runtime, so a task of another one learns of an
/// answer by a detour over two threads.
#[derive(Debug)]
struct OpenedConnection {
    connection: PoolConnection<Postgres>,
    runtime: Id,
    at: Instant,
}

/// A connection in use. Dropped, it is kept for the next statement if its own have ended well; else sqlx's pool gets it,
/// which asks whether it is still good. Statements run on `&mut Connection`; how each ended is noted there (`executor`).
#[derive(Debug)]
pub(super) struct Connection {
    /// Always there until the drop.
    opened: Option<OpenedConnection>,
    /// Whether every statement so far has ended well, so that nothing is left on the wire.
    ended_well: bool,
    kept: Arc<Mutex<IdleConnections>>,
    /// Dropped after the connection is kept: the caller that gets the place finds the connection.
    _place: Place,
}

/// How a statement on a connection ends. Until it says that it ended well, a drop gives the connection to sqlx's pool.
#[derive(Debug)]
pub(super) struct StatementEnd<'c> {
    ended_well: &'c mut bool,
    /// Whether those before it ended well: what they left on the wire is not gone because this one ended well.
    had_ended_well: bool,
}

impl StatementEnd<'_> {
    /// The statement has ended well, with everything that Postgres said read.
    pub(super) fn well(self) {
        *self.ended_well = self.had_ended_well;
    }
}

impl Connections {
    /// Connections that sqlx's pool opens, at most as many as it may have.
    pub(super) fn open(options: PgConnectOptions, limits: ConnectionLimits) -> Self {
        let ConnectionLimits { most, acquire_timeout, share, refusals } = limits;
        let freshness = Arc::new(Freshness::default());
        let fresh = Arc::clone(&freshness);
        let pool = PgPoolOptions::new()
            .max_connections(most)
            .acquire_timeout(acquire_timeout)
            .idle_timeout(IDLE_MAX)
            .test_before_acquire(false)
            .before_acquire(move |connection, meta| {
                let (is_current, is_fresh) = (fresh.is_current(meta.age), fresh.is_fresh(meta.idle_for));
                Box::pin(async move {
                    Ok(is_current && (is_fresh || answers(connection, TRY_TIMEOUT).await.is_ok()))
                })
            })
            // sqlx would ask, too, but wait for the answer for ever.
            .after_release(|connection, _| {
                Box::pin(async move { answers(connection, PING_TIMEOUT).await.map(|()| true) })
            })
            .connect_lazy_with(options);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let places = Places::new(most, share, refusals);
        Self { acquire_timeout, most, places, kept: Arc::default(), freshness, pool }
    }

    /// A connection, kept or new. One source system uses no more of them than its share.
    pub(super) async fn acquire(&self) -> Result<Connection, StoreError> {
        let give_up = tokio::time::Instant::now() + self.acquire_timeout;
        let source_system = served_source_system();
        let place = self.places.take(source_system.clone());
        let Ok(place) = tokio::time::timeout_at(give_up, place).await else {
            return Err(match self.places.why_none(source_system.as_ref()) {
                NoPlace::AllTaken => sqlx::Error::PoolTimedOut.into(),
                NoPlace::ShareUsedUp => StoreError::ShareUsedUp,
            });
        };
        let opened = tokio::time::timeout_at(give_up, self.kept_or_new(place)).await;
        Ok(opened.unwrap_or(Err(sqlx::Error::PoolTimedOut))?)
    }

    async fn kept_or_new(&self, place: Place) -> Result<Connection, sqlx::Error> {
        let runtime = Handle::current().id();
        let opened = match self.take(runtime).await {
            Some(opened) => opened,
            None => OpenedConnection { connection: self.pool.acquire().await?, runtime, at: Instant::now() },
        };
        Ok(Connection { opened: Some(opened), ended_well: true, kept: Arc::clone(&self.kept), _place: place })
    }

    /// A connection that is kept here and is still good. What is not is closed, which leaves room for another in sqlx's pool.
    async fn take(&self, runtime: Id) -> Option<OpenedConnection> {
        loop {
            let mut taken = self.take_idle(runtime)?;
            let idle = taken.since.elapsed();
            let is_usable = self.freshness.is_current(taken.connection.at.elapsed()) && idle < IDLE_MAX;
            if is_usable && self.freshness.is_fresh(idle) {
                return Some(taken.connection);
            }
            if is_usable && answers(&mut taken.connection.connection, TRY_TIMEOUT).await.is_ok() {
                return Some(taken.connection);
            }
            taken.connection.connection.close_on_drop();
            if is_usable {
                self.close_idle_since(taken.since);
            }
        }
    }

    /// Closes those that have been idle for as long as one that is broken: trying each of them would take too long.
    fn close_idle_since(&self, since: Instant) {
        let as_long =
            |idle: &mut IdleConnection| idle.since <= since || !self.freshness.is_fresh(idle.since.elapsed());
        for mut idle in lock(&self.kept).idle.extract_if(.., as_long) {
            idle.connection.connection.close_on_drop();
        }
    }

    /// A connection that is kept here, of this runtime where possible; of another one only when no more may be opened.
    fn take_idle(&self, runtime: Id) -> Option<IdleConnection> {
        let idle = &mut lock(&self.kept).idle;
        // A caller with a place has a connection, or will be given one by sqlx's pool. There must be room for all of them
        // beside those that are idle here, or nothing would ever wake the one too many.
        let in_use = self.places.taken();
        let may_open = idle.len() + in_use <= self.most;
        let ours = idle.iter().rposition(|idle| idle.connection.runtime == runtime);
        let place = ours.or_else(|| idle.len().checked_sub(1).filter(|_| !may_open))?;
        Some(idle.swap_remove(place))
    }

    /// All connections are opened anew before they are used again. Says whether that was not done a moment ago already:
    /// then doing it again is of no use.
    pub(super) fn recycle_all(&self) -> bool {
        self.freshness.recycle_all()
    }

    /// A connection was lost: those that are idle are tried before they are used.
    pub(super) fn suspect_idle(&self) {
        *instant(&self.freshness.suspected) = Some(Instant::now());
    }

    /// A source of one more connection that is opened like ours, but is none of them.
    pub(super) fn one_apart(&self, application_name: &str) -> PgPool {
        let options = (*self.pool.connect_options()).clone().application_name(application_name);
        PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(self.acquire_timeout)
            .connect_lazy_with(options)
    }

    /// Opens a connection like ours and closes it.
    pub(super) async fn connect_once(&self) -> Result<(), StoreError> {
        let connection = PgConnection::connect_with(&self.pool.connect_options()).await?;
        Ok(connection.close().await?)
    }

    /// Closes all connections once their statements are done.
    pub(super) async fn close(&self) {
        {
            let mut kept = lock(&self.kept);
            kept.closed = true;
            // Closed, not given back: the runtime that reads such a connection's socket may be gone, and sqlx's pool would
            // ask it whether it is still good.
            for mut idle in kept.idle.drain(..) {
                idle.connection.connection.close_on_drop();
            }
        }
        self.pool.close().await;
    }

    /// How many connections are in use and idle.
    pub(super) fn counts(&self) -> ConnectionCounts {
        let in_use = self.places.taken();
        let opened = usize::try_from(self.pool.size()).unwrap_or(usize::MAX);
        ConnectionCounts { in_use, idle: opened.saturating_sub(in_use), most: self.most }
    }

    /// How many connections are kept here, and how many there are.
    #[cfg(test)]
    pub(super) fn kept_of_opened(&self) -> (usize, u32) {
        (lock(&self.kept).idle.len(), self.pool.size())
    }
}

impl Freshness {
    fn recycle_all(&self) -> bool {
        let mut since = instant(&self.recycled);
        let is_due = since.is_none_or(|since| since.elapsed() > RECYCLE_PAUSE);
        if is_due {
            *since = Some(Instant::now());
        }
        is_due
    }

    /// Whether a connection of this age is still used: it was opened since all were recycled.
    fn is_current(&self, age: Duration) -> bool {
        instant(&self.recycled).is_none_or(|since| age <= since.elapsed())
    }

    /// Whether a connection that was idle so long is used without being tried.
    fn is_fresh(&self, idle: Duration) -> bool {
        idle < FRESH_IDLE && instant(&self.suspected).is_none_or(|since| idle < since.elapsed())
    }
}

impl Connection {
    /// For one statement, which says how it ends.
    pub(super) fn begin_statement(&mut self) -> Result<(&mut PgConnection, StatementEnd<'_>), sqlx::Error> {
        let had_ended_well = std::mem::take(&mut self.ended_well);
        let opened = self.opened.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        Ok((&mut opened.connection, StatementEnd { ended_well: &mut self.ended_well, had_ended_well }))
    }

    /// For what is more than a statement: a transaction of several, or the migrations. It may be left in the middle of
    /// them, so sqlx's pool gets the connection back, which asks.
    pub(super) fn begin_several_statements(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.begin_statement().map(|(connection, _never_well)| connection)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(opened) = self.opened.take() else { return };
        if self.ended_well && opened.at.elapsed() < AGE_MAX {
            let mut kept = lock(&self.kept);
            if !kept.closed {
                kept.idle.push(IdleConnection { connection: opened, since: Instant::now() });
            }
        }
    }
}

/// Asks Postgres for a sign of life, but not for ever.
async fn answers(connection: &mut PgConnection, within: Duration) -> Result<(), sqlx::Error> {
    tokio::time::timeout(within, connection.ping()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

fn lock(kept: &Mutex<IdleConnections>) -> MutexGuard<'_, IdleConnections> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn instant(at: &Mutex<Option<Instant>>) -> MutexGuard<'_, Option<Instant>> {
    at.lock().unwrap_or_else(PoisonError::into_inner)
}
