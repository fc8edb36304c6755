use std::time::Duration;

use serde_json::{Value, json};

use super::super::fake::{Fake, FakeReaction, NOW, RecordedRequest, SECRET, connection_to, meeting, say};
use super::super::sample_calls::{
    ATTEMPT, ORGANIZER, TRACEPARENT, change, create, find, graph_saying, perform, remove, reply_to,
};
use super::*;
use crate::outbound::Timeouts;

/// The token request and the call carry what Microsoft asks for, and nothing that it forbids.
#[tokio::test]
async fn requests_carry_the_right_headers_and_bodies() {
    let fake = graph_saying(|_, _| say(201, &meeting())).await;
    let reply = perform(&fake.client().0, &create()).await;
    assert_eq!(reply.outcome.as_str(), "created");
    let [asked_token, asked] = <[RecordedRequest; 2]>::try_from(fake.asked()).unwrap();
    assert_eq!(asked_token.path, "/9188040d-6c67-4c5b-b112-36a304b66dad/oauth2/v2.0/token");
    let fields: Vec<_> = url::form_urlencoded::parse(asked_token.body.as_bytes()).into_owned().collect();
    let expected = [
        ("grant_type", "client_credentials"),
        ("scope", &format!("{}.default", fake.url)),
        ("client_id", "client"),
        ("client_secret", SECRET),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(!asked_token.headers.contains_key("authorization"));
    assert_eq!(
        (&*asked.method, &*asked.path),
        ("POST", &*format!("/v1.0/users/{ORGANIZER}/onlineMeetings/createOrGet"))
    );
    let version = env!("CARGO_PKG_VERSION");
    for (name, expected) in [
        ("authorization", "Bearer token-0"),
        ("client-request-id", &ATTEMPT.to_string()),
        ("prefer", "include-unknown-enum-members"),
        ("user-agent", &format!("meeting-provisioner/{version}")),
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("traceparent", TRACEPARENT),
    ] {
        assert_eq!(asked.headers.get(name).map(String::as_str), Some(expected), "{name}");
    }
    assert_eq!(asked_token.headers["user-agent"], asked.headers["user-agent"]);
    assert!(!asked.headers.contains_key("sdkversion"));
    assert_eq!(
        serde_json::from_str::<Value>(&asked.body).unwrap(),
        json!({
            "startDateTime": "2026-12-01T09:00:00Z", "endDateTime": "2026-12-01T09:30:00Z",
            "externalId": "4b22997d-a5f7-5483-b720-2dee50154e74",
        })
    );
}

/// Each call goes to its endpoint and has its own good answer.
#[tokio::test]
async fn every_call_has_its_endpoint_and_its_good_answer() {
    let item = format!("/v1.0/users/{ORGANIZER}/onlineMeetings/MSo1N2Y5");
    let collection = format!("/v1.0/users/{ORGANIZER}/onlineMeetings/createOrGet");
    let user = json!({"id": ORGANIZER});
    for (call, method, path, status, body, expected) in [
        (create(), "POST", &collection, 201, meeting(), "created"),
        (create(), "POST", &collection, 200, meeting(), "found"),
        (change(), "PATCH", &item, 200, meeting(), "changed"),
        (remove(), "DELETE", &item, 204, json!(""), "gone"),
        (find(), "GET", &"/v1.0/users/anna%40contoso.com?$select=id".to_owned(), 200, user, "resolved"),
    ] {
        let fake = graph_saying(move |_, _| say(status, &body)).await;
        let reply = perform(&fake.client().0, &call).await;
        assert_eq!(reply.outcome.as_str(), expected);
        let asked = fake.graph_requests().remove(0);
        assert_eq!((&*asked.method, &asked.path), (method, path));
        assert_eq!(asked.body.is_empty(), matches!(method, "GET" | "DELETE"));
    }
}

/// Status, code, message and the ids that Microsoft support asks for are kept, whatever the answer was.
#[tokio::test]
async fn evidence_keeps_what_support_asks_for() {
    let reply = reply_to(&create(), || {
        let headers = [
            ("request-id", "r-1"),
            ("client-request-id", "c-1"),
            ("Date", "Tue, 01 Dec 2026 09:00:00 GMT"),
            ("Retry-After", "Tue, 01 Dec 2026 09:00:30 GMT"),
            ("x-ms-ags-diagnostic", "{\"ServerInfo\":{}}"),
        ];
        let body = json!({"error": {"code": "TooManyRequests", "message": "Slow down.", "innerError": {}}});
        let headers = headers.map(|(name, value)| (name, value.to_owned()));
        FakeReaction::RawResponse(429, headers.to_vec(), body.to_string())
    })
    .await;
    assert_eq!(reply.outcome, Outcome::Throttled { retry_after: Some(Duration::from_secs(30)) });
    let text = |text: &str| Some(text.to_owned());
    let expected = Evidence {
        status: Some(429),
        code: text("TooManyRequests"),
        message: text("Slow down."),
        request_id: text("r-1"),
        client_request_id: text("c-1"),
        date: text("Tue, 01 Dec 2026 09:00:00 GMT"),
        retry_after: text("Tue, 01 Dec 2026 09:00:30 GMT"),
        diagnostic: text("{\"ServerInfo\":{}}"),
        duration_milliseconds: reply.evidence.duration_milliseconds,
        ..Evidence::begun(NOW)
    };
    assert_eq!(reply.evidence, expected);
}

/// Graph writes fractions of seconds, although the standard knows none.
#[tokio::test]
async fn a_fractional_retry_after_is_obeyed() {
    let throttled = || {
        let headers = [("Retry-After", "2.128"), ("request-id", "r-1")];
        let headers = headers.map(|(name, value)| (name, value.to_owned())).to_vec();
        FakeReaction::RawResponse(429, headers, "{\"error\":{}}".to_owned())
    };
    let reply = reply_to(&create(), throttled).await;
    assert_eq!(reply.outcome, Outcome::Throttled { retry_after: Some(Duration::from_millis(2_128)) });
}

/// Whatever broke after sending: the meeting may be there.
#[tokio::test]
async fn an_answer_that_can_not_be_read_is_an_unknown_outcome() {
    let head = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: ";
    for said in [
        String::new(),
        "HTTP/1.1 201".to_owned(),
        format!("{head}500\r\n\r\n{{\"id\":\"m\","),
        format!("{head}9\r\n\r\n{{\"id\":\"m\""),
        format!("{head}10\r\n\r\n{{\"id\":\"m\"}}"),
        format!("{head}9999999999\r\n\r\n{{"),
        format!("{head}0\r\n\r\n"),
    ] {
        let bytes = said.clone();
        let reply = reply_to(&create(), move || FakeReaction::Bytes(bytes.clone())).await;
        assert_eq!(reply.outcome, Outcome::Unknown, "{said:?}");
        assert!(reply.evidence.message.is_some(), "{said:?}");
        assert_eq!(reply.evidence.status.is_some(), said.contains("\r\n\r\n"), "{said:?}");
    }
}

/// No answer within the time-out: unknown, not failed.
#[tokio::test]
async fn a_call_that_takes_too_long_is_an_unknown_outcome() {
    let fake = graph_saying(|_, _| FakeReaction::Nothing).await;
    let total = Duration::from_millis(150);
    let connection =
        GraphConnection { timeouts: Timeouts { connect: total, total }, ..connection_to(&fake.url) };
    let graph = MicrosoftGraph::new(&connection, fake.client().1).unwrap();
    let reply = perform(&graph, &create()).await;
    assert_eq!((reply.outcome, reply.evidence.status), (Outcome::Unknown, None));
    assert!(reply.evidence.duration_milliseconds >= 150);
}

/// Where nothing listens, nothing was sent: at Graph or, before that, at the token endpoint.
#[tokio::test]
async fn a_refused_connection_is_an_outage_and_no_unknown_outcome() {
    let fake = graph_saying(|_, _| say(201, &meeting())).await;
    // A port that was free a moment ago, and that nothing answers on.
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let deaf_url = url::Url::parse(&format!("http://{}", deaf.local_addr().unwrap())).unwrap();
    drop(deaf);
    for (root_url, login_url) in [(&deaf_url, &fake.url), (&fake.url, &deaf_url)] {
        let connection = GraphConnection {
            root_url: root_url.clone(),
            login_url: login_url.clone(),
            ..connection_to(&fake.url)
        };
        let graph = MicrosoftGraph::new(&connection, fake.client().1).unwrap();
        let reply = perform(&graph, &create()).await;
        assert_eq!(reply.outcome, Outcome::Unavailable { retry_after: None });
        assert_eq!(reply.evidence.status, None);
        assert!(reply.evidence.message.unwrap().contains("not sent"));
    }
    assert!(fake.graph_requests().is_empty());
}

/// A redirect would carry the token to a host that is not configured.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let remote_waiters = graph_saying(|_, _| say(201, &meeting())).await;
    let target = remote_waiters.url.to_string();
    let reply = reply_to(&create(), move || {
        FakeReaction::RawResponse(307, vec![("Location", target.clone())], String::new())
    })
    .await;
    assert_eq!(reply.outcome, Outcome::Unavailable { retry_after: None });
    assert!(remote_waiters.asked().is_empty());
}

