//! From method and path to the endpoint that is meant. Pure.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

/// What a call asks for, as faults and the ledger name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// `POST /{tenant}/oauth2/v2.0/token`.
    Token,
    /// `POST …/onlineMeetings/createOrGet`.
    CreateOrGet,
    /// `GET …/onlineMeetings/{id}`.
    Get,
    /// `PATCH …/onlineMeetings/{id}`.
    Patch,
    /// `DELETE …/onlineMeetings/{id}`.
    Delete,
    /// `GET /users/{id or UPN}`.
    User,
    /// `GET /metadata/identity/oauth2/token`, or `GET /msi/token`.
    IdentityToken,
    /// Anything that neither Graph nor Entra would answer here.
    Other,
}

/// The version of Graph in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    Beta,
}

impl Version {
    fn of(segment: &str) -> Option<Self> {
        match segment {
            "v1.0" => Some(Self::V1),
            "beta" => Some(Self::Beta),
            _ => None,
        }
    }

    pub(super) fn segment(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}

/// The shape of an endpoint that gives tokens of a managed identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdentityShape {
    /// A virtual machine's metadata service.
    Metadata,
    /// What App Service and Container Apps give a container.
    AppService,
}

impl IdentityShape {
    /// The one version of it that is answered.
    pub(super) fn version(self) -> &'static str {
        match self {
            Self::Metadata => "2018-02-01",
            Self::AppService => "2019-08-01",
        }
    }
}

/// What is done to one meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MeetingVerb {
    Get,
    Patch,
    Delete,
}

/// Where a call goes. Every path segment is percent-decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Control { segments: Vec<String> },
    Token { tenant: String },
    IdentityToken { shape: IdentityShape },
    CreateOrGet { version: Version, user: String },
    Meeting { verb: MeetingVerb, version: Version, user: String, meeting: String },
    User { version: Version, user: String },
    WrongMethod { allow: &'static str },
    Nowhere { segment: String },
}

impl Route {
    /// Finds the endpoint of `path`, which is the raw path as it came over the wire.
    pub(super) fn of(method: &str, path: &str) -> Self {
        let decoded: Vec<String> = path
            .split('/')
            .skip(1)
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["_simulator", rest @ ..] => {
                let segments = rest.iter().filter(|segment| !segment.is_empty());
                Self::Control { segments: segments.map(ToString::to_string).collect() }
            }
            [tenant, "oauth2", "v2.0", "token"] if method == "POST" => {
                Self::Token { tenant: (*tenant).to_owned() }
            }
            [_, "oauth2", "v2.0", "token"] => Self::WrongMethod { allow: "POST" },
            ["metadata", "identity", "oauth2", "token"] if method == "GET" => {
                Self::IdentityToken { shape: IdentityShape::Metadata }
            }
            ["msi", "token"] if method == "GET" => Self::IdentityToken { shape: IdentityShape::AppService },
            ["metadata", "identity", "oauth2", "token"] | ["msi", "token"] => {
                Self::WrongMethod { allow: "GET" }
            }
            [version, rest @ ..] => match Version::of(version) {
                Some(version) => Self::in_graph(method, version, rest),
                None => Self::nowhere(version),
            },
            [] => Self::nowhere(""),
        }
    }

    fn in_graph(method: &str, version: Version, segments: &[&str]) -> Self {
        let owned = |segment: &str| segment.to_owned();
        match (segments, method) {
            (["users", user], "GET") if !user.is_empty() => Self::User { version, user: owned(user) },
            (["users", _], _) => Self::WrongMethod { allow: "GET" },
            (["users", user, "onlineMeetings", "createOrGet"], "POST") => {
                Self::CreateOrGet { version, user: owned(user) }
            }
            (["users", user, "onlineMeetings", meeting], _) if !meeting.is_empty() => {
                let verb = match method {
                    "GET" => MeetingVerb::Get,
                    "PATCH" => MeetingVerb::Patch,
                    "DELETE" => MeetingVerb::Delete,
                    _ => return Self::WrongMethod { allow: "GET, PATCH, DELETE" },
                };
                Self::Meeting { verb, version, user: owned(user), meeting: owned(meeting) }
            }
            (["users", _, unknown, ..] | [unknown, ..], _) => Self::nowhere(unknown),
            ([], _) => Self::nowhere(""),
        }
    }

    fn nowhere(segment: &str) -> Self {
        Self::Nowhere { segment: segment.to_owned() }
    }

    pub(super) fn operation(&self) -> Operation {
        match self {
            Self::Token { .. } => Operation::Token,
            Self::IdentityToken { .. } => Operation::IdentityToken,
            Self::CreateOrGet { .. } => Operation::CreateOrGet,
            Self::Meeting { verb: MeetingVerb::Get, .. } => Operation::Get,
            Self::Meeting { verb: MeetingVerb::Patch, .. } => Operation::Patch,
            Self::Meeting { verb: MeetingVerb::Delete, .. } => Operation::Delete,
            Self::User { .. } => Operation::User,
            Self::Control { .. } | Self::WrongMethod { .. } | Self::Nowhere { .. } => Operation::Other,
        }
    }

    /// The user in the path, decoded, where there is one.
    pub(super) fn user(&self) -> Option<&str> {
        match self {
            Self::CreateOrGet { user, .. } | Self::Meeting { user, .. } | Self::User { user, .. } => {
                Some(user)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_percent_decoded_segment_by_segment() {
        let route = Route::of("PATCH", "/beta/users/a%2Fb/onlineMeetings/MSo%2BeA%3D%3D");
        let meeting = "MSo+eA==".to_owned();
        let user = "a/b".to_owned();
        assert_eq!(route, Route::Meeting { verb: MeetingVerb::Patch, version: Version::Beta, user, meeting });
    }

    #[test]
    fn every_endpoint_is_found_by_method_and_path() {
        let operation = |method: &str, path: &str| Route::of(method, path).operation();
        assert_eq!(operation("POST", "/t/oauth2/v2.0/token"), Operation::Token);
        assert_eq!(operation("GET", "/metadata/identity/oauth2/token"), Operation::IdentityToken);
        assert_eq!(operation("GET", "/msi/token"), Operation::IdentityToken);
        assert_eq!(operation("POST", "/v1.0/users/u/onlineMeetings/createOrGet"), Operation::CreateOrGet);
        assert_eq!(operation("GET", "/v1.0/users/u/onlineMeetings/m"), Operation::Get);
        assert_eq!(operation("DELETE", "/v1.0/users/u/onlineMeetings/m"), Operation::Delete);
        assert_eq!(operation("GET", "/v1.0/users/u@contoso.com"), Operation::User);
        assert_eq!(operation("GET", "/v2.0/users/u"), Operation::Other);
    }

    #[test]
    fn a_wrong_method_says_which_ones_are_right() {
        assert_eq!(
            Route::of("PUT", "/v1.0/users/u/onlineMeetings/m"),
            Route::WrongMethod { allow: "GET, PATCH, DELETE" }
        );
        assert_eq!(Route::of("GET", "/t/oauth2/v2.0/token"), Route::WrongMethod { allow: "POST" });
    }
}
