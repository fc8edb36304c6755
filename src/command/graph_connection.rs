//! The settings of Graph, as `msgraph` needs them.

use crate::config::{
    Cloud, CredentialSetting, GraphSettings, GraphVersion, IdentityEndpointSetting, SecretSetting,
};
use crate::msgraph::{self, Credential, GraphConnection, Identity, IdentityEndpoint, SecretSource};
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
        credential: credential(&settings.credential.credential),
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

fn credential(setting: &CredentialSetting) -> Credential {
    match setting.clone() {
        CredentialSetting::Secret { secret, expires_on } => {
            Credential::Secret { secret: source(secret), expires_on }
        }
        CredentialSetting::Certificate { file, password } => {
            Credential::Certificate { file, password: password.map(source) }
        }
        CredentialSetting::Federated { file } => Credential::FederatedToken { file },
        CredentialSetting::ManagedIdentity { is_system_assigned, endpoint } => Credential::ManagedIdentity {
            identity: if is_system_assigned { Identity::SystemAssigned } else { Identity::UserAssigned },
            endpoint: match endpoint {
                IdentityEndpointSetting::Metadata(url) => IdentityEndpoint::Metadata(url),
                IdentityEndpointSetting::AppService { url, header } => {
                    IdentityEndpoint::AppService { url, header }
                }
            },
        },
    }
}

fn source(secret: SecretSetting) -> SecretSource {
    match secret {
        SecretSetting::Written(secret) => SecretSource::Written(secret),
        SecretSetting::File(path) => SecretSource::File(path),
    }
}
