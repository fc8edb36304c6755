//! Lists find a person's bookings and history under every name that any booking ever called the person by.

use std::collections::BTreeSet;
use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation, OrganizerState};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{ORGANIZER, TestApp, Who, booking_with};

const SCHMIDT: &str = "maria.schmidt@contoso.com";
const MUELLER: &str = "maria.mueller@contoso.com";
const OLGA: &str = "0e5f2f6c-0000-4000-8000-000000000001";

fn id_of(text: &str) -> Uuid {
    Uuid::parse_str(text).unwrap()
}

/// The ids of the bookings that a list names.
async fn listed(app: &TestApp, who: Who, path: &str, organizer: &str) -> BTreeSet<String> {
    let page = app.get(who, &format!("{path}?limit=200&organizer={organizer}")).await.expect(200).json();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["bookingId"].as_str().unwrap().to_owned()).collect()
}

/// Bookings made by object id, by a former name, by the present one, renamed since, and not resolved yet: every way to name
/// the person finds them all, in any letter case, and no other's. No list asks Graph.
#[tokio::test]
async fn every_name_of_a_person_finds_all_bookings() {
    let app = TestApp::start().await;
    app.simulator.declare(id_of(ORGANIZER), OrganizerState::Permitted, Some(SCHMIDT));
    app.simulator.declare(id_of(OLGA), OrganizerState::Permitted, Some("olga@contoso.com"));
    let book = |booking_id: &str, organizer: &str| booking_with(booking_id, json!({"organizer": organizer}));
    for (booking_id, organizer) in [
        ("BY-ID", ORGANIZER),
        ("FORMER", SCHMIDT),
        ("RENAMED", SCHMIDT),
        ("OLGA", OLGA),
        ("OLGA-2", "olga@contoso.com"),
    ] {
        app.book(Who::Desk, &book(booking_id, organizer)).await.expect(201);
    }
    app.simulator.rename(id_of(ORGANIZER), MUELLER);
    app.book(Who::Desk, &book("PRESENT", MUELLER)).await.expect(201);
    app.declare(&book("RENAMED", MUELLER)).await.expect(200);
    app.clock.advance(Duration::from_hours(2));
    let effect = Effect::ThrottledBeforeWork { retry_after: Some("60".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::User, effect));
    app.book_and_look(&book("PENDING", MUELLER)).await;
    let asked = app.simulator.counts().arrived(Operation::User);

    let marias = BTreeSet::from(["BY-ID", "FORMER", "RENAMED", "PRESENT", "PENDING"].map(ToOwned::to_owned));
    let upper = [ORGANIZER, SCHMIDT, MUELLER].map(str::to_uppercase);
    for name in [ORGANIZER, SCHMIDT, MUELLER].into_iter().chain(upper.iter().map(String::as_str)) {
        assert_eq!(listed(&app, Who::Desk, "/v1/bookings", name).await, marias, "{name}");
        assert_eq!(listed(&app, Who::Auditor, "/v1/audit-events", name).await, marias, "{name}");
    }
    let olgas = BTreeSet::from(["OLGA", "OLGA-2"].map(ToOwned::to_owned));
    for name in [OLGA, "olga@contoso.com"] {
        assert_eq!(listed(&app, Who::Desk, "/v1/bookings", name).await, olgas, "{name}");
        assert_eq!(listed(&app, Who::Auditor, "/v1/audit-events", name).await, olgas, "{name}");
    }
    for name in ["huber@contoso.com", "maria", "0e5f2f6c-0000-4000-8000-000000000009"] {
        assert_eq!(listed(&app, Who::Desk, "/v1/bookings", name).await, BTreeSet::new(), "{name}");
        assert_eq!(listed(&app, Who::Auditor, "/v1/audit-events", name).await, BTreeSet::new(), "{name}");
    }
    assert_eq!(app.simulator.counts().arrived(Operation::User), asked, "no list asks Graph");
    app.resume_after(Duration::from_secs(67)).await;
    assert_eq!(listed(&app, Who::Desk, "/v1/bookings", SCHMIDT).await, marias);
    app.end().await;
}

