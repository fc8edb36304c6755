//! Sets the stage, plays the script, and strikes the stage.

use std::path::PathBuf;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::script::Script;
use super::stage::DemoStage;
use crate::command::printing::say;
use crate::config::{LogFilter, LogFormat, TelemetrySettings};

/// How to show it.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArguments {
    /// End when everything was shown: with status 0, or 1 if a step did not go as expected
    #[arg(long)]
    exit: bool,
    /// Keep the database, the API key and the port in this folder; without it, they go to a temporary one that is removed at
    /// the end. The simulated Graph forgets its meetings all the same
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// The port of the service; by default the one of the last start with --data, else one that is free
    #[arg(long, value_name = "N")]
    pub(super) port: Option<u16>,
    /// Where PostgreSQL's programs are, if not where programs usually are
    #[arg(long, value_name = "DIR")]
    pub(super) postgres_programs: Option<PathBuf>,
    /// A mirror of the releases of github.com/theseus-rs/postgresql-binaries, to fetch PostgreSQL's programs from where
    /// this machine has none
    #[arg(long, value_name = "URL", env = "POSTGRES_RELEASES_URL")]
    pub(super) postgres_releases: Option<String>,
}

/// Shows it.
pub(crate) async fn run(arguments: DemoArguments) -> anyhow::Result<ExitCode> {
    // What the demo provokes on purpose would only be in the way here.
    let log_filter = LogFilter::parse("off").map_err(anyhow::Error::msg)?;
    let telemetry =
        TelemetrySettings { log_format: LogFormat::Pretty, log_filter, ..TelemetrySettings::default() };
    crate::telemetry::start_logs(&telemetry, "demo")?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    say!("Starting Postgres, a simulated Microsoft Graph, and the service …");
    let stage = DemoStage::set(&arguments).await?;
    stage.describe();
    let script = Script::new(&stage)?;
    let as_expected = tokio::select! {
        as_expected = script.play() => as_expected?,
        _ = terminate.recv() => false,
        _ = interrupt.recv() => false,
    };
    let status = if as_expected { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if as_expected {
        say!("\nEvery step went as expected.");
    } else {
        say!("\nNot every step went as expected.");
    }
    if !arguments.exit {
        script.invite();
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
    stage.strike().await?;
    Ok(status)
}
