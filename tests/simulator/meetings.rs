//! createOrGet and the calls on one meeting: the identity rule above all.

use meeting_provisioner::msgraph_simulator::Operation;
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixture::{ANNA, BERT, Fixture, attendee, booking, encoded, read};

#[tokio::test]
async fn the_same_key_is_the_same_meeting_and_the_rest_of_the_body_is_ignored() {
    let fixture = Fixture::start().await;
    let (status, created) = fixture.create("a").await;
    assert_eq!(status, 201);
    assert_eq!(created["startDateTime"], "2026-12-01T08:00:00.0000000Z");
    assert_eq!(created["endDateTime"], "2026-12-01T08:30:00.3524945Z");

    let other = json!({ "externalId": "a", "subject": "Another subject",
        "startDateTime": "2027-01-01T10:00:00Z", "endDateTime": "2027-01-01T09:00:00Z" });
    let (status, found) = read(fixture.create_or_get(&ANNA.to_uppercase(), &other).await.unwrap()).await;
    assert_eq!(status, 200, "even times that make no sense are ignored on a hit");
    for member in ["id", "subject", "startDateTime", "joinWebUrl", "creationDateTime"] {
        assert_eq!(found[member], created[member], "{member}");
    }
    assert_eq!(fixture.simulator.meetings().len(), 1);
}

