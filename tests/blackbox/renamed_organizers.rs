//! The same person is the same organizer, whichever name a caller uses: the object id decides.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, GatewayBody, InjectedFault, Operation, OrganizerState};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{ORGANIZER, TestApp, Who, booking_with};

const SCHMIDT: &str = "maria.schmidt@contoso.com";
const MUELLER: &str = "maria.mueller@contoso.com";
const OLGA: &str = "0e5f2f6c-0000-4000-8000-000000000001";

fn id_of(text: &str) -> Uuid {
    Uuid::parse_str(text).unwrap()
}

fn of(organizer: &str) -> Value {
    booking_with("BK-1", json!({"organizer": organizer}))
}

/// A service whose Graph knows the user [`ORGANIZER`] as [`SCHMIDT`].
async fn app() -> TestApp {
    let app = TestApp::start().await;
    app.simulator.declare(id_of(ORGANIZER), OrganizerState::Permitted, Some(SCHMIDT));
    app
}

fn look_ups(app: &TestApp) -> u64 {
    app.simulator.counts().arrived(Operation::User)
}

/// A rename makes no second meeting and no 409: the booking keeps its meeting under the former name, the latter one and the
/// object id. PUT calls the organizer by the last name, and the history says why. The former name is no one's any more: it is
/// no reason for another meeting either.
#[tokio::test]
async fn a_renamed_organizer_keeps_the_meeting() {
    let app = app().await;
    let first = app.book(Who::Desk, &of(SCHMIDT)).await.expect(201).json();
    app.simulator.rename(id_of(ORGANIZER), MUELLER);
    for name in [MUELLER, &MUELLER.to_uppercase(), ORGANIZER, SCHMIDT] {
        let again = app.book(Who::Desk, &of(name)).await.expect(200);
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{name}");
        assert_eq!(again.json(), first, "{name}");
    }
    assert_eq!(look_ups(&app), 2, "each name was looked up once");

    let put = app.declare(&of(MUELLER)).await.expect(200).json();
    assert_eq!(put["organizer"], json!({"userId": ORGANIZER, "upn": MUELLER}));
    assert_eq!((&put["meeting"], &put["generation"]), (&first["meeting"], &first["generation"]));
    let history = app.history_items("BK-1").await;
    let changed = history.last().unwrap();
    assert_eq!(
        (&changed["type"], &changed["details"]["differsIn"]),
        (&json!("booking.changed"), &json!(["organizer"]))
    );
    assert_eq!((&changed["organizer"], &changed["actor"]), (&json!(MUELLER), &json!("api-key:Desk")));
    let evidence = changed["details"]["graph"]["message"].as_str().unwrap();
    assert!(evidence.contains("answered from the cache"), "{evidence}");
    let note = changed["details"]["note"].as_str().unwrap();
    assert!(note.contains(MUELLER) && note.contains(ORGANIZER), "{note}");

    for organizer_change in ["BK-1", "BK-1?organizerChange=replace"] {
        for name in [MUELLER, ORGANIZER] {
            let same = app.put(organizer_change, &of(name), &[]).await.expect(200).json();
            assert_eq!(same, put, "{organizer_change} {name}");
        }
    }
    app.book(Who::Desk, &of(SCHMIDT)).await.expect(200);
    app.clock.advance(Duration::from_hours(1));
    app.book(Who::Desk, &of(SCHMIDT)).await.problem(409, "booking-differs");
    let problem = app.declare(&of(SCHMIDT)).await.problem(409, "organizer-immutable");
    assert!(problem["detail"].as_str().unwrap().contains("?organizerChange=replace"), "{problem}");
    let problem = app.put("BK-1?organizerChange=replace", &of(SCHMIDT), &[]).await;
    let problem = problem.problem(422, "organizer-not-found");
    assert_eq!((&problem["booking"], &problem["graph"]["status"]), (&short(&put), &json!(404)));
    assert_eq!((app.booking("BK-1").await, app.simulator.meetings().len()), (put, 1));
    app.end().await;
}

