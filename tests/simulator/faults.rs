//! Faults that still give an answer.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use meeting_provisioner::msgraph_simulator::{
    CallOutcome, Effect, GatewayBody, InjectedFault, Operation, SimulatorSettings,
};
use reqwest::Method;
use serde_json::json;

use crate::fixture::{ANNA, BERT, Fixture, PATIENCE, booking, read};

fn retry_after(text: &str) -> String {
    text.to_owned()
}

#[tokio::test]
async fn throttling_sends_retry_after_verbatim_and_does_no_work() {
    let fixture = Fixture::start().await;
    for retry_after in [
        Some(retry_after("2.128")),
        Some(retry_after("3")),
        Some(retry_after("Mon, 23 Nov 2026 08:00:00 GMT")),
        Some(retry_after("1e99 soon")),
        None,
    ] {
        let effect = Effect::ThrottledBeforeWork { retry_after: retry_after.clone() };
        fixture.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
        let answer = fixture.create_or_get(ANNA, &booking("a")).await.unwrap();
        let header = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!((answer.status().as_u16(), header), (429, retry_after));
        assert!(answer.headers().contains_key("request-id"));
        assert_eq!(read(answer).await.1["error"]["code"], "TooManyRequests");
    }
    assert!(fixture.simulator.meetings().is_empty());
    assert_eq!(fixture.create("a").await.0, 201);
}

#[tokio::test]
async fn throttling_or_failing_after_the_work_leaves_the_meeting_behind() {
    let fixture = Fixture::start().await;
    let throttled = Effect::ThrottledAfterWork { retry_after: Some(retry_after("1")) };
    let failed = Effect::FailedAfterWork { status: 504, retry_after: None };
    for (external_id, effect, status) in [("a", throttled, 429), ("b", failed, 504)] {
        fixture.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
        assert_eq!(fixture.create(external_id).await.0, status);
        let call = fixture.simulator.calls(Operation::CreateOrGet).pop().unwrap();
        assert!(call.work_done);
        assert_eq!(call.outcome, CallOutcome::Answered { status });
        assert_eq!(fixture.create(external_id).await.0, 200);
    }
}

#[tokio::test]
async fn a_server_error_comes_with_or_without_retry_after() {
    let fixture = Fixture::start().await;
    for (status, retry_after) in
        [(500, None), (502, None), (503, Some(retry_after("0.5"))), (504, Some(retry_after("120")))]
    {
        let effect = Effect::FailedBeforeWork { status, retry_after: retry_after.clone() };
        fixture.simulator.inject(InjectedFault::anywhere(effect));
        let answer = fixture.create_or_get(ANNA, &booking("a")).await.unwrap();
        let header = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!((answer.status().as_u16(), header), (status, retry_after));
        assert!(read(answer).await.1["error"]["innerError"].is_object());
    }
    assert!(fixture.simulator.meetings().is_empty());
}

#[tokio::test]
async fn a_collision_and_a_refused_token_come_from_graph_although_all_is_well() {
    let fixture = Fixture::start().await;
    fixture.simulator.inject(InjectedFault::anywhere(Effect::Collision));
    fixture.simulator.inject(InjectedFault::anywhere(Effect::TokenNotAccepted));
    assert_eq!(fixture.create("a").await.0, 409);
    assert_eq!(fixture.create("a").await.0, 401);
    assert_eq!(fixture.create("a").await.0, 201);
}

/// A copy that lags says of what is there what Graph says of what isn't.
#[tokio::test]
async fn what_is_there_can_be_not_found() {
    let fixture = Fixture::start().await;
    let not_found = || fixture.simulator.inject(InjectedFault::anywhere(Effect::NotFound));
    not_found();
    let (status, body) = fixture.create("a").await;
    assert_eq!((status, &body["error"]["code"]), (404, &json!("UnknownError")));
    let id = fixture.create("a").await.1["id"].as_str().unwrap().to_owned();
    for (method, body) in
        [(Method::GET, None), (Method::PATCH, Some(json!({"subject": "x"}))), (Method::DELETE, None)]
    {
        not_found();
        let (status, answer) = fixture.item(method, &id, body.as_ref()).await;
        assert_eq!((status, &answer["error"]["code"]), (404, &json!("NotFound")));
        assert!(answer["error"]["innerError"]["request-id"].is_string(), "{answer}");
    }
    not_found();
    let user = format!("/v1.0/users/{ANNA}?$select=id");
    let (status, body) = read(fixture.send(Method::GET, &user, None).await.unwrap()).await;
    assert_eq!((status, &body["error"]["code"]), (404, &json!("Request_ResourceNotFound")));
    assert!(fixture.simulator.meetings()[0].deleted_at.is_none());
}

#[tokio::test]
async fn any_answer_can_be_given_before_or_after_the_work() {
    let fixture = Fixture::start().await;
    let respond = |after_work| Effect::Respond {
        status: 307,
        headers: BTreeMap::from([("location".to_owned(), "https://elsewhere.example/".to_owned())]),
        body: "{".to_owned(),
        after_work,
    };
    for after_work in [false, true] {
        fixture.simulator.inject(InjectedFault::on(Operation::Get, respond(after_work)));
        let path = format!("/v1.0/users/{ANNA}/onlineMeetings/x");
        let answer = fixture.send(Method::GET, &path, None).await.unwrap();
        assert_eq!(answer.status(), 307);
        assert_eq!(answer.headers()["location"], "https://elsewhere.example/");
        assert_eq!(answer.text().await.unwrap(), "{");
    }
    fixture.simulator.inject(InjectedFault::on(
        Operation::CreateOrGet,
        Effect::Respond {
            status: 200,
            headers: BTreeMap::new(),
            body: "<html>".to_owned(),
            after_work: true,
        },
    ));
    let answer = fixture.create_or_get(ANNA, &booking("a")).await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "<html>");
    assert_eq!(fixture.simulator.meetings().len(), 1);
}

