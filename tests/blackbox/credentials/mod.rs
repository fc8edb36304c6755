//! How the service signs in: a secret, a certificate, a token of another issuer, a managed identity.

mod certificate;
mod doctor;
mod federated_token;
mod managed_identity;
mod rotated_in_a_process;

use std::time::Duration;

use jsonwebtoken::{Algorithm, Header};
use meeting_provisioner::clock::Timestamp;
use meeting_provisioner::msgraph_simulator::FederatedCredential;
use serde_json::json;

use crate::support::TestApp;
use crate::support::certificates::TestCertificate;

const DAY: Duration = Duration::from_hours(24);
const ISSUER: &str = "https://cluster.example/";
const SUBJECT: &str = "system:serviceaccount:meetings:provisioner";
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// A certificate that is good for a year.
fn certificate_at(now: Timestamp) -> TestCertificate {
    TestCertificate::valid(now - DAY, now + 365 * DAY)
}

/// Certificate and key in one text, as the file holds them.
fn file_of(certificate: &TestCertificate) -> String {
    format!("{}{}", certificate.key, certificate.certificate)
}

/// The token of a cluster for a service account, good for an hour.
fn service_account_token(issuer: &TestCertificate, subject: &str, now: Timestamp) -> String {
    let iat = now.unix_timestamp();
    let claims =
        json!({"iss": ISSUER, "sub": subject, "aud": [AUDIENCE], "iat": iat, "nbf": iat, "exp": iat + 3_600});
    issuer.sign(&Header::new(Algorithm::RS256), &claims)
}

/// What an administrator enters at Entra for it.
fn federated_credential(issuer: &TestCertificate) -> FederatedCredential {
    FederatedCredential {
        issuer: ISSUER.to_owned(),
        subject: SUBJECT.to_owned(),
        audience: AUDIENCE.to_owned(),
        public_key: issuer.public_key.clone(),
    }
}

/// The body of `/readyz` or another path on the operators' port.
async fn admin(app: &TestApp, path: &str) -> String {
    reqwest::get(app.admin_url(path)).await.unwrap().text().await.unwrap()
}
