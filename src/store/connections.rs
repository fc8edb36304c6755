//! The connections that are kept between statements.
//!
//! sqlx's own pool asks Postgres after each use whether the connection is still good, from a task of its own. That is
//! a second round trip for every statement, and statements are most of what a booking costs. Here a connection whose
//! statement has ended well is kept as it is; any other is left to sqlx's pool, which asks. sqlx's pool makes and
//! closes all connections; what is kept here is in use as far as it knows.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Postgres};
use tokio::runtime::{Handle, Id};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A connection that has rested this long is tried before it is used: a server that restarted has closed it.
pub(super) const TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// A connection is kept no longer than this; sqlx's pool then replaces it.
const AGE_MAX: Duration = Duration::from_mins(25);

/// Connections to one database. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    pool: PgPool,
    acquire_timeout: Duration,
    /// One for each connection that may be in use: whoever holds one finds a connection kept here, or room in sqlx's
    /// pool.
    permits: Arc<Semaphore>,
    kept: Arc<Mutex<Kept>>,
    /// How many connections there are, in use or kept, and how many there may be.
    opened: Arc<AtomicUsize>,
    most: usize,
}

#[derive(Debug, Default)]
struct Kept {
    resting: Vec<Resting>,
    closed: bool,
}

#[derive(Debug)]
struct Resting {
    connection: Opened,
    since: Instant,
}

/// A connection and the runtime that made it: its socket wakes that runtime, so whoever waits for an answer on another
/// one is told by a detour over two threads.
#[derive(Debug)]
struct Opened {
    connection: PoolConnection<Postgres>,
    runtime: Id,
    at: Instant,
    _room: Room,
}

/// Room for one connection in sqlx's pool, taken before the connection is made: two that saw the same room would wait for
/// each other's connections in vain.
#[derive(Debug)]
struct Room(Arc<AtomicUsize>);

impl Room {
    fn of(opened: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let one_more = |opened| (opened < most).then_some(opened + 1);
        opened
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more)
            .ok()
            .map(|_| Self(Arc::clone(opened)))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What somebody with a permit finds.
#[derive(Debug)]
enum Found {
    Resting(Resting),
    Room(Room),
}

/// A connection in use.
#[derive(Debug)]
pub(super) struct Connection {
    opened: Opened,
    kept: Arc<Mutex<Kept>>,
    permit: OwnedSemaphorePermit,
}

impl Connections {
    /// Connections that this pool makes, at most as many as it may have.
    pub(super) fn of(pool: PgPool) -> Self {
        let options = pool.options();
        let most = usize::try_from(options.get_max_connections()).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            acquire_timeout: options.get_acquire_timeout(),
            permits: Arc::new(Semaphore::new(most)),
            kept: Arc::default(),
            opened: Arc::default(),
            most,
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
        loop {
            let opened = match self.find(runtime) {
                Some(Found::Room(room)) => {
                    let connection = self.pool.acquire().await?;
                    Opened { connection, runtime, at: Instant::now(), _room: room }
                }
                Some(Found::Resting(mut resting)) => {
                    let is_trusted = resting.since.elapsed() < TRUSTED_IDLE;
                    if !is_trusted && resting.connection.connection.ping().await.is_err() {
                        // What is dropped here goes back to sqlx's pool, which closes what is broken.
                        continue;
                    }
                    resting.connection
                }
                // Somebody is about to put one back, or to make room.
                None => {
                    tokio::task::yield_now().await;
                    continue;
                }
            };
            return Ok(Connection { opened, kept: Arc::clone(&self.kept), permit });
        }
    }

    /// A connection that is kept here, of this runtime where there is one; else room for another; else any that is kept.
    /// Whoever has a permit finds one of them.
    fn find(&self, runtime: Id) -> Option<Found> {
        let resting = &mut lock(&self.kept).resting;
        let ours = resting.iter().rposition(|resting| resting.connection.runtime == runtime);
        if let Some(place) = ours {
            return Some(Found::Resting(resting.swap_remove(place)));
        }
        let room = Room::of(&self.opened, self.most).map(Found::Room);
        room.or_else(|| resting.pop().map(Found::Resting))
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

impl Connection {
    /// The statement has ended well: the connection is kept for the next one.
    pub(super) fn done(self) {
        let Self { opened, kept, permit } = self;
        {
            let mut kept = lock(&kept);
            if !kept.closed && opened.at.elapsed() < AGE_MAX {
                kept.resting.push(Resting { connection: opened, since: Instant::now() });
            } else {
                drop(opened);
            }
        }
        // Not before: whoever gets the permit finds the connection, or its room.
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

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
