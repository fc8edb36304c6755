//! Settings of this installation, from one file and the environment.
//!
//! Weakest first: the defaults, the standard names (`DATABASE_URL`, `AZURE_…`, `RUST_LOG`), the file of `--config`, and
//! `MEETING_PROVISIONER__SECTION__KEY`. The standard names only fill in what is not set for this service by name:
//! other programs share them, and a stray `AZURE_TENANT_ID` in a shell must not change every external id.
//!
//! All faults are reported at once ([`ConfigFaults`]), each with its key, where the value came from, what is wrong
//! and what would be right. An unknown section or key is a fault. Secrets are never shown.
//!
//! The only room that reads the process environment. It must never connect to anything, and reads no file but that of
//! `--config`. Called by `command`, which hands values to the rooms it
//! builds; `telemetry` reads its own section.

mod access_settings;
mod across;
mod caller_limits;
mod client_certificates;
mod config_faults;
mod credential_settings;
mod database;
mod external_id_settings;
mod graph_settings;
mod http;
mod issuer_settings;
mod process_environment;
mod reader;
mod self_audit;
mod settings;
#[cfg(test)]
mod settings_tests;
mod source_system;
#[cfg(test)]
mod source_system_tests;
mod sources;
mod telemetry;
mod worker;

pub use access_settings::AccessSettings;
pub use across::LEASE_MARGIN;
pub use caller_limits::{CallerLimits, RequestRate};
pub use config_faults::ConfigFaults;
pub use credential_settings::{
    CredentialSetting, CredentialSettings, IdentityEndpointSetting, SecretSetting,
};
pub use database::{DatabaseSettings, RequiredTls};
pub use external_id_settings::ExternalIdSettings;
pub use graph_settings::{ClientId, Cloud, GraphSettings, GraphVersion};
pub use http::{CertificateFiles, HttpSettings};
pub use process_environment::{process_cache_dir, process_environment, process_search_path};
pub use self_audit::SelfAuditSettings;
pub use settings::{DerivationSettings, EXAMPLE, MigrationSettings, Settings};
pub use source_system::SourceSystemSettings;
pub use sources::{PREFIX, STANDARD_NAMES, UnusedName};
pub use telemetry::{LogFilter, LogFormat, TelemetrySettings};
pub use worker::WorkerSettings;

pub use crate::setting::{SettingFault, ValueOrigin};
