//! Pages are complete: nothing is missed and nothing comes twice, while rows arrive.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{TestApp, Who, booking, booking_with};

async fn pages(app: &TestApp, who: Who, path: &str, meanwhile: Option<&str>) -> Vec<Value> {
    let mut items = Vec::new();
    let mut next = path.to_owned();
    for page_number in 0.. {
        assert!(page_number < 100, "the pages never end");
        let page = app.get(who, &next).await.expect(200).json();
        items.extend(page["items"].as_array().unwrap().clone());
        if page["hasMore"] == false {
            break;
        }
        let cursor = page["nextCursor"].as_str().unwrap();
        next = format!("{path}&cursor={cursor}");
        if let Some(prefix) = meanwhile {
            app.book(Who::Desk, &booking(&format!("{prefix}-{page_number}"))).await.expect(201);
        }
    }
    items
}

/// Bookings arrive between any two pages; those that were there are listed once each, newest first.
#[tokio::test]
async fn bookings_are_listed_once_each_while_more_arrive() {
    let app = TestApp::start().await;
    for n in 0..23 {
        app.book(Who::Desk, &booking(&format!("BK-{n}"))).await.expect(201);
        if n % 3 == 0 {
            app.clock.advance(Duration::from_secs(1));
        }
    }
    let listed = pages(&app, Who::Desk, "/v1/bookings?limit=5", Some("LATER")).await;
    let ids: Vec<&str> = listed.iter().map(|item| item["bookingId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 23, "{ids:?}");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 23);
    let times: Vec<&str> = listed.iter().map(|item| item["createdAt"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|earlier, later| earlier >= later), "{times:?}");
    app.end().await;
}

/// Writes an event of a booking in an open transaction, as the service does: under the lock of the booking's row.
async fn record(transaction: &mut sqlx::PgTransaction<'_>, booking_id: &str, generation: i32, kind: &str) {
    let written = sqlx::query(
        "with counted as (
             update booking set events = events + 1 where booking_id = $1 and generation = $2 returning *
         )
         insert into audit_event (occurred_at, event_type, source_system, booking_id, generation, number, external_id,
             organizer, actor, payload)
         select updated_at, $3, source_system, booking_id, generation, events, external_id, organizer, 'test', '{}'
         from counted",
    );
    let written = written.bind(booking_id).bind(generation).bind(kind).execute(&mut **transaction).await;
    assert_eq!(written.unwrap().rows_affected(), 1);
}

/// A reader that keeps `nextCursor` between its reads, as docs/API.md shows it.
struct Follower<'a> {
    app: &'a TestApp,
    path: &'a str,
    cursor: Option<String>,
    delivered: Vec<String>,
}

impl<'a> Follower<'a> {
    fn of(app: &'a TestApp, path: &'a str) -> Self {
        Self { app, path, cursor: None, delivered: Vec::new() }
    }

    /// Reads on to the end, and returns what was delivered this time.
    async fn read_on(&mut self) -> Vec<String> {
        let before = self.delivered.len();
        loop {
            let cursor = self.cursor.as_ref().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let path = format!("{}{cursor}", self.path);
            let page = self.app.get(Who::Auditor, &path).await.expect(200).json();
            self.cursor = Some(page["nextCursor"].as_str().expect("oldest first, always").to_owned());
            let kind = |event: &Value| {
                format!("{} {}", event["bookingId"].as_str().unwrap(), event["type"].as_str().unwrap())
            };
            self.delivered.extend(page["items"].as_array().unwrap().iter().map(kind));
            if page["hasMore"] == false {
                return self.delivered[before..].to_vec();
            }
        }
    }

