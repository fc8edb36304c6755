//! Faults that end the connection. Read byte by byte, because an HTTP client shows too little.

use std::io::ErrorKind;

use meeting_provisioner::msgraph_simulator::{CallOutcome, Effect, InjectedFault, Operation};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fixture::{ANNA, Fixture, booking};

/// Sends a createOrGet on a connection of its own and reads until the connection ends.
async fn raw_create(fixture: &Fixture, external_id: &str) -> (Vec<u8>, std::io::Result<()>) {
    let mut connection = TcpStream::connect(fixture.simulator.address()).await.unwrap();
    let body = booking(external_id).to_string();
    let request = format!(
        "POST /v1.0/users/{ANNA}/onlineMeetings/createOrGet HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \
         {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        fixture.token,
        body.len()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    let ended = connection.read_to_end(&mut received).await.map(|_| ());
    (received, ended)
}

fn last_call(fixture: &Fixture) -> meeting_provisioner::msgraph_simulator::CallEntry {
    fixture.simulator.calls(Operation::CreateOrGet).pop().unwrap()
}

#[tokio::test]
async fn a_lost_answer_leaves_a_meeting_and_not_a_single_byte() {
    let fixture = Fixture::start().await;
    for round in 0..20 {
        let external_id = format!("a{round}");
        fixture.simulator.inject(InjectedFault::on(Operation::CreateOrGet, Effect::AnswerLost));
        let (received, ended) = raw_create(&fixture, &external_id).await;
        assert_eq!((received.len(), ended.is_ok()), (0, true), "closed without a byte");
        let call = last_call(&fixture);
        assert_eq!((call.outcome, call.work_done), (CallOutcome::Cut, true));
        assert_eq!(fixture.create(&external_id).await.0, 200, "the work was done");
    }
    assert_eq!(fixture.simulator.counts().unanswered, 20);
}

#[tokio::test]
async fn a_client_sees_a_lost_answer_as_a_broken_connection() {
    let fixture = Fixture::start().await;
    assert_eq!(fixture.create("first").await.0, 201);
    fixture.simulator.inject(InjectedFault::on(Operation::CreateOrGet, Effect::AnswerLost));
    let failure = fixture.create_or_get(ANNA, &booking("a")).await.unwrap_err();
    assert!(failure.is_request(), "{failure:?}");
    assert_eq!(fixture.create("a").await.0, 200);
}

#[tokio::test]
async fn a_reset_connection_does_no_work() {
    let fixture = Fixture::start().await;
    for _ in 0..20 {
        fixture.simulator.inject(InjectedFault::on(Operation::CreateOrGet, Effect::ConnectionReset));
        let (received, ended) = raw_create(&fixture, "a").await;
        assert_eq!(received.len(), 0);
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset);
        let call = last_call(&fixture);
        assert_eq!((call.outcome, call.work_done), (CallOutcome::Reset, false));
    }
    assert!(fixture.simulator.meetings().is_empty());
    assert_eq!(fixture.create("a").await.0, 201);
}

#[tokio::test]
async fn a_truncated_answer_promises_more_than_it_brings() {
    let fixture = Fixture::start().await;
    for round in 0..20 {
        fixture.simulator.inject(InjectedFault::on(Operation::CreateOrGet, Effect::TruncatedBody));
        let (received, ended) = raw_create(&fixture, &format!("a{round}")).await;
        assert!(ended.is_ok());
        let text = String::from_utf8(received).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 201 Created"), "{head}");
        let promised =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let promised: usize = promised.unwrap();
        assert_eq!(body.len(), promised / 2);
        assert_eq!(last_call(&fixture).outcome, CallOutcome::Truncated { status: 201 });
    }
    assert_eq!(fixture.simulator.meetings().len(), 20);
}

#[tokio::test]
async fn a_lost_token_answer_can_be_asked_for_again() {
    let fixture = Fixture::start().await;
    fixture.simulator.inject(InjectedFault::on(Operation::Token, Effect::AnswerLost));
    let url = format!(
        "{}/{}/oauth2/v2.0/token",
        fixture.simulator.login_url(),
        fixture.simulator.settings().tenant_id
    );
    assert!(fixture.http.post(url).send().await.is_err());
    assert_eq!(fixture.ask_token(&[]).await.status(), 200);
}
