use futures_util::future::join_all;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::fake::{Fake, FakeReaction, NOW, RecordedRequest, SECRET, meeting, say, token};
use super::super::microsoft_graph::MicrosoftGraph;
use super::super::token_failure::TokenFailureKind;
use super::*;
use crate::booking::UserId;
use crate::meeting::{AttemptId, Call, MeetingId, Outcome, Refusal, Reply, SignInFault};

async fn perform(graph: &MicrosoftGraph) -> Reply {
    let organizer = UserId::new(Uuid::nil());
    let call = Call::Remove { organizer, meeting: MeetingId::parse("m").unwrap(), in_channel: false };
    graph.perform(AttemptId::new(Uuid::nil()), None, &call).await.reply
}

/// A host whose Graph takes every token, and whose token endpoint goes by `script`.
async fn endpoint_saying(script: impl Fn(usize) -> FakeReaction + Send + Sync + 'static) -> Fake {
    Fake::start(move |asked, before| if asked.is_for_token() { script(before) } else { say(204, &json!({})) })
        .await
}

fn refusal(error: &str, number: u64) -> Value {
    json!({
        "error": error, "error_codes": [number], "trace_id": "t-1", "correlation_id": "c-1",
        "error_description": format!("AADSTS{number}: Because.\r\nTrace ID: t-1\r\nCorrelation ID: c-1"),
    })
}

fn tokens_shown(fake: &Fake) -> Vec<String> {
    let shown =
        |asked: RecordedRequest| asked.headers["authorization"].trim_start_matches("Bearer ").to_owned();
    fake.graph_requests().into_iter().map(shown).collect()
}

/// The background refresh is over when its turn is.
async fn refreshed(graph: &MicrosoftGraph) {
    drop(graph.tokens.0.turn.lock().await);
}

/// Twenty calls that find no token wait for one request and share its answer.
#[tokio::test]
async fn calls_without_a_token_share_one_fetch() {
    let fake = endpoint_saying(|n| token(&format!("token-{n}"))).await;
    let (graph, _) = fake.client();
    let replies = join_all((0..20).map(|_| perform(&graph))).await;
    assert!(replies.iter().all(|reply| reply.outcome == Outcome::Gone));
    assert_eq!(fake.token_requests(), 1);
    assert_eq!(tokens_shown(&fake), vec!["token-0"; 20]);
}

/// An endpoint that sends back what it was sent puts our secret nowhere, in whichever spelling and wherever it is cut.
#[tokio::test]
async fn a_secret_that_is_sent_back_is_not_kept() {
    let encoded = utf8_percent_encode(SECRET, NON_ALPHANUMERIC).to_string();
    let in_json = format!("{:1$}{SECRET}", "", 1_995);
    for page in [
        json!({"error": "invalid_request", "error_description": format!("was: client_secret={SECRET}")}),
        json!({"error": format!("bad {SECRET}"), "error_description": in_json, "trace_id": SECRET}),
    ] {
        let fake = endpoint_saying(move |_| say(400, &page)).await;
        let (graph, _) = fake.client();
        let reply = format!("{:?}", perform(&graph).await);
        assert!(!reply.contains(&SECRET[..6]) && !reply.contains(&encoded), "{reply}");
    }
}

/// A proxy in front of Graph that shows the request it got shows no token of ours, though its page is cut.
#[tokio::test]
async fn a_token_that_is_sent_back_is_not_kept() {
    let fake = Fake::start(|asked, _| {
        if asked.is_for_token() {
            return token("a-token-that-is-long-enough");
        }
        let page = format!("{:1$}{2}", "", 185, asked.headers["authorization"]);
        say(502, &json!(page))
    })
    .await;
    let (graph, _) = fake.client();
    let reply = perform(&graph).await;
    let message = reply.evidence.message.unwrap();
    assert!(!message.contains("a-token"), "{message}");
}

/// Twenty calls share one failure too; the next fetch comes with the next second.
#[tokio::test]
async fn a_failed_fetch_is_shared_and_not_repeated_at_once() {
    let fake = endpoint_saying(|n| match n {
        0 => say(401, &refusal("invalid_client", 7_000_222)),
        _ => token("good"),
    })
    .await;
    let (graph, clock) = fake.client();
    let replies = join_all((0..20).map(|_| perform(&graph))).await;
    for reply in &replies {
        assert_eq!(reply.outcome, Outcome::Refused(Refusal::Unauthorized));
        assert_eq!(reply.evidence.code.as_deref(), Some("invalid_client"));
        let message = reply.evidence.message.as_deref().unwrap();
        assert!(message.contains("expired") && message.contains("AADSTS7000222: Because. Trace ID: t-1"));
    }
    perform(&graph).await;
    assert_eq!(fake.token_requests(), 1);
    clock.advance(FAILURE_HELD);
    assert_eq!(perform(&graph).await.outcome, Outcome::Gone);
    assert_eq!(fake.token_requests(), 2);
}

