//! All settings, or all their faults.

use std::collections::BTreeMap;
use std::path::Path;

use super::access_settings::AccessSettings;
use super::across::check_lease;
use super::config_faults::ConfigFaults;
use super::database::DatabaseSettings;
use super::external_id_settings::ExternalIdSettings;
use super::graph_settings::{GraphSettings, tenant_id};
use super::http::HttpSettings;
use super::process_environment::process_environment;
use super::reader::{Provenance, Reader};
use super::source_system::{self, SourceSystemSettings};
use super::sources::{Sources, UnusedName};
use super::telemetry::TelemetrySettings;
use super::worker::WorkerSettings;
use crate::booking::{Namespace, SourceSystem, TenantId};
use crate::setting::ValueOrigin;

/// The commented example, `deploy/config.toml`: every setting at its default.
pub const EXAMPLE: &str = include_str!("../../deploy/config.toml");

/// Everything `serve` and `doctor` need.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The two ports.
    pub http: HttpSettings,
    /// Where bookings and their history are stored.
    pub database: DatabaseSettings,
    /// Microsoft Graph, and this service's identity there.
    pub graph: GraphSettings,
    /// What external ids are derived from.
    pub external_id: ExternalIdSettings,
    /// The callers that may use the API.
    pub access: AccessSettings,
    /// The worker.
    pub worker: WorkerSettings,
    /// Logs.
    pub telemetry: TelemetrySettings,
    /// What holds for the bookings of one source system, for those that the file has a section for.
    pub source_systems: BTreeMap<SourceSystem, SourceSystemSettings>,
    /// Where each setting's value came from, by `section.key`.
    pub origins: BTreeMap<&'static str, ValueOrigin>,
    /// Standard names that hold another value than the setting has: logged at the start.
    pub unused_names: Vec<UnusedName>,
}

/// What `migrate` needs.
#[derive(Debug, Clone)]
pub struct MigrationSettings {
    /// Where bookings and their history are stored.
    pub database: DatabaseSettings,
    /// Logs.
    pub telemetry: TelemetrySettings,
}

/// What `external-id` needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivationSettings {
    /// The tenant whose users the meetings are for.
    pub tenant_id: TenantId,
    /// The namespace of all external ids.
    pub namespace: Namespace,
}

impl Settings {
    /// Reads the file, if there is one, and the environment.
    pub fn load(
        config_file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigFaults> {
        load(config_file, environment, &SECTIONS, |sections, provenance| {
            Some(Self {
                http: sections.http?,
                database: sections.database?,
                graph: sections.graph?,
                external_id: sections.external_id?,
                access: sections.access?,
                worker: sections.worker?,
                telemetry: sections.telemetry?,
                source_systems: sections.source_systems,
                origins: provenance.origins,
                unused_names: provenance.unused,
            })
        })
    }

    /// Reads the file, if there is one, and the environment of this process.
    pub fn from_process(config_file: Option<&Path>) -> Result<Self, ConfigFaults> {
        Self::load(config_file, process_environment())
    }
}

impl MigrationSettings {
    /// As [`Settings::load`]; what other sections lack does not matter, what is wrong in them does.
    pub fn load(
        config_file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigFaults> {
        load(config_file, environment, &["database", "telemetry"], |sections, _| {
            Some(Self { database: sections.database?, telemetry: sections.telemetry? })
        })
    }
}

impl DerivationSettings {
    /// As [`Settings::load`]; what other sections lack does not matter, what is wrong in them does.
    pub fn load(
        config_file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigFaults> {
        load(config_file, environment, &["graph.tenant_id", "external_id"], |sections, _| {
            Some(Self { tenant_id: sections.tenant_id?, namespace: sections.external_id?.namespace })
        })
    }
}

const SECTIONS: [&str; 7] = ["http", "database", "graph", "external_id", "access", "worker", "telemetry"];

/// The sections as far as they are there and right.
pub(super) struct Sections {
    http: Option<HttpSettings>,
    pub(super) database: Option<DatabaseSettings>,
    pub(super) tenant_id: Option<TenantId>,
    pub(super) graph: Option<GraphSettings>,
    pub(super) external_id: Option<ExternalIdSettings>,
    access: Option<AccessSettings>,
    pub(super) worker: Option<WorkerSettings>,
    telemetry: Option<TelemetrySettings>,
    source_systems: BTreeMap<SourceSystem, SourceSystemSettings>,
}

impl Sections {
    /// Every section is read whatever is needed, so that every fault is found and every key known.
    fn read(reader: &mut Reader) -> Self {
        let tenant_id = tenant_id(reader);
        let sections = Self {
            http: HttpSettings::read(reader),
            database: DatabaseSettings::read(reader),
            tenant_id,
            graph: GraphSettings::read(reader, tenant_id),
            external_id: ExternalIdSettings::read(reader),
            access: AccessSettings::read(reader),
            worker: WorkerSettings::read(reader),
            telemetry: TelemetrySettings::read(reader),
            source_systems: source_system::read(reader),
        };
        check_lease(reader);
        sections
    }
}

/// `needed` are the sections and keys that must not be missing.
pub(super) fn load<T>(
    config_file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    needed: &[&str],
    assemble: impl FnOnce(Sections, Provenance) -> Option<T>,
) -> Result<T, ConfigFaults> {
    let mut reader = Reader::new(Sources::gather(config_file, environment));
    let sections = Sections::read(&mut reader);
    let provenance = reader.finish(needed)?;
    // A section is absent only after a fault or for want of something needed, and those have returned above.
    assemble(sections, provenance).ok_or(ConfigFaults(Vec::new()))
}
