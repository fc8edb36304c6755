//! How much a source system may ask for: requests a second, bookings a day.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{TestApp, Who, booking, booking_with, moved_to};

const RATES: &str = "[source_system.room-booking]\nrequests_per_second = 2\nburst = 4\n";

/// A burst passes, the next request is refused before its body is read, and as time goes on as many pass as the rate says.
/// Every answer tells how many are left; other source systems, probes and documents have no limit.
#[tokio::test]
async fn a_source_system_that_sends_too_much_is_told_to_wait() {
    let app = TestApp::builder().settings_file(RATES).start().await;
    for left in ["r=3;t=1", "r=2;t=1", "r=1;t=2"] {
        let answer = app.get(Who::Screen, "/v1/me").await.expect(200);
        assert_eq!(answer.header("ratelimit-policy"), Some("\"requests\";q=4;w=2"));
        assert_eq!(answer.header("ratelimit"), Some(format!("\"requests\";{left}").as_str()));
    }
    // All callers of the source system share it, and an answer that refuses counts, too.
    app.get(Who::Desk, "/v1/nothing").await.problem(404, "not-found");
    let answer = app.book(Who::Desk, &booking("BK-1")).await;
    let problem = answer.problem(429, "rate-limited");
    assert_eq!((&problem["retryable"], &problem["retryAfterSeconds"]), (&json!(true), &json!(1)));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.header("ratelimit"), Some("\"requests\";r=0;t=1"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("x-request-id").is_some());
    for who in [Who::OtherSystem, Who::Operator] {
        let other = app.get(who, "/v1/me").await.expect(200);
        assert_eq!((other.header("ratelimit"), other.header("ratelimit-policy")), (None, None));
    }
    let stranger = app.get(Who::Stranger, "/v1/me").await;
    assert_eq!((stranger.status, stranger.header("ratelimit")), (401, None));
    for path in ["/problems", "/openapi.json", "/"] {
        assert_eq!(app.get(Who::Desk, path).await.expect(200).header("ratelimit"), None, "{path}");
    }
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(reqwest::get(app.admin_url(path)).await.unwrap().status(), 200);
    }
    let counted =
        "meeting_provisioner_limited_total{source_system=\"room-booking\",limit=\"requests-per-second\"}";
    assert!((app.metric(counted).await - 1.0).abs() < 0.1);
    app.clock.advance(Duration::from_secs(1));
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.book(Who::Desk, &booking("BK-1")).await.expect(200);
    app.book(Who::Desk, &booking("BK-1")).await.problem(429, "rate-limited");
    app.clock.advance(Duration::from_hours(1));
    let answer = app.get(Who::Desk, "/v1/me").await.expect(200);
    assert_eq!(
        answer.header("ratelimit"),
        Some("\"requests\";r=3;t=1"),
        "no more than the burst is saved up"
    );
    app.end().await;
}

/// The default holds for every source system that says nothing else, one without settings included; each counts by itself.
#[tokio::test]
async fn a_default_holds_where_nothing_else_is_said() {
    let app = TestApp::builder()
        .settings(&[("ACCESS__REQUESTS_PER_SECOND", "1"), ("ACCESS__BURST", "0")])
        .settings_file("[source_system.crm]\nrequests_per_second = 0\n")
        .start()
        .await;
    for who in [Who::Desk, Who::Operator, Who::Auditor] {
        app.get(who, "/v1/me").await.expect(200);
        app.get(who, "/v1/me").await.problem(429, "rate-limited");
    }
    for _ in 0..20 {
        app.get(Who::OtherSystem, "/v1/me").await.expect(200);
    }
    app.end().await;
}

/// A program that sends again after Retry-After, blindly, gets through.
#[tokio::test]
async fn who_waits_as_told_gets_through() {
    let app = TestApp::builder().settings_file(RATES).start().await;
    for number in 0..30 {
        let body = booking(&format!("BK-{number}"));
        let mut refusals = 0;
        loop {
            let answer = app.book(Who::Desk, &body).await;
            if answer.status != 429 {
                answer.expect(201);
                break;
            }
            refusals += 1;
            assert!(refusals < 2, "once is enough");
            let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
            app.clock.advance(Duration::from_secs(seconds));
        }
    }
    app.end().await;
}

/// So many new bookings a day, over all replicas; generations count. What is known is answered, changed and cancelled as ever,
/// and the next day begins anew.
#[tokio::test]
async fn bookings_a_day_have_a_limit() {
    let app = TestApp::builder()
        .settings_file("[source_system.room-booking]\nbookings_per_day = 4\n")
        .start()
        .await;
    let other = app.another_replica().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    other.book(Who::Desk, &booking("BK-2")).await.expect(201);
    app.clock.advance(Duration::from_secs(5));
    app.delete("BK-1", &[]).await.expect(200);
    app.put("BK-1", &booking("BK-1"), &[]).await.expect(201);
    app.book(Who::Desk, &booking("BK-3")).await.expect(201);
    app.clock.advance(Duration::from_secs(5));
    for replica in [&app, &other] {
        let answer = replica.book(Who::Desk, &booking("BK-4")).await;
        let problem = answer.problem(429, "bookings-per-day-exceeded");
        assert!(problem["detail"].as_str().unwrap().contains("has stored 4 bookings today"), "{problem}");
        // The clock began at 8:00.
        let seconds = 16 * 3_600 - 10;
        assert_eq!((&problem["retryAfterSeconds"], &problem["retryable"]), (&json!(seconds), &json!(true)));
        assert_eq!(answer.header("retry-after"), Some(seconds.to_string().as_str()));
        let put = replica.put("BK-4", &booking("BK-4"), &[]).await;
        put.problem(429, "bookings-per-day-exceeded");
        replica.book(Who::OtherSystem, &booking("BK-4")).await;
    }
    app.book(Who::Desk, &booking("BK-2")).await.expect(200);
    app.put("BK-2", &booking_with("BK-2", moved_to("03")), &[]).await.expect(200);
    app.delete("BK-3", &[]).await.expect(200);
    app.put("BK-3", &booking("BK-3"), &[]).await.problem(429, "bookings-per-day-exceeded");
    let counted =
        "meeting_provisioner_limited_total{source_system=\"room-booking\",limit=\"bookings-per-day\"}";
    assert!((app.metric(counted).await - 3.0).abs() < 0.1);
    let stored: i64 = sqlx::query_scalar("select count(*) from booking where source_system = 'room-booking'")
        .fetch_one(&app.pool)
        .await
        .unwrap();
    assert_eq!(stored, 4);
    app.clock.advance(Duration::from_hours(16));
    app.book(Who::Desk, &booking("BK-4")).await.expect(201);
    other.end().await;
    app.end().await;
}

/// A refused request costs nothing of its body: one that is announced and never sent is answered at once.
#[tokio::test]
async fn a_refusal_reads_no_body() {
    let app = TestApp::builder().setting("ACCESS__REQUESTS_PER_SECOND", "1").start().await;
    app.get(Who::Desk, "/v1/me").await.expect(200);
    let mut stream = TcpStream::connect(app.url("").trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /v1/bookings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 100000\r\n\r\n",
        Who::Desk.key().unwrap()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    let read = tokio::time::timeout(Duration::from_secs(8), stream.read_exact(&mut answer)).await;
    read.expect("answered without a body").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 429");
    app.end().await;
}
