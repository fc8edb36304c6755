use std::time::Duration;

use serde_json::{Value, json};

use super::super::fake::{FakeReaction, meeting, say};
use super::super::sample_calls::{
    change, create, every_call, find, graph_saying, look, perform, remove, reply_to,
};
use super::*;

/// A gateway's page, line, JSON or empty answer says nothing about a booking, whatever its status and whatever was asked:
/// the call is asked again, and the operator is told why. Only a 2xx may stand over work that Graph did.
#[tokio::test]
async fn an_answer_that_is_not_graphs_never_decides() {
    let bodies = ["<html>Sign in</html>", "404 page not found", r#"{"message":"no route matched"}"#, ""];
    for call in every_call() {
        for status in [200, 201, 202, 204, 302, 400, 401, 403, 404, 405, 409, 410, 422, 429, 500, 501, 503] {
            for body in bodies {
                let headers = vec![("Content-Type", "text/html".to_owned()), ("Retry-After", "7".to_owned())];
                let reply = reply_to(&call, move || {
                    FakeReaction::RawResponse(status, headers.clone(), body.to_owned())
                })
                .await;
                let is_read = matches!(call.kind(), CallKind::FindOrganizer | CallKind::Look);
                let expected = if status < 300 && !is_read {
                    Outcome::Unknown
                } else {
                    Outcome::Unavailable { retry_after: Some(Duration::from_secs(7)) }
                };
                let name = format!("{:?} {status} {body:?}", call.kind());
                assert_eq!(reply.outcome, expected, "{name}");
                let message = reply.evidence.message.unwrap();
                assert!(message.starts_with("the way to Graph is out of order"), "{name}: {message}");
                assert_eq!((reply.evidence.status, reply.evidence.code), (Some(status), None), "{name}");
            }
        }
    }
}

/// A gateway's 401 says nothing about the token, so none is fetched for it.
#[tokio::test]
async fn a_gateways_401_costs_no_token() {
    let fake = graph_saying(|_, _| FakeReaction::RawResponse(401, vec![], "<html>".to_owned())).await;
    let (graph, _) = fake.client();
    for _ in 0..3 {
        assert_eq!(perform(&graph, &create()).await.outcome.as_str(), "unavailable");
    }
    assert_eq!((fake.token_requests(), fake.graph_requests().len()), (1, 3));
}

/// What a success must hold depends on the call: the one that makes a meeting known names it; a later one may tell nothing.
#[tokio::test]
async fn what_an_answer_must_hold_depends_on_the_call() {
    let year_1 = "0001-01-01T00:00:00Z";
    let unfilled = json!({"id": "m", "joinWebUrl": "https://t/1", "subject": "None", "startDateTime": year_1,
        "endDateTime": year_1, "participants": {"attendees": []}});
    let nameless = json!({"subject": "Review"});
    let plain = json!({"id": "m", "joinWebUrl": "http://t/1", "subject": "Review"});
    let error = json!({"error": {"code": "Odd", "message": ""}});
    let told = |kind, body: &Value| {
        let content = content(body.to_string().as_bytes()).ok().map(Box::new);
        if kind == CallKind::Look { Outcome::Seen(content) } else { Outcome::Changed(content) }
    };
    for (status, body, is_told, of_create) in [
        (200, String::new(), None, "unknown"),
        (202, String::new(), None, "unknown"),
        (204, String::new(), None, "unknown"),
        (200, "{\"id\":".to_owned(), None, "unknown"),
        (200, "null".to_owned(), None, "unknown"),
        (200, "[]".to_owned(), None, "unknown"),
        (200, unfilled.to_string(), None, "found"),
        (200, nameless.to_string(), Some(&nameless), "unknown"),
        (200, plain.to_string(), Some(&plain), "unknown"),
        (201, meeting().to_string(), Some(&meeting()), "created"),
        (200, format!("\u{feff}{}", meeting()), Some(&meeting()), "found"),
    ] {
        let said = |body: &str| {
            let body = body.to_owned();
            move || FakeReaction::RawResponse(status, vec![("request-id", "r-1".to_owned())], body.clone())
        };
        for call in [change(), look()] {
            let reply = reply_to(&call, said(&body)).await;
            let expected = told(call.kind(), is_told.unwrap_or(&Value::Null));
            assert_eq!(reply.outcome, expected, "{:?} {status} {body}", call.kind());
            assert_eq!(reply.evidence.message.is_some(), is_told.is_none(), "{status} {body}");
        }
        assert_eq!(reply_to(&create(), said(&body)).await.outcome.as_str(), of_create, "{status} {body}");
        let of_remove = if status == 201 { "unknown" } else { "gone" };
        assert_eq!(reply_to(&remove(), said(&body)).await.outcome.as_str(), of_remove, "{status} {body}");
        assert_eq!(reply_to(&find(), said(&body)).await.outcome.as_str(), "unknown", "{status} {body}");
    }
    for call in every_call() {
        let error = error.clone();
        let reply = reply_to(&call, move || say(200, &error)).await;
        assert_eq!(reply.outcome, Outcome::Unknown, "an error is no success: {:?}", call.kind());
    }
    let reply = reply_to(&create(), move || say(201, &plain)).await;
    assert!(reply.evidence.message.unwrap().contains("joinWebUrl is refused: it is no https address"));
}

/// A success whose body breaks off on the way: what was changed is changed, and what was told is asked for again.
#[tokio::test]
async fn a_success_that_breaks_off_is_not_done_again() {
    let bytes = "HTTP/1.1 200 OK\r\nrequest-id: r-1\r\nContent-Length: 500\r\n\r\n{\"id\":";
    for (call, expected) in [
        (create(), Outcome::Unknown),
        (change(), Outcome::Changed(None)),
        (look(), Outcome::Unknown),
        (remove(), Outcome::Gone),
        (find(), Outcome::Unknown),
    ] {
        let reply = reply_to(&call, move || FakeReaction::Bytes(bytes.to_owned())).await;
        assert_eq!(reply.outcome, expected, "{:?}", call.kind());
    }
}
