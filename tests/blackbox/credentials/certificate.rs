//! A certificate signs in, is replaced while the service runs, and is told when it is refused.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::Operation;
use time::macros::datetime;

use super::{DAY, admin, certificate_at, file_of};
use crate::support::certificates::TestCertificate;
use crate::support::{TestApp, Who, booking};

const NOW: time::OffsetDateTime = datetime!(2026-11-23 08:00 UTC);
const REFUSED: &str = "meeting_provisioner_credential_refused";
const FAULTY: &str = "meeting_provisioner_credential_file_faulty";
const REMAINING: &str = "meeting_provisioner_credential_remaining_days";

async fn app_with(folder: &std::path::Path, certificate: &TestCertificate) -> TestApp {
    let path = folder.join("certificate.pem");
    std::fs::write(&path, file_of(certificate)).unwrap();
    TestApp::builder()
        .setting("GRAPH__CREDENTIAL", "certificate")
        .setting("GRAPH__CLIENT_CERTIFICATE_FILE", path.to_str().unwrap())
        .start()
        .await
}

async fn metric_is(app: &TestApp, name: &str, expected: f64) {
    let found = app.metric(name).await;
    assert!((found - expected).abs() < 0.001, "{name} is {found}, not {expected}");
}

/// The next token is asked for with what the file holds then; what can't be read leaves the one before in use, loudly.
#[tokio::test]
async fn a_certificate_is_replaced_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("certificate.pem");
    let (first, second) = (certificate_at(NOW), TestCertificate::valid(NOW - DAY, NOW + 20 * DAY));
    let app = app_with(folder.path(), &first).await;
    app.simulator.set_certificates(&first.certificate).unwrap();
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let call = &app.simulator.calls(Operation::Token)[0];
    let form = call.json_body().unwrap();
    assert_eq!(form["client_assertion"], "(withheld)");
    assert!(form.get("client_secret").is_none(), "{form}");
    metric_is(&app, REMAINING, 365.0).await;
    assert_eq!(admin(&app, "/readyz").await, "ready\n");

    app.simulator.set_certificates(&second.certificate).unwrap();
    std::fs::write(&path, file_of(&second)).unwrap();
    app.simulator.revoke_tokens();
    app.book(Who::Desk, &booking("BK-2")).await.expect(201);
    metric_is(&app, REMAINING, 20.0).await;

    let mismatched = format!("{}{}", first.key, second.certificate);
    for (n, content) in [mismatched.as_str(), "", "garbage"].into_iter().enumerate() {
        std::fs::write(&path, content).unwrap();
        app.simulator.revoke_tokens();
        app.book(Who::Desk, &booking(&format!("BK-KEPT-{n}"))).await.expect(201);
        metric_is(&app, FAULTY, 1.0).await;
        metric_is(&app, REFUSED, 0.0).await;
    }
    let told = admin(&app, "/readyz").await;
    assert!(told.starts_with("ready, but degraded: the file of the certificate can't be used"), "{told}");
    assert_eq!(app.probe("/readyz").await, 200);

    std::fs::write(&path, file_of(&second)).unwrap();
    app.simulator.revoke_tokens();
    app.book(Who::Desk, &booking("BK-3")).await.expect(201);
    metric_is(&app, FAULTY, 0.0).await;
    assert_eq!(admin(&app, "/readyz").await, "ready\n");
    app.end().await;
}

/// A certificate that Entra doesn't know is told by booking, metric and readiness, with what to do; and no booking is lost.
#[tokio::test]
async fn an_unknown_certificate_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) = (certificate_at(NOW), certificate_at(NOW));
    let app = app_with(folder.path(), &ours).await;
    app.simulator.set_certificates(&other.certificate).unwrap();
    let body = app.book_and_look(&booking("BK-1")).await;
    assert_eq!(body["lastError"]["code"], "graph-unauthorized");
    let detail = body["lastError"]["detail"].as_str().unwrap();
    assert!(detail.contains("the certificate is not one of this application's"), "{body}");
    let remedy = body["lastError"]["remedy"].as_str().unwrap();
    assert!(remedy.contains("upload the certificate"), "{body}");
    metric_is(&app, REFUSED, 1.0).await;
    let told = admin(&app, "/readyz").await;
    assert!(told.contains("AADSTS700027") && app.probe("/readyz").await == 200, "{told}");
    app.simulator.set_certificates(&format!("{}{}", other.certificate, ours.certificate)).unwrap();
    assert_eq!(app.resume_after(Duration::from_mins(1)).await, 1);
    assert_eq!(app.booking("BK-1").await["status"], "provisioned");
    metric_is(&app, REFUSED, 0.0).await;
    app.end().await;
}

/// A certificate that expires while the service runs is refused from then on, and its days are counted below zero.
#[tokio::test]
async fn an_expired_certificate_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = TestCertificate::valid(NOW - 300 * DAY, NOW + DAY);
    let app = app_with(folder.path(), &certificate).await;
    app.simulator.set_certificates(&certificate.certificate).unwrap();
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.clock.advance(3 * DAY);
    let body = app.book_and_look(&booking("BK-2")).await;
    assert_eq!(body["lastError"]["code"], "graph-unauthorized");
    metric_is(&app, REMAINING, -2.0).await;
    let told = admin(&app, "/readyz").await;
    assert!(told.contains("the certificate has expired: it was good until 2026-11-24"), "{told}");
    app.end_with_work_left().await;
}
