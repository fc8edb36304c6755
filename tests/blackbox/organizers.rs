//! Organizers given by name.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, OrganizerState};
use serde_json::{Value, json};

use crate::support::{ORGANIZER, TestApp, Who, booking_with};

/// A booking made by name is the same booking when it is asked for by the object id, whichever call is used; it keeps its
/// meeting, and both ways to name the organizer find it, in any letter case.
#[tokio::test]
async fn an_organizer_named_by_object_id_is_the_one_named_before() {
    let app = TestApp::start().await;
    let id = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.declare(id, OrganizerState::Permitted, Some("olga@contoso.com"));
    let by_name = booking_with("BK-1", json!({"organizer": "Olga@contoso.com"}));
    let first = app.book(Who::Desk, &by_name).await.expect(201).json();
    for name in [ORGANIZER, &ORGANIZER.to_uppercase(), "OLGA@CONTOSO.COM"] {
        let body = booking_with("BK-1", json!({"organizer": name}));
        for answer in [app.book(Who::Desk, &body).await, app.declare(&body).await] {
            let again = answer.expect(200).json();
            assert_eq!(again["organizer"], first["organizer"], "{name}");
            assert_eq!(again["meeting"]["joinWebUrl"], first["meeting"]["joinWebUrl"], "{name}");
        }
    }
    let other = booking_with("BK-1", json!({"organizer": "0e5f2f6c-0000-4000-8000-000000000001"}));
    app.book(Who::Desk, &other).await.problem(409, "booking-differs");
    assert_eq!(app.simulator.meetings().len(), 1);
    for name in ["olga@contoso.com", "OLGA%40CONTOSO.COM", ORGANIZER, &ORGANIZER.to_uppercase()] {
        let page = app.get(Who::Desk, &format!("/v1/bookings?organizer={name}")).await.expect(200).json();
        assert_eq!(page["items"].as_array().unwrap().len(), 1, "{name}");
        let events =
            app.get(Who::Auditor, &format!("/v1/audit-events?organizer={name}")).await.expect(200).json();
        assert_eq!(events["items"].as_array().unwrap().len(), 3, "{name}");
    }
    app.end().await;
}

/// An organizer given by user principal name is looked up, and pinned to the booking by object id.
#[tokio::test]
async fn an_organizer_given_by_name_is_found() {
    let app = TestApp::start().await;
    let id = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.declare(id, OrganizerState::Permitted, Some("olga@contoso.com"));
    let body = booking_with("BK-1", json!({"organizer": "olga@contoso.com"}));
    let body = app.book(Who::Desk, &body).await.expect(201).json();
    assert_eq!(body["organizer"], json!({"userId": ORGANIZER, "upn": "olga@contoso.com"}));
    assert_eq!(app.simulator.meetings()[0].organizer.to_string(), ORGANIZER);
    assert_eq!(app.simulator.counts().arrived(Operation::User), 1);
    assert_eq!(app.history("BK-1").await, ["booking.accepted", "organizer.found", "meeting.created"]);
    app.end().await;
}

/// An organizer whom Graph doesn't know, by name or by object id, is asked for for three minutes, and the caller is told from
/// the first answer on; then it is a problem, and Graph is asked no more.
#[tokio::test]
async fn an_organizer_whom_graph_does_not_know_is_a_problem_after_three_minutes() {
    let id = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    for (organizer, asked) in [("nobody@contoso.com", Operation::User), (ORGANIZER, Operation::CreateOrGet)] {
        let app = TestApp::start().await;
        app.simulator.declare(id, OrganizerState::Unknown, Some("nobody@contoso.com"));
        let body = booking_with("BK-1", json!({"organizer": organizer}));
        let answer = app.book_preferring(Who::Desk, "wait=0", &body).await.expect(202);
        assert!(answer.header("retry-after").is_some());
        app.idle().await;
        let seen = app.booking("BK-1").await;
        let error = &seen["lastError"];
        let told = (&seen["status"], &error["code"], &error["graph"]["status"]);
        assert_eq!(told, (&json!("pending"), &json!("organizer-not-found"), &json!(404)), "{seen}");
        assert!(error["detail"].as_str().unwrap().contains("it is asked again"), "{seen}");
        assert!(error["remedy"].as_str().unwrap().starts_with("Check that the organizer"), "{seen}");
        let mut waited = Duration::ZERO;
        while waited < Duration::from_mins(3) {
            assert_eq!(app.booking("BK-1").await["status"], "pending", "{waited:?}");
            app.resume_after(Duration::from_secs(10)).await;
            app.idle().await;
            waited += Duration::from_secs(10);
        }
        let problem = app.book(Who::Desk, &body).await.problem(422, "organizer-not-found");
        assert_eq!(problem["detail"], "Graph knows no such organizer.");
        let calls = app.simulator.counts().arrived(asked);
        assert!((5..=12).contains(&calls), "{organizer}: {calls} calls");
        assert_eq!(app.resume_after(Duration::from_hours(100)).await, 0);
        app.book(Who::Desk, &body).await.problem(422, "organizer-not-found");
        assert_eq!(app.simulator.counts().arrived(asked), calls);
        assert!(app.simulator.meetings().is_empty());
        app.end().await;
    }
}

