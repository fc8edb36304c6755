//! `api-key`: makes a key for a caller.

use std::process::ExitCode;

use anyhow::Context as _;
use secrecy::ExposeSecret as _;

use super::printing::{self, say};
use crate::access::{Caller, CallerName, NewApiKey, Role};
use crate::booking::SourceSystem;

/// The caller that the key is for.
#[derive(Debug, clap::Args)]
pub(super) struct ApiKeyArguments {
    /// The key's name in logs and history, such as front-desk
    #[arg(long)]
    name: CallerName,
    /// The booking system that calls with the key
    #[arg(long)]
    source_system: String,
    /// What the caller may do: bookings.write, bookings.read, audit.read or operator; may be repeated
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<Role>,
}

/// Prints the key, once, and the block for the file of keys.
pub(super) fn run(arguments: &ApiKeyArguments) -> anyhow::Result<ExitCode> {
    let source_system = SourceSystem::parse(&arguments.source_system).context("--source-system")?;
    let caller = Caller {
        name: arguments.name.clone(),
        source_system,
        roles: arguments.roles.iter().copied().collect(),
    };
    let key = NewApiKey::generate(caller)?;
    say!("The key, for the caller. It is shown only here and only now:\n");
    say!("{}\n", key.text().expose_secret());
    say!("The block for the file of keys (access.api_keys_file). It does not reveal the key:\n");
    printing::write(&key.block());
    Ok(ExitCode::SUCCESS)
}
