//! Steering over HTTP, and the ledger.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, SimulatorSettings};
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixture::{ANNA, Fixture, booking};

const NOTHING: &Value = &Value::Null;

#[tokio::test]
async fn faults_are_planned_listed_and_taken_back_over_http() {
    let fixture = Fixture::start().await;
    let fault = json!({
        "operation": "createOrGet", "organizer": ANNA, "times": 2,
        "effect": { "kind": "throttledBeforeWork", "retryAfter": "2.128" },
    });
    let (status, answer) = fixture.control(Method::POST, "faults", &fault).await;
    assert_eq!((status, answer["faults"].as_array().unwrap().len()), (201, 1));
    assert_eq!(fixture.create("a").await.0, 429);
    let (_, answer) = fixture.control(Method::GET, "faults", NOTHING).await;
    assert_eq!(answer["faults"][0]["struck"], 1);
    assert_eq!(answer["faults"][0]["effect"]["retryAfter"], "2.128");
    assert_eq!(fixture.control(Method::DELETE, "faults", NOTHING).await.0, 204);
    assert_eq!(fixture.create("a").await.0, 201);

    let several = json!([
        { "effect": { "kind": "answerLost" }, "probability": 1.0 },
        { "effect": { "kind": "slowBeforeWork", "milliseconds": 1 } },
    ]);
    let (status, answer) = fixture.control(Method::POST, "faults", &several).await;
    assert_eq!((status, answer["faults"].as_array().unwrap().len()), (201, 2));
    assert!(fixture.create_or_get(ANNA, &booking("a")).await.is_err());
}

#[tokio::test]
async fn every_effect_reads_back_as_it_was_written() {
    let effects = [
        json!({"kind": "throttledBeforeWork", "retryAfter": "3"}),
        json!({"kind": "throttledAfterWork", "retryAfter": null}),
        json!({"kind": "failedBeforeWork", "status": 503, "retryAfter": "3"}),
        json!({"kind": "failedAfterWork", "status": 500, "retryAfter": null}),
        json!({"kind": "answerLost"}),
        json!({"kind": "connectionReset"}),
        json!({"kind": "slowBeforeWork", "milliseconds": 5}),
        json!({"kind": "slowAfterWork", "milliseconds": 5}),
        json!({"kind": "truncatedBody"}),
        json!({"kind": "tokenRefused", "code": 7_000_222}),
        json!({"kind": "tokenNotAccepted"}),
        json!({"kind": "collision"}),
        json!({"kind": "notFound"}),
        json!({"kind": "gateway", "status": 404, "body": "page", "afterWork": true}),
        json!({"kind": "respond", "status": 418, "headers": {"a": "b"}, "body": "c", "afterWork": true}),
    ];
    for written in effects {
        let fault: InjectedFault = serde_json::from_value(json!({ "effect": written.clone() })).unwrap();
        let read = serde_json::to_value(&fault).unwrap();
        assert_eq!(read["effect"], written);
        assert_eq!(read["effect"]["kind"], fault.effect().kind());
        assert_eq!(read["times"], 1);
    }
}

#[tokio::test]
async fn a_fault_that_makes_no_sense_is_refused_with_the_reason() {
    let fixture = Fixture::start().await;
    let cases = [
        (json!({"effect": {"kind": "earthquake"}}), "earthquake"),
        (json!({"effect": {"kind": "answerLost"}, "times": 1, "probability": 0.5}), "not both"),
        (json!({"effect": {"kind": "answerLost"}, "probability": 1.5}), "1.5"),
        (json!({"effect": {"kind": "answerLost"}, "operation": "dance"}), "dance"),
        (json!({"effect": {"kind": "answerLost"}, "organiser": ANNA}), "organiser"),
        (json!({"effect": {"kind": "failedBeforeWork", "status": 7}}), "7"),
        (json!({"effect": {"kind": "gateway", "status": 99, "body": "page"}}), "99"),
        (json!({"effect": {"kind": "gateway", "status": 404, "body": "painting"}}), "painting"),
    ];
    for (body, reason) in cases {
        let (status, answer) = fixture.control(Method::POST, "faults", &body).await;
        let reason_given = answer["error"].as_str().unwrap();
        assert!(status == 400 && reason_given.contains(reason), "{body}: {reason_given}");
    }
}

#[tokio::test]
async fn the_ledger_holds_every_call_and_every_meeting() {
    let fixture = Fixture::start().await;
    fixture.simulator.inject(InjectedFault::on(Operation::CreateOrGet, Effect::AnswerLost));
    assert!(fixture.create_or_get(ANNA, &booking("a")).await.is_err());
    fixture.create("a").await;
    let (status, ledger) = fixture.control(Method::GET, "ledger", NOTHING).await;
    assert_eq!(status, 200);
    let [token, lost, answered] = ledger["calls"].as_array().unwrap().as_slice() else { panic!("{ledger}") };
    assert_eq!((&token["operation"], &token["status"]), (&json!("token"), &json!(200)));
    assert_eq!((&lost["outcome"], &lost["workDone"]), (&json!("cut"), &json!(true)));
    assert_eq!(lost["faults"], json!(["answerLost"]));
    assert_eq!(lost["body"], booking("a"));
    assert_eq!((&answered["sequence"], &answered["status"]), (&json!(3), &json!(200)));
    assert_eq!(answered["path"], format!("/v1.0/users/{ANNA}/onlineMeetings/createOrGet"));
    let meeting = &ledger["meetings"][0];
    assert_eq!((&meeting["organizer"], &meeting["externalId"]), (&json!(ANNA), &json!("a")));
    assert_eq!(meeting["content"]["id"], meeting["id"]);
    assert_eq!((&meeting["joinWebUrl"], &meeting["deletedAt"]), (&meeting["content"]["joinWebUrl"], NOTHING));
    assert_eq!(ledger["counts"]["arrived"]["createOrGet"], 2);

    let (_, newest) = fixture.control(Method::GET, "ledger?callsMax=1", NOTHING).await;
    assert_eq!(newest["calls"], json!([answered]));
}

