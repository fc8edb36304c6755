//! Why there is no token, explained for the operator who has to mend it.

use std::time::Duration;

use crate::meeting::SignInFault;

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
    /// Entra refuses.
    SignIn(SignInFault),
    /// Something answered, but not with a token and not with a refusal by Entra.
    Unavailable,
    /// Nothing answered.
    Unreachable,
    /// The identity endpoint of this machine refuses.
    IdentityRefused,
    /// The identity endpoint of this machine is out of order, or is none.
    IdentityUnavailable,
    /// There is no identity endpoint.
    IdentityUnreachable,
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
        Self::SignIn(SignInFault::of_aadsts(aadsts))
    }

    /// Whether our credential was refused, so that waiting mends nothing.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        matches!(self, Self::SignIn(_) | Self::IdentityRefused)
    }

    /// What it means.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::SignIn(fault) => fault.meaning(),
            Self::Unavailable => "the token endpoint is out of order or is not Entra's",
            Self::Unreachable => "the token endpoint can't be reached",
            Self::IdentityRefused => "this machine has no such managed identity",
            Self::IdentityUnavailable => "the identity endpoint of this machine is out of order",
            Self::IdentityUnreachable => "the identity endpoint of this machine can't be reached",
        }
    }

    /// What to do.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::SignIn(fault) => fault.remedy(),
            Self::Unavailable => {
                "Wait if Microsoft reports an outage; otherwise check login_url in the settings and what stands \
                 between this machine and it."
            }
            Self::Unreachable => {
                "Check login_url in the settings, name resolution, the firewall, the proxy and the root \
                 certificates of this machine."
            }
            Self::IdentityRefused => {
                "Assign the identity to this machine (\"Identity\" of the virtual machine, scale set or app); \
                 graph.client_id is the client id of a user-assigned one, and graph.managed_identity says which \
                 kind it is."
            }
            Self::IdentityUnavailable => {
                "Wait if it was just assigned or Azure reports an outage; otherwise check graph.metadata_url and what \
                 stands between this process and it."
            }
            Self::IdentityUnreachable => {
                "A managed identity exists on machines and containers of Azure alone: use another credential elsewhere. \
                 There, check that no network policy or firewall keeps this process from 169.254.169.254."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use SignInFault::{AppUnknown, Other, SecretExpired, SecretWrong, TenantUnknown};
    use TokenFailureKind::{SignIn, Unavailable, Unreachable};

    use super::*;

    /// Status and OAuth error decide; the AADSTS number only distinguishes refusals.
    #[test]
    fn every_refusal_is_distinguished_from_every_outage() {
        let table = [
            (401, Some("invalid_client"), Some(7_000_215), SignIn(SecretWrong)),
            (401, Some("invalid_client"), Some(7_000_222), SignIn(SecretExpired)),
            (400, Some("unauthorized_client"), Some(700_016), SignIn(AppUnknown)),
            (400, Some("invalid_request"), Some(90_002), SignIn(TenantUnknown)),
            (400, Some("invalid_tenant"), Some(900_023), SignIn(TenantUnknown)),
            (400, Some("invalid_scope"), Some(70_011), SignIn(Other)),
            (401, Some("invalid_client"), None, SignIn(Other)),
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
        assert!(SignIn(SecretExpired).is_refusal() && !Unavailable.is_refusal() && !Unreachable.is_refusal());
    }
}
