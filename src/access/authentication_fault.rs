//! Why somebody is not let in.

use super::role::Role;

/// Why somebody is not let in, for the door to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessFault {
    /// Nobody knows who it is (401). The reason is for the log, not for the stranger.
    #[error("the caller is not known")]
    Unauthenticated(#[source] AuthenticationFault),
    /// It is known who it is, and they may not (403).
    #[error("the caller lacks the role {needed}")]
    Forbidden {
        /// The role that would do.
        needed: Role,
    },
}

/// Why a credential was not recognised; for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationFault {
    /// There is no header `Authorization`.
    #[error("no credential was shown")]
    NoCredential,
    /// There is more than one, or it is not text.
    #[error("the header Authorization is not readable")]
    Unreadable,
    /// It is not `Bearer mpk_…`.
    #[error("the credential is of no kind that is accepted here")]
    UnknownKind,
    /// It looks like an API key, and no key is this one.
    #[error("no API key is this one")]
    UnknownKey,
    /// The service was put together without a doorkeeper; a fault of ours, and no reason to let anyone in.
    #[error("nobody keeps this door")]
    NoDoorkeeper,
}