/// A 503 may come from one sick machine: the next call takes another connection, and others stay as they are.
#[tokio::test]
async fn after_a_503_a_new_connection_is_used() {
    let fake =
        graph_saying(|_, before| if before == 1 { say(503, &json!({})) } else { say(201, &meeting()) }).await;
    let (graph, _) = fake.client();
    for expected in ["created", "unavailable", "created", "created"] {
        assert_eq!(perform(&graph, &create()).await.outcome.as_str(), expected);
    }
    let connections: Vec<_> = fake.graph_requests().iter().map(|asked| asked.connection).collect();
    assert_eq!(connections[0], connections[1]);
    assert_ne!(connections[1], connections[2]);
    assert_eq!(connections[2], connections[3]);
}

/// The error table itself is tested where it stands; here, that an answer's message reaches it.
#[tokio::test]
async fn a_missing_policy_is_distinguished_from_a_refused_token() {
    let body = json!({"error": {"code": "Unauthorized", "message": "No application access policy found."}});
    let fake = graph_saying(move |_, _| say(401, &body)).await;
    let (graph, _) = fake.client();
    // Spawned, because that is how a call outlives the request that caused it.
    let reply = tokio::spawn(async move { perform(&graph, &create()).await }).await.unwrap();
    assert_eq!(reply.outcome, Outcome::Refused(Refusal::OrganizerNotPermitted));
    assert_eq!((fake.token_requests(), fake.graph_requests().len()), (1, 1));
}

