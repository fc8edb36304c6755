//! Why there is no token, explained for the operator who has to mend it.

use std::time::Duration;

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no token for Microsoft Graph, {}: {message}", kind.meaning())]
pub struct TokenFailure {
    /// What is wrong.
    pub kind: TokenFailureKind,
    /// HTTP status; absent when nothing came back.
    pub status: Option<u16>,
    /// The OAuth error (RFC 6749, 5.2), such as `invalid_client`.
    pub error: Option<String>,
    /// What Entra said, with its AADSTS number and ids in it, or what broke on the way.
    pub message: String,
    /// Entra's own number of the error: `AADSTS7000215` has 7000215. Numbers serve for hints only.
    pub aadsts: Option<u64>,
    /// Entra's id of this answer, which Microsoft support asks for.
    pub trace_id: Option<String>,
    /// Entra's id of the exchange.
    pub correlation_id: Option<String>,
    /// The header `Date`.
    pub date: Option<String>,
    /// The header `Retry-After`, as it stood there.
    pub retry_after_text: Option<String>,
    /// How long Entra asks us to wait.
    pub retry_after: Option<Duration>,
}

/// What is wrong with our credential, or with the network to the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenFailureKind {
    /// AADSTS7000215
    SecretWrong,
    /// AADSTS7000222
    SecretExpired,
    /// AADSTS700016
    AppUnknown,
    /// AADSTS90002, AADSTS900023
    TenantUnknown,
    /// Entra refuses for another reason.
    Refused,
    /// Something answered, but not with a token and not with a refusal by Entra.
    Unavailable,
    /// Nothing answered.
    Unreachable,
}

impl TokenFailureKind {
    /// Decides by status and OAuth error; the number only says which refusal it is.
    pub(super) fn of(status: u16, error: Option<&str>, aadsts: Option<u64>) -> Self {
        let Some(error) = error else { return Self::Unavailable };
        let is_theirs = matches!(status, 300..=399 | 408 | 429 | 500..)
            || matches!(error, "temporarily_unavailable" | "server_error");
        if is_theirs {
            return Self::Unavailable;
        }
        match aadsts {
            Some(7_000_215) => Self::SecretWrong,
            Some(7_000_222) => Self::SecretExpired,
            Some(700_016) => Self::AppUnknown,
            Some(90_002 | 900_023) => Self::TenantUnknown,
            _ => Self::Refused,
        }
    }

    /// Whether our credential was refused, so that waiting mends nothing.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        !matches!(self, Self::Unavailable | Self::Unreachable)
    }

    /// What it means.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::SecretWrong => "the client secret is not one of this application's",
            Self::SecretExpired => "the client secret has expired",
            Self::AppUnknown => "the application is not known in this tenant",
            Self::TenantUnknown => "the tenant is not known",
            Self::Refused => "the token endpoint refuses our credential",
            Self::Unavailable => "the token endpoint is out of order or is not Entra's",
            Self::Unreachable => "the token endpoint can't be reached",
        }
    }

    /// What to do.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::SecretWrong => {
                "Put the secret's value, not its id, from the application's \"Certificates & secrets\" into the \
                 settings; it is shown only once, so add a new secret if it is lost. Then restart the replicas, which read \
                 it at their start."
            }
            Self::SecretExpired => {
                "Add a new secret under the application's \"Certificates & secrets\" and put its value into the \
                 settings. Then restart the replicas, which read it at their start."
            }
            Self::AppUnknown => {
                "Check client id, tenant id and cloud in the settings; an application of another tenant needs an \
                 administrator's consent in this one."
            }
            Self::TenantUnknown => "Check tenant id and cloud in the settings.",
            Self::Refused => "Look the AADSTS number up in Microsoft's list of Entra error codes.",
            Self::Unavailable => {
                "Wait if Microsoft reports an outage; otherwise check login_url in the settings and what stands \
                 between this machine and it."
            }
            Self::Unreachable => {
                "Check login_url in the settings, name resolution, the firewall, the proxy and the root \
                 certificates of this machine."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use TokenFailureKind::{
        AppUnknown, Refused, SecretExpired, SecretWrong, TenantUnknown, Unavailable, Unreachable,
    };

    use super::*;

    /// Status and OAuth error decide; the AADSTS number only distinguishes refusals.
    #[test]
    fn every_refusal_is_distinguished_from_every_outage() {
        let table = [
            (401, Some("invalid_client"), Some(7_000_215), SecretWrong),
            (401, Some("invalid_client"), Some(7_000_222), SecretExpired),
            (400, Some("unauthorized_client"), Some(700_016), AppUnknown),
            (400, Some("invalid_request"), Some(90_002), TenantUnknown),
            (400, Some("invalid_tenant"), Some(900_023), TenantUnknown),
            (400, Some("invalid_scope"), Some(70_011), Refused),
            (401, Some("invalid_client"), None, Refused),
            (429, Some("invalid_client"), None, Unavailable),
            (503, Some("invalid_client"), Some(7_000_215), Unavailable),
            (400, Some("temporarily_unavailable"), Some(90_033), Unavailable),
            (400, Some("server_error"), None, Unavailable),
            (403, None, None, Unavailable),
            (302, None, None, Unavailable),
            (200, None, None, Unavailable),
        ];
        for (status, error, aadsts, expected) in table {
            assert_eq!(
                TokenFailureKind::of(status, error, aadsts),
                expected,
                "{status} {error:?} {aadsts:?}"
            );
        }
        assert!(SecretExpired.is_refusal() && !Unavailable.is_refusal() && !Unreachable.is_refusal());
    }
}
