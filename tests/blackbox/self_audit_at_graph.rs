//! The self-audit that also reads the meetings at Graph, and says so where it can't.

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use serde_json::json;

use crate::self_audit::{audit, run_sql};
use crate::support::process::program;
use crate::support::{ORGANIZER, TestApp, Who, booking};

/// Graph is asked by reading alone: a meeting that is missing, one that was changed, and one that came back are named.
#[tokio::test]
async fn meetings_that_differ_at_graph_are_named() {
    let app = TestApp::builder().at_real_time().start().await;
    for name in ["GONE", "CHANGED", "BACK", "GOOD"] {
        app.book(Who::Desk, &booking(name)).await.expect(201);
    }
    let meeting = |body: serde_json::Value| body["meeting"]["id"].as_str().unwrap().to_owned();
    let (gone, changed) = (meeting(app.booking("GONE").await), meeting(app.booking("CHANGED").await));
    at_graph(&app, reqwest::Method::DELETE, &gone, None).await;
    at_graph(&app, reqwest::Method::PATCH, &changed, Some(json!({"subject": "Changed in Teams"}))).await;
    // As if it had been cancelled, and opened again by a person who has the link.
    run_sql(
        &app,
        &["update booking set desired_state = 'cancelled', status = 'cancelled', lobby_closed = true, removed = true
           where booking_id = 'BACK'"],
    )
    .await;
    let writes =
        app.simulator.counts().arrived(Operation::Patch) + app.simulator.counts().arrived(Operation::Delete);
    let (status, text) = audit(&app, &["--ask-graph", "--rate-per-second", "50"]).await;
    assert_eq!(status, Some(1), "{text}");
    for expected in [
        "room-booking/GONE generation 1 (meeting-at-graph)",
        "Graph has no such meeting any more",
        "room-booking/CHANGED generation 1 (meeting-as-booked)",
        "subject",
        "room-booking/BACK generation 1 (meeting-at-graph)",
        "the booking is cancelled, but Graph has its meeting",
        "Read 4 meetings at Graph",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(!text.contains("GOOD"), "{text}");
    let after =
        app.simulator.counts().arrived(Operation::Patch) + app.simulator.counts().arrived(Operation::Delete);
    assert_eq!(writes, after, "nothing is changed at Graph");
    app.end().await;
}

/// Changes a meeting as its organizer would, in Teams.
async fn at_graph(app: &TestApp, method: reqwest::Method, meeting: &str, body: Option<serde_json::Value>) {
    let settings = app.simulator.settings();
    #[expect(clippy::disallowed_methods, reason = "the tests are the organizer, not the service")]
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let token_url = format!(
        "{}/{}/oauth2/v2.0/token",
        app.simulator.login_url().trim_end_matches('/'),
        settings.tenant_id
    );
    let scope = format!("{}/.default", app.simulator.graph_root_url().trim_end_matches('/'));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", settings.client_id.as_str()),
        ("client_secret", secrecy::ExposeSecret::expose_secret(&settings.client_secret)),
        ("scope", scope.as_str()),
    ];
    let token: serde_json::Value =
        http.post(token_url).form(&form).send().await.unwrap().json().await.unwrap();
    let encoded = percent_encoding::utf8_percent_encode(meeting, percent_encoding::NON_ALPHANUMERIC);
    let url = format!(
        "{}/v1.0/users/{ORGANIZER}/onlineMeetings/{encoded}",
        app.simulator.graph_root_url().trim_end_matches('/')
    );
    let mut request = http.request(method, url).bearer_auth(token["access_token"].as_str().unwrap());
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

/// An audit that could not be carried out says so by its exit status, and does not count as clean.
#[tokio::test]
async fn an_audit_that_could_not_be_carried_out_says_so() {
    let app = TestApp::builder().at_real_time().start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.simulator.inject(
        InjectedFault::on(
            Operation::Get,
            Effect::FailedBeforeWork { status: 503, retry_after: Some("0".to_owned()) },
        )
        .always(),
    );
    let (status, text) = audit(&app, &["--ask-graph", "--rate-per-second", "100"]).await;
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains("room-booking/BK-1 generation 1: Graph gave no answer"), "{text}");
    app.simulator
        .inject(InjectedFault::on(Operation::Token, Effect::TokenRefused { code: 7_000_222 }).always());
    assert_eq!(audit(&app, &["--ask-graph"]).await.0, Some(2));
    assert_eq!(audit(&app, &["--from", "yesterday"]).await.0, Some(2));
    assert_eq!(audit(&app, &["--rate-per-second", "0"]).await.0, Some(2));
    let mut environment = app.environment().to_vec();
    environment
        .push(("MEETING_PROVISIONER__DATABASE__URL".to_owned(), "postgres://127.0.0.1:1/x".to_owned()));
    let output = program(&["self-audit"], &environment).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("could not be carried out"));
    app.end().await;
}
