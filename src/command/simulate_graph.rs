//! `simulate-graph`: stands in for Microsoft Graph and its token endpoint.

use std::net::SocketAddr;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use uuid::Uuid;

use super::printing::say;
use crate::msgraph_simulator::{Simulator, SimulatorSettings};

/// How to simulate.
#[derive(Debug, clap::Args)]
pub(super) struct SimulateGraphArguments {
    /// Where to listen: loopback only, because any client that reaches it may do anything
    #[arg(long, default_value = "127.0.0.1:8081")]
    address: SocketAddr,
    /// Seed of the faults that come with a probability
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The one tenant that exists
    #[arg(long)]
    tenant_id: Option<Uuid>,
}

/// Simulates until SIGTERM or SIGINT.
pub(super) async fn run(arguments: SimulateGraphArguments) -> anyhow::Result<ExitCode> {
    use secrecy::ExposeSecret;
    let mut settings =
        SimulatorSettings { address: arguments.address, seed: arguments.seed, ..Default::default() };
    if let Some(tenant_id) = arguments.tenant_id {
        settings.tenant_id = tenant_id.to_string();
    }
    let (tenant, client) = (settings.tenant_id.clone(), settings.client_id.clone());
    let secret = settings.client_secret.clone();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let simulator = Simulator::start(settings).await?;
    say!(
        "Simulated Microsoft Graph on {}; docs/SIMULATOR.md tells how to give it faults.",
        simulator.graph_root_url()
    );
    say!("");
    say!("Settings that point the service at it:");
    say!("MEETING_PROVISIONER__GRAPH__ROOT_URL={}", simulator.graph_root_url());
    say!("MEETING_PROVISIONER__GRAPH__LOGIN_URL={}", simulator.login_url());
    say!("AZURE_TENANT_ID={tenant}");
    say!("AZURE_CLIENT_ID={client}");
    say!("AZURE_CLIENT_SECRET={}", secret.expose_secret());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    simulator.stop().await;
    Ok(ExitCode::SUCCESS)
}
