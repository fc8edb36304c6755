//! The connections that are kept between statements.
//!
//! sqlx's own pool asks Postgres after each use whether the connection is still good, from a task of its own. That is
//! a second round trip for every statement, and statements are most of what a booking costs. Here a connection whose
//! statement has ended well is kept as it is; any other is left to sqlx's pool, which asks. sqlx's pool makes and
//! closes all connections; what is kept here is in use as far as it knows.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Postgres};
use tokio::runtime::{Handle, Id};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A connection that has rested this long is tried before it is used: a server that restarted has closed it.
const FRESH_IDLE: Duration = Duration::from_secs(1);
/// How long a connection may take to answer whether it is still good.
const ASKED_TIMEOUT: Duration = Duration::from_secs(3);
/// Connections are renewed no more often than this, however often Postgres says that it takes no writes.
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
    /// One for each connection that may be in use: whoever holds one finds a connection kept here, or room in sqlx's
    /// pool.
    permits: Arc<Semaphore>,
    kept: Arc<Mutex<IdleConnections>>,
    freshness: Arc<Freshness>,
}

/// How far connections are trusted.
#[derive(Debug, Default)]
struct Freshness {
    /// Those made before this are replaced when their turn comes.
    renewed: Mutex<Option<Instant>>,
    /// Those that rest since before this are tried when their turn comes: one was lost, and others may be.
    suspected: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct IdleConnections {
    resting: Vec<IdleConnection>,
    closed: bool,
}

#[derive(Debug)]
struct IdleConnection {
    connection: OpenedConnection,
    since: Instant,
}

/// A connection and the runtime that made it: its socket wakes that runtime, so whoever waits for an answer on another
/// one is told by a detour over two threads.
#[derive(Debug)]
struct OpenedConnection {
    connection: PoolConnection<Postgres>,
    runtime: Id,
    at: Instant,
}

/// A connection in use.
#[derive(Debug)]
pub(super) struct Connection {
    opened: OpenedConnection,
    kept: Arc<Mutex<IdleConnections>>,
    permit: OwnedSemaphorePermit,
}

impl Connections {
    /// Connections that sqlx's pool makes, at most as many as it may have.
    pub(super) fn open(options: PgConnectOptions, most: u32, acquire_timeout: Duration) -> Self {
        let freshness = Arc::new(Freshness::default());
        let fresh = Arc::clone(&freshness);
        let pool = PgPoolOptions::new()
            .max_connections(most)
            .acquire_timeout(acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(move |connection, meta| {
                let (is_good, is_trusted) = (fresh.keeps(meta.age), fresh.is_fresh(meta.idle_for));
                Box::pin(async move {
                    if is_good && !is_trusted {
                        connection.ping().await?;
                    }
                    Ok(is_good)
                })
            })
            // sqlx would ask, too, but wait for the answer for ever.
            .after_release(|connection, _| {
                Box::pin(async move {
                    let asked = tokio::time::timeout(ASKED_TIMEOUT, connection.ping()).await;
                    asked.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|()| true)
                })
            })
            .connect_lazy_with(options);
        Self::of(pool, freshness)
    }

    fn of(pool: PgPool, freshness: Arc<Freshness>) -> Self {
        let options = pool.options();
        let most = usize::try_from(options.get_max_connections()).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            acquire_timeout: options.get_acquire_timeout(),
            most,
            permits: Arc::new(Semaphore::new(most)),
            kept: Arc::default(),
            freshness,
            pool,
        }
    }

    /// A connection, kept or new.
    pub(super) async fn acquire(&self) -> Result<Connection, sqlx::Error> {
        tokio::time::timeout(self.acquire_timeout, self.kept_or_new())
            .await
            .unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    async fn kept_or_new(&self) -> Result<Connection, sqlx::Error> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let runtime = Handle::current().id();
        let opened = match self.take(runtime).await {
            Some(opened) => opened,
            None => OpenedConnection { connection: self.pool.acquire().await?, runtime, at: Instant::now() },
        };
        Ok(Connection { opened, kept: Arc::clone(&self.kept), permit })
    }

    /// A connection that is kept here, of this runtime where possible; of another one only when no more may be made.
    async fn take(&self, runtime: Id) -> Option<OpenedConnection> {
        let mut resting = {
            let resting = &mut lock(&self.kept).resting;
            // Whoever has a permit has a connection, or will be given one by sqlx's pool. There is room for all of them
            // beside those that rest here, or nobody would ever wake the one too many.
            let in_use = self.most - self.permits.available_permits();
            let may_open = resting.len() + in_use <= self.most;
            let ours = resting.iter().rposition(|resting| resting.connection.runtime == runtime);
            let place = ours.or_else(|| resting.len().checked_sub(1).filter(|_| !may_open))?;
            resting.swap_remove(place)
        };
        if !self.freshness.keeps(resting.connection.at.elapsed()) {
            resting.connection.connection.close_on_drop();
            return None;
        }
        let is_good = self.freshness.is_fresh(resting.since.elapsed())
            || resting.connection.connection.ping().await.is_ok();
        // What is dropped here goes back to sqlx's pool, which closes what is broken or old.
        is_good.then_some(resting.connection)
    }

    /// All connections are made anew before they are used again. Says whether that was not done a moment ago already:
    /// then it is of no use.
    pub(super) fn recycle_all(&self) -> bool {
        self.freshness.recycle_all()
    }

    /// A connection was lost: those that rest are tried before they are used.
    pub(super) fn suspect_idle(&self) {
        *instant(&self.freshness.suspected) = Some(Instant::now());
    }

    /// Where one more connection comes from that is made like ours, but is none of them.
    pub(super) fn one_apart(&self, application_name: &str) -> PgPool {
        let options = (*self.pool.connect_options()).clone().application_name(application_name);
        PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(self.acquire_timeout)
            .connect_lazy_with(options)
    }

    /// Closes all connections once their statements are done.
    pub(super) async fn close(&self) {
        self.permits.close();
        {
            let mut kept = lock(&self.kept);
            kept.closed = true;
            kept.resting.clear();
        }
        self.pool.close().await;
    }
}

impl Freshness {
    fn recycle_all(&self) -> bool {
        let mut since = instant(&self.renewed);
        let is_due = since.is_none_or(|since| since.elapsed() > RECYCLE_PAUSE);
        if is_due {
            *since = Some(Instant::now());
        }
        is_due
    }

    /// Whether a connection of this age is still used.
    fn keeps(&self, age: Duration) -> bool {
        instant(&self.renewed).is_none_or(|since| age <= since.elapsed())
    }

    /// Whether a connection that rested so long is used without being tried.
    fn is_fresh(&self, rested: Duration) -> bool {
        rested < FRESH_IDLE && instant(&self.suspected).is_none_or(|since| rested < since.elapsed())
    }
}

impl Connection {
    /// The statement has ended well: the connection is kept for the next one.
    pub(super) fn done(self) {
        let Self { opened, kept, permit } = self;
        if opened.at.elapsed() < AGE_MAX {
            let mut kept = lock(&kept);
            if !kept.closed {
                kept.resting.push(IdleConnection { connection: opened, since: Instant::now() });
            }
        }
        // Whoever gets the permit finds the connection.
        drop(permit);
    }
}

impl Deref for Connection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.opened.connection
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.opened.connection
    }
}

fn lock(kept: &Mutex<IdleConnections>) -> MutexGuard<'_, IdleConnections> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn instant(at: &Mutex<Option<Instant>>) -> MutexGuard<'_, Option<Instant>> {
    at.lock().unwrap_or_else(PoisonError::into_inner)
}
