//! Who may organize, and how a UPN becomes an id.

use std::net::SocketAddr;

use meeting_provisioner::msgraph_simulator::{
    OrganizerState, Simulator, SimulatorError, SimulatorSettings, UserId,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixture::{ANNA, Fixture, booking, read};

fn anna() -> UserId {
    UserId::parse(ANNA).unwrap()
}

#[tokio::test]
async fn an_organizer_without_policy_is_forbidden_until_permitted() {
    let fixture = Fixture::start().await;
    fixture.simulator.forbid(anna());
    let (status, body) = fixture.create("a").await;
    let message = body["error"]["message"].as_str().unwrap();
    assert_eq!((status, &body["error"]["code"]), (403, &json!("Forbidden")));
    assert!(message.starts_with("No application access policy found for this app"), "{message}");
    fixture.simulator.permit(anna());
    assert_eq!(fixture.create("a").await.0, 201);
    fixture.simulator.forbid(anna());
    assert_eq!(fixture.create("a").await.0, 403, "the policy counts for a hit as well");
}

#[tokio::test]
async fn a_guest_is_forbidden_for_another_reason_and_a_stranger_is_unknown() {
    let fixture = Fixture::start().await;
    fixture.simulator.declare(anna(), OrganizerState::Refused, None);
    let (status, body) = fixture.create("a").await;
    assert_eq!(status, 403);
    assert!(!body["error"]["message"].as_str().unwrap().contains("application access policy"));
    fixture.simulator.declare(anna(), OrganizerState::Unknown, None);
    let (status, body) = fixture.create("a").await;
    assert_eq!((status, &body["error"]["code"]), (404, &json!("UnknownError")));
    assert_eq!(body["error"]["message"], "");
}

#[tokio::test]
async fn a_upn_is_resolved_first_because_a_meetings_path_does_not_know_it() {
    let fixture = Fixture::start().await;
    fixture.simulator.declare(anna(), OrganizerState::Permitted, Some("anna#ext@contoso.com"));
    let path = "/v1.0/users/Anna%23EXT%40contoso.com?$select=id";
    let (status, body) = read(fixture.send(Method::GET, path, None).await.unwrap()).await;
    assert_eq!((status, &body["id"], &body["userPrincipalName"]), (200, &json!(ANNA), &Value::Null));
    let answer = fixture.create_or_get("anna%23ext@contoso.com", &booking("a")).await.unwrap();
    let (status, body) = read(answer).await;
    assert_eq!((status, &body["error"]["code"]), (404, &json!("UnknownError")));
    let (_, meeting) = fixture.create("a").await;
    assert_eq!(meeting["participants"]["organizer"]["upn"], "anna#ext@contoso.com");
}

#[tokio::test]
async fn the_directory_does_not_know_every_upn() {
    let settings =
        SimulatorSettings { undeclared_organizers: OrganizerState::Unknown, ..SimulatorSettings::default() };
    let fixture = Fixture::start_with(settings).await;
    let answer = fixture.send(Method::GET, "/v1.0/users/nobody@contoso.com", None).await.unwrap();
    let (status, body) = read(answer).await;
    assert_eq!((status, &body["error"]["code"]), (404, &json!("Request_ResourceNotFound")));
    assert_eq!(fixture.create("a").await.0, 404);
}

#[tokio::test]
async fn the_simulator_listens_on_the_loopback_only() {
    for address in ["0.0.0.0:0", "192.0.2.1:8080", "[::]:0"] {
        let address: SocketAddr = address.parse().unwrap();
        let settings = SimulatorSettings { address, ..SimulatorSettings::default() };
        let refusal = Simulator::start(settings).await.unwrap_err();
        assert!(matches!(refusal, SimulatorError::NotLoopback { .. }), "{refusal}");
        assert!(refusal.to_string().contains("loopback"));
    }
}

#[tokio::test]
async fn a_stopped_simulator_frees_its_port_and_a_taken_port_is_reported() {
    let fixture = Fixture::start().await;
    let address = fixture.simulator.address();
    let settings = SimulatorSettings { address, ..SimulatorSettings::default() };
    let refusal = Simulator::start(settings.clone()).await.unwrap_err();
    assert!(matches!(refusal, SimulatorError::Listen { .. }), "{refusal}");
    fixture.simulator.stop().await;
    Simulator::start(settings).await.unwrap().stop().await;
}

#[tokio::test]
async fn an_unheard_of_path_and_a_wrong_method_are_reported() {
    let fixture = Fixture::start().await;
    let (status, body) = read(fixture.send(Method::GET, "/v1.0/planets", None).await.unwrap()).await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!("BadRequest")));
    let path = format!("/v1.0/users/{ANNA}/onlineMeetings/x");
    let answer = fixture.send(Method::PUT, &path, Some(&json!({}))).await.unwrap();
    assert_eq!(answer.status(), 405);
    assert_eq!(answer.headers()["allow"], "GET, PATCH, DELETE");
}
