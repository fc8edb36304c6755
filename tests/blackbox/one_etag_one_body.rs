//! An `ETag` stands for one way in which a booking is shown, through all ways in which a row changes; what a caller can't see
//! changes no `ETag`.

use std::collections::HashMap;
use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::drift::organizer_changes;
use crate::support::{ApiResponse, TestApp, Who, booking, booking_with, until};

const BOOKING: &str = "/v1/bookings/BK-1";
/// What was an attempt of a replica that is gone.
const ABANDONED: &str = "
    update booking set lease_attempt_id = external_id, lease_started_at = due_at - interval '1 hour',
        lease_until = due_at - interval '1 hour'
    where due_at is not null and lease_attempt_id is null";

/// What was shown under each `ETag`, and the other way round.
struct Shown<'a> {
    app: &'a TestApp,
    by_etag: HashMap<String, Value>,
    steps: Vec<(&'static str, Value)>,
}

impl Shown<'_> {
    /// Looks at the booking, all generations of it.
    async fn look(&mut self, step: &'static str) {
        let latest = self.app.get(Who::Desk, BOOKING).await.expect(200);
        let generation = latest.json()["generation"].as_u64().unwrap();
        for generation in 1..=generation {
            let path = format!("{BOOKING}?generation={generation}");
            self.note(step, &self.app.get(Who::Desk, &path).await.expect(200));
        }
    }

    fn note(&mut self, step: &'static str, answer: &ApiResponse) {
        let etag = answer.header("etag").unwrap().to_owned();
        let mut body = answer.json();
        let known = self.by_etag.entry(etag.clone()).or_insert_with(|| body.clone());
        assert_eq!(*known, body, "{step}: {etag} stands for two bodies");
        body.as_object_mut().unwrap().remove("revision");
        let same = self.steps.iter().find(|(_, earlier)| *earlier == body).map(|(step, _)| *step);
        if same.is_none() {
            self.steps.push((step, body));
        }
        assert_eq!(
            self.by_etag.len(),
            self.steps.len(),
            "{step}: an ETag more for what was shown before, in {same:?}"
        );
    }

    /// Does something that takes a while at Graph; looks before, meanwhile and afterwards.
    async fn during(&mut self, step: &'static str, operation: Operation, request: RequestBuilder) {
        self.look(step).await;
        let slow = Effect::SlowBeforeWork { milliseconds: 500 };
        self.app.simulator.inject(InjectedFault::on(operation, slow));
        let before = self.app.simulator.counts().arrived(operation);
        let request = request.header("Prefer", "respond-async, wait=0");
        let answer = ApiResponse::read(request.send().await.unwrap()).await;
        assert!([200, 202].contains(&answer.status), "{step}: {}", answer.text);
        self.note(step, &answer);
        until(step, async || self.app.simulator.counts().arrived(operation) > before).await;
        self.look(step).await;
        self.app.idle().await;
        self.look(step).await;
    }
}

#[tokio::test]
async fn one_etag_stands_for_one_body() {
    let app = TestApp::start().await;
    let request = |method, below: &str| app.request(Who::Desk, method, &format!("{BOOKING}{below}"));
    let throttled = Effect::ThrottledBeforeWork { retry_after: Some("5".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, throttled));
    app.book_and_look(&booking("BK-1")).await;
    let mut shown = Shown { app: &app, by_etag: HashMap::new(), steps: Vec::new() };
    shown.look("throttled").await;
    app.resume_due().await.unwrap();
    shown.look("passed over").await;
    sqlx::query(ABANDONED).execute(&app.pool).await.unwrap();
    shown.look("abandoned").await;
    app.resume_after(Duration::from_secs(10)).await;
    app.idle().await;
    shown.look("taken over").await;
    assert_eq!(app.booking("BK-1").await["status"], "provisioned");

    app.clock.advance(Duration::from_secs(10));
    shown.during("checked", Operation::Get, request(Method::POST, "/check")).await;
    organizer_changes(&app, json!({"subject": "Party"})).await;
    app.clock.advance(Duration::from_secs(10));
    shown.during("mended", Operation::Get, request(Method::POST, "/check")).await;
    app.clock.advance(Duration::from_hours(24));
    app.compare_all(Duration::from_hours(1)).await;
    shown.look("compared on the rounds").await;
    let moved = booking_with("BK-1", json!({"subject": "Moved"}));
    shown.during("changed", Operation::Patch, request(Method::PUT, "").json(&moved)).await;

    let refused = json!({"error": {"code": "BadRequest", "message": "No."}}).to_string();
    let refused = Effect::Respond { status: 400, headers: [].into(), body: refused, after_work: false };
    app.simulator.inject(InjectedFault::on(Operation::Patch, refused));
    app.declare(&booking_with("BK-1", json!({"subject": "Refused"}))).await;
    shown.look("failed").await;
    assert_eq!(app.booking("BK-1").await["status"], "failed");
    shown.during("retried", Operation::Patch, request(Method::POST, "/retry")).await;
    shown.during("cancelled", Operation::Delete, request(Method::DELETE, "")).await;
    // Of the older generation nothing but its `updatedAt` changes.
    app.clock.advance(Duration::from_secs(1));
    app.declare(&booking("BK-1")).await.expect(201);
    shown.look("booked again").await;
    assert!(shown.steps.len() > 15, "{:?}", shown.steps.iter().map(|(step, _)| step).collect::<Vec<_>>());
    app.end().await;
}
