//! `serve`: runs the service until it receives SIGTERM or SIGINT, or a part of it breaks off.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::background_loops::{BackgroundWork, LoopEnded};
use super::replica::Replica;
use super::running_replica::machine_name;
use crate::clock::SystemClock;
use crate::config::Settings;

/// Serves until SIGTERM or SIGINT; exit status 1 where a background loop has ended before.
pub(super) async fn run(config_file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let settings = Settings::from_process(config_file)?;
    crate::telemetry::start_logs(&settings.telemetry, &machine_name())?;
    for unused in &settings.unused_names {
        tracing::warn!("{unused}");
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut service = tokio::select! {
        service = Replica::start(&settings, Arc::new(SystemClock), BackgroundWork::Spawned) => service?,
        _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
        _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
    };
    tracing::info!(
        address = %service.public_address(),
        admin_address = %service.admin_address(),
        version = env!("CARGO_PKG_VERSION"),
        "ready"
    );
    service.check_credential();
    let status = tokio::select! {
        _ = terminate.recv() => stops("stopping: received SIGTERM"),
        _ = interrupt.recv() => stops("stopping: received SIGINT"),
        ended = service.broke_off() => broken_off(&ended),
    };
    service.stop().await;
    tracing::info!("stopped");
    Ok(status)
}

fn stops(why: &str) -> ExitCode {
    tracing::info!("{why}");
    ExitCode::SUCCESS
}

/// A replica that has lost a part of itself hands back its work and ends, so that the platform starts another one.
fn broken_off(ended: &LoopEnded) -> ExitCode {
    tracing::error!(error = %ended, "stopping: this replica does only part of its work");
    ExitCode::FAILURE
}