/// A booking made by object id, whose history says what Graph answered when it was first asked for by name.
#[tokio::test]
async fn a_booking_made_by_object_id_is_known_by_name() {
    let app = app().await;
    let first = app.book(Who::Desk, &of(ORGANIZER)).await.expect(201).json();
    assert_eq!(app.book(Who::Desk, &of(SCHMIDT)).await.expect(200).json(), first);
    app.clock.advance(Duration::from_hours(1));
    let put = app.put("BK-1?organizerChange=replace", &of(SCHMIDT), &[]).await.expect(200).json();
    assert_eq!(put["organizer"], json!({"userId": ORGANIZER, "upn": SCHMIDT}));
    assert_eq!(put["meeting"], first["meeting"]);
    assert_eq!(app.history("BK-1").await, ["booking.accepted", "meeting.created", "booking.changed"]);
    let graph = &app.history_items("BK-1").await[2]["details"]["graph"];
    assert_eq!(graph["status"], 200);
    assert!(graph["clientRequestId"].is_string() && graph["requestId"].is_string(), "{graph}");
    assert_eq!(app.declare(&of(ORGANIZER)).await.expect(200).json(), put, "an object id replaces no name");
    assert_eq!(app.simulator.meetings().len(), 1);
    app.end().await;
}

/// A name that was given to another user is another organizer: 409, or another meeting where that was asked for.
#[tokio::test]
async fn a_name_of_another_user_is_another_organizer() {
    let app = app().await;
    app.book(Who::Desk, &of(SCHMIDT)).await.expect(201);
    app.simulator.declare(id_of(OLGA), OrganizerState::Permitted, Some("olga@contoso.com"));
    app.book(Who::Desk, &of("olga@contoso.com")).await.problem(409, "booking-differs");
    app.declare(&of("olga@contoso.com")).await.problem(409, "organizer-immutable");
    let replaced = app.put("BK-1?organizerChange=replace", &of("olga@contoso.com"), &[]).await;
    let replaced = replaced.expect(201).json();
    assert_eq!((&replaced["generation"], &replaced["organizer"]["userId"]), (&json!(2), &json!(OLGA)));
    app.resume_after(Duration::ZERO).await;
    assert_eq!((app.simulator.meetings().len(), app.live_meetings().len()), (2, 1));
    app.end().await;
}

/// What is decided without it needs no look-up: a late message, a cancelled booking, other content.
#[tokio::test]
async fn no_name_is_looked_up_where_it_makes_no_difference() {
    let app = app().await;
    let with = |sequence: u32, subject: &str| {
        let overrides = json!({"organizer": MUELLER, "sequence": sequence, "subject": subject});
        booking_with("BK-1", overrides)
    };
    let first = booking_with("BK-1", json!({"organizer": ORGANIZER, "sequence": 3, "subject": "Review"}));
    app.book(Who::Desk, &first).await.expect(201);
    app.book(Who::Desk, &with(2, "Review")).await.problem(409, "stale-sequence");
    app.declare(&with(2, "Review")).await.problem(409, "stale-sequence");
    let problem = app.book(Who::Desk, &with(3, "Other")).await.problem(409, "booking-differs");
    assert_eq!(problem["differences"].as_array().unwrap().len(), 1, "{problem}");
    assert_eq!(problem["differences"][0]["field"], "subject");
    app.put("BK-1", &with(4, "Review"), &[("If-Match", "\"1.1\"")]).await.problem(412, "revision-mismatch");
    app.delete("BK-1", &[]).await.expect(200);
    app.book(Who::Desk, &with(3, "Review")).await.problem(409, "booking-cancelled");
    app.declare(&with(3, "Review")).await.problem(409, "stale-sequence");
    assert_eq!(look_ups(&app), 0);
    app.end().await;
}

/// While a name isn't resolved, the object id that it turns out to have is the same organizer, too.
#[tokio::test]
async fn a_booking_whose_name_is_not_resolved_yet_is_known_by_object_id() {
    let app = app().await;
    let effect = Effect::ThrottledBeforeWork { retry_after: Some("5".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::User, effect));
    let pending = app.book_and_look(&of(SCHMIDT)).await;
    assert_eq!(pending["organizer"]["userId"], Value::Null);
    let asked = app.book(Who::Desk, &of(ORGANIZER)).await;
    let problem = asked.problem(503, "graph-unavailable");
    assert_eq!((&problem["retryable"], &problem["retryAfterSeconds"]), (&json!(true), &json!(5)));
    assert_eq!(asked.header("retry-after"), Some("5"));
    assert_eq!(problem["booking"], short(&pending), "nothing was changed");
    app.clock.advance(Duration::from_secs(6));
    let known = app.book_preferring(Who::Desk, "respond-async", &of(ORGANIZER)).await.expect(202).json();
    assert_eq!(known["organizer"]["upn"], SCHMIDT);
    app.book(Who::Desk, &of(OLGA)).await.problem(409, "booking-differs");
    app.resume_after(Duration::ZERO).await;
    let there = app.book(Who::Desk, &of(ORGANIZER)).await.expect(200).json();
    assert_eq!(there["organizer"], json!({"userId": ORGANIZER, "upn": SCHMIDT}));
    assert_eq!(app.simulator.meetings().len(), 1);
    app.end().await;
}

