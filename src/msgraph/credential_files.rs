//! Reads the files of a credential. What is read blocks: on a mount that hangs, for as long as that hangs.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use time::{OffsetDateTime, Time};
use uuid::Uuid;

use super::client_certificate::ClientCertificate;
use super::credential::{Credential, CredentialFacts, SecretSource};
use super::jwt_claims::claims;
use super::text::clean;
use crate::clock::Timestamp;
use crate::setting::{read_bytes, read_text};

/// The longest secret that is read, in bytes. Entra's client secrets have some 40.
const SECRET_BYTES_MAX: u64 = 4 * 1024;
/// The longest file of a certificate, its chain and its key, in bytes.
const CERTIFICATE_BYTES_MAX: u64 = 256 * 1024;
/// The longest token of another issuer, in bytes.
const TOKEN_BYTES_MAX: u64 = 64 * 1024;
/// The bits by which all accounts of a machine may read a file, or write to it.
const OPEN_BITS: u32 = 0o006;

/// A credential as it was read.
#[derive(Debug, Clone)]
pub(super) enum Proof {
    /// A client secret.
    Secret(SecretString),
    /// A certificate, with its key.
    Certificate(Arc<ClientCertificate>),
    /// An assertion that another issuer made.
    FederatedToken(SecretString),
    /// Nothing is to be shown: the place from where it is asked proves it.
    Presence,
}

impl Proof {
    /// Whether it is another one than `other`.
    pub(super) fn differs_from(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Secret(one), Self::Secret(other))
            | (Self::FederatedToken(one), Self::FederatedToken(other)) => {
                one.expose_secret() != other.expose_secret()
            }
            (Self::Certificate(one), Self::Certificate(other)) => one != other,
            (Self::Presence, Self::Presence) => false,
            _ => true,
        }
    }
}

/// A credential as it was read, and what it tells of itself.
#[derive(Debug, Clone)]
pub(super) struct ReadCredential {
    pub(super) proof: Proof,
    pub(super) facts: CredentialFacts,
}

/// Reads a credential. The error says what is wrong with which file, and nothing of what is in it.
pub(super) fn read(credential: &Credential) -> Result<ReadCredential, String> {
    match credential {
        Credential::Secret { secret, expires_on } => {
            let text = self::secret(secret)?;
            if Uuid::try_parse(text.expose_secret().trim()).is_ok() {
                return Err("the client secret is a GUID, probably the secret's id; it must be the secret's value, which \
                            Entra shows only once"
                    .to_owned());
            }
            let valid_until = expires_on.map(|day| day.with_time(Time::MIDNIGHT).assume_utc());
            let open_mode = match secret {
                SecretSource::File(file) => open_mode(file),
                SecretSource::Written(_) => None,
            };
            let facts = CredentialFacts { valid_until, open_mode, ..CredentialFacts::default() };
            Ok(ReadCredential { proof: Proof::Secret(text), facts })
        }
        Credential::Certificate { file, password } => {
            let password = password.as_ref().map(self::secret).transpose()?;
            let bytes = read_bytes(file, CERTIFICATE_BYTES_MAX);
            let certificate = bytes.and_then(|bytes| ClientCertificate::parse(&bytes, password.as_ref()));
            let certificate = certificate.map_err(|detail| format!("{} {detail}", file.display()))?;
            let told = &certificate.facts;
            let facts = CredentialFacts {
                description: Some(format!("{}, thumbprint {}", told.subject, told.thumbprint)),
                valid_from: Some(told.valid_from),
                valid_until: Some(told.valid_until),
                open_mode: open_mode(file),
            };
            Ok(ReadCredential { proof: Proof::Certificate(Arc::new(certificate)), facts })
        }
        Credential::FederatedToken { file } => federated_token(file),
        Credential::ManagedIdentity { .. } => {
            Ok(ReadCredential { proof: Proof::Presence, facts: CredentialFacts::default() })
        }
    }
}

fn secret(source: &SecretSource) -> Result<SecretString, String> {
    match source {
        SecretSource::Written(secret) => Ok(secret.clone()),
        SecretSource::File(path) => secret_in(path),
    }
}

/// Reads a secret; one line end after it is not part of it.
fn secret_in(path: &Path) -> Result<SecretString, String> {
    let text = read_text(path, SECRET_BYTES_MAX).map_err(|detail| format!("{} {detail}", path.display()))?;
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    if secret.trim().is_empty() {
        return Err(format!("{} is empty; it must hold the secret and nothing else", path.display()));
    }
    if secret.contains(['\n', '\r']) {
        return Err(format!("{} has more than one line; it must hold the secret alone", path.display()));
    }
    Ok(SecretString::from(secret))
}

fn federated_token(file: &Path) -> Result<ReadCredential, String> {
    let text = read_text(file, TOKEN_BYTES_MAX).map_err(|detail| format!("{} {detail}", file.display()))?;
    let token = text.trim();
    let claims = claims(token).ok_or_else(|| {
        format!("{} holds no token; it must hold a signed JWT and nothing else", file.display())
    })?;
    let facts = CredentialFacts {
        description: Some(description(&claims)),
        valid_from: time(&claims, "nbf"),
        valid_until: time(&claims, "exp"),
        open_mode: None,
    };
    Ok(ReadCredential { proof: Proof::FederatedToken(SecretString::from(token)), facts })
}

/// What must stand in the application's federated credential.
fn description(claims: &Map<String, Value>) -> String {
    let text = |name: &str| match claims.get(name) {
        Some(Value::String(text)) => clean(text),
        Some(other) => clean(&other.to_string()),
        None => "(none)".to_owned(),
    };
    format!("issuer {}, subject {}, audience {}", text("iss"), text("sub"), text("aud"))
}

fn time(claims: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    OffsetDateTime::from_unix_timestamp(claims.get(name)?.as_i64()?).ok()
}

/// The permission bits of a file that all accounts of the machine may read or change.
fn open_mode(path: &Path) -> Option<u32> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & OPEN_BITS != 0).then_some(mode)
}

#[cfg(test)]
#[path = "credential_files_tests.rs"]
mod tests;
