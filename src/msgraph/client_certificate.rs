//! A certificate with its private key, and the assertions that the key signs.
//!
//! Entra takes RSA keys alone. An assertion is signed with PS256 and names its certificate by `x5t#S256` (Microsoft's page
//! "Microsoft identity platform application authentication certificate credentials").

use std::fmt;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, crypto, encode};
use p12_keystore::Pkcs12Archive;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use super::text::clean;
use crate::clock::Timestamp;

/// The shortest key that is taken, in bits.
const KEY_BITS_MIN: usize = 2048;
/// What is signed to see which certificate belongs to the key.
const PROBE: &[u8] = b"which certificate belongs to this key?";

/// A certificate with its private key.
pub(super) struct ClientCertificate {
    key: EncodingKey,
    /// `x5t#S256`: base64url of the SHA-256 of the DER.
    x5t_s256: String,
    /// What it says of itself.
    pub(super) facts: CertificateFacts,
}

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CertificateFacts {
    pub(super) subject: String,
    /// SHA-1 in hex, as Entra shows it.
    pub(super) thumbprint: String,
    pub(super) valid_from: Timestamp,
    pub(super) valid_until: Timestamp,
}

/// The claims of an assertion (RFC 7523, 3).
#[derive(Debug, Serialize)]
pub(super) struct AssertionClaims<'a> {
    pub(super) aud: &'a str,
    pub(super) iss: &'a str,
    pub(super) sub: &'a str,
    pub(super) jti: String,
    pub(super) nbf: i64,
    pub(super) iat: i64,
    pub(super) exp: i64,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl PartialEq for ClientCertificate {
    /// A certificate has one key.
    fn eq(&self, other: &Self) -> bool {
        self.x5t_s256 == other.x5t_s256
    }
}

/// What a file holds: a private key as PEM, and certificates as DER.
#[derive(Default)]
struct FileContent {
    key: Option<SecretString>,
    certificates: Vec<Vec<u8>>,
}

impl ClientCertificate {
    /// Reads a file of certificate and private key, PEM or PKCS#12. Of several certificates the one that belongs to the key
    /// counts. The error says what is wrong, and nothing of the key.
    pub(super) fn parse(file: &[u8], password: Option<&SecretString>) -> Result<Self, String> {
        let is_pem = file.windows(11).any(|window| window == b"-----BEGIN ");
        let content = if is_pem { pem(file)? } else { pkcs12(file, password)? };
        let key = content.key.ok_or(
            "holds no private key; it must hold the certificate and its private key, as PEM or PKCS#12",
        )?;
        if content.certificates.is_empty() {
            return Err(
                "holds no certificate; it must hold the certificate and its private key, as PEM or PKCS#12"
                    .to_owned(),
            );
        }
        let key = EncodingKey::from_rsa_pem(key.expose_secret().as_bytes()).map_err(|_| NO_RSA_KEY)?;
        let signature = crypto::sign(PROBE, &key, Algorithm::PS256)
            .map_err(|_| "holds a private key that can't sign; make the certificate and its key anew")?;
        let mut fault = "holds a private key that belongs to none of its certificates".to_owned();
        for der in &content.certificates {
            match fitting(der, &signature) {
                Ok(Some(facts)) => {
                    let x5t_s256 = URL_SAFE_NO_PAD.encode(Sha256::digest(der));
                    return Ok(Self { key, x5t_s256, facts });
                }
                Ok(None) => {}
                Err(detail) => fault = detail,
            }
        }
        Err(fault)
    }

    /// An assertion with these claims.
    pub(super) fn sign(&self, claims: &AssertionClaims<'_>) -> Result<SecretString, String> {
        let mut header = Header::new(Algorithm::PS256);
        header.x5t_s256 = Some(self.x5t_s256.clone());
        encode(&header, claims, &self.key).map(SecretString::from).map_err(|fault| fault.to_string())
    }
}

