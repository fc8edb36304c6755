//! Why a request is refused for want of a credential or a role.

use super::role::Role;

/// Why a request is refused: a 401 or a 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationFault {
    /// There is no header `Authorization`.
    #[error("no credential was sent")]
    NoCredential,
    /// There is more than one, or it is not text.
    #[error("the header Authorization is not readable")]
    Unreadable,
    /// It is not `Bearer mpk_…`.
    #[error("the credential is of a kind that is not accepted here")]
    UnknownKind,
    /// It has the form of an API key and is none of the accepted keys.
    #[error("the API key is none of the accepted keys")]
    UnknownKey,
    /// The service was built without an authenticator: a fault of ours, and no request is let through.
    #[error("this service has no authenticator")]
    NoAuthenticator,
}
