//! `[graph]`: Microsoft Graph, and this service's identity there.

use std::fmt;
use std::time::Duration;

use url::Url;
use uuid::Uuid;

use super::across::check_graph;
use super::credential_settings::CredentialSettings;
use super::external_id_settings::hyphenated;
use super::reader::Reader;
use crate::booking::TenantId;
use crate::outbound::is_loopback;
use crate::setting::{SettingRule, fractional_seconds, one_of, whole};

/// The application (client) id of this service's app registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientId(Uuid);

impl ClientId {
    /// The id itself.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which of Microsoft's clouds. China (21Vianet) is missing because its Graph has no `createOrGet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// Worldwide, and US Government L2 and L3 (GCC).
    Global,
    /// US Government L4 (GCC High).
    UsGovL4,
    /// US Government L5 (DOD).
    UsGovL5,
}

impl Cloud {
    /// Where Graph is, without a version.
    #[must_use]
    pub fn root_url(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com/",
            Self::UsGovL4 => "https://graph.microsoft.us/",
            Self::UsGovL5 => "https://dod-graph.microsoft.us/",
        }
    }

    /// Where tokens are issued, without a tenant.
    #[must_use]
    pub fn login_url(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com/",
            Self::UsGovL4 | Self::UsGovL5 => "https://login.microsoftonline.us/",
        }
    }
}

/// The version of Graph's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphVersion {
    /// `v1.0`.
    V1,
    /// `beta`: global cloud only.
    Beta,
}

/// Microsoft Graph, and this service's identity there.
#[derive(Debug, Clone)]
pub struct GraphSettings {
    /// The tenant whose users the meetings are for.
    pub tenant_id: TenantId,
    /// This service's app registration.
    pub client_id: ClientId,
    /// What proves that we are it.
    pub credential: CredentialSettings,
    /// Which cloud.
    pub cloud: Cloud,
    /// The version asked where a booking does not need `beta`.
    pub version: GraphVersion,
    /// Where Graph is, without a version; the cloud's unless overridden. Has no query.
    pub root_url: Url,
    /// Where tokens are issued, without a tenant; the cloud's unless overridden. Has no query.
    pub login_url: Url,
    /// The most time a connection may take to be made.
    pub connect_timeout: Duration,
    /// The most time one call may take in all.
    pub timeout: Duration,
    /// The most calls of one replica under way at once.
    pub calls_max: u32,
}

impl GraphSettings {
    pub(super) fn read(reader: &mut Reader, tenant_id: Option<TenantId>) -> Option<Self> {
        let client = "the application (client) id of the app registration, a GUID";
        let client_id = reader.required("graph.client_id", client, &SettingRule::text(client_id));
        let credential = CredentialSettings::read(reader);
        let cloud = reader.or_default("graph.cloud", Cloud::Global, &SettingRule::text(cloud));
        let versions = one_of([("v1.0", GraphVersion::V1), ("beta", GraphVersion::Beta)]);
        let version = reader.or_default("graph.version", GraphVersion::V1, &versions);
        let root_url = reader.optional("graph.root_url", &SettingRule::text(base_url));
        let login_url = reader.optional("graph.login_url", &SettingRule::text(base_url));
        let (connect_timeout, timeout) = timeouts(reader);
        let calls_max = reader.or_default("graph.calls_max", 64, &whole(1..=1_000));
        check_graph(reader, version, cloud);
        let cloud = cloud?;
        Some(Self {
            tenant_id: tenant_id?,
            client_id: client_id?,
            credential: credential?,
            cloud,
            version: version?,
            root_url: root_url.ok()?.or_else(|| Url::parse(cloud.root_url()).ok())?,
            login_url: login_url.ok()?.or_else(|| Url::parse(cloud.login_url()).ok())?,
            connect_timeout: connect_timeout?,
            timeout: timeout?,
            calls_max: calls_max?,
        })
    }
}

/// How long a connection and the answer of one call may take.
fn timeouts(reader: &mut Reader) -> (Option<Duration>, Option<Duration>) {
    let rule = fractional_seconds(0.1..=300.0);
    let connect = reader.or_default("graph.connect_timeout_seconds", Duration::from_secs(5), &rule);
    (connect, reader.or_default("graph.timeout_seconds", Duration::from_secs(30), &rule))
}

