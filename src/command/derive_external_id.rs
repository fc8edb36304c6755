//! `external-id`: derives a booking's externalId step by step, so that it can be checked.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use uuid::Uuid;

use super::printing::say;
use crate::booking::{
    BookingId, BookingKey, DEFAULT_NAMESPACE, Generation, Namespace, SourceSystem, TenantId, derive,
};
use crate::config::{DerivationSettings, process_environment};

/// Which booking, and what its id is derived from.
#[derive(Debug, clap::Args)]
pub(super) struct ExternalIdArguments {
    /// The source system, as its API key names it
    #[arg(long)]
    source_system: String,
    /// The booking's id there
    #[arg(long)]
    booking_id: String,
    /// The booking's generation: 1, and one more each time it was cancelled and booked again
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
pub(super) fn run(arguments: &ExternalIdArguments) -> anyhow::Result<ExitCode> {
    let key = BookingKey {
        source_system: SourceSystem::parse(&arguments.source_system).context("--source-system")?,
        booking_id: BookingId::parse(&arguments.booking_id).context("--booking-id")?,
    };
    let generation = Generation::new(arguments.generation).context("--generation must be 1 or more")?;
    let DerivationSettings { tenant_id, namespace } = origin(arguments)?;
    let derivation = derive(namespace, tenant_id, &key, generation);
    say!("externalId = UUIDv5(namespace, name), written as 36 lower-case characters");
    say!("");
    say!("namespace   {namespace}");
    say!("tenant      {tenant_id}");
    say!("name        {:?}", derivation.name);
    say!("            (tenant, source system and booking id, joined by line feeds");
    say!("             and, from the second generation on, the generation)");
    say!("externalId  {}", derivation.external_id);
    Ok(ExitCode::SUCCESS)
}

/// What is not given comes from the settings; the settings are not needed when both are given.
fn origin(arguments: &ExternalIdArguments) -> anyhow::Result<DerivationSettings> {
    let tenant_id = arguments.tenant_id.map(TenantId::new);
    let namespace = arguments.namespace.map(Namespace::new);
    if let (Some(tenant_id), None, None) = (tenant_id, namespace, &arguments.config) {
        return Ok(DerivationSettings { tenant_id, namespace: DEFAULT_NAMESPACE });
    }
    if let (Some(tenant_id), Some(namespace)) = (tenant_id, namespace) {
        return Ok(DerivationSettings { tenant_id, namespace });
    }
    let settings = DerivationSettings::load(arguments.config.as_deref(), process_environment())?;
    Ok(DerivationSettings {
        tenant_id: tenant_id.unwrap_or(settings.tenant_id),
        namespace: namespace.unwrap_or(settings.namespace),
    })
}
