//! `external-id`: derives a booking's externalId step by step, so that anyone can check it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use uuid::Uuid;

use crate::booking::{BookingId, BookingKey, Generation, Namespace, SourceSystem, TenantId, derive};
use crate::config::{DerivationSettings, process_environment};

/// Which booking.
#[derive(Debug, clap::Args)]
pub(super) struct ExternalIdArguments {
    /// The source system, as its API key names it
    #[arg(long)]
    source_system: String,
    /// The booking's id there
    #[arg(long)]
    booking_id: String,
    /// Which of the booking's lives
    #[arg(long, default_value_t = 1)]
    generation: u32,
    /// The tenant's id; without it, the settings' own
    #[arg(long)]
    tenant_id: Option<Uuid>,
    /// The namespace; without it, the settings' own
    #[arg(long)]
    namespace: Option<Uuid>,
    /// A settings file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Prints the derivation.
#[expect(clippy::print_stdout, reason = "printing is what this command is for")]
pub(super) fn run(arguments: &ExternalIdArguments) -> anyhow::Result<ExitCode> {
    let key = BookingKey {
        source_system: SourceSystem::parse(&arguments.source_system).context("--source-system")?,
        booking_id: BookingId::parse(&arguments.booking_id).context("--booking-id")?,
    };
    let generation = Generation::new(arguments.generation).context("--generation must be 1 or more")?;
    let (tenant, namespace) = origin(arguments)?;
    let derivation = derive(namespace, tenant, &key, generation);
    println!("externalId = UUIDv5(namespace, name), written as 36 lower-case characters");
    println!();
    println!("namespace   {namespace}");
    println!("tenant      {tenant}");
    println!("name        {:?}", derivation.name);
    println!("            (tenant, source system and booking id, joined by line feeds");
    println!("             and, from the second generation on, the generation)");
    println!("externalId  {}", derivation.external_id);
    Ok(ExitCode::SUCCESS)
}

/// What is not given comes from the settings; the settings are not needed when both are given.
fn origin(arguments: &ExternalIdArguments) -> anyhow::Result<(TenantId, Namespace)> {
    let given = (arguments.tenant_id.map(TenantId::new), arguments.namespace.map(Namespace::new));
    if let (Some(tenant), Some(namespace)) = given {
        return Ok((tenant, namespace));
    }
    if let (Some(tenant), None, None) = (given.0, &given.1, &arguments.config) {
        return Ok((tenant, crate::booking::DEFAULT_NAMESPACE));
    }
    let settings = DerivationSettings::load(arguments.config.as_deref(), process_environment())?;
    Ok((given.0.unwrap_or(settings.tenant_id), given.1.unwrap_or(settings.namespace)))
}
