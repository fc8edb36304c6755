//! Pages are complete: nothing is missed and nothing comes twice, while rows arrive.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::support::{TestApp, Who, booking, booking_with};

async fn pages(app: &TestApp, who: Who, path: &str, meanwhile: Option<&str>) -> Vec<Value> {
    let mut items = Vec::new();
    let mut next = path.to_owned();
    for page_number in 0.. {
        assert!(page_number < 100, "the pages never end");
        let page = app.get(who, &next).await.expect(200).json();
        items.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["nextCursor"].as_str() else { break };
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

/// The events of all bookings, oldest first, as soon as at least this many are listed. An event is listed once no older
/// transaction is open anywhere on the server, and the tests beside this one hold some open.
async fn history_of(app: &TestApp, path: &str, at_least: usize) -> Vec<Value> {
    let listed = async {
        loop {
            let events = pages(app, Who::Auditor, path, None).await;
            if events.len() >= at_least {
                return events;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), listed).await.expect("events are never listed")
}

const SLOW_EVENT: &str =
    "insert into audit_event (occurred_at, event_type, source_system, booking_id, generation, number, external_id,
         organizer, actor, payload)
     select occurred_at, $1, source_system, booking_id, generation, number, external_id, organizer, actor, payload
     from audit_event limit 1";

/// Following the history, oldest first, misses nothing: not an event whose number was drawn before others that were
/// committed earlier, and not one whose transaction began later than another but drew its number first.
#[tokio::test]
async fn a_reader_that_follows_the_history_misses_nothing() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let (mut early, mut slow) = (app.pool.begin().await.unwrap(), app.pool.begin().await.unwrap());
    sqlx::query("select pg_current_xact_id()").execute(&mut *early).await.unwrap();
    sqlx::query(SLOW_EVENT).bind("slow.event").execute(&mut *slow).await.unwrap();
    sqlx::query(SLOW_EVENT).bind("early.event").execute(&mut *early).await.unwrap();
    early.commit().await.unwrap();
    app.book(Who::Desk, &booking("BK-2")).await.expect(201);
    let path = "/v1/audit-events?order=asc&limit=3";
    let kinds = |events: &[Value]| -> Vec<String> {
        events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    };
    let begun = ["booking.accepted", "meeting.created", "early.event"];
    // The early transaction is older than the slow one, so it may be listed; what came after the slow one may not.
    assert_eq!(kinds(&history_of(&app, path, 3).await), begun, "it ends before what is still on its way");
    slow.commit().await.unwrap();
    let all = kinds(&history_of(&app, path, 6).await);
    assert_eq!(all[..3], begun);
    assert_eq!(all[3..], ["slow.event", "booking.accepted", "meeting.created"]);
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
    let oldest_first = history_of(&app, "/v1/audit-events?limit=4&order=asc", 23).await;
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

/// Each filter finds what it should and nothing else.
#[tokio::test]
async fn each_filter_finds_what_it_names() {
    let app = TestApp::start().await;
    let other = "0e5f2f6c-0000-4000-8000-000000000001";
    let early =
        serde_json::json!({"startDateTime": "2026-11-30T09:00:00Z", "endDateTime": "2026-11-30T10:00:00Z"});
    app.book(Who::Desk, &booking_with("EARLY", early)).await.expect(201);
    app.clock.advance(Duration::from_hours(1));
    app.book(Who::Desk, &booking_with("OTHER", serde_json::json!({"organizer": other}))).await.expect(201);
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
