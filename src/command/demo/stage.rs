//! What the demo plays on: a Postgres, a simulated Graph, the service.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use secrecy::ExposeSecret;

use super::DemoArguments;
use super::demo_folder::DemoFolder;
use crate::access::{Caller, CallerName, Role};
use crate::booking::SourceSystem;
use crate::clock::SystemClock;
use crate::command::printing::say;
use crate::command::{BackgroundWork, Replica};
use crate::config::{Settings, process_cache_dir, process_environment, process_search_path};
use crate::local_postgres::{Download, DownloadProgress, LocalPostgres, LocalPostgresSettings};
use crate::msgraph_simulator::{Simulator, SimulatorSettings};

/// The source system as which the demo books.
const SOURCE_SYSTEM: &str = "room-booking";

/// Everything that runs for the demo.
pub(super) struct DemoStage {
    postgres: Postgres,
    pub(super) simulator: Simulator,
    pub(super) service: Replica,
    /// The key of a caller who may book, read and audit.
    pub(super) key: String,
    // Holds the file of keys as long as the service may look at it.
    folder: DemoFolder,
}

enum Postgres {
    /// One that runs somewhere.
    Given,
    /// One that was started for the demo.
    Started { server: Box<LocalPostgres>, kept_in: Option<PathBuf> },
}

impl DemoStage {
    /// Starts everything.
    pub(super) async fn set(arguments: &DemoArguments) -> anyhow::Result<Self> {
        let (postgres, url) = postgres(arguments).await?;
        let simulator = Simulator::start(SimulatorSettings::default()).await?;
        let folder = DemoFolder::open(postgres.kept_in())?;
        let key = folder.key(Caller {
            name: CallerName::parse("demo").map_err(anyhow::Error::msg)?,
            source_system: SourceSystem::parse(SOURCE_SYSTEM)?,
            roles: [Role::BookingsWrite, Role::AuditRead].into_iter().collect(),
        })?;
        let port = arguments.port.or_else(|| folder.port()).unwrap_or(0);
        let file = folder.write_settings(SOURCE_SYSTEM)?;
        let environment = settings(&simulator, &url, &folder.keys_file().to_string_lossy(), port);
        let settings = Settings::load(Some(&file), environment)?;
        let service = Replica::start(&settings, Arc::new(SystemClock), BackgroundWork::Spawned).await;
        let service = service.context("--port names another port, and --port 0 takes one that is free")?;
        let stage = Self { postgres, simulator, service, key, folder };
        stage.folder.write_env(&stage.exports())?;
        Ok(stage)
    }

    /// What a shell needs to call the service and to steer the simulated Graph.
    pub(super) fn exports(&self) -> String {
        let (service, key) = (self.service.public_address(), &self.key);
        format!("export BASE=http://{service} KEY={key} SIMULATOR=http://{}", self.simulator.address())
    }

    /// The file that holds them, if it is kept.
    pub(super) fn kept_exports(&self) -> Option<PathBuf> {
        self.postgres.kept_in().map(|_| self.folder.env_file())
    }

    /// Says what runs where.
    pub(super) fn describe(&self) {
        let postgres = match &self.postgres {
            Postgres::Given => "as DATABASE_URL says".to_owned(),
            Postgres::Started { server, kept_in } => {
                let place = match kept_in {
                    Some(folder) => format!("data kept in {}", folder.display()),
                    None => "temporary".to_owned(),
                };
                format!("version {}, {place}, {}", server.version_major(), server.url("postgres"))
            }
        };
        say!("");
        say!("  Postgres   {postgres}");
        say!("  Graph      simulated, {}", self.simulator.graph_root_url());
        say!("  Service    http://{}, source system {SOURCE_SYSTEM}", self.service.public_address());
        say!("  Operators  http://{}/metrics", self.service.admin_address());
    }

    /// Stops everything.
    pub(super) async fn strike(self) -> anyhow::Result<()> {
        self.service.stop().await;
        self.simulator.stop().await;
        if let Postgres::Started { server, .. } = self.postgres {
            tokio::task::spawn_blocking(move || server.stop()).await??;
        }
        Ok(())
    }
}

impl Postgres {
    /// The folder in which its data is kept.
    fn kept_in(&self) -> Option<&Path> {
        match self {
            Self::Started { kept_in, .. } => kept_in.as_deref(),
            Self::Given => None,
        }
    }
}

async fn postgres(arguments: &DemoArguments) -> anyhow::Result<(Postgres, String)> {
    let environment = process_environment();
    let given = ["DATABASE_URL", "TEST_DATABASE_URL"].iter().find_map(|name| {
        environment
            .iter()
            .find(|(known, value)| known == name && !value.is_empty())
            .map(|(_, url)| url.clone())
    });
    if let Some(url) = given {
        return Ok((Postgres::Given, url));
    }
    let settings = LocalPostgresSettings {
        binaries_dir: arguments.postgres_programs.clone(),
        search_path: process_search_path(),
        data_dir: arguments.data.clone(),
        download: process_cache_dir().map(|cache_dir| Download {
            cache_dir,
            releases_url: arguments.postgres_releases.clone(),
            tell,
        }),
    };
    let server = tokio::task::spawn_blocking(move || LocalPostgres::start(&settings)).await??;
    let url = server.url("postgres");
    Ok((Postgres::Started { server: Box::new(server), kept_in: arguments.data.clone() }, url))
}

/// Shows a person how a download goes; the bar only at a terminal.
#[expect(clippy::print_stderr, reason = "what the demo shows goes to the other output")]
fn tell(progress: &DownloadProgress<'_>) {
    if std::io::stderr().is_terminal() || matches!(progress, DownloadProgress::Begins { .. }) {
        eprint!("{progress}");
    }
}

/// What the settings file doesn't say, as environment variables.
fn settings(simulator: &Simulator, database_url: &str, keys: &str, port: u16) -> Vec<(String, String)> {
    let graph = simulator.settings();
    [
        ("HTTP__ADDRESS", format!("127.0.0.1:{port}").as_str()),
        ("HTTP__ADMIN_ADDRESS", "127.0.0.1:0"),
        ("HTTP__SHUTDOWN_SECONDS", "5"),
        ("HTTP__DRAIN_SECONDS", "0"),
        ("DATABASE__URL", database_url),
        ("GRAPH__TENANT_ID", &graph.tenant_id),
        ("GRAPH__CLIENT_ID", &graph.client_id),
        ("GRAPH__CLIENT_SECRET", graph.client_secret.expose_secret()),
        ("GRAPH__ROOT_URL", simulator.graph_root_url()),
        ("GRAPH__LOGIN_URL", simulator.login_url()),
        ("ACCESS__API_KEYS_FILE", keys),
    ]
    .map(|(name, value)| (format!("MEETING_PROVISIONER__{name}"), value.to_owned()))
    .into()
}
