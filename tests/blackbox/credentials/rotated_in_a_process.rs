//! A credential is replaced under a running process, and its log at its most talkative holds nothing of it.

use std::path::Path;
use std::time::Duration;

use meeting_provisioner::clock::{Clock, SystemClock};

use super::{SUBJECT, certificate_at, federated_credential, file_of, service_account_token};
use crate::support::process::Process;
use crate::support::{TestApp, booking};

/// One kind of credential: what its file holds first and then, and what must never be seen.
struct Rotation {
    setting: &'static str,
    first: String,
    then: String,
    secrets: Vec<String>,
}

async fn rotate(app: &TestApp, path: &Path, rotation: &Rotation, switch: impl FnOnce()) -> String {
    let Rotation { setting, first, then, secrets } = rotation;
    std::fs::write(path, first).unwrap();
    let mut environment = app.environment().to_vec();
    environment.retain(|(name, _)| !name.ends_with("CLIENT_SECRET"));
    environment.push(((*setting).to_owned(), path.to_str().unwrap().to_owned()));
    environment.push(("MEETING_PROVISIONER__TELEMETRY__LOG_FILTER".to_owned(), "trace".to_owned()));
    let process = Process::serve(&environment).await;
    process.book(&booking(&format!("{setting}-1"))).await.unwrap().expect(201);
    std::fs::write(path, then).unwrap();
    switch();
    app.simulator.revoke_tokens();
    process.book(&booking(&format!("{setting}-2"))).await.unwrap().expect(201);
    process.terminate();
    let (status, lines) = process.ended(Duration::from_secs(30)).await;
    assert!(status.success());
    let log = lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    // Every assertion and every token begins so.
    let tokens = "eyJ".to_owned();
    for secret in secrets.iter().chain([&tokens]) {
        let at = log.find(secret.as_str());
        assert!(at.is_none(), "{setting}: {}", &log[at.unwrap_or(0).saturating_sub(200)..][..300]);
    }
    log
}

#[tokio::test]
async fn each_kind_is_replaced_under_a_running_process_and_never_logged() {
    let app = TestApp::builder().at_real_time().start().await;
    let now = SystemClock.now();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credential");

    let secret = Rotation {
        setting: "MEETING_PROVISIONER__GRAPH__CLIENT_SECRET_FILE",
        first: "simulator-secret\n".to_owned(),
        then: "the-secret-after-it\n".to_owned(),
        secrets: vec!["simulator-secret".to_owned(), "the-secret-after-it".to_owned()],
    };
    let log = rotate(&app, &path, &secret, || app.simulator.set_secrets(&["the-secret-after-it"])).await;
    assert!(log.contains("the client secret has changed"), "the change is not logged");

    let (one, other) = (certificate_at(now), certificate_at(now));
    let inside = |key: &str| key[60..110].to_owned();
    app.simulator.set_certificates(&one.certificate).unwrap();
    let certificate = Rotation {
        setting: "AZURE_CLIENT_CERTIFICATE_PATH",
        first: file_of(&one),
        then: file_of(&other),
        secrets: vec![inside(&one.key), inside(&other.key)],
    };
    let switch = || app.simulator.set_certificates(&other.certificate).unwrap();
    let log = rotate(&app, &path, &certificate, switch).await;
    assert!(log.contains("the certificate has changed"), "the change is not logged");

    let before = now - Duration::from_mins(10);
    app.simulator.set_federated_credentials(vec![federated_credential(&one)]).unwrap();
    let federated = Rotation {
        setting: "AZURE_FEDERATED_TOKEN_FILE",
        first: service_account_token(&one, SUBJECT, before),
        then: service_account_token(&other, SUBJECT, now),
        secrets: Vec::new(),
    };
    let switch = || app.simulator.set_federated_credentials(vec![federated_credential(&other)]).unwrap();
    rotate(&app, &path, &federated, switch).await;
    app.end().await;
}
