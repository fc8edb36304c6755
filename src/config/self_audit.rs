//! What `self-audit` needs.

use std::path::Path;
use std::time::Duration;

use super::config_faults::ConfigFaults;
use super::database::DatabaseSettings;
use super::graph_settings::GraphSettings;
use super::settings::load;
use crate::booking::{Namespace, TenantId};

/// What `self-audit` needs.
#[derive(Debug, Clone)]
pub struct SelfAuditSettings {
    /// Where bookings and their history are.
    pub database: DatabaseSettings,
    /// The tenant whose users the meetings are for.
    pub tenant_id: TenantId,
    /// The namespace of all external ids.
    pub namespace: Namespace,
    /// How long a lease lasts.
    pub lease: Duration,
    /// Microsoft Graph, where it is set.
    pub graph: Option<GraphSettings>,
}

impl SelfAuditSettings {
    /// As [`Settings::load`](super::Settings::load); what other sections lack does not matter, what is wrong in them
    /// does. The whole section `[graph]` must be there where Graph is to be asked.
    pub fn load(
        config_file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        asks_graph: bool,
    ) -> Result<Self, ConfigFaults> {
        let graph = if asks_graph { "graph" } else { "graph.tenant_id" };
        load(config_file, environment, &["database", "external_id", "worker", graph], |sections, _| {
            Some(Self {
                database: sections.database?,
                tenant_id: sections.tenant_id?,
                namespace: sections.external_id?.namespace,
                lease: sections.worker?.lease,
                graph: sections.graph,
            })
        })
    }
}