const NO_RSA_KEY: &str = "holds a private key that can't be read as an RSA key; Entra takes assertions of RSA keys alone, \
                          none of EC or Ed25519 keys";

/// The certificates and the private key of a PEM file; what stands between the blocks doesn't count.
fn pem(file: &[u8]) -> Result<FileContent, String> {
    let mut content = FileContent::default();
    if file.windows(10).any(|window| window == b"Proc-Type:") {
        return Err(ENCRYPTED_KEY.to_owned());
    }
    for block in Pem::iter_from_buffer(file) {
        let block = block.map_err(|_| "is PEM of which a block can't be read; is it cut off?")?;
        match block.label.as_str() {
            "CERTIFICATE" => content.certificates.push(block.contents),
            "ENCRYPTED PRIVATE KEY" => return Err(ENCRYPTED_KEY.to_owned()),
            "EC PRIVATE KEY" => return Err(NO_RSA_KEY.to_owned()),
            label @ ("PRIVATE KEY" | "RSA PRIVATE KEY") => {
                if content.key.is_some() {
                    return Err("holds several private keys; it must hold one".to_owned());
                }
                content.key = Some(key_as_pem(label, &block.contents));
            }
            _ => {}
        }
    }
    Ok(content)
}

const ENCRYPTED_KEY: &str = "holds an encrypted private key in PEM, which is not read; keep the key unencrypted in a file that \
                             only this service may read, or use PKCS#12 with a password";

fn pkcs12(file: &[u8], password: Option<&SecretString>) -> Result<FileContent, String> {
    let password = password.map_or("", |password| password.expose_secret());
    let archive = Pkcs12Archive::from_pkcs12(file, password).map_err(|fault| match fault {
        p12_keystore::error::Error::MacError(_) => {
            "is PKCS#12 that this password doesn't open (graph.client_certificate_password)".to_owned()
        }
        fault => format!(
            "is neither PEM nor PKCS#12 that can be read with graph.client_certificate_password: {}",
            clean(&fault.to_string())
        ),
    })?;
    if archive.keys.len() > 1 {
        return Err("holds several private keys; it must hold one".to_owned());
    }
    Ok(FileContent {
        key: archive.keys.first().map(|bag| key_as_pem("PRIVATE KEY", bag.key.as_der())),
        certificates: archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()).collect(),
    })
}

fn key_as_pem(label: &str, der: &[u8]) -> SecretString {
    SecretString::from(format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der)))
}

/// What a certificate says of itself, if its key made this signature.
fn fitting(der: &[u8], signature: &str) -> Result<Option<CertificateFacts>, String> {
    let (_, certificate) =
        X509Certificate::from_der(der).map_err(|_| "holds a certificate that can't be read")?;
    let public_key = certificate.public_key();
    let Ok(PublicKey::RSA(rsa)) = public_key.parsed() else { return Ok(None) };
    if rsa.key_size() < KEY_BITS_MIN {
        return Err(format!(
            "holds an RSA key of {} bits; it must have {KEY_BITS_MIN} at least",
            rsa.key_size()
        ));
    }
    let key = DecodingKey::from_rsa_der(&public_key.subject_public_key.data);
    if !crypto::verify(signature, PROBE, &key, Algorithm::PS256).is_ok_and(|fits| fits) {
        return Ok(None);
    }
    let validity = certificate.validity();
    let thumbprint = sha1::Sha1::digest(der).iter().fold(String::new(), |mut hex, byte| {
        // To a text nothing can fail to be written.
        let _written = write!(hex, "{byte:02X}");
        hex
    });
    Ok(Some(CertificateFacts {
        subject: clean(&certificate.subject().to_string()),
        thumbprint,
        valid_from: validity.not_before.to_datetime(),
        valid_until: validity.not_after.to_datetime(),
    }))
}

#[cfg(test)]
#[path = "client_certificate_tests.rs"]
mod tests;
