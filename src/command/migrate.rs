//! `migrate`: prepares the schema and ends, for deployments in which `serve` may not change it.

use std::path::Path;
use std::process::ExitCode;

use super::assembly::store;
use super::printing::say;
use crate::config::{MigrationSettings, process_environment};

/// Runs the migrations that are pending.
pub(super) async fn run(config_file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let settings = MigrationSettings::load(config_file, process_environment())?;
    let store = store(&settings.database)?;
    let before = store.schema_state().await?.applied.unwrap_or(0);
    store.migrate().await?;
    let after = store.schema_state().await?;
    if before == after.known {
        say!("The schema was ready: version {before}.");
    } else {
        say!("The schema went from version {before} to {}.", after.known);
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
