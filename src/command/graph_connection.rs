//! The settings of Graph, as `msgraph` needs them.

use crate::config::{Cloud, GraphSettings, GraphVersion};
use crate::msgraph::{self, Credential, GraphConnection};
use crate::outbound::Timeouts;

/// Whether a cloud's Graph has the beta version; Microsoft's beta pages list the global cloud only.
pub(super) fn has_beta(cloud: Cloud) -> bool {
    cloud == Cloud::Global
}

/// How Graph is reached, as the settings say.
pub(super) fn of(settings: &GraphSettings) -> GraphConnection {
    GraphConnection {
        tenant_id: settings.tenant_id,
        client_id: settings.client_id.to_string(),
        credential: Credential::ClientSecret(settings.client_secret.clone()),
        channel_meetings: has_beta(settings.cloud),
        version: match settings.version {
            GraphVersion::V1 => msgraph::GraphVersion::V1_0,
            GraphVersion::Beta => msgraph::GraphVersion::Beta,
        },
        root_url: settings.root_url.clone(),
        login_url: settings.login_url.clone(),
        timeouts: Timeouts { connect: settings.connect_timeout, total: settings.timeout },
    }
}