/// A look-up without an answer changes nothing, and says whether the same request may succeed later.
#[tokio::test]
async fn a_look_up_without_an_answer_changes_nothing() {
    let denied =
        json!({"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges."}});
    let respond = |status, body: &Value| Effect::Respond {
        status,
        headers: std::iter::once(("Content-Type".to_owned(), "application/json".to_owned())).collect(),
        body: body.to_string(),
        after_work: false,
    };
    let later = |seconds: &str| Some(seconds.to_owned());
    for (effect, status, code, retry_after) in [
        (Effect::ThrottledBeforeWork { retry_after: later("2.128") }, 503, "graph-unavailable", Some("3")),
        (
            Effect::FailedBeforeWork { status: 503, retry_after: later("7") },
            503,
            "graph-unavailable",
            Some("7"),
        ),
        (Effect::FailedBeforeWork { status: 500, retry_after: None }, 503, "graph-unavailable", Some("2")),
        (Effect::AnswerLost, 503, "graph-unavailable", Some("2")),
        (Effect::Collision, 503, "graph-unavailable", Some("2")),
        (
            Effect::Gateway { status: 404, body: GatewayBody::Page, after_work: false },
            503,
            "graph-unavailable",
            Some("2"),
        ),
        (respond(403, &denied), 422, "graph-refused", None),
        (Effect::TokenNotAccepted, 502, "graph-unauthorized", None),
    ] {
        let app = app().await;
        let first = app.book(Who::Desk, &of(ORGANIZER)).await.expect(201).json();
        let what = format!("{effect:?}");
        app.simulator.inject(InjectedFault::on(Operation::User, effect).times(8));
        for path in ["", "BK-1", "BK-1?organizerChange=replace"] {
            let answer = match path {
                "" => app.book(Who::Desk, &of(SCHMIDT)).await,
                path => app.put(path, &of(SCHMIDT), &[]).await,
            };
            let problem = answer.problem(status, code);
            assert_eq!(answer.header("retry-after"), retry_after, "{what}");
            assert_eq!(problem["retryable"], json!(retry_after.is_some()), "{what}");
            assert_eq!(problem["booking"], short(&first), "{what}");
            assert!(problem["graph"]["message"].is_string(), "{what}: {problem}");
            assert_eq!(problem["remedy"].is_string(), retry_after.is_none(), "{what}");
            app.clock.advance(Duration::from_mins(1));
        }
        assert_eq!(app.booking("BK-1").await, first, "{what}");
        assert_eq!(app.history("BK-1").await, ["booking.accepted", "meeting.created"], "{what}");
        app.simulator.clear_faults();
        app.book(Who::Desk, &of(SCHMIDT)).await.expect(200);
        app.end().await;
    }
}

/// A look-up takes a permit like any call, so it is not sent while Graph wants no calls; what is remembered needs none.
#[tokio::test]
async fn a_remembered_name_is_known_while_graph_is_paused() {
    let app = app().await;
    app.simulator.declare(id_of(OLGA), OrganizerState::Permitted, Some("olga@contoso.com"));
    app.book(Who::Desk, &of(ORGANIZER)).await.expect(201);
    app.book(Who::Desk, &of(SCHMIDT)).await.expect(200);
    let headers = [("Retry-After", "60"), ("x-ms-throttle-scope", "Tenant_Application/ReadWrite/app/tenant")];
    let effect = Effect::Respond {
        status: 429,
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: "{}".to_owned(),
        after_work: false,
    };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
    app.book_and_look(&booking_with("BK-2", json!({"organizer": OLGA}))).await;
    app.book(Who::Desk, &of(SCHMIDT)).await.expect(200);
    let problem = app.book(Who::Desk, &of("olga@contoso.com")).await.problem(503, "graph-unavailable");
    let message = problem["graph"]["message"].as_str().unwrap();
    assert!(message.starts_with("not sent: Graph asked this application to wait"), "{message}");
    assert_eq!(problem["retryAfterSeconds"], 60);
    assert_eq!(look_ups(&app), 1);
    app.resume_after(Duration::from_secs(67)).await;
    app.book(Who::Desk, &of("olga@contoso.com")).await.problem(409, "booking-differs");
    app.end().await;
}

