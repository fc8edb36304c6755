//! Meetings that move away from their bookings: found out on request, on the rounds and by the answer to a change, and
//! dealt with as the policy of the source system says.

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, MeetingEntry, Operation};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::support::{ApiResponse, ORGANIZER, TestApp, Who, booking, booking_with};

const CHECK: &str = "/v1/bookings/BK-1/check";
const DAY: Duration = Duration::from_hours(24);

fn with_policy(policy: &str) -> String {
    format!("[source_system.room-booking]\ndrift = \"{policy}\"\n")
}

/// What an organizer does in Teams: the newest meeting is changed behind the service's back.
pub async fn organizer_changes(app: &TestApp, change: Value) {
    let meeting = app.simulator.meetings().pop().unwrap();
    organizer_requests(app, Method::PATCH, &meeting, Some(change)).await;
}

async fn organizer_requests(app: &TestApp, method: Method, meeting: &MeetingEntry, body: Option<Value>) {
    let settings = app.simulator.settings();
    #[expect(clippy::disallowed_methods, reason = "an organizer, not the service")]
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/{}/oauth2/v2.0/token", app.simulator.login_url(), settings.tenant_id);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &settings.client_id),
        ("client_secret", settings.client_secret.expose_secret()),
        ("scope", &format!("{}/.default", app.simulator.graph_root_url())),
    ];
    let token: Value = http.post(url).form(&form).send().await.unwrap().json().await.unwrap();
    let root = app.simulator.graph_root_url();
    let (organizer, id) = (meeting.organizer, &meeting.id);
    let url = format!("{root}/v1.0/users/{organizer}/onlineMeetings/{id}");
    let request = http.request(method, url).bearer_auth(token["access_token"].as_str().unwrap());
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    assert!(request.send().await.unwrap().status().is_success());
}

/// The `PATCH`es that the service sent: an organizer's come without an attempt's id.
fn patches(app: &TestApp) -> Vec<Value> {
    let calls = app.simulator.calls(Operation::Patch);
    let ours = calls.iter().filter(|call| call.headers.contains_key("client-request-id"));
    ours.map(|call| call.json_body().unwrap()).collect()
}

fn moved() -> Value {
    json!({"subject": "Party", "startDateTime": "2026-12-01T08:00:00Z", "endDateTime": "2026-12-01T09:30:00Z"})
}

fn differences() -> Value {
    json!([
        {"field": "subject", "wanted": "Quarterly review", "seen": "Party"},
        {"field": "startDateTime", "wanted": "2026-12-01T09:00:00Z", "seen": "2026-12-01T08:00:00Z"},
    ])
}

/// By default the meeting is changed back: only what differs is sent, and the history names it with both sides.
#[tokio::test]
async fn a_meeting_that_drifted_is_mended() {
    let app = TestApp::start().await;
    let booked = app.book(Who::Desk, &booking("BK-1")).await.expect(201).json();
    organizer_changes(&app, moved()).await;
    app.clock.advance(DAY);
    let checked = app.check("BK-1").await.expect(200).json();
    assert_eq!((&checked["status"], &checked["meeting"]["differences"]), (&json!("provisioned"), &json!([])));
    assert_eq!(checked["meeting"]["joinWebUrl"], booked["meeting"]["joinWebUrl"]);
    assert_eq!(checked["meeting"]["seenAt"], "2026-11-24T08:00:05Z");
    let mended = json!({
        "subject": "Quarterly review", "startDateTime": "2026-12-01T09:00:00Z", "endDateTime": "2026-12-01T09:30:00Z",
    });
    assert_eq!(patches(&app), [mended]);
    let history = app.history("BK-1").await;
    assert_eq!(history, ["booking.accepted", "meeting.created", "meeting.drifted", "meeting.changed"]);
    let event = app.history_items("BK-1").await.remove(2);
    assert_eq!(event["details"]["differences"], differences());
    assert_eq!(event["details"]["driftPolicy"], "mend");
    assert_eq!((&event["outcome"], &event["actor"]), (&json!("seen"), &json!("api-key:Desk")));
    let metrics = reqwest::get(app.admin_url("/metrics")).await.unwrap().text().await.unwrap();
    let counted =
        "meeting_provisioner_meetings_drifted_total{source_system=\"room-booking\",policy=\"mend\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    app.end().await;
}

/// What was declared last needed no call, so the meeting agrees with an older revision by number: it is compared all the
/// same, on request and periodically.
#[tokio::test]
async fn a_booking_whose_newest_revision_needed_no_call_is_compared() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    for is_periodic in [true, false] {
        let noted = booking_with("BK-1", json!({"metadata": {"isPeriodic": is_periodic.to_string()}}));
        app.declare(&noted).await.expect(200);
        organizer_changes(&app, moved()).await;
        app.clock.advance(DAY);
        if is_periodic {
            assert_eq!(app.compare_all(DAY).await, 1);
        } else {
            app.check("BK-1").await.expect(200);
        }
        assert_eq!(app.booking("BK-1").await["status"], "provisioned");
        assert_eq!(app.simulator.meetings()[0].content()["subject"], "Quarterly review");
    }
    app.end().await;
}