/// What stands before Graph bears nothing of Graph's, on whichever call, with the work done or not.
#[tokio::test]
async fn a_gateway_answers_unlike_graph() {
    let fixture = Fixture::start().await;
    for (body, content_type, begins) in [
        (GatewayBody::Page, Some("text/html; charset=utf-8"), "<!DOCTYPE html>"),
        (GatewayBody::Text, Some("text/plain"), "404 page not found"),
        (GatewayBody::Json, Some("application/json"), "{"),
        (GatewayBody::Empty, None, ""),
    ] {
        for method in [Method::GET, Method::PATCH, Method::DELETE] {
            fixture.simulator.inject(InjectedFault::anywhere(Effect::Gateway {
                status: 404,
                body,
                after_work: false,
            }));
            let path = format!("/v1.0/users/{ANNA}/onlineMeetings/x");
            let answer = fixture.send(method, &path, None).await.unwrap();
            assert_eq!(answer.status(), 404);
            for header in ["request-id", "client-request-id", "x-ms-ags-diagnostic"] {
                assert!(!answer.headers().contains_key(header), "{header}");
            }
            let told = answer.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
            let text = answer.text().await.unwrap();
            assert_eq!(told.as_deref(), content_type);
            assert!(text.starts_with(begins) && text.is_empty() == (body == GatewayBody::Empty), "{text}");
            assert!(!text.contains("\"error\""), "{text}");
        }
    }
    let done = Effect::Gateway { status: 200, body: GatewayBody::Page, after_work: true };
    fixture.simulator.inject(InjectedFault::on(Operation::CreateOrGet, done));
    assert_eq!(fixture.create_or_get(ANNA, &booking("a")).await.unwrap().status(), 200);
    assert_eq!(fixture.simulator.meetings().len(), 1);
    assert!(fixture.simulator.calls(Operation::CreateOrGet)[0].work_done);
}

#[tokio::test]
async fn a_slow_call_waits_before_or_after_its_work() {
    let fixture = Fixture::start().await;
    let start = Instant::now();
    fixture.simulator.inject(InjectedFault::anywhere(Effect::SlowBeforeWork { milliseconds: 60 }));
    fixture.simulator.inject(InjectedFault::anywhere(Effect::SlowAfterWork { milliseconds: 60 }));
    assert_eq!(fixture.create("a").await.0, 201);
    assert!(start.elapsed() >= Duration::from_millis(120));
    let call = fixture.simulator.calls(Operation::CreateOrGet).pop().unwrap();
    assert_eq!(call.faults, ["slowBeforeWork", "slowAfterWork"]);
}

#[tokio::test]
async fn a_slow_call_is_seen_when_it_arrives_and_goes_on_when_its_caller_hangs_up() {
    let fixture = Fixture::start().await;
    fixture.simulator.inject(InjectedFault::anywhere(Effect::SlowBeforeWork { milliseconds: 150 }));
    let body = booking("a");
    let waiting = |call: &meeting_provisioner::msgraph_simulator::CallEntry| {
        call.operation == Operation::CreateOrGet && call.outcome == CallOutcome::UnderWay
    };
    tokio::select! {
        _ = fixture.create_or_get(ANNA, &body) => panic!("the answer must not be there yet"),
        call = fixture.simulator.wait_for_call(PATIENCE, waiting) => assert!(!call.unwrap().work_done),
    }
    assert!(fixture.simulator.meetings().is_empty());
    let done = fixture.simulator.wait_for_call(PATIENCE, |call| call.work_done && call.sequence == 2).await;
    assert!(done.is_ok());
    assert_eq!(fixture.simulator.meetings().len(), 1);
}

#[tokio::test]
async fn a_fault_keeps_to_its_operation_its_organizer_and_its_count() {
    let fixture = Fixture::start().await;
    let effect = Effect::FailedBeforeWork { status: 500, retry_after: None };
    let fault = InjectedFault::on(Operation::CreateOrGet, effect).for_organizer(BERT).times(2).after(1);
    fixture.simulator.inject(fault);
    assert_eq!(fixture.create("a").await.0, 201);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(fixture.create_or_get(BERT, &booking("a")).await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [201, 500, 500, 200]);
    fixture.simulator.inject(InjectedFault::on(
        Operation::Token,
        Effect::FailedBeforeWork { status: 503, retry_after: None },
    ));
    let (status, body) = read(fixture.ask_token(&[]).await).await;
    assert_eq!((status, &body["error"]), (503, &json!("temporarily_unavailable")));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_run() {
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let fixture = Fixture::start_with(SimulatorSettings { seed, ..SimulatorSettings::default() }).await;
        fixture.simulator.inject(InjectedFault::anywhere(Effect::Collision).with_probability(0.5));
        let mut statuses = Vec::new();
        for _ in 0..40 {
            let path = format!("/v1.0/users/{ANNA}");
            statuses.push(fixture.send(Method::GET, &path, None).await.unwrap().status().as_u16());
        }
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}
