//! `serve`: runs the service until it receives SIGTERM or SIGINT.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::background_loops::BackgroundWork;
use super::replica::Replica;
use crate::clock::SystemClock;
use crate::config::Settings;

/// Serves until SIGTERM or SIGINT.
pub(super) async fn run(config_file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let settings = Settings::from_process(config_file)?;
    crate::telemetry::start_logs(&settings.telemetry)?;
    for unused in &settings.unused_names {
        tracing::warn!("{unused}");
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let service = tokio::select! {
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
    tokio::select! {
        _ = terminate.recv() => tracing::info!("stopping: received SIGTERM"),
        _ = interrupt.recv() => tracing::info!("stopping: received SIGINT"),
    }
    service.stop().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}
