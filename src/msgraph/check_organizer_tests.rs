use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::fake::{Fake, FakeReaction, RecordedRequest, say, token};
use super::*;
use crate::booking::Upn;

const ORGANIZER: &str = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";

fn organizer() -> Organizer {
    Organizer::UserId(UserId::parse(ORGANIZER).unwrap())
}

fn error(status: u16, code: &str, message: &str) -> FakeReaction {
    say(status, &json!({"error": {"code": code, "message": message}}))
}

fn user() -> Value {
    json!({"id": ORGANIZER})
}

/// A host that grants opaque tokens, knows the user, and says this of a meeting.
async fn host(of_meeting: fn() -> FakeReaction) -> Fake {
    Fake::start(move |asked: &RecordedRequest, _| match asked {
        asked if asked.is_for_token() => token("opaque"),
        asked if asked.path.contains("/onlineMeetings/") => of_meeting(),
        _ => say(200, &user()),
    })
    .await
}

fn absent() -> FakeReaction {
    error(404, "NotFound", "No such meeting.")
}

/// Each answer of Graph becomes a fact, and every request is a GET.
#[tokio::test]
async fn each_answer_of_graph_becomes_a_fact() {
    use ProbeOutcome::{Missing, Refused, There, Unanswered};
    let table: [(fn() -> FakeReaction, ProbeOutcome); 7] = [
        (absent, Missing),
        (
            || error(403, "Forbidden", "No application access policy found"),
            Refused(Refusal::OrganizerNotPermitted),
        ),
        (|| error(403, "Forbidden", "No licence."), Refused(Refusal::Forbidden)),
        (|| error(400, "BadRequest", "Which id?"), Refused(Refusal::Request)),
        (|| error(429, "TooManyRequests", ""), Unanswered),
        (|| FakeReaction::Bytes(String::new()), Unanswered),
        (|| say(200, &super::super::fake::meeting()), There),
    ];
    for (of_meeting, expected) in table {
        let fake = host(of_meeting).await;
        let facts = fake.client().0.check_organizer(&organizer(), &Unguarded).await;
        assert_eq!(facts.token, Ok(TokenFacts { roles: None }));
        assert_eq!((facts.user.unwrap().seen, facts.meeting.unwrap().seen), (There, expected));
        let asked = fake.graph_requests();
        assert!(asked.iter().all(|asked| asked.method == "GET" && asked.body.is_empty()), "{asked:?}");
        assert_eq!(asked[0].path, format!("/v1.0/users/{ORGANIZER}?$select=id"));
        assert!(
            asked[1].path.starts_with(&format!("/v1.0/users/{ORGANIZER}/onlineMeetings/MSox")),
            "{asked:?}"
        );
    }
}

/// Twenty checks at once are answered by two requests, and so is every check within ten seconds.
#[tokio::test]
async fn a_check_is_shared_for_a_moment() {
    let fake = host(absent).await;
    let (graph, clock) = fake.client();
    let organizer = Organizer::Upn(Upn::parse("anna@contoso.com").unwrap());
    let facts = join_all((0..20).map(|_| graph.check_organizer(&organizer, &Unguarded))).await;
    assert!(facts.iter().all(|one| one == &facts[0]));
    assert_eq!(facts[0].user_id, Some(UserId::parse(ORGANIZER).unwrap()));
    clock.advance(CACHE_LIFETIME.saturating_sub(Duration::from_micros(1)));
    let in_capitals = Organizer::Upn(Upn::parse("ANNA@contoso.com").unwrap());
    assert_eq!(graph.check_organizer(&in_capitals, &Unguarded).await, facts[0]);
    assert_eq!(fake.graph_requests().len(), 2);
    clock.advance(Duration::from_micros(1));
    assert_ne!(graph.check_organizer(&organizer, &Unguarded).await.checked_at, facts[0].checked_at);
    assert_eq!(fake.graph_requests().len(), 4);
}

/// Without a token Graph is not asked; of a user who doesn't exist no meeting is read.
#[tokio::test]
async fn only_useful_requests_are_sent() {
    let refused =
        json!({"error": "invalid_client", "error_codes": [7_000_222], "error_description": "Expired."});
    let fake = Fake::start(move |_, _| say(401, &refused)).await;
    let facts = fake.client().0.check_organizer(&organizer(), &Unguarded).await;
    let fault = facts.token.unwrap_err();
    assert!(fault.is_refusal && fault.message.contains("AADSTS7000222"), "{}", fault.message);
    assert_eq!((facts.user, facts.meeting, fake.graph_requests().len()), (None, None, 0));

    let fake = Fake::start(|asked, _| {
        if asked.is_for_token() { token("t") } else { error(404, "Request_ResourceNotFound", "None.") }
    })
    .await;
    let facts = fake.client().0.check_organizer(&organizer(), &Unguarded).await;
    assert_eq!((facts.user.unwrap().seen, facts.meeting), (ProbeOutcome::Missing, None));
    assert_eq!(fake.graph_requests().len(), 1);
    let nil = UserId::new(Uuid::nil());
    assert_eq!(look_at_nothing(nil).unwrap().organizer(), Some(nil));
}
