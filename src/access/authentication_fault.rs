//! Why a request is refused for want of a credential or a role.

use super::caller::CallerName;
use super::role::Role;
use super::token::TokenFault;

/// Why a request is refused: a 401, a 403 or a 503.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessFault {
    /// The caller is not authenticated (401). The reason is for the log, not for the client.
    #[error("the caller is not authenticated")]
    Unauthenticated(#[source] AuthenticationFault),
    /// The caller is authenticated and lacks a role (403).
    #[error("the caller lacks the role {needed}")]
    Forbidden {
        /// A role that would be enough.
        needed: Role,
    },
}

/// Why a credential was not recognised; for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationFault {
    /// There is no header `Authorization`.
    #[error("no credential was sent")]
    NoCredential,
    /// There is more than one, or it is not text.
    #[error("the header Authorization is not readable")]
    Unreadable,
    /// It is neither `Bearer mpk_…` nor, where there are issuers, `Bearer` and a token.
    #[error("the credential is of a kind that is not accepted here")]
    UnknownKind,
    /// It has the form of an API key and is none of the accepted keys.
    #[error("the API key is none of the accepted keys")]
    UnknownKey,
    /// It is an API key that the file revokes.
    #[error("the API key was revoked")]
    RevokedKey,
    /// It is an API key whose time is over.
    #[error("the API key {0} has ended (not_after)")]
    EndedKey(CallerName),
    /// It is a token that is not accepted.
    #[error("the token is refused")]
    Token(#[from] TokenFault),
    /// It is a token, and the keys of its issuer are not known now (503).
    #[error("the keys of the issuer {0} are not known now")]
    KeysUnavailable(String),
    /// A certificate was shown over TLS that names no caller, or several.
    #[error("the certificate names no caller")]
    UnknownCertificate,
    /// The certificate has ended since the connection was made.
    #[error("the certificate of {0} has ended")]
    EndedCertificate(CallerName),
    /// The service was built without an authenticator: a fault of ours, and no request is let through.
    #[error("this service has no authenticator")]
    NoAuthenticator,
}

impl AuthenticationFault {
    /// Its name in the metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoCredential => "no-credential",
            Self::Unreadable => "unreadable",
            Self::UnknownKind => "unknown-kind",
            Self::UnknownKey => "key-unknown",
            Self::RevokedKey => "key-revoked",
            Self::EndedKey(_) => "key-ended",
            Self::Token(fault) => fault.name(),
            Self::KeysUnavailable(_) => "issuer-unavailable",
            Self::UnknownCertificate => "certificate-unknown",
            Self::EndedCertificate(_) => "certificate-ended",
            Self::NoAuthenticator => "no-authenticator",
        }
    }

    /// Every name but that of what can't happen.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        let own = [
            "no-credential",
            "unreadable",
            "unknown-kind",
            "key-unknown",
            "key-revoked",
            "key-ended",
            "issuer-unavailable",
            "certificate-unknown",
            "certificate-ended",
        ];
        own.into_iter().chain(TokenFault::NAMES.iter().copied())
    }
}