#[tokio::test]
async fn another_organizer_or_another_external_id_is_another_meeting() {
    let fixture = Fixture::start().await;
    let (_, first) = fixture.create("a").await;
    let (_, second) = fixture.create("A").await;
    let (status, third) = read(fixture.create_or_get(BERT, &booking("a")).await.unwrap()).await;
    assert_eq!(status, 201);
    assert_ne!(first["id"], second["id"]);
    assert_ne!(first["id"], third["id"]);
    assert_ne!(first["joinWebUrl"], third["joinWebUrl"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_calls_at_once_with_one_key_make_one_meeting() {
    let settings = meeting_provisioner::msgraph_simulator::SimulatorSettings {
        workers: 2,
        ..meeting_provisioner::msgraph_simulator::SimulatorSettings::default()
    };
    let fixture = Fixture::start_with(settings).await;
    let answers = futures_util::future::join_all((0..50).map(|_| fixture.create("a"))).await;
    let created = answers.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(created, 1);
    assert!(answers.iter().all(|(_, body)| body["id"] == answers[0].1["id"]));
    assert_eq!(fixture.simulator.meetings().len(), 1);
    assert_eq!(fixture.simulator.counts().arrived(Operation::CreateOrGet), 50);
}

#[tokio::test]
async fn a_meeting_without_times_takes_an_hour_from_now() {
    let fixture = Fixture::start().await;
    let (_, body) = read(fixture.create_or_get(ANNA, &json!({"externalId": "a"})).await.unwrap()).await;
    assert_eq!(body["startDateTime"], body["creationDateTime"]);
    assert_eq!(body["subject"], Value::Null);
    assert_eq!(body["participants"]["attendees"], json!([]));
}

#[tokio::test]
async fn a_malformed_request_is_a_bad_request_in_the_odata_envelope() {
    let fixture = Fixture::start().await;
    let with = |name: &str, value: Value| {
        let mut body = booking("a");
        body[name] = value;
        body
    };
    let cases = [
        json!({"subject": "no id"}),
        with("externalId", json!("")),
        with("startDateTime", json!("tomorrow")),
        with("endDateTime", json!("2026-11-01T00:00:00Z")),
        with("startDateTime", Value::Null),
        with("subject", json!(7)),
        with("participants", json!({"attendees": [{"upn": "x@y.example", "role": "boss"}]})),
        with("lobbyBypassSettings", json!({"scope": "organizer"})),
        with("chatInfo", json!("19:x@thread.tacv2")),
        json!([]),
    ];
    for body in cases {
        let (status, answer) = read(fixture.create_or_get(ANNA, &body).await.unwrap()).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &json!("BadRequest")), "{body}");
        assert!(answer["error"]["innerError"]["request-id"].is_string());
        assert!(answer["error"]["innerError"]["date"].is_string());
    }
    assert!(fixture.simulator.meetings().is_empty());
}

#[tokio::test]
async fn an_attendee_without_upn_is_an_internal_error_for_ever() {
    let fixture = Fixture::start().await;
    let mut body = booking("a");
    body["participants"]["attendees"][0]["upn"] = Value::Null;
    for _ in 0..2 {
        let (status, _) = read(fixture.create_or_get(ANNA, &body).await.unwrap()).await;
        assert_eq!(status, 500);
    }
}

#[tokio::test]
async fn a_channel_meeting_is_made_on_beta_and_v1_ignores_the_channel() {
    let fixture = Fixture::start().await;
    for (version, in_channel) in [("beta", true), ("v1.0", false)] {
        let mut body = booking(version);
        body["chatInfo"] = json!({"threadId": "19:7ebda77322dd4505ac4dedb5b67df076@thread.tacv2"});
        let path = format!("/{version}/users/{ANNA}/onlineMeetings/createOrGet");
        let (status, meeting) = read(fixture.send(Method::POST, &path, Some(&body)).await.unwrap()).await;
        assert_eq!(status, 201);
        assert_eq!(meeting["chatInfo"]["threadId"] == body["chatInfo"]["threadId"], in_channel);
        let context = meeting["@odata.context"].as_str().unwrap();
        assert!(context.contains(&format!("/{version}/$metadata#users(")), "{context}");
    }
}

#[tokio::test]
async fn a_meeting_is_read_changed_and_deleted_by_its_percent_encoded_id() {
    let fixture = Fixture::start().await;
    let (_, created) = fixture.create("a").await;
    let id = created["id"].as_str().unwrap();
    assert_ne!(encoded(id), id, "the id needs encoding");
    assert_eq!(fixture.item(Method::GET, id, None).await, (200, created.clone()));

    let change = json!({
        "subject": "Moved",
        "startDateTime": "2026-12-02T09:00:00Z",
        "endDateTime": "2026-12-02T10:00:00Z",
        "participants": { "attendees": [attendee("a@contoso.com"), attendee("b@contoso.com")] },
        "lobbyBypassSettings": { "scope": "organizer" },
    });
    let (status, changed) = fixture.item(Method::PATCH, id, Some(&change)).await;
    assert_eq!((status, &changed["subject"]), (200, &json!("Moved")));
    assert_eq!(changed["lobbyBypassSettings"]["isDialInBypassEnabled"], false);
    assert_eq!(changed["participants"]["attendees"].as_array().unwrap().len(), 2);
    assert_eq!(changed["participants"]["organizer"], created["participants"]["organizer"]);
    assert_eq!(fixture.create("a").await, (200, changed.clone()), "createOrGet finds it as it stands now");
    assert_eq!(fixture.simulator.meetings()[0].content()["subject"], "Moved");

    assert_eq!(fixture.item(Method::DELETE, id, None).await, (204, Value::Null));
    for method in [Method::GET, Method::DELETE] {
        let (status, body) = fixture.item(method, id, None).await;
        assert_eq!((status, &body["error"]["code"]), (404, &json!("NotFound")));
    }
    assert!(fixture.simulator.meetings()[0].deleted_at.is_some());
    let (status, again) = fixture.create("a").await;
    assert_eq!(status, 201);
    assert_ne!(again["id"], created["id"], "a deleted meeting's key makes another meeting here");
}

#[tokio::test]
async fn a_change_of_one_time_or_of_the_identity_is_refused() {
    let fixture = Fixture::start().await;
    let (_, created) = fixture.create("a").await;
    let id = created["id"].as_str().unwrap();
    for body in [
        json!({"startDateTime": "2026-12-02T09:00:00Z"}),
        json!({"externalId": "b"}),
        json!({"participants": {"organizer": {"upn": "x@y.example"}}}),
    ] {
        assert_eq!(fixture.item(Method::PATCH, id, Some(&body)).await.0, 400, "{body}");
    }
    assert_eq!(fixture.item(Method::GET, id, None).await, (200, created));
}

#[tokio::test]
async fn a_get_gives_back_at_most_750_attendees() {
    let fixture = Fixture::start().await;
    let mut body = booking("a");
    let attendees: Vec<Value> = (0..1_000).map(|n| attendee(&format!("u{n}@contoso.com"))).collect();
    body["participants"]["attendees"] = attendees.into();
    let (status, created) = read(fixture.create_or_get(ANNA, &body).await.unwrap()).await;
    assert_eq!(status, 201);
    let (_, read) = fixture.item(Method::GET, created["id"].as_str().unwrap(), None).await;
    assert_eq!(read["participants"]["attendees"].as_array().unwrap().len(), 750);
    let kept = fixture.simulator.meetings()[0].content();
    assert_eq!(kept["participants"]["attendees"].as_array().unwrap().len(), 1_000);
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_support_asks_for() {
    let fixture = Fixture::start().await;
    let url = format!("{}/v1.0/users/{ANNA}/onlineMeetings/nothing", fixture.simulator.graph_root_url());
    let named = "0194f8a5-0000-7000-8000-000000000001";
    let request = fixture.http.get(url).bearer_auth(&fixture.token).header("client-request-id", named);
    let answer =
        request.header("traceparent", "00-1-2-01").header("user-agent", "tests/1").send().await.unwrap();
    let headers = answer.headers().clone();
    assert_eq!(headers["client-request-id"], named);
    assert!(headers.contains_key("date"));
    let diagnostic: Value = serde_json::from_slice(headers["x-ms-ags-diagnostic"].as_bytes()).unwrap();
    assert!(diagnostic["ServerInfo"]["RoleInstance"].is_string());
    let (_, body) = read(answer).await;
    let inner = &body["error"]["innerError"];
    assert_eq!(inner["client-request-id"], named);
    assert_eq!(inner["request-id"], headers["request-id"].to_str().unwrap());

    let call = fixture.simulator.calls(Operation::Get).remove(0);
    assert_eq!(call.headers["client-request-id"], named);
    assert_eq!(
        (call.headers["traceparent"].as_str(), call.headers["user-agent"].as_str()),
        ("00-1-2-01", "tests/1")
    );
    assert_eq!(call.request_id.to_string(), headers["request-id"].to_str().unwrap());
    assert_eq!((call.status(), call.work_done), (Some(404), false));
}