/// The only booking of a person was renamed: its former name still finds it, and with it the whole history, each event under
/// the name of its time. With filters beside it, and page by page.
#[tokio::test]
async fn a_former_name_finds_a_renamed_booking() {
    let app = TestApp::start().await;
    app.simulator.declare(id_of(ORGANIZER), OrganizerState::Permitted, Some(SCHMIDT));
    let book = |organizer: &str| booking_with("BK-1", json!({"organizer": organizer}));
    app.book(Who::Desk, &book(SCHMIDT)).await.expect(201);
    app.simulator.rename(id_of(ORGANIZER), MUELLER);
    app.declare(&book(MUELLER)).await.expect(200);
    app.history_is_listed(4).await;
    for name in [SCHMIDT, MUELLER, ORGANIZER] {
        let query = format!("status=provisioned&bookingId=BK-1&organizer={name}");
        let page = app.get(Who::Desk, &format!("/v1/bookings?{query}")).await.expect(200).json();
        assert_eq!(page["items"].as_array().unwrap().len(), 1, "{name}");
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/audit-events?order=asc&limit=1&organizer={name}{cursor}");
            let page = app.get(Who::Auditor, &path).await.expect(200).json();
            names.extend(page["items"].as_array().unwrap().iter().map(|event| event["organizer"].clone()));
            if page["hasMore"] == false {
                break;
            }
            cursor = format!("&cursor={}", page["nextCursor"].as_str().unwrap());
        }
        assert_eq!(names, [SCHMIDT, SCHMIDT, SCHMIDT, MUELLER], "{name}");
        let readiness = app.get(Who::Operator, &format!("/v1/organizers/{name}/readiness")).await;
        let recent = &readiness.expect(200).json()["recentAttempts"];
        assert!(recent["succeededAt"].is_string(), "{name}: {recent}");
    }
    app.end().await;
}

/// A name that was given to another user finds the bookings of both; the object id tells them apart.
#[tokio::test]
async fn a_name_that_was_handed_on_finds_both_users() {
    let app = TestApp::start().await;
    let shared = "frontdesk@contoso.com";
    let book = |booking_id: &str| booking_with(booking_id, json!({"organizer": shared}));
    app.simulator.declare(id_of(ORGANIZER), OrganizerState::Permitted, Some(shared));
    app.book(Who::Desk, &book("BK-1")).await.expect(201);
    app.simulator.declare(id_of(OLGA), OrganizerState::Permitted, Some(shared));
    app.clock.advance(Duration::from_hours(1));
    app.book(Who::Desk, &book("BK-2")).await.expect(201);
    for (name, expected) in [(shared, &["BK-1", "BK-2"][..]), (ORGANIZER, &["BK-1"]), (OLGA, &["BK-2"])] {
        let found = listed(&app, Who::Desk, "/v1/bookings", name).await;
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{name}");
    }
    app.end().await;
}

/// A wrong organizer that was corrected leaves its events: they are found under the wrong name, the booking under the right.
#[tokio::test]
async fn a_corrected_booking_is_found_under_the_right_name() {
    let app = TestApp::start().await;
    app.simulator.declare(id_of(ORGANIZER), OrganizerState::Permitted, Some(SCHMIDT));
    app.simulator.declare(id_of(OLGA), OrganizerState::Refused, Some("olga@contoso.com"));
    let book = |organizer: &str| booking_with("BK-1", json!({"organizer": organizer}));
    app.book(Who::Desk, &book("olga@contoso.com")).await.problem(422, "graph-refused");
    app.declare(&book(SCHMIDT)).await.expect(200);
    assert_eq!(listed(&app, Who::Desk, "/v1/bookings", "olga@contoso.com").await, BTreeSet::new());
    assert_eq!(listed(&app, Who::Desk, "/v1/bookings", ORGANIZER).await.len(), 1);
    app.history_is_listed(3).await;
    let path = "/v1/audit-events?order=asc&organizer=olga@contoso.com";
    let events = app.get(Who::Auditor, path).await.expect(200).json();
    let kinds: Vec<&Value> = events["items"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["booking.accepted", "organizer.found", "call.refused"]);
    app.end().await;
}