/// A booking that this cloud can't serve is refused without a call.
#[tokio::test]
async fn a_meeting_in_a_channel_is_refused_where_there_is_no_beta() {
    let fake = graph_saying(|_, _| say(201, &meeting())).await;
    let connection = GraphConnection { channel_meetings: false, ..connection_to(&fake.url) };
    let graph = MicrosoftGraph::new(&connection, fake.client().1).unwrap();
    let Call::CreateOrGet { organizer, external_id, mut spec } = create() else { unreachable!() };
    spec.chat_thread_id = Some(crate::booking::ChatThreadId::parse("19:x@thread.tacv2").unwrap());
    let reply = perform(&graph, &Call::CreateOrGet { organizer, external_id, spec }).await;
    assert_eq!(reply.outcome, Outcome::Refused(Refusal::Request));
    assert!(fake.asked().is_empty());
}

/// Graph's refusal of an anonymous request shows that it is there; an outage and a redirect don't.
#[tokio::test]
async fn reachable_is_what_answers_like_graph() {
    for (status, expected) in [(401, true), (200, true), (404, true), (503, false), (302, false)] {
        let fake = Fake::start(move |_, _| say(status, &json!({}))).await;
        assert_eq!(fake.client().0.check_reachable().await.is_ok(), expected, "{status}");
        let asked = fake.asked().remove(0);
        assert!(!asked.is_for_token() && !asked.headers.contains_key("authorization"));
    }
    let page = Fake::start(|_, _| FakeReaction::RawResponse(200, vec![], "<html>".to_owned())).await;
    let fault = page.client().0.check_reachable().await.unwrap_err().to_string();
    assert!(fault.contains("is not Graph"), "{fault}");
    let gone = Fake::start(|_, _| FakeReaction::Bytes(String::new())).await;
    let fault = gone.client().0.check_reachable().await.unwrap_err().to_string();
    assert!(fault.contains("nothing answers at http://127.0.0.1:"), "{fault}");
}
