//! Parses the arguments and runs one command.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[cfg(feature = "demo")]
use super::{demo, simulate_graph};
use super::{
    derive_external_id, doctor, migrate, new_api_key, print_openapi, printing, retry_bookings, self_audit,
    serve,
};
use crate::error_chain::chain;

/// One booking, one Microsoft Teams meeting, a complete history.
#[derive(Debug, Parser)]
#[command(name = "meeting-provisioner", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Settings come from --config, then from environment variables `MEETING_PROVISIONER__SECTION__KEY`, then from
/// `DATABASE_URL`, `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_AUTHORITY_HOST`, `RUST_LOG` and the names of a credential, such
/// as `AZURE_CLIENT_SECRET`; deploy/config.toml has all of them.
#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API until SIGTERM
    Serve(WithConfig),
    /// Prepare the database's schema and end
    Migrate(WithConfig),
    #[cfg(feature = "demo")]
    /// Show everything on this machine: a Postgres, a simulated Graph, the service, and requests to it
    Demo(demo::DemoArguments),
    /// Check settings, database, token and Graph: what is wrong, what it means and what to do
    Doctor(doctor::DoctorArguments),
    /// Retry bookings that failed or wait; without --yes they are only listed
    Retry(retry_bookings::RetryArguments),
    /// Prove from the tables that bookings, meetings and history agree; list every exception
    SelfAudit(self_audit::SelfAuditArguments),
    #[cfg(feature = "demo")]
    /// Simulate Microsoft Graph and its token endpoint, on loopback
    SimulateGraph(simulate_graph::SimulateGraphArguments),
    /// Make an API key for a caller, and the block for the file of keys
    ApiKey(new_api_key::ApiKeyArguments),
    /// Derive a booking's externalId, step by step
    ExternalId(derive_external_id::ExternalIdArguments),
    /// Print the OpenAPI document
    Openapi,
}

#[derive(Debug, clap::Args)]
struct WithConfig {
    /// A settings file; deploy/config.toml is a commented example
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Parses the arguments and runs one command; returns the exit status of the process.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            printing::tell(&format!("error: no runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(run_command(arguments.command));
    // A thread that hangs in a system call is not waited for.
    runtime.shutdown_background();
    match ended {
        Ok(status) => printing::status_of(status),
        Err(error) => {
            printing::tell(&format!("error: {}", chain(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}

async fn run_command(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(with) => serve::run(with.config.as_deref()).await,
        Command::Migrate(with) => migrate::run(with.config.as_deref()).await,
        #[cfg(feature = "demo")]
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Doctor(arguments) => doctor::run(&arguments).await,
        Command::Retry(arguments) => retry_bookings::run(arguments).await,
        Command::SelfAudit(arguments) => Ok(self_audit::run(arguments).await),
        #[cfg(feature = "demo")]
        Command::SimulateGraph(arguments) => simulate_graph::run(arguments).await,
        Command::ApiKey(arguments) => new_api_key::run(&arguments),
        Command::ExternalId(arguments) => derive_external_id::run(&arguments),
        Command::Openapi => Ok(print_openapi::run()),
    }
}
