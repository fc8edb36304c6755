//! What `doctor` and a start say of each kind of credential.

use meeting_provisioner::clock::{Clock, SystemClock};

use super::{
    AUDIENCE, DAY, ISSUER, SUBJECT, certificate_at, federated_credential, file_of, service_account_token,
};
use crate::support::TestApp;
use crate::support::certificates::TestCertificate;
use crate::support::process::program;

const GRAPH: &str = "MEETING_PROVISIONER__GRAPH__";

/// The environment of a test's service, with another credential.
fn with_credential(app: &TestApp, settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut environment = app.environment().to_vec();
    environment.retain(|(name, _)| !name.ends_with("CLIENT_SECRET"));
    environment.extend(settings.iter().map(|(name, value)| {
        let name = if name.starts_with("AZURE_") { (*name).to_owned() } else { format!("{GRAPH}{name}") };
        (name, (*value).to_owned())
    }));
    environment
}

async fn run(command: &str, environment: &[(String, String)]) -> (Option<i32>, String) {
    let output = program(&[command], environment).output().await.unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    // Findings are wrapped.
    (output.status.code(), text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Which credential, from where, until when, and what Entra says of it.
#[tokio::test]
async fn the_doctor_shows_each_kind_of_credential() {
    let app = TestApp::builder().at_real_time().start().await;
    let now = SystemClock.now();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let certificate = certificate_at(now);
    std::fs::write(path("certificate"), file_of(&certificate)).unwrap();
    std::fs::write(path("token"), service_account_token(&certificate, SUBJECT, now)).unwrap();
    std::fs::write(path("secret"), "simulator-secret\n").unwrap();
    app.simulator.set_certificates(&certificate.certificate).unwrap();
    app.simulator.set_federated_credentials(vec![federated_credential(&certificate)]).unwrap();
    let matching = format!("issuer {ISSUER}, subject {SUBJECT}, audience [\"{AUDIENCE}\"]");
    let url = app.simulator.graph_root_url().to_owned();
    for (settings, expected) in [
        (
            &[("AZURE_CLIENT_CERTIFICATE_PATH", path("certificate").as_str())][..],
            [
                "certificate from",
                "environment variable AZURE_CLIENT_CERTIFICATE_PATH",
                "thumbprint",
                "good until",
            ],
        ),
        (
            &[("AZURE_FEDERATED_TOKEN_FILE", path("token").as_str())],
            ["federated token from", "graph.federated_token_file", &matching, "good until"],
        ),
        (
            &[("CLIENT_SECRET_FILE", path("secret").as_str()), ("CLIENT_SECRET_EXPIRES_ON", "2999-01-01")],
            ["client secret from", "graph.client_secret_file", "secret", "good until 2999-01-01"],
        ),
        (
            &[("CREDENTIAL", "managed-identity"), ("METADATA_URL", url.as_str())],
            ["managed identity from", "graph.credential", "given by", &url],
        ),
    ] {
        let (status, text) = run("doctor", &with_credential(&app, settings)).await;
        assert_eq!(status, Some(0), "{text}");
        for expected in expected.into_iter().chain(["ok credential", "ok token"]) {
            assert!(text.contains(expected), "{expected} is missing in {text}");
        }
    }
    app.end().await;
}

/// An expired certificate is named with its day; one that expires soon and a file that all may read are noted.
#[tokio::test]
async fn the_doctor_names_what_is_out_of_date() {
    let app = TestApp::builder().at_real_time().start().await;
    let now = SystemClock.now();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("certificate");
    let settings = [("AZURE_CLIENT_CERTIFICATE_PATH", path.to_str().unwrap())];
    for (from, until, status, expected) in [
        (now - 9 * DAY, now - DAY, 1, "WRONG credential the certificate has expired: it was good until"),
        (now + DAY, now + 9 * DAY, 1, "WRONG credential the certificate is not valid yet: it is good from"),
        (now - DAY, now + 9 * DAY + DAY / 2, 0, "note credential it expires in 9 days; replace it before"),
    ] {
        let certificate = TestCertificate::valid(from, until);
        std::fs::write(&path, file_of(&certificate)).unwrap();
        app.simulator.set_certificates(&certificate.certificate).unwrap();
        let (found, text) = run("doctor", &with_credential(&app, &settings)).await;
        assert_eq!(found, Some(status), "{text}");
        assert!(text.contains(expected), "{expected} is missing in {text}");
        assert!(text.contains("mode 0644"), "{text}");
        assert_eq!(text.contains("AADSTS700027"), status == 1, "{text}");
    }
    app.end().await;
}

/// A file that can never work starts nothing, and what is wrong with it is said; nothing of what is in it.
#[tokio::test]
async fn a_credential_that_can_never_work_starts_nothing() {
    let app = TestApp::builder().at_real_time().start().await;
    let now = SystemClock.now();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credential");
    let (one, other) = (certificate_at(now), certificate_at(now));
    let key_of_another = format!("{}{}", one.key, other.certificate);
    for (name, content, expected) in [
        ("AZURE_CLIENT_CERTIFICATE_PATH", key_of_another.as_str(), "belongs to none of its certificates"),
        ("AZURE_CLIENT_CERTIFICATE_PATH", one.certificate.as_str(), "holds no private key"),
        ("AZURE_FEDERATED_TOKEN_FILE", "no token", "holds no token"),
        ("CLIENT_SECRET_FILE", "", "is empty"),
    ] {
        std::fs::write(&path, content).unwrap();
        let environment = with_credential(&app, &[(name, path.to_str().unwrap())]);
        for command in ["serve", "doctor"] {
            let (status, text) = run(command, &environment).await;
            assert_eq!(status, Some(1), "{text}");
            assert!(text.contains(expected) && text.contains(path.to_str().unwrap()), "{text}");
            assert!(!text.contains(&one.key[100..140]), "{text}");
        }
    }
    app.end().await;
}