type Row = (fn() -> FakeReaction, Outcome, TokenFailureKind);

/// What Entra refuses is ours to mend; what it can't do just now isn't, and nothing was sent to Graph either way.
#[tokio::test]
async fn refusals_of_the_token_endpoint_are_told_from_its_outages() {
    let unavailable =
        |seconds: Option<u64>| Outcome::Unavailable { retry_after: seconds.map(Duration::from_secs) };
    let unauthorized = || Outcome::Refused(Refusal::Unauthorized);
    let html = || FakeReaction::RawResponse(403, vec![("Content-Type", "text/html".into())], "<html>".into());
    let throttled = || FakeReaction::RawResponse(429, vec![("Retry-After", "7".into())], "{}".into());
    let table: [Row; 10] = [
        (
            || say(401, &refusal("invalid_client", 7_000_215)),
            unauthorized(),
            TokenFailureKind::SignIn(SignInFault::SecretWrong),
        ),
        (
            || say(400, &refusal("unauthorized_client", 700_016)),
            unauthorized(),
            TokenFailureKind::SignIn(SignInFault::AppUnknown),
        ),
        (
            || say(400, &refusal("invalid_request", 90_002)),
            unauthorized(),
            TokenFailureKind::SignIn(SignInFault::TenantUnknown),
        ),
        (throttled, unavailable(Some(7)), TokenFailureKind::Unavailable),
        (|| say(503, &json!({})), unavailable(None), TokenFailureKind::Unavailable),
        (
            || say(400, &refusal("temporarily_unavailable", 1)),
            unavailable(None),
            TokenFailureKind::Unavailable,
        ),
        (html, unavailable(None), TokenFailureKind::Unavailable),
        (|| say(200, &json!({"token": "x"})), unavailable(None), TokenFailureKind::Unavailable),
        (|| say(302, &json!({})), unavailable(None), TokenFailureKind::Unavailable),
        (|| FakeReaction::Bytes(String::new()), unavailable(None), TokenFailureKind::Unreachable),
    ];
    for (said, expected, kind) in table {
        let fake = endpoint_saying(move |_| said()).await;
        let (graph, _) = fake.client();
        assert_eq!(perform(&graph).await.outcome, expected, "{kind:?}");
        let failure = graph.check_token().await.unwrap_err();
        assert_eq!(failure.kind, kind, "{failure}");
        if kind.is_refusal() {
            let ids = (failure.trace_id.as_deref(), failure.correlation_id.as_deref());
            assert_eq!(ids, (Some("t-1"), Some("c-1")));
            assert!(failure.aadsts.is_some());
        }
        assert!(fake.graph_requests().is_empty());
    }
}

/// After four fifths of its lifetime a token is refreshed in the background, once, while calls go on with the old one.
#[tokio::test]
async fn a_token_is_refreshed_ahead_once_in_the_background() {
    let fake = endpoint_saying(|n| token(&format!("token-{n}"))).await;
    let (graph, clock) = fake.client();
    assert_eq!(graph.check_token().await, Ok(NOW + Duration::from_hours(1)));
    clock.advance(Duration::from_mins(47));
    perform(&graph).await;
    assert_eq!(fake.token_requests(), 1);
    clock.advance(Duration::from_mins(1));
    join_all((0..20).map(|_| perform(&graph))).await;
    refreshed(&graph).await;
    assert_eq!(fake.token_requests(), 2);
    assert_eq!(tokens_shown(&fake)[1], "token-0");
    perform(&graph).await;
    assert_eq!(tokens_shown(&fake).last().unwrap(), "token-1");
    assert_eq!(graph.check_token().await, Ok(NOW + Duration::from_mins(48 + 60)));
}

/// Entra may say when it wants a token refreshed, as a number or as text.
#[tokio::test]
async fn refresh_in_is_obeyed() {
    for refresh_in in [json!(600), json!("600")] {
        let body = json!({
            "token_type": "bearer", "access_token": "t", "expires_in": 3600, "refresh_in": refresh_in,
        });
        let fake = endpoint_saying(move |_| say(200, &body)).await;
        let (graph, clock) = fake.client();
        for (advance, expected) in [(0, 1), (599, 1), (1, 2)] {
            clock.advance(Duration::from_secs(advance));
            perform(&graph).await;
            refreshed(&graph).await;
            assert_eq!(fake.token_requests(), expected);
        }
    }
}