/// A meeting that is as it was costs one call, changes nothing, and is in the history all the same.
#[tokio::test]
async fn a_meeting_that_is_as_it_was_is_left_alone() {
    let app = TestApp::start().await;
    let people = json!([{"upn": "Ann@contoso.com", "role": "presenter"}, {"upn": "b@contoso.com"}]);
    let body =
        booking_with("BK-1", json!({"attendees": people, "settings": {"allowMeetingChat": "limited"}}));
    app.book(Who::Desk, &body).await.expect(201);
    let sent = patches(&app).len();
    let attendees = json!([{"upn": "B@CONTOSO.com"}, {"upn": "ann@contoso.com", "role": "presenter"}]);
    organizer_changes(&app, json!({"participants": {"attendees": attendees}})).await;
    let checked = app.check("BK-1").await.expect(200).json();
    assert_eq!(checked["meeting"]["differences"], json!([]));
    assert_eq!(patches(&app).len(), sent, "nothing is mended");
    assert_eq!(app.history("BK-1").await.last().unwrap(), "meeting.seen");
    app.book(Who::Desk, &body).await.expect(200);
    app.end().await;
}

/// `report`: the meeting stays as the organizer made it, callers see the difference, and the history has it once.
#[tokio::test]
async fn a_difference_is_reported_and_not_mended() {
    let app = TestApp::builder().settings_file(&with_policy("report")).start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    organizer_changes(&app, moved()).await;
    let checked = app.check("BK-1").await.expect(200).json();
    assert_eq!(
        (&checked["status"], &checked["subject"]),
        (&json!("provisioned"), &json!("Quarterly review"))
    );
    assert_eq!(checked["meeting"]["differences"], differences());
    assert_eq!(app.booking("BK-1").await["meeting"]["differences"], differences(), "until the next check");
    app.check("BK-1").await.expect(200);
    assert_eq!(patches(&app), [Value::Null; 0]);
    let history = app.history("BK-1").await;
    assert_eq!(history, ["booking.accepted", "meeting.created", "meeting.drifted", "meeting.seen"]);
    app.book(Who::Desk, &booking("BK-1")).await.expect(200);
    // What a caller newly wants is brought about whatever the policy says, and with it the rest.
    app.declare(&booking_with("BK-1", json!({"subject": "Planning"}))).await.expect(200);
    assert_eq!(app.booking("BK-1").await["meeting"]["differences"], json!([]));
    app.end().await;
}

/// `adopt`: the booking follows, and a caller that sends the old content again is refused with the differences.
#[tokio::test]
async fn a_booking_adopts_its_meetings_changes() {
    let app = TestApp::builder().settings_file(&with_policy("adopt")).start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    organizer_changes(&app, moved()).await;
    let checked = app.check("BK-1").await.expect(200).json();
    let found = (&checked["status"], &checked["subject"], &checked["startDateTime"]);
    assert_eq!(found, (&json!("provisioned"), &json!("Party"), &json!("2026-12-01T08:00:00Z")));
    assert_eq!((&checked["meeting"]["differences"], patches(&app).len()), (&json!([]), 0));
    let starts_at_eight = "/v1/bookings?startsFrom=2026-12-01T08:00:00Z&startsBefore=2026-12-01T08:00:01Z";
    assert_eq!(
        app.get(Who::Desk, starts_at_eight).await.expect(200).json()["items"].as_array().unwrap().len(),
        1
    );
    let event = app.history_items("BK-1").await.remove(2);
    assert_eq!(
        (&event["type"], &event["details"]["driftPolicy"]),
        (&json!("meeting.drifted"), &json!("adopt"))
    );
    assert_eq!(event["details"]["requested"]["subject"], "Party");
    let problem = app.book(Who::Desk, &booking("BK-1")).await.expect(409).json();
    assert_eq!(problem["code"], "booking-differs");
    app.declare(&booking("BK-1")).await.expect(200);
    assert_eq!(patches(&app).len(), 1, "what a caller declares overrides the meeting");
    app.end().await;
}