    /// Reads until as many are delivered in all. An event of the whole history is listed once no older transaction is
    /// open anywhere on the server, and the tests beside this one hold some open.
    async fn read_until(&mut self, count: usize) {
        let read = async {
            while self.delivered.len() < count {
                self.read_on().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("events are never listed");
    }
}

/// Following the whole history, oldest first, delivers each event once: also one whose number was drawn before others that
/// were committed earlier, and one whose transaction began later than another but drew its number first. The reader goes on
/// from the end each time, and from an empty history.
#[tokio::test]
async fn a_reader_that_follows_the_history_misses_nothing() {
    let app = TestApp::start().await;
    let mut follower = Follower::of(&app, "/v1/audit-events?order=asc&limit=3");
    assert_eq!(follower.read_on().await, [""; 0]);
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.book(Who::Desk, &booking("BK-2")).await.expect(201);
    follower.read_until(4).await;
    let (mut early, mut slow) = (app.pool.begin().await.unwrap(), app.pool.begin().await.unwrap());
    sqlx::query("select pg_current_xact_id()").execute(&mut *early).await.unwrap();
    record(&mut slow, "BK-2", 1, "slow.event").await;
    record(&mut early, "BK-1", 1, "early.event").await;
    early.commit().await.unwrap();
    app.book(Who::Desk, &booking("BK-3")).await.expect(201);
    // The early transaction is older than the slow one, so it may be listed; what came after the slow one may not.
    follower.read_until(5).await;
    assert_eq!(follower.delivered[4..], ["BK-1 early.event"]);
    assert_eq!(follower.read_on().await, [""; 0], "it ends before what is still on its way");
    slow.commit().await.unwrap();
    follower.read_until(8).await;
    assert_eq!(follower.delivered[5..], ["BK-2 slow.event", "BK-3 booking.accepted", "BK-3 meeting.created"]);
    app.end().await;
}

/// Following one booking delivers each event once, at once, and none is passed over: also one of an earlier generation
/// that drew its number first and is committed last.
#[tokio::test]
async fn a_reader_that_follows_one_booking_misses_nothing() {
    let app = TestApp::start().await;
    let of_booking = "/v1/bookings/BK-1/audit-events?sourceSystem=room-booking&limit=2";
    let searched = "/v1/audit-events?sourceSystem=room-booking&bookingId=BK-1&order=asc&limit=3";
    let of_calls = "/v1/bookings/BK-1/audit-events?sourceSystem=room-booking&order=asc&type=meeting.changed&from=2026-11-23T08:30:00Z";
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.delete("BK-1", &[]).await.expect(200);
    app.declare(&booking("BK-1")).await.expect(201);
    let mut followers = [of_booking, searched].map(|path| Follower::of(&app, path));
    for follower in &mut followers {
        assert_eq!(follower.read_on().await.len(), 7, "{:?}", follower.delivered);
    }
    let mut filtered = Follower::of(&app, of_calls);
    assert_eq!(filtered.read_on().await, [""; 0], "nothing yet, and a place to go on from");
    let mut slow = app.pool.begin().await.unwrap();
    record(&mut slow, "BK-1", 1, "slow.event").await;
    app.clock.advance(Duration::from_hours(1));
    app.declare(&booking_with("BK-1", json!({"subject": "Another subject"}))).await.expect(200);
    for follower in &mut followers {
        let changed = ["BK-1 booking.changed", "BK-1 meeting.changed"];
        assert_eq!(follower.read_on().await, changed, "the later generation is not held back");
    }
    slow.commit().await.unwrap();
    for follower in &mut followers {
        assert_eq!(follower.read_on().await, ["BK-1 slow.event"]);
        assert_eq!(follower.read_on().await, [""; 0]);
    }
    assert_eq!(filtered.read_on().await, ["BK-1 meeting.changed"]);
    app.end().await;
}

/// Newest first, and where a source system is not the caller's, a list ends: its last page has no cursor.
#[tokio::test]
async fn a_list_to_which_nothing_can_come_has_no_cursor_at_its_end() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    for (path, events) in [
        ("/v1/audit-events", 2),
        ("/v1/audit-events?bookingId=BK-1", 2),
        ("/v1/bookings/BK-1/audit-events?order=desc", 2),
        ("/v1/audit-events?order=asc&sourceSystem=another-one", 0),
        ("/v1/bookings", 1),
    ] {
        let page = app.get(Who::Desk, path).await.expect(200).json();
        assert_eq!(
            (page["items"].as_array().unwrap().len(), &page["nextCursor"]),
            (events, &Value::Null),
            "{path}"
        );
    }
    app.end().await;
}

/// What is rare stands far apart: pages end early, some of them empty, and a reader that goes on while there is more finds
/// each once, newest first and oldest first, while others arrive.
#[tokio::test]
async fn pages_that_end_early_lead_on() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let fill = "insert into audit_event (occurred_at, event_type, source_system, booking_id, generation, number, external_id,
             organizer, actor, payload)
         select occurred_at, event_type, source_system, booking_id || n, generation, number, external_id, organizer,
             case when n % 11000 = 17 then 'command:alice' else actor end, '{}'
         from audit_event cross join generate_series(1, 24000) as n where event_type = 'booking.accepted'";
    sqlx::query(fill).execute(&app.pool).await.unwrap();
    app.history_is_listed(200).await;
    for (order, expected) in
        [("desc", ["BK-122017", "BK-111017", "BK-117"]), ("asc", ["BK-117", "BK-111017", "BK-122017"])]
    {
        for who in [Who::Auditor, Who::Desk] {
            let path = format!("/v1/audit-events?order={order}&actor=command:alice&limit=2");
            let first = app.get(who, &path).await.expect(200).json();
            assert_eq!(first["hasMore"], true);
            let found = pages(&app, who, &path, Some(&format!("{order}-{who:?}"))).await;
            let ids: Vec<&str> = found.iter().map(|event| event["bookingId"].as_str().unwrap()).collect();
            assert_eq!(ids, expected, "{order}");
        }
    }
    app.end().await;
}

