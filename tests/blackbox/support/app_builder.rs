//! What a test's service is started with.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use meeting_provisioner::clock::{Clock, ManualClock, SystemClock, Timestamp};
use meeting_provisioner::msgraph_simulator::{Simulator, SimulatorSettings};
use secrecy::ExposeSecret;
use time::macros::datetime;

use super::app::{Surroundings, TestApp};
use super::keys::write_keys;
use super::postgres::fresh_database;
use super::postgres_proxy::PostgresProxy;
use super::settings_file::SettingsFile;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The time at which the clock of a test stands at first.
const START: Timestamp = datetime!(2026-11-23 08:00 UTC);

/// Starts a service under test; the options combine.
#[derive(Default)]
#[must_use = "a builder starts nothing until start() is called"]
pub struct TestAppBuilder {
    settings: Vec<(String, String)>,
    settings_file: String,
    is_out_of_reach: bool,
    api_keys: String,
    is_behind_proxy: bool,
    starts_before_now: Option<Duration>,
}

impl TestAppBuilder {
    /// One setting, by the name of its environment variable without the prefix; `{simulator}` in it stands for the simulator's
    /// root URL.
    pub fn setting(self, name: &str, value: &str) -> Self {
        self.settings(&[(name, value)])
    }

    /// Several settings, by the names of their environment variables without the prefix.
    pub fn settings(mut self, settings: &[(&str, &str)]) -> Self {
        self.settings.extend(settings.iter().map(|(name, value)| (prefixed(name), (*value).to_owned())));
        self
    }

    /// An empty database of another server, which the service owns and migrates. The clock starts at the real time, for there
    /// the schema compares it with the server's.
    pub fn own_server(self, url: &str) -> Self {
        self.at_real_time().settings(&[("DATABASE__URL", url), ("DATABASE__MIGRATE", "true")])
    }

    /// A settings file with this text beside what each source system may ask for. Environment variables override it.
    pub fn settings_file(mut self, text: &str) -> Self {
        text.clone_into(&mut self.settings_file);
        self
    }

    /// No source system may ask for anything but what the settings file says.
    pub fn out_of_reach(mut self) -> Self {
        self.is_out_of_reach = true;
        self
    }

    /// More API keys than those of [`super::Who`], as blocks of the keys' file.
    pub fn api_keys(mut self, blocks: &str) -> Self {
        self.api_keys.push_str(blocks);
        self
    }

    /// The service reaches its database through a proxy, which can break its connections. The `pool` of the test
    /// does not.
    pub fn behind_proxy(mut self) -> Self {
        self.is_behind_proxy = true;
        self
    }

    /// The test's clock starts at the real time, for tests with processes of their own, which know no other clock.
    /// It still moves only when the test moves it.
    pub fn at_real_time(self) -> Self {
        self.before_real_time(Duration::ZERO)
    }

    /// The same, so long ago.
    pub fn before_real_time(mut self, ago: Duration) -> Self {
        self.starts_before_now = Some(ago);
        self
    }

    /// Starts the service, with a database and a simulator of its own. It connects as the role of `deploy/grants.sql`, as
    /// docs/OPERATING.md advises; the owner has migrated.
    pub async fn start(self) -> TestApp {
        let now = self.starts_before_now.map_or(START, |ago| SystemClock.now() - ago);
        let clock = Arc::new(ManualClock::at(now));
        let simulator_clock: Arc<dyn Clock> = clock.clone();
        let simulator = Simulator::start(SimulatorSettings { clock: simulator_clock, ..Default::default() });
        let simulator = Arc::new(simulator.await.unwrap());
        let database = Arc::new(fresh_database(&MIGRATOR).await);
        let proxy = if self.is_behind_proxy {
            Some(Arc::new(PostgresProxy::in_front_of(&database.service_url).await))
        } else {
            None
        };
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let reach = if self.is_out_of_reach { BTreeSet::new() } else { source_systems(&self.api_keys) };
        let file = SettingsFile::new(folder.path(), reach);
        file.write(&self.settings_file);
        let keys = write_keys(folder.path(), &self.api_keys);
        let database_url = proxy.as_ref().map_or(database.service_url.as_str(), |proxy| proxy.url());
        let mut environment = default_settings(&simulator, database_url, keys.to_str().unwrap());
        environment.push(file.variable());
        let root_url = simulator.graph_root_url();
        let settings = self.settings.into_iter();
        environment.extend(settings.map(|(name, value)| (name, value.replace("{simulator}", root_url))));
        let surroundings =
            Surroundings { simulator, clock, database, proxy, _folder: folder, file, environment };
        TestApp::assemble(surroundings).await
    }
}

/// The source systems of the tests' callers, and of more keys.
fn source_systems(api_keys: &str) -> BTreeSet<String> {
    let more: toml::Table = api_keys.parse().unwrap();
    let blocks = more.get("api_key").and_then(toml::Value::as_array).into_iter().flatten();
    let more = blocks.filter_map(|block| block.get("source_system")?.as_str());
    ["room-booking", "crm"].into_iter().chain(more).map(str::to_owned).collect()
}

fn default_settings(simulator: &Simulator, database_url: &str, keys_file: &str) -> Vec<(String, String)> {
    let settings = simulator.settings();
    [
        ("HTTP__ADDRESS", "127.0.0.1:0"),
        ("HTTP__ADMIN_ADDRESS", "127.0.0.1:0"),
        ("HTTP__SHUTDOWN_SECONDS", "5"),
        ("HTTP__DRAIN_SECONDS", "0"),
        ("DATABASE__URL", database_url),
        ("DATABASE__CONNECTIONS_MAX", "4"),
        ("DATABASE__MIGRATE", "false"),
        ("GRAPH__TENANT_ID", &settings.tenant_id),
        ("GRAPH__CLIENT_ID", &settings.client_id),
        ("GRAPH__CLIENT_SECRET", settings.client_secret.expose_secret()),
        ("GRAPH__ROOT_URL", simulator.graph_root_url()),
        ("GRAPH__LOGIN_URL", simulator.login_url()),
        ("ACCESS__API_KEYS_FILE", keys_file),
    ]
    .map(|(name, value)| (prefixed(name), value.to_owned()))
    .into()
}

pub(super) fn prefixed(name: &str) -> String {
    format!("MEETING_PROVISIONER__{name}")
}