/// The answer to a change shows what the organizer changed besides: that is drift, too.
#[tokio::test]
async fn the_answer_to_a_change_shows_drift() {
    for (policy, sent) in [("mend", 2), ("report", 1), ("adopt", 1)] {
        let app = TestApp::builder().settings_file(&with_policy(policy)).start().await;
        app.book(Who::Desk, &booking("BK-1")).await.expect(201);
        let times = json!({"startDateTime": "2026-12-01T08:00:00Z", "endDateTime": "2026-12-01T09:30:00Z"});
        organizer_changes(&app, times).await;
        app.declare(&booking_with("BK-1", json!({"subject": "Planning"}))).await.expect(200);
        assert_eq!(patches(&app).len(), sent, "{policy}");
        let body = app.booking("BK-1").await;
        let start = if policy == "adopt" { "2026-12-01T08:00:00Z" } else { "2026-12-01T09:00:00Z" };
        assert_eq!(
            (&body["status"], &body["startDateTime"]),
            (&json!("provisioned"), &json!(start)),
            "{policy}"
        );
        let event = app.history_items("BK-1").await.remove(3);
        assert_eq!(
            (&event["type"], &event["details"]["driftPolicy"]),
            (&json!("meeting.changed"), &json!(policy))
        );
        assert_eq!(event["details"]["differences"][0]["field"], "startDateTime");
        app.end().await;
    }
}

/// A meeting that the organizer removed can't be mended: the booking is parked and says so, and can be cancelled.
#[tokio::test]
async fn a_meeting_that_is_missing_parks_its_booking() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let meeting = app.simulator.meetings().remove(0);
    organizer_requests(&app, Method::DELETE, &meeting, None).await;
    app.clock.advance(Duration::from_mins(5));
    let checked = app.check("BK-1").await.expect(200).json();
    assert_eq!(
        (&checked["status"], &checked["lastError"]["code"]),
        (&json!("failed"), &json!("graph-refused"))
    );
    assert_eq!(checked["lastError"]["graph"]["status"], 404);
    app.delete("BK-1", &[]).await.expect(200);
    app.declare(&booking("BK-1")).await.expect(201);
    assert_eq!(app.booking("BK-1").await["generation"], 2);
    app.end().await;
}

/// A check that Graph throttles leaves the booking provisioned and delays no caller; it is made when its time comes.
#[tokio::test]
async fn a_postponed_check_delays_no_caller() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    organizer_changes(&app, moved()).await;
    let throttled = Effect::ThrottledBeforeWork { retry_after: Some("20".to_owned()) };
    app.simulator.inject(InjectedFault::on(Operation::Get, throttled));
    let checked = app.check_preferring("wait=1", "BK-1").await.expect(200).json();
    assert_eq!(
        (&checked["status"], &checked["lastError"]["code"]),
        (&json!("provisioned"), &json!("graph-throttled"))
    );
    assert!(checked["nextAttemptAt"].is_string());
    app.book(Who::Desk, &booking("BK-1")).await.expect(200);
    assert_eq!(app.resume_after(Duration::from_mins(1)).await, 1);
    assert_eq!(app.booking("BK-1").await["lastError"], Value::Null);
    assert_eq!(patches(&app).len(), 1);
    app.end().await;
}

/// Where nothing can be compared Graph is not called, and a read that asks for a check is refused and told of the way.
#[tokio::test]
async fn only_a_meeting_that_exists_is_checked() {
    let app = TestApp::start().await;
    app.simulator.forbid(uuid::Uuid::parse_str(ORGANIZER).unwrap());
    app.book_and_look(&booking("BK-1")).await;
    app.check_preferring("wait=0", "BK-1").await.expect(200);
    app.delete("BK-1", &[]).await.expect(200);
    app.check("BK-1").await.expect(200);
    let problem = app.get(Who::Desk, "/v1/bookings/BK-1?check=drift").await.expect(400).json();
    assert_eq!(problem["errors"][0]["parameter"], "check");
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("/check"), "{problem}");
    let others = app.request(Who::OtherSystem, Method::POST, CHECK).send().await.unwrap();
    assert_eq!(others.status(), 404);
    assert_eq!(app.simulator.counts().arrived(Operation::Get), 0);
    app.end().await;
}

/// Many checks at once cause one call, on whichever replicas they arrive.
#[tokio::test]
async fn checks_at_once_share_one_call() {
    let app = TestApp::start().await;
    let other = app.another_replica().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.simulator
        .inject(InjectedFault::on(Operation::Get, Effect::SlowAfterWork { milliseconds: 2_000 }).always());
    organizer_changes(&app, moved()).await;
    app.clock.advance(Duration::from_secs(5));
    let checks = (0..6).map(|n| {
        let request = if n % 2 == 0 { &app } else { &other }.request(Who::Desk, Method::POST, CHECK);
        async move { ApiResponse::read(request.send().await.unwrap()).await }
    });
    let answers: Vec<ApiResponse> = futures_util::future::join_all(checks).await;
    for answer in answers {
        assert_eq!(answer.expect(200).json()["meeting"]["differences"], json!([]));
    }
    assert_eq!((app.simulator.counts().arrived(Operation::Get), patches(&app).len()), (1, 1));
    other.end_with_work_left().await;
    app.end().await;
}

