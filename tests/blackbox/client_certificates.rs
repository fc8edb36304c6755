//! Callers that show a certificate over TLS.

use std::time::Duration;

use meeting_provisioner::clock::Clock as _;
use reqwest::Client;
use serde_json::{Value, json};

use crate::support::{TestApp, Who, booking};
use crate::tls::{Authority, Files, encrypted};

const CALLERS: &str = "
[[access.client_certificate]]
name = \"front desk\"
dns = \"desk.contoso.com\"
source_system = \"room-booking\"
roles = [\"bookings.write\"]

[[access.client_certificate]]
name = \"auditors\"
dns = \"audit.contoso.com\"
source_system = \"audit\"
roles = [\"audit.read\"]
";

/// A service that asks its clients for certificates of an authority.
async fn service(files: &Files, clients: &Authority) -> TestApp {
    let authority = files.certificate().with_file_name("clients.pem");
    std::fs::write(&authority, clients.pem()).unwrap();
    TestApp::builder()
        .setting("HTTP__TLS_CERTIFICATE_FILE", files.certificate().to_str().unwrap())
        .setting("HTTP__TLS_PRIVATE_KEY_FILE", files.private_key().to_str().unwrap())
        .setting("HTTP__TLS_CLIENT_CA_FILE", authority.to_str().unwrap())
        .settings_file(CALLERS)
        .at_real_time()
        .start()
        .await
}

async fn me(app: &TestApp, client: &Client, who: Who) -> (u16, Value) {
    let request = client.get(encrypted(app, "/v1/me"));
    let request = who.key().into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// A certificate that a block names books for its source system, and the history says which it was. A key beside it counts
/// alone, whether it is good or not; a client without a certificate needs one.
#[tokio::test]
async fn a_certificate_books_for_its_source_system() {
    let (server, clients) = (Authority::new(), Authority::new());
    let app = service(&Files::of(&server), &clients).await;
    let until = app.clock.now() + Duration::from_hours(1);
    let desk = server.client_with(Some(&clients.sign(&["desk.contoso.com"], until)));
    let (status, caller) = me(&app, &desk, Who::Anonymous).await;
    assert_eq!(status, 200, "{caller}");
    assert_eq!(caller["credential"], json!({"kind": "certificate", "name": "front desk"}));
    assert_eq!(
        (&caller["sourceSystem"], &caller["roles"]),
        (&json!("room-booking"), &json!(["bookings.write"]))
    );
    let booked = desk.post(encrypted(&app, "/v1/bookings")).json(&booking("BK-1")).send().await.unwrap();
    assert_eq!(booked.status().as_u16(), 201);

    let auditor = server.client_with(Some(&clients.sign(&["audit.contoso.com"], until)));
    let path = "/v1/bookings/BK-1/audit-events?sourceSystem=room-booking";
    let history: Value = auditor.get(encrypted(&app, path)).send().await.unwrap().json().await.unwrap();
    assert_eq!(history["items"][0]["actor"], "certificate:front desk", "{history}");
    let refused = auditor.post(encrypted(&app, "/v1/bookings")).json(&booking("BK-2")).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 403);

    assert_eq!(me(&app, &desk, Who::OtherSystem).await.1["sourceSystem"], "crm");
    assert_eq!(me(&app, &desk, Who::Stranger).await.0, 401);
    let bare = server.client_with(None);
    assert_eq!(me(&app, &bare, Who::Anonymous).await.0, 401);
    assert_eq!(me(&app, &bare, Who::Desk).await.0, 200);
    app.end().await;
}

/// Another authority's certificate gets no connection; one that no block names, and one that ends while its connection is open,
/// get 401, each counted under its name.
#[tokio::test]
async fn only_a_certificate_that_is_named_calls() {
    let (server, clients) = (Authority::new(), Authority::new());
    let app = service(&Files::of(&server), &clients).await;
    let until = app.clock.now() + Duration::from_hours(1);
    let foreign = server.client_with(Some(&Authority::new().sign(&["desk.contoso.com"], until)));
    assert!(foreign.get(encrypted(&app, "/v1/me")).send().await.is_err());
    let ended =
        server.client_with(Some(&clients.sign(&["desk.contoso.com"], until - Duration::from_hours(2))));
    assert!(ended.get(encrypted(&app, "/v1/me")).send().await.is_err());

    let unknown = server.client_with(Some(&clients.sign(&["unknown.contoso.com"], until)));
    assert_eq!(me(&app, &unknown, Who::Anonymous).await.0, 401);
    let desk = server.client_with(Some(&clients.sign(&["desk.contoso.com"], until)));
    assert_eq!(me(&app, &desk, Who::Anonymous).await.0, 200);
    app.clock.advance(Duration::from_hours(2));
    assert_eq!(me(&app, &desk, Who::Anonymous).await.0, 401);
    for reason in ["certificate-unknown", "certificate-ended"] {
        let counted = format!("meeting_provisioner_authentication_refused_total{{reason=\"{reason}\"}}");
        assert!(app.metric(&counted).await >= 1.0, "{reason}");
    }
    app.end().await;
}
