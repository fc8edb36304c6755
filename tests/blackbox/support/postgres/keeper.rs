//! The one session that creates and drops the databases of this process, one after another.
//!
//! It has a thread of its own because a test's runtime ends with the test. The session holds an advisory lock in the
//! name of this run; databases whose run holds no lock were left by a process that was killed, and are dropped.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use meeting_provisioner::clock::{Clock, SystemClock};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::{mpsc, oneshot};

/// All our databases are called `<PREFIX><run>_<number>`, and our roles `<PREFIX><run>`.
const PREFIX: &str = "meeting_provisioner_test_";

/// The first half of our advisory locks' key; the second is the run.
const LOCK_CLASS: i32 = 0x6d70;

/// A handle to the session.
pub struct Keeper {
    run: i32,
    role: String,
    requests: mpsc::UnboundedSender<KeeperRequest>,
}

#[derive(Debug)]
enum KeeperRequest {
    Create { statement: String, done: oneshot::Sender<sqlx::Result<()>> },
    Drop { name: String, done: SyncSender<()> },
}

impl Keeper {
    /// Connects, takes the lock of this run and drops what dead runs have left.
    pub async fn start(url: String) -> Result<Self, String> {
        let run = i32::from_be_bytes(SystemClock.fresh_id().as_bytes()[12..].try_into().expect("4 bytes"));
        let run = run & i32::MAX;
        let role = format!("{PREFIX}{run}");
        let create_role = format!("CREATE ROLE {role} LOGIN PASSWORD '{role}'");
        let (requests, incoming) = mpsc::unbounded_channel();
        let (started, outcome) = oneshot::channel();
        thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
            runtime.block_on(async {
                match open(&url, run, create_role).await {
                    Ok(session) => {
                        let _receiver_is_gone = started.send(Ok(()));
                        serve(session, incoming).await;
                    }
                    Err(error) => {
                        let _receiver_is_gone = started.send(Err(format!("the tests' Postgres: {error}")));
                    }
                }
            });
        });
        outcome.await.unwrap_or_else(|_| Err("the keeper of the tests' databases panicked".to_owned()))?;
        Ok(Self { run, role, requests })
    }

    /// The role of this run as which the service under test connects.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// The name of a database of this run.
    pub fn name(&self, number: u32) -> String {
        format!("{PREFIX}{}_{number}", self.run)
    }

    /// Creates a database, as a clone if there is a template.
    pub async fn create(&self, name: &str, template: Option<&str>) {
        // From PostgreSQL 15 on a clone goes through the write-ahead log, which is the quicker way for a small one.
        let template = template.unwrap_or("template0");
        let statement = format!("CREATE DATABASE {name} TEMPLATE {template}");
        let (done, outcome) = oneshot::channel();
        self.requests.send(KeeperRequest::Create { statement, done }).expect("the keeper is there");
        outcome.await.expect("the keeper answers").expect("creating a test's database");
    }

    /// Drops a database; blocks until it is gone, for the process may end with the test.
    pub fn drop_database(&self, name: &str) {
        let (done, outcome) = sync_channel(1);
        let _keeper_is_gone = self.requests.send(KeeperRequest::Drop { name: name.to_owned(), done });
        let _keeper_is_gone = outcome.recv();
    }
}

async fn open(url: &str, run: i32, create_role: String) -> sqlx::Result<PgConnection> {
    let mut session = PgConnection::connect(url).await?;
    assert!(lock(&mut session, run).await?, "run {run} is taken");
    drop_what_dead_runs_left(&mut session).await?;
    sqlx::raw_sql(AssertSqlSafe(create_role)).execute(&mut session).await?;
    Ok(session)
}

async fn serve(mut session: PgConnection, mut incoming: mpsc::UnboundedReceiver<KeeperRequest>) {
    while let Some(request) = incoming.recv().await {
        match request {
            KeeperRequest::Create { statement, done } => {
                let outcome = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut session).await;
                let _receiver_is_gone = done.send(outcome.map(drop));
            }
            KeeperRequest::Drop { name, done } => {
                drop_database(&mut session, &name).await.expect("dropping a test's database");
                let _receiver_is_gone = done.send(());
            }
        }
    }
}

async fn drop_database(session: &mut PgConnection, name: &str) -> sqlx::Result<()> {
    let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(session).await.map(drop)
}

async fn lock(session: &mut PgConnection, run: i32) -> sqlx::Result<bool> {
    let statement = "SELECT pg_try_advisory_lock($1, $2)";
    sqlx::query_scalar(statement).bind(LOCK_CLASS).bind(run).fetch_one(session).await
}

async fn unlock(session: &mut PgConnection, run: i32) -> sqlx::Result<()> {
    let statement = "SELECT pg_advisory_unlock($1, $2)";
    sqlx::query(statement).bind(LOCK_CLASS).bind(run).execute(session).await.map(drop)
}

async fn drop_what_dead_runs_left(session: &mut PgConnection) -> sqlx::Result<()> {
    let statement = "SELECT datname::text FROM pg_database WHERE datname ^@ $1 ORDER BY datname";
    let names: Vec<String> = sqlx::query_scalar(statement).bind(PREFIX).fetch_all(&mut *session).await?;
    for name in names {
        let Some(run) = run_of(&name) else { continue };
        if lock(session, run).await? {
            drop_database(session, &name).await?;
            unlock(session, run).await?;
        }
    }
    // Their roles have privileges nowhere else, so they can go once the databases have.
    let statement = "SELECT rolname::text FROM pg_roles WHERE rolname ^@ $1 ORDER BY rolname";
    let roles: Vec<String> = sqlx::query_scalar(statement).bind(PREFIX).fetch_all(&mut *session).await?;
    for role in roles {
        let Some(run) = role.strip_prefix(PREFIX).and_then(|run| run.parse().ok()) else { continue };
        if lock(session, run).await? {
            let statement = format!("DROP ROLE IF EXISTS {role}");
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *session).await?;
            unlock(session, run).await?;
        }
    }
    Ok(())
}

fn run_of(name: &str) -> Option<i32> {
    let (run, _number) = name.strip_prefix(PREFIX)?.split_once('_')?;
    run.parse().ok()
}
