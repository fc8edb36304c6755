//! A token of another issuer signs in, as that of a Kubernetes service account does.

use std::path::Path;
use std::time::Duration;

use time::macros::datetime;

use super::{SUBJECT, TestCertificate, admin, certificate_at, federated_credential, service_account_token};
use crate::support::{TestApp, Who, booking};

const NOW: time::OffsetDateTime = datetime!(2026-11-23 08:00 UTC);

/// A service that signs in with the token of this file, whose issuer is registered.
async fn signing_in_with(path: &Path, issuer: &TestCertificate) -> TestApp {
    let app = TestApp::builder()
        .setting("GRAPH__CREDENTIAL", "federated")
        .setting("GRAPH__FEDERATED_TOKEN_FILE", path.to_str().unwrap())
        .start()
        .await;
    app.simulator.set_federated_credentials(vec![federated_credential(issuer)]).unwrap();
    app
}

/// The file is read for each token, so what the kubelet writes there counts at once.
#[tokio::test]
async fn a_token_file_is_read_for_each_token() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let issuer = certificate_at(NOW);
    std::fs::write(&path, service_account_token(&issuer, SUBJECT, NOW)).unwrap();
    let app = signing_in_with(&path, &issuer).await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let text = admin(&app, "/metrics").await;
    assert!(
        !text.contains("meeting_provisioner_credential_remaining_days "),
        "what renews itself has no days"
    );

    app.clock.advance(Duration::from_hours(2));
    let body = app.book_and_look(&booking("BK-2")).await;
    let said = body["lastError"].to_string();
    assert!(said.contains("AADSTS700024") && said.contains("restart the pod"), "{said}");
    let told = admin(&app, "/readyz").await;
    assert!(told.contains("the federated token has expired"), "{told}");

    let now = NOW + Duration::from_hours(2);
    std::fs::write(&path, service_account_token(&issuer, SUBJECT, now)).unwrap();
    assert_eq!(app.resume_after(Duration::from_mins(1)).await, 1);
    assert_eq!(app.booking("BK-2").await["status"], "provisioned");
    assert_eq!(admin(&app, "/readyz").await, "ready\n");
    app.end().await;
}

/// Another service account is refused, and the hint says where to look.
#[tokio::test]
async fn a_token_that_matches_nothing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let issuer = certificate_at(NOW);
    std::fs::write(&path, service_account_token(&issuer, "system:serviceaccount:meetings:default", NOW))
        .unwrap();
    let app = signing_in_with(&path, &issuer).await;
    let body = app.book_and_look(&booking("BK-1")).await;
    let said = body["lastError"].to_string();
    assert!(said.contains("AADSTS700213") && said.contains("Federated credentials"), "{said}");
    app.end_with_work_left().await;
}
