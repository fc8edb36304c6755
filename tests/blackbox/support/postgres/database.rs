//! The databases that tests get.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::OnceCell;
use url::Url;

use super::keeper::Keeper;
use super::server::{Lifetime, Server};

/// One server, its keeper and the template, for the whole process.
struct Cluster {
    server: Server,
    keeper: Keeper,
    template: OnceCell<String>,
    databases: AtomicU32,
}

/// A failure is kept too, so that every test reports it at once.
static CLUSTER: OnceCell<Result<Cluster, String>> = OnceCell::const_new();

/// The privileges of the service's role. The file is for psql, which puts the name of the role in.
const GRANTS: &str = include_str!("../../../../deploy/grants.sql");

/// Most tests have a clock of their own, which stands at another day than that of the server.
const NO_CLOCK: &str = "alter table audit_event drop constraint audit_event_occurred_when_recorded";

/// A database of a test's own. On a server that stays, it is dropped with this value, even if connections are still open.
#[derive(Debug)]
pub struct TestDatabase {
    /// For connecting as the owner of everything in it.
    pub url: String,
    /// For connecting as the role that has no more than `deploy/grants.sql` gives it; where there is no schema, nothing.
    #[allow(dead_code, reason = "not every crate that includes this file connects as that role")]
    pub service_url: String,
    /// The database's name on the server.
    pub name: String,
    cluster: &'static Cluster,
}

/// A database with the schema of `migrator`, which is run once in a process: a later call with another one gets the
/// schema of the first.
pub async fn fresh_database(migrator: &Migrator) -> TestDatabase {
    let cluster = cluster().await;
    let template = cluster.template.get_or_init(|| cluster.migrated_template(migrator)).await;
    cluster.database(Some(template)).await
}

/// A database with nothing in it.
pub async fn empty_database() -> TestDatabase {
    cluster().await.database(None).await
}

async fn cluster() -> &'static Cluster {
    match CLUSTER.get_or_init(Cluster::start).await {
        Ok(cluster) => cluster,
        Err(message) => panic!("{message}"),
    }
}

impl Cluster {
    async fn start() -> Result<Self, String> {
        let server = Server::find().await?;
        let keeper = Keeper::start(server.url.to_string()).await?;
        Ok(Self { server, keeper, template: OnceCell::new(), databases: AtomicU32::new(0) })
    }

    async fn migrated_template(&self, migrator: &Migrator) -> String {
        let name = self.next_name();
        self.keeper.create(&name, None).await;
        let mut connection = PgConnection::connect(self.url(&name).as_str()).await.expect("connecting");
        migrator.run(&mut connection).await.expect("migrating the template");
        // What every role may do would hide that the file of grants lacks something.
        let grants = GRANTS.replace(":\"role\"", self.keeper.role());
        let strict = format!(
            "revoke all on schema public from public; revoke execute on all functions in schema public from public; {grants};
            {NO_CLOCK}"
        );
        let is_ours = sqlx::query_scalar("select to_regclass('booking') is not null");
        if is_ours.fetch_one(&mut connection).await.expect("looking") {
            sqlx::raw_sql(AssertSqlSafe(strict)).execute(&mut connection).await.expect("granting");
        }
        // A database can only be cloned while nothing is connected to it.
        connection.close().await.expect("closing");
        name
    }

    async fn database(&'static self, template: Option<&str>) -> TestDatabase {
        let name = self.next_name();
        self.keeper.create(&name, template).await;
        let url = self.url(&name);
        let service_url = as_role(url.clone(), self.keeper.role());
        TestDatabase { url: url.into(), service_url: service_url.into(), name, cluster: self }
    }

    fn next_name(&self) -> String {
        self.keeper.name(self.databases.fetch_add(1, Ordering::Relaxed))
    }

    fn url(&self, database: &str) -> Url {
        let mut url = self.server.url.clone();
        url.set_path(database);
        url
    }
}

/// The same database as this role, whose password is its name. In the URL of a socket the user is a parameter.
fn as_role(mut url: Url, role: &str) -> Url {
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != "user" && name != "password")
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    url.set_query(None);
    url.query_pairs_mut().extend_pairs(others).append_pair("user", role).append_pair("password", role);
    url
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Cluster").field("url", &self.server.url.as_str()).finish_non_exhaustive()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // A server of ours is thrown away as a whole: dropping there would only cost a checkpoint each time, which
        // is more than all else together.
        if self.cluster.server.lifetime == Lifetime::Longer {
            self.cluster.keeper.drop_database(&self.name);
        }
    }
}
