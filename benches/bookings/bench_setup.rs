//! What the benchmark runs on: a Postgres, the Graph simulator, and the program in a process of its own.

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use meeting_provisioner::config::process_search_path;
use meeting_provisioner::local_postgres::{LocalPostgres, LocalPostgresSettings};
use meeting_provisioner::msgraph_simulator::{
    Effect, InjectedFault, Operation, Simulator, SimulatorSettings,
};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::program::Program;

/// The key of the one caller; it is good for this benchmark's service only.
pub const KEY: &str = "mpk_for-the-benchmark-for-the-benchmark-for-the-b";
/// The key of another source system, whose bookings fail.
pub const POISONED_KEY: &str = "mpk_whose-bookings-fail-in-the-benchmark-always--";
/// The key of an auditor, who sees the bookings and the history of all.
pub const AUDITOR_KEY: &str = "mpk_that-reads-everything-in-the-benchmark-------";
/// The longest that the service may take to be ready.
const READY_LIMIT: Duration = Duration::from_secs(10);

/// Everything but the service.
pub struct BenchSetup {
    /// Drives the simulator.
    runtime: Runtime,
    simulator: Simulator,
    /// The database server.
    pub postgres: LocalPostgres,
    /// Another one, with rows.
    filled_database: Option<String>,
    folder: TempDir,
    /// What the service may open of it; the default if it is not set.
    database_connections: Option<u32>,
    /// How many bookings were sent with this setup that were answered 201 outside of any load.
    pub sent_alone: Cell<u64>,
}

impl BenchSetup {
    /// Starts everything but the service.
    pub fn start(database_connections: Option<u32>, filled_database: Option<String>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        // The ledger's calls would only be copied here; its counts are exact without them.
        let settings = SimulatorSettings { calls_kept_max: 0, ..SimulatorSettings::default() };
        let simulator = runtime.block_on(Simulator::start(settings))?;
        let settings = LocalPostgresSettings { search_path: process_search_path(), ..Default::default() };
        let postgres = LocalPostgres::start(&settings)?;
        let folder = tempfile::tempdir()?;
        let mut keys = String::new();
        for (name, key, role) in [
            ("benchmark", KEY, "bookings.write"),
            ("poisoned", POISONED_KEY, "bookings.write"),
            ("auditor", AUDITOR_KEY, "audit.read"),
        ] {
            let mut digest = String::new();
            for byte in Sha256::digest(key.as_bytes()) {
                write!(digest, "{byte:02x}")?;
            }
            writeln!(
                keys,
                "[[api_key]]\nname = \"{name}\"\nsource_system = \"{name}\"\nsha256 = \"{digest}\"\n\
                 roles = [\"{role}\"]"
            )?;
        }
        std::fs::write(folder.path().join("keys.toml"), keys)?;
        let reach =
            ["benchmark", "poisoned"].map(|name| format!("[source_system.{name}]\norganizers = [\"*\"]\n"));
        std::fs::write(folder.path().join("config.toml"), reach.concat())?;
        let sent_alone = Cell::new(0);
        Ok(Self { runtime, simulator, postgres, filled_database, folder, database_connections, sent_alone })
    }

    /// Whether the database is one of this setup's own, and empty at first.
    pub fn is_own_database(&self) -> bool {
        self.filled_database.is_none()
    }

    fn database_url(&self) -> String {
        self.filled_database.clone().unwrap_or_else(|| self.postgres.url("postgres"))
    }

    /// Starts the service and waits until it says that it is ready. Its log goes to a file, as it does in production.
    pub fn start_service(&self) -> anyhow::Result<Program> {
        self.start_service_with(&[])
    }

    /// Lets Graph answer every creation for an organizer with 429 and a second to wait; hands back what counts them.
    pub fn throttle(&self, organizer: &str) -> impl Fn() -> u64 {
        let effect = Effect::ThrottledBeforeWork { retry_after: Some("1".to_owned()) };
        self.simulator
            .inject(InjectedFault::on(Operation::CreateOrGet, effect).for_organizer(organizer).always());
        let made = || u64::try_from(self.simulator.meetings().len()).unwrap_or(u64::MAX);
        move || self.simulator.counts().arrived(Operation::CreateOrGet).saturating_sub(made())
    }

    /// Lets each creation for an organizer fail like this.
    pub fn poison(&self, organizer: &str, effect: Effect) {
        let fault = InjectedFault::on(Operation::CreateOrGet, effect);
        self.simulator.inject(fault.for_organizer(organizer).always());
    }