#[tokio::test]
async fn organizers_tokens_and_a_new_start_are_had_over_http() {
    let fixture = Fixture::start().await;
    let path = format!("organizers/{ANNA}");
    let body = json!({ "standing": "withoutPolicy", "upn": "anna@contoso.com" });
    assert_eq!(fixture.control(Method::PUT, &path, &body).await.0, 204);
    assert_eq!(fixture.create("a").await.0, 403);
    assert_eq!(fixture.control(Method::PUT, &path, &json!({ "standing": "happy" })).await.0, 400);
    assert_eq!(fixture.control(Method::PUT, "organizers/anna@contoso.com", &body).await.0, 400);
    let rename = format!("{path}/upn");
    assert_eq!(fixture.control(Method::PUT, &rename, &json!({ "upn": "maria@contoso.com" })).await.0, 204);
    assert_eq!(fixture.control(Method::PUT, &rename, &json!({ "name": "maria@contoso.com" })).await.0, 400);
    assert_eq!(fixture.control(Method::DELETE, &rename, NOTHING).await.0, 405);
    assert_eq!(fixture.control(Method::POST, "reset", NOTHING).await.0, 204);
    assert_eq!(fixture.create("a").await.0, 201);
    assert_eq!(fixture.simulator.ledger().calls.len(), 1);
    assert_eq!(fixture.control(Method::DELETE, "tokens", NOTHING).await.0, 204);
    assert_eq!(fixture.create("a").await.0, 401);
    assert_eq!(fixture.control(Method::GET, "planets", NOTHING).await.0, 404);
    assert_eq!(fixture.control(Method::PATCH, "faults", NOTHING).await.0, 405);
    assert_eq!(
        fixture.control(Method::GET, "", NOTHING).await.1["tenantId"],
        fixture.simulator.settings().tenant_id
    );
}

#[tokio::test]
async fn the_ledger_keeps_so_many_calls_and_counts_them_all() {
    let settings = SimulatorSettings { calls_kept_max: 3, ..SimulatorSettings::default() };
    let fixture = Fixture::start_with(settings).await;
    for _ in 0..10 {
        fixture.create("a").await;
    }
    let ledger = fixture.simulator.ledger();
    let sequences: Vec<u64> = ledger.calls.iter().map(|call| call.sequence).collect();
    assert_eq!(sequences, [9, 10, 11]);
    assert!(ledger.calls.iter().all(|call| call.status() == Some(200)));
    assert_eq!(ledger.counts.arrived(Operation::CreateOrGet), 10);
    assert_eq!((ledger.counts.answered[&200], ledger.counts.answered[&201]), (10, 1));
}

#[tokio::test]
async fn waiting_ends_when_it_happens_or_when_the_time_is_up() {
    let fixture = Fixture::start().await;
    let enough = |counts: &meeting_provisioner::msgraph_simulator::CallCounts| {
        counts.arrived(Operation::CreateOrGet) >= 2
    };
    let within = Duration::from_millis(20);
    let waited = fixture.simulator.wait_for_counts(within, enough).await;
    assert_eq!(waited.unwrap_err().within, within);
    let both = async {
        fixture.create("a").await;
        fixture.create("a").await;
    };
    let (waited, ()) = tokio::join!(fixture.simulator.wait_for_counts(Duration::from_secs(20), enough), both);
    assert!(waited.is_ok());
}

/// What an organizer does in Teams is done to the living meeting of an external id, and is no call.
#[tokio::test]
async fn an_organizer_changes_and_removes_a_meeting() {
    let fixture = Fixture::start().await;
    assert_eq!(fixture.create("a").await.0, 201);
    let calls = fixture.simulator.counts();
    let party = json!({"subject": "Party"});
    assert_eq!(fixture.control(Method::PATCH, "meetings/a", &party).await.0, 204);
    assert_eq!(fixture.simulator.meetings()[0].content()["subject"], "Party");
    for (body, status) in [
        (json!({"joinWebUrl": "https://elsewhere"}), 400),
        (json!({"startDateTime": "2026-01-01T10:00:00Z"}), 400),
        (json!(["subject"]), 400),
    ] {
        let (found, answer) = fixture.control(Method::PATCH, "meetings/a", &body).await;
        assert!(found == status && answer["error"].as_str().is_some_and(|text| !text.is_empty()), "{answer}");
    }
    assert_eq!(fixture.control(Method::PATCH, "meetings/b", &party).await.0, 404);
    assert_eq!(fixture.control(Method::POST, "meetings/a", &party).await.0, 405);
    assert_eq!(fixture.control(Method::DELETE, "meetings/a", NOTHING).await.0, 204);
    assert!(fixture.simulator.meetings()[0].deleted_at.is_some());
    assert_eq!(fixture.control(Method::DELETE, "meetings/a", NOTHING).await.0, 404);
    assert_eq!(fixture.simulator.counts(), calls);
}