/// Events are listed once each in both orders while more arrive.
#[tokio::test]
async fn events_are_listed_once_each_while_more_arrive() {
    let app = TestApp::start().await;
    for n in 0..11 {
        app.book(Who::Desk, &booking(&format!("BK-{n}"))).await.expect(201);
    }
    let newest_first = pages(&app, Who::Auditor, "/v1/audit-events?limit=4&order=desc", Some("LATER")).await;
    assert_eq!(newest_first.len(), 22);
    app.history_is_listed(23).await;
    let oldest_first = pages(&app, Who::Auditor, "/v1/audit-events?limit=4&order=asc", None).await;
    let ids: Vec<u64> =
        oldest_first.iter().map(|event| event["eventId"].as_str().unwrap().parse().unwrap()).collect();
    assert!(ids.is_sorted() && ids.len() > 22);
    app.end().await;
}

/// A cursor belongs to its filters: with others it is refused by name.
#[tokio::test]
async fn a_cursor_is_bound_to_its_filters() {
    let app = TestApp::start().await;
    for n in 0..3 {
        app.book(Who::Desk, &booking(&format!("BK-{n}"))).await.expect(201);
    }
    let page = app.get(Who::Desk, "/v1/bookings?limit=1&status=provisioned").await.expect(200).json();
    let cursor = page["nextCursor"].as_str().unwrap();
    app.get(Who::Desk, &format!("/v1/bookings?limit=1&status=provisioned&cursor={cursor}")).await.expect(200);
    let other = app.get(Who::Desk, &format!("/v1/bookings?limit=1&cursor={cursor}")).await;
    assert!(other.problem(400, "invalid-request").to_string().contains("cursor"));
    app.end().await;
}

/// A page of large bookings, or of their events, ends by its bytes and leads to the next one; nothing is left out. Bookings show
/// their attendees only where that is asked for.
#[tokio::test]
async fn a_page_ends_by_bytes_too() {
    let app = TestApp::start().await;
    let long = |n: usize| format!("guest{n:03}.{}@contoso.com", "x".repeat(190));
    let people: Vec<Value> = (0..900).map(|n| json!({"upn": long(n)})).collect();
    for n in 0..11 {
        let body = booking_with(&format!("BK-{n}"), json!({"attendees": people}));
        app.book(Who::Desk, &body).await.expect(201);
    }
    for (path, items) in [
        ("/v1/bookings?limit=200&expand=attendees", 11),
        ("/v1/bookings?limit=200", 11),
        ("/v1/audit-events?limit=200", 22),
        ("/v1/audit-events?limit=200&type=booking.accepted&order=desc", 11),
    ] {
        let first = app.get(Who::Auditor, path).await.expect(200);
        let shown = first.json()["items"].as_array().unwrap().len();
        assert!(0 < shown && shown < items, "{path}: {shown}");
        assert!(first.text.len() < 3 * 1024 * 1024, "{path}: {} bytes", first.text.len());
        let all = pages(&app, Who::Auditor, path, None).await;
        let ids: BTreeSet<_> =
            all.iter().map(|item| (item["bookingId"].to_string(), item["eventId"].to_string())).collect();
        assert_eq!((all.len(), ids.len()), (items, items), "{path}");
    }
    let listed = app.get(Who::Desk, "/v1/bookings?limit=1").await.expect(200).json();
    assert_eq!(listed["items"][0].get("attendees"), None);
    let cursor = listed["nextCursor"].as_str().unwrap();
    let path = format!("/v1/bookings?limit=1&expand=attendees&cursor={cursor}");
    let listed = app.get(Who::Desk, &path).await.expect(200).json();
    assert_eq!(listed["items"][0]["attendees"].as_array().unwrap().len(), 900);
    app.get(Who::Desk, "/v1/bookings?expand=metadata").await.problem(400, "invalid-request");
    app.end().await;
}

