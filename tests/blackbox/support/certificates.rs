//! Certificates of any age with their keys, and what those sign.

use jsonwebtoken::{EncodingKey, Header, encode};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256};
use serde_json::Value;
use time::OffsetDateTime;

/// A certificate and its private RSA key.
pub struct TestCertificate {
    /// In PEM.
    pub certificate: String,
    /// In PEM.
    pub key: String,
    /// In PEM, as an issuer of tokens publishes it.
    pub public_key: String,
}

impl TestCertificate {
    /// One that is good from then until then.
    pub fn valid(from: OffsetDateTime, until: OffsetDateTime) -> Self {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "meeting-provisioner");
        (params.not_before, params.not_after) = (from, until);
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { certificate, key: key.serialize_pem(), public_key: key.public_key_pem() }
    }

    /// A JWT that the key signs.
    pub fn sign(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &EncodingKey::from_rsa_pem(self.key.as_bytes()).unwrap()).unwrap()
    }
}
