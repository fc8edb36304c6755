//! What the storm runs on: Postgres, the simulator, three replicas.

use std::sync::Arc;
use std::time::Duration;

use meeting_provisioner::local_postgres::{LocalPostgres, StopMode};
use meeting_provisioner::msgraph_simulator::{Simulator, SimulatorSettings};
use secrecy::ExposeSecret;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tempfile::TempDir;
use tokio::sync::{Mutex, RwLock};

use crate::keys::write_keys;
use crate::local::local_settings;
use crate::replica_process::{ReplicaProcess, program};
use crate::scale::Scale;
use crate::settings_file::SettingsFile;

const REPLICAS: usize = 3;

/// Everything that runs.
pub struct StormSetup {
    /// Graph, as the replicas see it.
    pub simulator: Simulator,
    /// For looking, when Postgres is there.
    pub pool: PgPool,
    /// The settings of all replicas.
    pub environment: Vec<(String, String)>,
    /// The replicas; none in the place of one that is being started again.
    pub replicas: [Mutex<Option<ReplicaProcess>>; REPLICAS],
    /// Where each replica is, or was.
    pub addresses: [RwLock<String>; REPLICAS],
    postgres: Arc<LocalPostgres>,
    _folder: TempDir,
}

impl StormSetup {
    /// Starts everything.
    pub async fn start(scale: &Scale) -> Self {
        let start = tokio::task::spawn_blocking(|| LocalPostgres::start(&local_settings()));
        let postgres = start.await.unwrap().unwrap_or_else(|error| panic!("{error}"));
        let settings =
            SimulatorSettings { seed: scale.seed, calls_kept_max: 1_000, ..SimulatorSettings::default() };
        let simulator = Simulator::start(settings).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let keys = write_keys(folder.path(), "");
        let database_url = postgres.url("postgres");
        let mut environment = environment(&simulator, &database_url, keys.to_str().unwrap());
        let file = SettingsFile::new(folder.path(), ["room-booking", "crm"].map(str::to_owned).into());
        file.write("");
        environment.push(file.variable());
        let pool = PgPoolOptions::new().max_connections(2).connect_lazy(&database_url).unwrap();
        let setup = Self {
            simulator,
            pool,
            environment,
            replicas: Default::default(),
            addresses: Default::default(),
            postgres: Arc::new(postgres),
            _folder: folder,
        };
        for place in 0..REPLICAS {
            setup.start_replica(place).await;
        }
        setup
    }

    /// Starts the replica of this place.
    pub async fn start_replica(&self, place: usize) {
        let replica = ReplicaProcess::start(&self.environment).await;
        self.addresses[place].write().await.clone_from(&replica.address);
        *self.replicas[place].lock().await = Some(replica);
    }

    /// Kills the replica of this place, in the midst of whatever it does, and starts another one.
    pub async fn kill_replica(&self, place: usize) {
        let replica = self.replicas[place].lock().await.take();
        replica.expect("it is started again after each kill").kill().await;
        self.start_replica(place).await;
    }

    /// Stops Postgres and starts it again.
    pub async fn restart_postgres(&self, mode: StopMode) {
        let postgres = Arc::clone(&self.postgres);
        let stopped = tokio::task::spawn_blocking(move || postgres.stop_server(mode));
        stopped.await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let postgres = Arc::clone(&self.postgres);
        let started = tokio::task::spawn_blocking(move || postgres.start_server_again());
        started.await.unwrap().unwrap();
    }

    /// Runs a command of the program with the replicas' settings; says how it ended and what it printed.
    pub async fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = program(arguments, &self.environment).output().await.unwrap();
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code(), text)
    }

    /// What an operator does after an outage: what waits for its next attempt is due now.
    pub async fn make_due_what_waits(&self) {
        let (status, text) = self.run(&["retry", "--status", "pending,updating,cancelling", "--yes"]).await;
        assert_eq!(status, Some(0), "{text}");
    }

    /// Waits until no booking is due any more.
    pub async fn until_nothing_is_due(&self) {
        let query = "select count(*) from booking where due_at is not null";
        while sqlx::query_scalar::<_, i64>(query).fetch_one(&self.pool).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends it all.
    pub async fn end(&self) {
        for replica in &self.replicas {
            if let Some(replica) = replica.lock().await.take() {
                replica.kill().await;
            }
        }
        self.pool.close().await;
    }
}

/// The leases are as short as the settings' rules allow, so that what a killed replica began is soon taken over.
fn environment(simulator: &Simulator, database_url: &str, keys: &str) -> Vec<(String, String)> {
    let settings = simulator.settings();
    [
        ("HTTP__ADDRESS", "127.0.0.1:0"),
        ("HTTP__ADMIN_ADDRESS", "127.0.0.1:0"),
        ("HTTP__WAIT_DEFAULT_SECONDS", "3"),
        ("DATABASE__URL", database_url),
        ("DATABASE__CONNECTIONS_MAX", "10"),
        ("GRAPH__TENANT_ID", &settings.tenant_id),
        ("GRAPH__CLIENT_ID", &settings.client_id),
        ("GRAPH__CLIENT_SECRET", settings.client_secret.expose_secret()),
        ("GRAPH__ROOT_URL", simulator.graph_root_url()),
        ("GRAPH__LOGIN_URL", simulator.login_url()),
        ("GRAPH__CONNECT_TIMEOUT_SECONDS", "1"),
        ("GRAPH__TIMEOUT_SECONDS", "2"),
        ("WORKER__LEASE_SECONDS", "13"),
        ("WORKER__POLL_SECONDS", "0.2"),
        ("ACCESS__API_KEYS_FILE", keys),
    ]
    .map(|(name, value)| (format!("MEETING_PROVISIONER__{name}"), value.to_owned()))
    .into()
}