/// A user who was made moments ago gets the meeting without anyone doing anything, whichever copy of Graph's lags: the
/// directory's that is asked for the name, or that of Teams, which is asked for the meeting.
#[tokio::test]
async fn a_user_made_moments_ago_is_found_by_itself() {
    let id = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    for (organizer, asked) in [
        ("olga@contoso.com", Operation::User),
        ("olga@contoso.com", Operation::CreateOrGet),
        (ORGANIZER, Operation::CreateOrGet),
    ] {
        let app = TestApp::start().await;
        app.simulator.declare(id, OrganizerState::Permitted, Some("olga@contoso.com"));
        let missing = r#"{"error":{"code":"UnknownError","message":""}}"#;
        let effect =
            Effect::Respond { status: 404, headers: [].into(), body: missing.to_owned(), after_work: false };
        app.simulator.inject(InjectedFault::on(asked, effect).times(3));
        let body = booking_with("BK-1", json!({"organizer": organizer}));
        assert_eq!(app.book_and_look(&body).await["lastError"]["code"], "organizer-not-found");
        app.resume_until_settled(Duration::from_secs(2)).await;
        let seen = app.booking("BK-1").await;
        assert_eq!(
            (&seen["status"], &seen["organizer"]["userId"]),
            (&json!("provisioned"), &json!(ORGANIZER))
        );
        app.book(Who::Desk, &body).await.expect(200);
        assert_eq!(app.simulator.meetings().len(), 1, "{organizer} {asked:?}");
        app.end().await;
    }
}

/// A name is looked up once for many bookings, and again after an hour. The history says which answer was remembered.
#[tokio::test]
async fn a_name_is_looked_up_once_an_hour() {
    let app = TestApp::start().await;
    let id = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.declare(id, OrganizerState::Permitted, Some("olga@contoso.com"));
    for (booking_id, upn) in [("BK-1", "olga@contoso.com"), ("BK-2", "Olga@Contoso.com")] {
        let body = app
            .book(Who::Desk, &booking_with(booking_id, json!({"organizer": upn})))
            .await
            .expect(201)
            .json();
        assert_eq!(body["organizer"], json!({"userId": ORGANIZER, "upn": upn}));
        assert_eq!(app.history(booking_id).await, ["booking.accepted", "organizer.found", "meeting.created"]);
    }
    assert_eq!(app.simulator.counts().arrived(Operation::User), 1);
    let asked = &app.history_items("BK-1").await[1]["details"]["graph"];
    assert_eq!((&asked["status"], &asked["message"]), (&json!(200), &Value::Null));
    let remembered = &app.history_items("BK-2").await[1]["details"]["graph"];
    assert_eq!(remembered["status"], Value::Null);
    assert!(remembered["message"].as_str().unwrap().contains("answered from the cache"), "{remembered}");

    app.clock.advance(Duration::from_hours(1));
    app.book(Who::Desk, &booking_with("BK-3", json!({"organizer": "olga@contoso.com"}))).await.expect(201);
    assert_eq!(app.simulator.counts().arrived(Operation::User), 2);
    app.end().await;
}

/// A user who was unknown a moment ago is looked up again, because failures are not remembered. What failed before is tried again,
/// now that the name is found.
#[tokio::test]
async fn a_user_who_was_unknown_is_found_once_there() {
    let app = TestApp::start().await;
    let id = uuid::Uuid::parse_str(ORGANIZER).unwrap();
    app.simulator.declare(id, OrganizerState::Unknown, Some("olga@contoso.com"));
    let booking = |id| booking_with(id, json!({"organizer": "olga@contoso.com"}));
    app.book_until_parked(&booking("BK-1"), "organizer-not-found").await;
    app.simulator.permit(id);
    app.book(Who::Desk, &booking("BK-2")).await.expect(201);
    app.resume_until_settled(Duration::ZERO).await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(200);
    app.end().await;
}

/// The user who has a name after its former user was deleted is found, although the former one was remembered.
#[tokio::test]
async fn a_deleted_users_successor_is_found() {
    let app = TestApp::start().await;
    let (former, successor) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
    app.simulator.declare(former, OrganizerState::Permitted, Some("desk@contoso.com"));
    let booking = |id| booking_with(id, json!({"organizer": "desk@contoso.com"}));
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.simulator.declare(former, OrganizerState::Unknown, Some("former@contoso.com"));
    app.simulator.declare(successor, OrganizerState::Permitted, Some("desk@contoso.com"));
    app.book_until_parked(&booking("BK-2"), "organizer-not-found").await;
    let body = app.book(Who::Desk, &booking("BK-3")).await.expect(201).json();
    assert_eq!(body["organizer"]["userId"], successor.to_string());
    app.end().await;
}
