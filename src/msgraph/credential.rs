//! What proves to Entra that we are the application, and what is known of it.

use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;
use time::Date;
use url::Url;

use super::token_failure::TokenFailure;
use crate::clock::Timestamp;

/// What proves that we are the application. Each file is read anew for each token.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A client secret.
    Secret {
        /// The secret.
        secret: SecretSource,
        /// The day on which it expires, if the operator has said so: Entra doesn't tell.
        expires_on: Option<Date>,
    },
    /// A certificate whose private key signs an assertion for each token.
    Certificate {
        /// The file of certificate and key, PEM or PKCS#12.
        file: PathBuf,
        /// What a PKCS#12 file is encrypted with.
        password: Option<SecretSource>,
    },
    /// The token of another issuer, such as a Kubernetes cluster's for a service account.
    FederatedToken {
        /// The file that the issuer keeps fresh.
        file: PathBuf,
    },
    /// The identity that Azure gives this machine or container: no secret at all.
    ManagedIdentity {
        /// Which of its identities.
        identity: Identity,
        /// Where tokens of it are to be had.
        endpoint: IdentityEndpoint,
    },
}

/// Where a secret stands.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// In the settings.
    Written(SecretString),
    /// In a file of its own.
    File(PathBuf),
}

/// Which of the identities that a machine may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// The one that was made with the machine.
    SystemAssigned,
    /// One that was made by itself; the connection's client id is its.
    UserAssigned,
}

/// Where tokens of a managed identity are to be had.
#[derive(Debug, Clone)]
pub enum IdentityEndpoint {
    /// The instance metadata service of a virtual machine.
    Metadata(Url),
    /// The endpoint that App Service and Container Apps name in `IDENTITY_ENDPOINT`.
    AppService {
        /// Where it is.
        url: Url,
        /// `IDENTITY_HEADER`, which shows that the asker is in the container.
        header: SecretString,
    },
}

/// The kind of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// A client secret.
    Secret,
    /// A certificate.
    Certificate,
    /// A token of another issuer.
    FederatedToken,
    /// A managed identity.
    ManagedIdentity,
}

impl fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "client secret",
            Self::Certificate => "certificate",
            Self::FederatedToken => "federated token",
            Self::ManagedIdentity => "managed identity",
        })
    }
}

impl Credential {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::Secret { .. } => CredentialKind::Secret,
            Self::Certificate { .. } => CredentialKind::Certificate,
            Self::FederatedToken { .. } => CredentialKind::FederatedToken,
            Self::ManagedIdentity { .. } => CredentialKind::ManagedIdentity,
        }
    }

    /// Whether it stands in a file, and so may change while this program runs.
    pub(super) fn is_in_files(&self) -> bool {
        !matches!(self, Self::Secret { secret: SecretSource::Written(_), .. } | Self::ManagedIdentity { .. })
    }

    /// Where it is to be had, for people.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Secret { secret: SecretSource::Written(_), .. } => "the settings".to_owned(),
            Self::Secret { secret: SecretSource::File(file), .. }
            | Self::Certificate { file, .. }
            | Self::FederatedToken { file } => file.display().to_string(),
            Self::ManagedIdentity { endpoint, .. } => endpoint.url().to_string(),
        }
    }
}

impl IdentityEndpoint {
    /// Where it is.
    pub(super) fn url(&self) -> &Url {
        match self {
            Self::Metadata(url) | Self::AppService { url, .. } => url,
        }
    }
}

/// What is known of the credential in use.
#[derive(Debug, Clone)]
pub struct CredentialStatus {
    /// Its kind.
    pub kind: CredentialKind,
    /// Where it was read, or is asked for.
    pub place: String,
    /// What is known of the credential itself.
    pub facts: CredentialFacts,
    /// Why its file can't be used now, so that the one that was read before stays in use.
    pub file_fault: Option<String>,
    /// Why there was no token when one was asked for last.
    pub failure: Option<TokenFailure>,
}

/// What a credential tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CredentialFacts {
    /// What it is, beyond its kind: a certificate's name and thumbprint, a token's issuer and subject.
    pub description: Option<String>,
    /// From when it is good, where that is known.
    pub valid_from: Option<Timestamp>,
    /// Until when it is good, where that is known.
    pub valid_until: Option<Timestamp>,
    /// The permission bits of the file, where others than owner and group may read a secret in it.
    pub open_mode: Option<u32>,
}

impl CredentialStatus {
    /// Until when it is good, where an operator has to replace it then: what renews itself is left out.
    #[must_use]
    pub fn replace_by(&self) -> Option<Timestamp> {
        let is_renewed =
            matches!(self.kind, CredentialKind::FederatedToken | CredentialKind::ManagedIdentity);
        self.facts.valid_until.filter(|_| !is_renewed)
    }

    /// Whether Entra refused it when a token was asked for last.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.kind.is_refusal())
    }

    /// Whether it is past its time, or before it.
    #[must_use]
    pub fn out_of_date(&self, now: Timestamp) -> Option<String> {
        let kind = self.kind;
        if let Some(until) = self.facts.valid_until.filter(|until| now >= *until) {
            return Some(format!("the {kind} has expired: it was good until {until}"));
        }
        let from = self.facts.valid_from.filter(|from| now < *from)?;
        Some(format!("the {kind} is not valid yet: it is good from {from} on"))
    }

    /// Everything that is wrong with it, for the operator; none where all is well.
    #[must_use]
    pub fn trouble(&self, now: Timestamp) -> Option<String> {
        let refusal = self.failure.as_ref().filter(|failure| failure.kind.is_refusal());
        let parts = [
            refusal.map(ToString::to_string),
            self.out_of_date(now),
            self.file_fault.as_ref().map(|fault| {
                format!("the file of the {} can't be used, the one read before is: {fault}", self.kind)
            }),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}