    /// The same with some settings of its own.
    pub fn start_service_with(&self, own: &[(&'static str, &str)]) -> anyhow::Result<Program> {
        let (address, admin) = (free_address()?, free_address()?);
        let graph = self.simulator.settings();
        let settings = [
            ("HTTP__ADDRESS", address.to_string()),
            ("HTTP__ADMIN_ADDRESS", admin.to_string()),
            ("HTTP__DRAIN_SECONDS", "0".to_owned()),
            ("DATABASE__URL", self.database_url()),
            ("GRAPH__TENANT_ID", graph.tenant_id.clone()),
            ("GRAPH__CLIENT_ID", graph.client_id.clone()),
            ("GRAPH__CLIENT_SECRET", graph.client_secret.expose_secret().to_owned()),
            ("GRAPH__ROOT_URL", self.simulator.graph_root_url().to_owned()),
            ("GRAPH__LOGIN_URL", self.simulator.login_url().to_owned()),
            ("ACCESS__API_KEYS_FILE", self.folder.path().join("keys.toml").display().to_string()),
        ];
        let most = self.database_connections.map(|most| ("DATABASE__CONNECTIONS_MAX", most.to_string()));
        let own = own.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let settings = settings.into_iter().chain(most).chain(own);
        let settings = settings.map(|(name, value)| (format!("MEETING_PROVISIONER__{name}"), value));
        let log = File::create(self.folder.path().join(format!("service-{}.log", address.port())))?;
        let began = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_meeting-provisioner"))
            .args(["serve".as_ref(), "--config".as_ref(), self.folder.path().join("config.toml").as_os_str()])
            .env_clear()
            .envs(settings)
            .stdin(Stdio::null())
            .stdout(log)
            .spawn()?;
        Program::ready(child, address, admin, began, READY_LIMIT)
    }

    /// From now on Graph takes so long for each meeting.
    pub fn slow_down_graph(&self, milliseconds: u64) {
        let effect = Effect::SlowBeforeWork { milliseconds };
        self.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect).always());
    }

    /// From now on Graph makes no meeting and says to come back after so long.
    pub fn throttle_graph(&self, seconds: u64) {
        let effect = Effect::ThrottledBeforeWork { retry_after: Some(seconds.to_string()) };
        self.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect).always());
    }

    /// Graph answers the next so many creations like that.
    pub fn throttle_graph_times(&self, seconds: u64, times: u32) {
        let effect = Effect::ThrottledBeforeWork { retry_after: Some(seconds.to_string()) };
        self.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect).times(times));
    }

    /// How many meetings Graph holds.
    pub fn meetings(&self) -> usize {
        self.simulator.meetings().len()
    }

    /// From now on Graph answers at once.
    pub fn speed_up_graph(&self) {
        self.simulator.clear_faults();
    }

    /// Runs one statement in a session of its own.
    pub fn execute(&self, statement: &str) -> anyhow::Result<()> {
        self.runtime.block_on(async {
            let mut connection = PgConnection::connect(&self.database_url()).await?;
            sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await?;
            Ok(connection.close().await?)
        })
    }

    /// Runs one query in a session of its own that says texts.
    pub fn ask_texts(&self, query: &'static str) -> anyhow::Result<Vec<String>> {
        self.runtime.block_on(async {
            let mut connection = PgConnection::connect(&self.database_url()).await?;
            let found = sqlx::query_scalar(query).fetch_all(&mut connection).await?;
            connection.close().await?;
            Ok(found)
        })
    }

    /// Runs one query in a session of its own that says numbers.
    pub fn ask(&self, query: &'static str) -> anyhow::Result<Vec<f64>> {
        self.runtime.block_on(async {
            let mut connection = PgConnection::connect(&self.database_url()).await?;
            let found = sqlx::query_scalar(query).fetch_all(&mut connection).await?;
            connection.close().await?;
            Ok(found)
        })
    }

    /// That every booking that was answered with 201 is in the database, provisioned, with a meeting of its own, and
    /// that the simulator was asked for as many meetings, and holds as many.
    pub fn check_one_meeting_per_booking(&self, booked: u64) -> anyhow::Result<String> {
        let answered = booked + self.sent_alone.get();
        let (rows, meetings, events): (i64, i64, i64) = self.runtime.block_on(async {
            let mut connection = PgConnection::connect(&self.database_url()).await?;
            sqlx::query_as(
                "select count(*), count(distinct meeting_id),
                    (select count(*) from audit_event where booking_id like 'B-%')
                 from booking where booking_id like 'B-%' and status = 'provisioned'",
            )
            .fetch_one(&mut connection)
            .await
        })?;
        let at_graph = self.simulator.meetings().len();
        let asked = self.simulator.counts().arrived(Operation::CreateOrGet);
        let found = format!(
            "{answered} bookings were answered; the database holds {rows} with {meetings} meetings and {events} \
             audit events; Graph was asked {asked} times and holds {at_graph} meetings."
        );
        let answered = i64::try_from(answered)?;
        ensure!(rows == answered && meetings == answered && events == 2 * answered, "{found}");
        ensure!(i64::try_from(asked)? == answered && i64::try_from(at_graph)? == answered, "{found}");
        Ok(found)
    }
}

/// A port that was free a moment ago; nothing else on this machine is expected to want it.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.local_addr().context("a listener without an address")
}