/// How long one call may take, its connection included.
pub(super) fn longest_call(reader: &mut Reader) -> Option<Duration> {
    let (connect, answer) = timeouts(reader);
    Some(connect? + answer?)
}

/// The tenant's id, which external ids are derived from, so that it is needed where nothing else of Graph is.
pub(super) fn tenant_id(reader: &mut Reader) -> Option<TenantId> {
    let rule = SettingRule::text(|text| {
        hyphenated(text).map(TenantId::new).ok_or_else(|| {
            "must be the tenant's GUID such as 9188040d-6c67-4c5b-b112-36a304b66dad; a domain name will not do: \
             every external id is derived from it, and a domain name can change (Entra shows the GUID as `Tenant ID`)"
                .to_owned()
        })
    });
    reader.required("graph.tenant_id", "the Entra tenant's id, a GUID", &rule)
}

fn client_id(text: &str) -> Result<ClientId, String> {
    hyphenated(text).map(ClientId).ok_or_else(|| {
        "must be a GUID; Entra shows it as `Application (client) ID` of the app registration".to_owned()
    })
}

fn cloud(text: &str) -> Result<Cloud, String> {
    const CLOUDS: &str = "\"global\", \"us-gov-l4\" or \"us-gov-l5\"";
    match text {
        "global" => Ok(Cloud::Global),
        "us-gov-l4" => Ok(Cloud::UsGovL4),
        "us-gov-l5" => Ok(Cloud::UsGovL5),
        "china" => Err(format!(
            "must be {CLOUDS}: Microsoft Graph in China (21Vianet) does not offer onlineMeetings/createOrGet, \
             which this service needs"
        )),
        _ => Err(format!("must be {CLOUDS}")),
    }
}

/// A URL that tokens and secrets may be sent to, with no slash at its end (but for that of an empty path).
fn base_url(text: &str) -> Result<Url, String> {
    let mut url =
        Url::parse(text).map_err(|error| format!("must be a URL such as https://host/ ({error})"))?;
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Err(
            "must begin with https://, because secrets and tokens are sent there (http:// is allowed \
                    for loopback alone: 127.0.0.1, [::1], localhost)"
                .to_owned(),
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not have a query or a fragment".to_owned());
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Secrets and tokens go to these URLs, so plain HTTP is for this machine alone.
    #[test]
    fn base_urls_are_https_or_loopback() {
        for (text, expected) in [
            ("https://graph.microsoft.com", Ok("https://graph.microsoft.com/")),
            ("https://login.microsoftonline.com/", Ok("https://login.microsoftonline.com/")),
            ("https://gateway.example/graph/", Ok("https://gateway.example/graph")),
            ("http://127.0.0.1:9201", Ok("http://127.0.0.1:9201/")),
            ("http://127.8.9.1/x", Ok("http://127.8.9.1/x")),
            ("http://[::1]:9201/", Ok("http://[::1]:9201/")),
            ("http://localhost:9201/", Ok("http://localhost:9201/")),
            ("http://simulator:9201", Err("must begin with https://")),
            ("http://localhost.example", Err("must begin with https://")),
            ("ftp://127.0.0.1", Err("must begin with https://")),
            ("https://user:pass@host/", Err("must not hold a user name")),
            ("https://host/?a=b", Err("must not have a query")),
            ("https://host/#a", Err("must not have a query")),
            ("graph.microsoft.com", Err("must be a URL")),
            ("", Err("must be a URL")),
        ] {
            match (base_url(text), expected) {
                (Ok(url), Ok(expected)) => assert_eq!(url.as_str(), expected, "{text}"),
                (Err(detail), Err(expected)) => assert!(detail.contains(expected), "{text}: {detail}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn the_urls_of_the_clouds_would_be_accepted_as_settings() {
        for cloud in [Cloud::Global, Cloud::UsGovL4, Cloud::UsGovL5] {
            for url in [cloud.root_url(), cloud.login_url()] {
                assert_eq!(base_url(url).unwrap().as_str(), url);
            }
        }
    }
}