/// A wrong organizer is corrected in place, by an ordinary PUT, while no meeting can exist: the booking stays what it is, and
/// gets its one meeting.
#[tokio::test]
async fn a_wrong_organizer_is_corrected_while_there_was_no_meeting() {
    let refused = OrganizerState::Refused;
    for (wrong, right, userid) in [
        ("typo@contoso.com", SCHMIDT, ORGANIZER),
        ("typo@contoso.com", ORGANIZER, ORGANIZER),
        (OLGA, SCHMIDT, ORGANIZER),
        ("olga@contoso.com", ORGANIZER, ORGANIZER),
    ] {
        for path in ["BK-1", "BK-1?organizerChange=replace"] {
            let app = app().await;
            let typo = id_of("0e5f2f6c-0000-4000-8000-000000000002");
            app.simulator.declare(typo, OrganizerState::Unknown, Some("typo@contoso.com"));
            app.simulator.declare(id_of(OLGA), refused, Some("olga@contoso.com"));
            let failed = app.book_and_look(&of(wrong)).await;
            assert_eq!(failed["meeting"], Value::Null, "{wrong}");
            let corrected = app.put(path, &of(right), &[]).await.expect(200).json();
            assert_eq!((&corrected["generation"], &corrected["status"]), (&json!(1), &json!("provisioned")));
            assert_eq!(corrected["organizer"]["userId"], userid);
            assert_eq!(corrected["externalId"], failed["externalId"]);
            let history = app.history_items("BK-1").await;
            let changed = history.iter().find(|event| event["type"] == "booking.changed").unwrap();
            assert_eq!(changed["details"]["differsIn"], json!(["organizer"]));
            assert_eq!(changed["details"]["graph"], Value::Null, "nothing was looked up for it");
            assert_eq!(app.simulator.meetings().len(), 1);
            assert_eq!(app.simulator.meetings()[0].organizer.to_string(), ORGANIZER);
            app.end().await;
        }
    }
}

/// Where a meeting may exist, because an answer was lost, another organizer would be a second one: PUT doesn't correct it.
#[tokio::test]
async fn a_wrong_organizer_stays_where_a_meeting_may_exist() {
    let app = app().await;
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, Effect::AnswerLost));
    let effect = Effect::ThrottledBeforeWork { retry_after: Some("60".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, effect));
    app.book_and_look(&of(OLGA)).await;
    app.resume_after(Duration::ZERO).await;
    assert_eq!(app.booking("BK-1").await["meeting"], Value::Null);
    app.declare(&of(ORGANIZER)).await.problem(409, "organizer-immutable");
    app.declare(&of(SCHMIDT)).await.problem(409, "organizer-immutable");
    app.resume_after(Duration::from_mins(2)).await;
    let there = app.booking("BK-1").await;
    assert_eq!((&there["organizer"]["userId"], &there["generation"]), (&json!(OLGA), &json!(1)));
    assert_eq!(app.simulator.meetings().len(), 1);
    app.end().await;
}

/// Requests by name and by object id at the same moment, to create and to declare, on two replicas and a slow Graph: one
/// meeting, one generation, one link.
#[tokio::test]
async fn requests_by_name_and_by_object_id_at_once_make_one_meeting() {
    for slow in [Operation::CreateOrGet, Operation::User] {
        let app = app().await;
        let other = app.another_replica().await;
        app.simulator.inject(InjectedFault::on(slow, Effect::SlowBeforeWork { milliseconds: 200 }).always());
        let send = |n: usize| {
            let replica = if n.is_multiple_of(2) { &app } else { &other };
            async move {
                let body = of(if (n / 2).is_multiple_of(2) { SCHMIDT } else { ORGANIZER });
                match n / 4 % 3 {
                    0 => replica.book(Who::Desk, &body).await,
                    1 => replica.declare(&body).await,
                    _ => replica.put("BK-1?organizerChange=replace", &body, &[]).await,
                }
            }
        };
        let answers = futures_util::future::join_all((0..48).map(send)).await;
        let links: std::collections::BTreeSet<String> = answers
            .iter()
            .map(|answer| {
                assert!(matches!(answer.status, 200 | 201), "{slow:?}: {}", answer.text);
                answer.json()["meeting"]["joinWebUrl"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!((links.len(), app.simulator.meetings().len()), (1, 1), "{slow:?}");
        assert_eq!(app.booking("BK-1").await["generation"], 1);
        other.end().await;
        app.end().await;
    }
}

/// A booking as a problem shows it.
fn short(booking: &Value) -> Value {
    let mut short = booking.clone();
    short.as_object_mut().unwrap().remove("attendees");
    short
}
