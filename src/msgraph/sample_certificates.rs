//! Certificates for the tests, made in a moment.

use rcgen::{
    CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm,
};
use time::macros::datetime;

use crate::clock::Timestamp;

pub(super) const VALID_FROM: Timestamp = datetime!(2026-11-01 00:00 UTC);
pub(super) const VALID_UNTIL: Timestamp = datetime!(2027-11-01 00:00 UTC);

/// A certificate and its private key, both in PEM.
pub(super) struct SampleCertificate {
    pub(super) certificate: String,
    pub(super) key: String,
    pub(super) der: Vec<u8>,
    pub(super) key_der: Vec<u8>,
}

impl SampleCertificate {
    pub(super) fn rsa(name: &str) -> Self {
        Self::of(name, &PKCS_RSA_SHA256)
    }

    pub(super) fn ec(name: &str) -> Self {
        Self::of(name, &PKCS_ECDSA_P256_SHA256)
    }

    fn of(name: &str, algorithm: &'static SignatureAlgorithm) -> Self {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        (params.not_before, params.not_after) = (VALID_FROM, VALID_UNTIL);
        let certificate = params.self_signed(&key).unwrap();
        Self {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().to_vec(),
            key_der: key.serialize_der(),
        }
    }

    /// Both in one text.
    pub(super) fn file(&self) -> String {
        format!("{}{}", self.key, self.certificate)
    }
}
