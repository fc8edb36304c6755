//! What is registered for the application at Entra: secrets, certificates, federated credentials.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use x509_parser::pem::Pem;

use crate::clock::Timestamp;

/// What is registered for the application.
#[derive(Debug)]
pub(super) struct AppCredentials {
    secrets: Vec<SecretString>,
    certificates: Vec<RegisteredCertificate>,
    federated: Vec<FederatedCredential>,
    /// The ids of assertions that were used, and until when each assertion is good.
    used_ids: HashMap<String, i64>,
}

/// A certificate that was uploaded.
#[derive(Clone)]
pub(super) struct RegisteredCertificate {
    pub(super) x5t_s256: String,
    pub(super) key: DecodingKey,
    pub(super) valid_from: Timestamp,
    pub(super) valid_until: Timestamp,
}

impl std::fmt::Debug for RegisteredCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegisteredCertificate").field("x5t_s256", &self.x5t_s256).finish_non_exhaustive()
    }
}

/// An issuer whose tokens stand for the application.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FederatedCredential {
    /// The issuer, as its tokens name it.
    pub issuer: String,
    /// The one subject.
    pub subject: String,
    /// The one audience, mostly `api://AzureADTokenExchange`.
    pub audience: String,
    /// The issuer's public RSA key in PEM, which Entra would fetch from it.
    pub public_key: String,
}

impl AppCredentials {
    /// One secret, and nothing else.
    pub(super) fn of_secret(secret: SecretString) -> Self {
        Self {
            secrets: vec![secret],
            certificates: Vec::new(),
            federated: Vec::new(),
            used_ids: HashMap::new(),
        }
    }

    pub(super) fn set_secrets(&mut self, secrets: Vec<SecretString>) {
        self.secrets = secrets;
    }

    /// Registers the certificates of a PEM text in place of those before.
    pub(super) fn set_certificates(&mut self, pem: &str) -> Result<(), String> {
        let mut certificates = Vec::new();
        for block in Pem::iter_from_buffer(pem.as_bytes()) {
            let block = block.map_err(|error| error.to_string())?;
            if block.label == "CERTIFICATE" {
                certificates.push(registered(&block)?);
            }
        }
        self.certificates = certificates;
        Ok(())
    }

    /// Registers federated credentials in place of those before.
    pub(super) fn set_federated(&mut self, federated: Vec<FederatedCredential>) -> Result<(), String> {
        for one in &federated {
            DecodingKey::from_rsa_pem(one.public_key.as_bytes()).map_err(|error| error.to_string())?;
        }
        self.federated = federated;
        Ok(())
    }

    pub(super) fn has_secret(&self, secret: &str) -> bool {
        self.secrets.iter().any(|one| one.expose_secret() == secret)
    }

    pub(super) fn certificate(&self, x5t_s256: &str) -> Option<RegisteredCertificate> {
        self.certificates.iter().find(|one| one.x5t_s256 == x5t_s256).cloned()
    }

    pub(super) fn federated(&self) -> &[FederatedCredential] {
        &self.federated
    }

    /// Notes that an assertion is used; false where it was before.
    pub(super) fn use_once(&mut self, id: &str, good_until: i64, now: Timestamp) -> bool {
        self.used_ids.retain(|_, until| *until >= now.unix_timestamp());
        self.used_ids.insert(id.to_owned(), good_until).is_none()
    }
}

fn registered(block: &Pem) -> Result<RegisteredCertificate, String> {
    let certificate = block.parse_x509().map_err(|error| error.to_string())?;
    let validity = certificate.validity();
    Ok(RegisteredCertificate {
        x5t_s256: URL_SAFE_NO_PAD.encode(Sha256::digest(&block.contents)),
        key: DecodingKey::from_rsa_der(&certificate.public_key().subject_public_key.data),
        valid_from: validity.not_before.to_datetime(),
        valid_until: validity.not_after.to_datetime(),
    })
}
