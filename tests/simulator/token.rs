//! The token endpoint, and what Graph makes of tokens.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use meeting_provisioner::clock::{Clock, ManualClock};
use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, SimulatorSettings};
use reqwest::Method;
use serde_json::{Value, json};
use time::macros::datetime;

use crate::fixture::{ANNA, Fixture, read};

#[tokio::test]
async fn a_good_request_gets_a_bearer_token() {
    let settings =
        SimulatorSettings { token_refresh_in: Some(Duration::from_mins(30)), ..SimulatorSettings::default() };
    let fixture = Fixture::start_with(settings).await;
    let (status, body) = read(fixture.ask_token(&[]).await).await;
    assert_eq!((status, &body["token_type"], &body["expires_in"]), (200, &json!("Bearer"), &json!(3599)));
    assert_eq!(body["refresh_in"], 1800);
    assert_ne!(body["access_token"], json!(fixture.token), "every token is another one");
    let global = fixture.ask_token(&[("scope", "https://graph.microsoft.com/.default")]).await;
    assert_eq!(global.status(), 200);
}

#[tokio::test]
async fn a_wrong_request_is_refused_as_entra_does_it() {
    let fixture = Fixture::start().await;
    let cases = [
        ("client_secret", "wrong", 401, "invalid_client", 7_000_215),
        ("client_secret", "", 401, "invalid_client", 7_000_218),
        ("client_id", "11111111-2222-3333-4444-555555555555", 400, "unauthorized_client", 700_016),
        ("grant_type", "password", 400, "unsupported_grant_type", 70_003),
        ("scope", "https://elsewhere.example/.default", 400, "invalid_scope", 70_011),
        ("scope", "", 400, "invalid_request", 900_144),
    ];
    for (field, value, status, error, code) in cases {
        let (answered, body) = read(fixture.ask_token(&[(field, value)]).await).await;
        assert_eq!((answered, &body["error"]), (status, &json!(error)), "{field}={value}");
        assert_eq!(body["error_codes"], json!([code]));
        let description = body["error_description"].as_str().unwrap();
        assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
        for member in ["timestamp", "trace_id", "correlation_id"] {
            assert!(body[member].is_string(), "{member}");
        }
    }
}

#[tokio::test]
async fn only_the_one_tenant_exists() {
    let fixture = Fixture::start().await;
    let (status, body) = read(fixture.ask_token_of("common", &[]).await).await;
    assert_eq!((status, &body["error_codes"]), (400, &json!([50_059])));
    let (status, body) = read(fixture.ask_token_of("elsewhere.example", &[]).await).await;
    assert_eq!((status, &body["error_codes"]), (400, &json!([90_002])));
}

#[tokio::test]
async fn a_refused_token_is_refused_with_the_chosen_number_and_then_no_more() {
    let fixture = Fixture::start().await;
    for (code, status) in [(7_000_222, 401), (700_016, 400), (90_002, 400)] {
        fixture.simulator.inject(InjectedFault::anywhere(Effect::TokenRefused { code }));
        let (answered, body) = read(fixture.ask_token(&[]).await).await;
        assert_eq!((answered, &body["error_codes"]), (status, &json!([code])));
    }
    assert_eq!(fixture.ask_token(&[]).await.status(), 200);
}

#[tokio::test]
async fn graph_refuses_a_missing_an_unknown_a_revoked_and_an_expired_token() {
    let clock = Arc::new(ManualClock::at(datetime!(2026-11-23 08:00 UTC)));
    let settings = SimulatorSettings { clock: clock.clone(), ..SimulatorSettings::default() };
    let mut fixture = Fixture::start_with(settings).await;
    let path = format!("/v1.0/users/{ANNA}");
    assert_eq!(fixture.send(Method::GET, &path, None).await.unwrap().status(), 200);

    clock.advance(Duration::from_hours(1));
    assert!(clock.now() > datetime!(2026-11-23 08:59:59 UTC));
    let good = std::mem::replace(&mut fixture.token, "made-up".to_owned());
    for token in ["made-up".to_owned(), good, String::new()] {
        fixture.token = token;
        let answer = fixture.send(Method::GET, &path, None).await.unwrap();
        let challenge = answer.headers()["www-authenticate"].to_str().unwrap().to_owned();
        assert!(challenge.starts_with("Bearer "), "{challenge}");
        let (status, body) = read(answer).await;
        assert_eq!((status, &body["error"]["code"]), (401, &json!("InvalidAuthenticationToken")));
    }

    let fixture = Fixture::start().await;
    fixture.simulator.revoke_tokens();
    assert_eq!(fixture.send(Method::GET, &path, None).await.unwrap().status(), 401);
}

#[tokio::test]
async fn the_ledger_knows_the_token_calls_but_no_secret() {
    let fixture = Fixture::start().await;
    let calls = fixture.simulator.calls(Operation::Token);
    let body = calls[0].json_body().unwrap();
    assert_eq!(body["client_secret"], "(withheld)");
    assert_eq!(body["grant_type"], "client_credentials");
}

/// A token can be looked into as Entra's can, and opens no more than what was granted when it was issued.
#[tokio::test]
async fn a_token_holds_what_was_granted() {
    let mut fixture = Fixture::start().await;
    let user = format!("/v1.0/users/{ANNA}");
    let status = async |fixture: &Fixture, path: &str| {
        fixture.send(Method::GET, path, None).await.unwrap().status().as_u16()
    };
    assert_eq!(status(&fixture, &user).await, 200);
    let granted = json!(["OnlineMeetings.ReadWrite.All"]);
    assert_eq!(fixture.control(Method::PUT, "roles", &granted).await.0, 204);
    assert_eq!(status(&fixture, &user).await, 200, "a token keeps what it was issued with");
    let (_, body) = read(fixture.ask_token(&[]).await).await;
    body["access_token"].as_str().unwrap().clone_into(&mut fixture.token);
    let claims = fixture.token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(
        (&claims["roles"], &claims["appid"]),
        (&granted, &json!(fixture.simulator.settings().client_id))
    );
    assert_eq!(status(&fixture, &user).await, 403);
    let item = format!("{user}/onlineMeetings/none");
    assert_eq!(status(&fixture, &item).await, 404);
    assert_eq!(fixture.control(Method::PUT, "roles", &json!({})).await.0, 400);
}