/// Each filter finds what it should and nothing else.
#[tokio::test]
async fn each_filter_finds_what_it_names() {
    let app = TestApp::start().await;
    let other = "0e5f2f6c-0000-4000-8000-000000000001";
    let early = json!({"startDateTime": "2026-11-30T09:00:00Z", "endDateTime": "2026-11-30T10:00:00Z"});
    app.book(Who::Desk, &booking_with("EARLY", early)).await.expect(201);
    app.clock.advance(Duration::from_hours(1));
    app.book(Who::Desk, &booking_with("OTHER", json!({"organizer": other}))).await.expect(201);
    let kept = app.booking("OTHER").await;
    let external_id = kept["externalId"].as_str().unwrap();
    let meeting_id = kept["meeting"]["id"].as_str().unwrap().replace('=', "%3D").replace('+', "%2B");
    for (query, expected) in [
        ("status=provisioned", vec!["OTHER", "EARLY"]),
        ("status=pending,failed", vec![]),
        ("status=pending&status=failed", vec![]),
        ("status=pending,provisioned&status=failed", vec!["OTHER", "EARLY"]),
        ("startsFrom=2026-12-01T00:00:00Z", vec!["OTHER"]),
        ("startsBefore=2026-12-01T00:00:00Z", vec!["EARLY"]),
        ("updatedFrom=2026-11-23T08:30:00Z", vec!["OTHER"]),
        ("updatedBefore=2026-11-23T08:30:00Z", vec!["EARLY"]),
        ("failingBefore=2099-01-01T00:00:00Z", vec![]),
        (&format!("organizer={other}"), vec!["OTHER"]),
        (&format!("externalId={external_id}"), vec!["OTHER"]),
        (&format!("meetingId={meeting_id}"), vec!["OTHER"]),
    ] {
        let page = app.get(Who::Desk, &format!("/v1/bookings?{query}")).await.expect(200).json();
        let found: Vec<&str> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["bookingId"].as_str().unwrap())
            .collect();
        assert_eq!(found, expected, "{query}");
    }
    let request_id = &app.history_items("OTHER").await[0]["details"]["requestId"];
    let request_id = request_id.as_str().unwrap().to_uppercase();
    let of_booking = format!("/v1/bookings/OTHER/audit-events?requestId={request_id}");
    let page = app.get(Who::Desk, &of_booking).await.expect(200).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    for (query, expected) in [
        ("bookingId=OTHER", 2),
        (&format!("externalId={external_id}"), 2),
        (&format!("meetingId={meeting_id}"), 2),
        (&format!("organizer={other}"), 2),
        ("type=meeting.created", 2),
        ("nextStatus=provisioned", 2),
        ("nextStatus=pending", 2),
        ("nextStatus=failed", 0),
        ("outcome=created", 2),
        (&format!("requestId={request_id}"), 2),
        ("requestId=019ab0f2-69d0-7f43-8a51-6d0b3c9e2f10", 0),
        ("actor=api-key:Desk", 4),
        ("actor=worker", 0),
        ("from=2026-11-23T09:00:00Z", 2),
        ("before=2026-11-23T09:00:00Z", 2),
    ] {
        let page =
            app.get(Who::Auditor, &format!("/v1/audit-events?order=desc&{query}")).await.expect(200).json();
        assert_eq!(page["items"].as_array().unwrap().len(), expected, "{query}");
    }
    app.end().await;
}
