//! A managed identity signs in: the machine's metadata service, and App Service's endpoint.

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use tokio::net::TcpListener;

use super::admin;
use crate::support::process::program;
use crate::support::{TestApp, Who, booking};

fn failed(status: u16) -> InjectedFault {
    InjectedFault::on(Operation::IdentityToken, Effect::FailedBeforeWork { status, retry_after: None })
}

/// What the metadata service answers while it is updated, or asked too often, is no failure: it is asked again.
#[tokio::test]
async fn a_metadata_service_that_is_busy_is_asked_again() {
    let app = TestApp::builder()
        .setting("GRAPH__CREDENTIAL", "managed-identity")
        .setting("GRAPH__METADATA_URL", "{simulator}")
        .start()
        .await;
    app.simulator.inject(failed(404));
    app.simulator.inject(failed(429));
    app.book_preferring(Who::Desk, "wait=30", &booking("BK-1")).await.expect(201);
    let calls = app.simulator.calls(Operation::IdentityToken);
    assert_eq!(calls.len(), 3);
    let client_id = &app.simulator.settings().client_id;
    assert!(calls.iter().all(|call| call.path.contains(&format!("client_id={client_id}"))), "{calls:?}");
    assert_eq!(app.simulator.counts().arrived(Operation::Token), 0);
    app.end().await;
}

/// An identity that the machine doesn't have is refused at once, and the hint says where to assign it.
#[tokio::test]
async fn an_identity_that_is_not_assigned_is_told() {
    let app = TestApp::builder()
        .setting("GRAPH__CREDENTIAL", "managed-identity")
        .setting("GRAPH__METADATA_URL", "{simulator}")
        .setting("GRAPH__CLIENT_ID", "00000000-0000-0000-0000-00000000000f")
        .start()
        .await;
    let body = app.book_and_look(&booking("BK-1")).await;
    assert_eq!(body["lastError"]["code"], "graph-unauthorized");
    assert!(body["lastError"].to_string().contains("Identity not found"), "{body}");
    assert_eq!(app.simulator.calls(Operation::IdentityToken).len(), 1);
    let told = admin(&app, "/readyz").await;
    assert!(told.contains("this machine has no such managed identity"), "{told}");
    app.end_with_work_left().await;
}

/// The endpoint of App Service and Container Apps is asked in its own shape; the machine's own identity is asked for by no id.
#[tokio::test]
async fn the_endpoint_of_app_service_is_asked_in_its_shape() {
    let app = TestApp::builder()
        .setting("GRAPH__CREDENTIAL", "managed-identity")
        .setting("GRAPH__MANAGED_IDENTITY", "system-assigned")
        .setting("GRAPH__IDENTITY_ENDPOINT", "{simulator}/msi/token")
        .setting("GRAPH__IDENTITY_HEADER", "simulator-identity-header")
        .start()
        .await;
    assert_eq!(app.simulator.identity_header(), "simulator-identity-header");
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let path = &app.simulator.calls(Operation::IdentityToken)[0].path;
    assert!(path.starts_with("/msi/token?") && !path.contains("client_id"), "{path}");
    app.end().await;
}

/// The metadata service is never asked through a proxy, whatever the environment says: a proxy would get our identity.
#[tokio::test]
async fn no_proxy_gets_what_is_for_the_metadata_service() {
    let app = TestApp::builder().at_real_time().start().await;
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let mut environment = app.environment().to_vec();
    let own = [
        ("MEETING_PROVISIONER__GRAPH__CREDENTIAL", "managed-identity"),
        ("MEETING_PROVISIONER__GRAPH__CONNECT_TIMEOUT_SECONDS", "0.2"),
        ("MEETING_PROVISIONER__GRAPH__TIMEOUT_SECONDS", "0.5"),
        ("http_proxy", &url),
        ("HTTP_PROXY", &url),
        ("https_proxy", &url),
        ("all_proxy", &url),
    ];
    environment.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let doctor = program(&["doctor"], &environment).output().await.unwrap();
    let text = String::from_utf8(doctor.stdout).unwrap();
    assert!(text.contains("managed identity from http://169.254.169.254/"), "{text}");
    let asked = tokio::time::timeout(std::time::Duration::ZERO, proxy.accept()).await;
    assert!(asked.is_err(), "the proxy was asked: {asked:?}");
    app.end().await;
}