/// A lifetime is read from a number or a text, with a byte order mark before the answer or without; one that can't be read
/// is short.
#[tokio::test]
async fn a_lifetime_is_read_in_every_spelling() {
    let untold = LIFETIME_UNTOLD.as_secs();
    for (expires_in, expected) in [
        (json!(3599), 3599),
        (json!("3599"), 3599),
        (json!(" 3599 "), 3599),
        (json!("3599.5"), 3599),
        (json!(3599.5), 3599),
        (json!(null), untold),
        (json!("soon"), untold),
        (json!(-1), untold),
        (json!({}), untold),
    ] {
        for mark in ["", "\u{feff}"] {
            let body = json!({"token_type": "Bearer", "access_token": "t", "expires_in": expires_in});
            let body = format!("{mark}{body}");
            let fake = endpoint_saying(move |_| FakeReaction::RawResponse(200, vec![], body.clone())).await;
            let good_until = fake.client().0.check_token().await;
            assert_eq!(good_until, Ok(NOW + Duration::from_secs(expected)), "{expires_in} {mark:?}");
        }
    }
}

/// An outage of the token endpoint goes unnoticed until the old token is really out.
#[tokio::test]
async fn the_old_token_serves_until_it_expires() {
    let fake = endpoint_saying(|n| if n == 0 { token("old") } else { say(503, &json!({})) }).await;
    let (graph, clock) = fake.client();
    perform(&graph).await;
    clock.advance(Duration::from_mins(50));
    for expected in [2, 2] {
        assert_eq!(perform(&graph).await.outcome, Outcome::Gone);
        refreshed(&graph).await;
        assert_eq!(fake.token_requests(), expected);
    }
    clock.advance(REFRESH_PAUSE);
    assert_eq!(perform(&graph).await.outcome, Outcome::Gone);
    refreshed(&graph).await;
    assert_eq!(fake.token_requests(), 3);
    clock.advance(Duration::from_mins(10));
    assert_eq!(perform(&graph).await.outcome, Outcome::Unavailable { retry_after: None });
}

/// A 401 from Graph: the token is dropped, another fetched, and the call repeated, once.
#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let fake = Fake::start(|asked, before| {
        if asked.is_for_token() {
            return token(&format!("token-{before}"));
        }
        let status = if asked.headers["authorization"] == "Bearer token-0" { 401 } else { 204 };
        say(status, &json!({}))
    })
    .await;
    let (graph, _) = fake.client();
    let replies = join_all((0..20).map(|_| perform(&graph))).await;
    assert!(replies.iter().all(|reply| reply.outcome == Outcome::Gone));
    assert_eq!(fake.token_requests(), 2);
}

/// When new tokens are refused as well, the fault is elsewhere, and fetching more of them would only hammer.
#[tokio::test]
async fn tokens_that_are_always_refused_are_not_fetched_for_every_call() {
    let fake =
        Fake::start(|asked, _| if asked.is_for_token() { token("t") } else { say(401, &json!({})) }).await;
    let (graph, clock) = fake.client();
    for _ in 0..5 {
        let reply = perform(&graph).await;
        assert_eq!(reply.outcome, Outcome::Refused(Refusal::Unauthorized));
        assert_eq!(reply.evidence.status, Some(401));
    }
    assert_eq!((fake.token_requests(), fake.graph_requests().len()), (2, 6));
    clock.advance(REPLACEMENT_PAUSE);
    perform(&graph).await;
    assert_eq!(fake.token_requests(), 3);
}

/// Neither secret nor token can be printed by accident, nor do they turn up in evidence or errors.
#[tokio::test]
async fn secrets_and_tokens_are_never_shown() {
    let odd = json!({"token_type": "Bearer", "access_token": {"odd": "tok3n"}, "expires_in": "tok3n"});
    for body in [json!({"token_type": "Bearer", "access_token": "tok3n", "expires_in": 60}), odd] {
        let fake = endpoint_saying(move |_| say(200, &body)).await;
        let (graph, _) = fake.client();
        let reply = perform(&graph).await;
        let text = format!("{graph:?} {reply:?} {:?} {:?}", graph.check_token().await, meeting());
        assert!(!text.contains("tok3n") && !text.contains(SECRET), "{text}");
    }
}