/// The periodic comparison reads meetings that are still to come and were not seen for long, and no others.
#[tokio::test]
async fn the_periodic_comparison_reads_what_is_still_to_come() {
    let app = TestApp::start().await;
    let over = json!({"startDateTime": "2026-11-23T06:00:00Z", "endDateTime": "2026-11-23T07:00:00Z"});
    app.book(Who::Desk, &booking_with("BK-over", over)).await.expect(201);
    app.book(Who::Desk, &booking("BK-cancelled")).await.expect(201);
    app.delete("BK-cancelled", &[]).await.expect(200);
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    organizer_changes(&app, moved()).await;
    assert_eq!(app.compare_all(DAY).await, 0, "they were just seen");
    app.clock.advance(DAY);
    app.book(Who::Desk, &booking("BK-2")).await.expect(201);
    assert_eq!(app.compare_all(DAY).await, 1);
    assert_eq!(app.simulator.counts().arrived(Operation::Get), 1);
    let event = app.history_items("BK-1").await.remove(2);
    assert_eq!((&event["type"], &event["actor"]), (&json!("meeting.drifted"), &json!("worker")));
    assert_eq!(
        (patches(&app).len(), app.compare_all(DAY).await),
        (2, 0),
        "one is of the cancel, one of the mending"
    );
    app.end().await;
}

/// A link that Graph changed is told: the one that was handed out stays, the other stands in the differences, and history and
/// metric say so once. Nothing is asked of Graph for it.
#[tokio::test]
async fn another_link_is_told() {
    let app = TestApp::start().await;
    let link =
        app.book(Who::Desk, &booking("BK-1")).await.expect(201).json()["meeting"]["joinWebUrl"].clone();
    let mut content = app.simulator.meetings()[0].content();
    content["joinWebUrl"] = json!("https://teams.microsoft.com/meet/29876543?p=abc");
    let answer = Effect::Respond {
        status: 200,
        headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
        body: content.to_string(),
        after_work: false,
    };
    let expected = json!([{"field": "joinWebUrl", "wanted": link, "seen": "https://teams.microsoft.com/meet/29876543?p=abc"}]);
    for _ in 0..2 {
        app.simulator.inject(InjectedFault::on(Operation::Get, answer.clone()));
        let checked = app.check("BK-1").await.expect(200).json();
        assert_eq!((&checked["status"], &checked["nextAttemptAt"]), (&json!("provisioned"), &Value::Null));
        assert_eq!(
            (&checked["meeting"]["joinWebUrl"], &checked["meeting"]["differences"]),
            (&link, &expected)
        );
    }
    assert_eq!(patches(&app), [Value::Null; 0]);
    let history = app.history("BK-1").await;
    assert_eq!(history, ["booking.accepted", "meeting.created", "meeting.drifted", "meeting.seen"]);
    app.end().await;
}

/// Graph doesn't change the times of a meeting in progress. The booking says so, can be checked meanwhile, and the meeting gets
/// its times once it is over.
#[tokio::test]
async fn a_meeting_in_progress_is_rescheduled_once_it_is_over() {
    let app = TestApp::start().await;
    let now = json!({"startDateTime": "2026-11-23T07:45:00Z", "endDateTime": "2026-11-23T08:30:00Z"});
    app.book(Who::Desk, &booking_with("BK-1", now)).await.expect(201);
    let later = booking_with("BK-1", json!({"subject": "Planning"}));
    let differences = |of: &Value| of["meeting"]["differences"].as_array().unwrap().len();
    let changed = app.declare(&later).await.expect(200).json();
    assert_eq!((&changed["status"], differences(&changed)), (&json!("provisioned"), 2));
    assert_eq!(changed["nextAttemptAt"], "2026-11-23T08:35:00Z");
    assert_eq!(patches(&app).len(), 1);
    let checked = app.check("BK-1").await.expect(200).json();
    assert_eq!((differences(&checked), &checked["nextAttemptAt"]), (2, &changed["nextAttemptAt"]));
    assert_eq!(app.declare(&later).await.expect(200).json()["status"], "provisioned");
    assert_eq!((app.resume_after(Duration::from_mins(34)).await, patches(&app).len()), (0, 1));
    assert_eq!(app.resume_after(Duration::from_mins(2)).await, 1);
    app.idle().await;
    let done = app.booking("BK-1").await;
    assert_eq!(
        (&done["status"], differences(&done), &done["nextAttemptAt"]),
        (&json!("provisioned"), 0, &Value::Null)
    );
    assert_eq!(
        app.history("BK-1").await,
        [
            "booking.accepted",
            "meeting.created",
            "booking.changed",
            "meeting.changed",
            "meeting.seen",
            "meeting.seen",
            "meeting.changed"
        ]
    );
    app.end().await;
}
