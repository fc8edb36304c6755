//! No cursor, filter or header that a caller can write is answered with a 5xx, or ends the service.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::{Union, ValueTree as _};
use proptest::test_runner::TestRunner;
use reqwest::Method;
use reqwest::header::HeaderValue;

use crate::support::{ApiResponse, TestApp, Who, booking};

/// How many requests each test makes up. What they are is the same in every run.
const REQUESTS: usize = 400;

const PATHS: [&str; 6] = [
    "/v1/bookings",
    "/v1/audit-events",
    "/v1/bookings/BK-1/audit-events",
    "/v1/bookings/BK-1",
    "/v1/bookings/UNKNOWN",
    "/v1/me",
];

const PARAMETERS: [&str; 29] = [
    "actor",
    "before",
    "bookingId",
    "check",
    "cursor",
    "dtstamp",
    "expand",
    "externalId",
    "from",
    "generation",
    "limit",
    "meetingId",
    "nextStatus",
    "order",
    "organizer",
    "failingBefore",
    "organizerChange",
    "outcome",
    "requestId",
    "sequence",
    "sourceSystem",
    "startsBefore",
    "startsFrom",
    "status",
    "type",
    "updatedBefore",
    "updatedFrom",
    "colour",
    "",
];

const VALUES: [&str; 36] = [
    "",
    "0",
    "-1",
    "1",
    "200",
    "2147483647",
    "2147483648",
    "4294967296",
    "99999999999999999999",
    "1e9",
    "0x10",
    "NaN",
    "asc",
    "desc",
    "pending",
    "pending,failed",
    "provisioned",
    "meeting.created",
    "room-booking",
    "another",
    "attendees",
    "onlineMeeting",
    "drift",
    "replace",
    "BK-1",
    "megan@contoso.com",
    "1f35f2e6-9cab-44ad-8d5a-b74c14720000",
    "00000000-0000-0000-0000-000000000000",
    "2026-12-01T09:00:00Z",
    "0001-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "9999-12-31T23:59:60+23:59",
    "-9999-01-01T00:00:00Z",
    "1969-12-31T24:00:00-00:00",
    "'; select pg_sleep(9) --",
];

/// A text as a caller may send it in a query: a likely one, any characters, or any bytes.
fn value() -> impl Strategy<Value = Vec<u8>> {
    Union::new([
        select(&VALUES[..]).prop_map(|text| text.as_bytes().to_vec()).boxed(),
        any::<String>().prop_map(String::into_bytes).boxed(),
        vec(any::<u8>(), 0..40).boxed(),
    ])
}

fn query() -> impl Strategy<Value = String> {
    let pair =
        (select(&PARAMETERS[..]), value()).prop_map(|(name, value)| format!("{name}={}", encoded(&value)));
    vec(pair, 0..5).prop_map(|pairs| pairs.join("&"))
}

fn encoded(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(*byte));
        } else {
            // Writing to a string can't fail.
            let _always_written = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// The values that a strategy makes, one after another, the same in every run.
fn made<S: Strategy>(strategy: S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// Holds that a request is answered, and refused with a problem if it is refused.
#[track_caller]
fn is_answered(answer: &ApiResponse, request: &str) {
    assert!(answer.status < 500, "{request}: {} {}", answer.status, answer.text);
    if answer.status >= 400 {
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{request}: {}",
            answer.text
        );
    }
}

/// Made-up queries of every list and every booking.
#[tokio::test]
async fn no_query_is_answered_with_a_5xx() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let methods = select(vec![Method::GET, Method::GET, Method::GET, Method::DELETE]);
    let mut found = 0;
    for (path, query, method) in made((select(&PATHS[..]), query(), methods), REQUESTS) {
        let path = if method == Method::DELETE { "/v1/bookings/UNKNOWN" } else { path };
        let path = format!("{path}?{query}");
        let answer = app.request(Who::Auditor, method.clone(), &path);
        let answer = if method == Method::DELETE { app.request(Who::Desk, method, &path) } else { answer };
        let answer = ApiResponse::read(answer.send().await.unwrap()).await;
        is_answered(&answer, &path);
        found += usize::from(answer.status == 200);
    }
    assert!(found > REQUESTS / 20, "hardly any of the queries can be read: {found}");
    app.end().await;
}

/// Cursors that are a list's own but for the place that they hold: any bytes stand there, of any length.
#[tokio::test]
async fn no_cursor_is_answered_with_a_5xx() {
    const SEALED: usize = 9;
    let app = TestApp::start().await;
    for n in 0..2 {
        app.book(Who::Desk, &booking(&format!("BK-{n}"))).await.expect(201);
    }
    let extremes =
        select(vec![vec![0; 16], vec![0xff; 16], vec![0x7f; 16], vec![0x80; 24], vec![0; 17], vec![1; 5]]);
    // On no timeline of the database, or on a made-up one; in a transaction that the database may know.
    let tagged = |tag: u8| {
        let timeline = select(vec![[0; 12], [1; 12], [0xff; 12]]);
        (timeline, vec(any::<u8>(), 2..3), vec(any::<u8>(), 8..9)).prop_map(
            move |(timeline, transaction, rest)| {
                [&timeline[..], &[tag], &[0; 6], &transaction, &rest].concat()
            },
        )
    };
    let places = Union::new([
        vec(any::<u8>(), 24..25).boxed(),
        // Most numbers are microseconds of no year that can be; these are.
        vec(any::<u8>(), 23..24).prop_map(|rest| [vec![0], rest].concat()).boxed(),
        vec(any::<u8>(), 0..40).boxed(),
        tagged(0).boxed(),
        tagged(1).boxed(),
        extremes.boxed(),
    ]);
    let places = made(places, REQUESTS / 4);
    for (path, least) in [
        ("/v1/bookings?limit=1", 5),
        ("/v1/audit-events?limit=1", 5),
        ("/v1/audit-events?limit=1&order=asc", 5),
        ("/v1/audit-events?limit=1&sourceSystem=room-booking&bookingId=BK-1&order=asc", 5),
        ("/v1/bookings/BK-1/audit-events?sourceSystem=room-booking&limit=1", 5),
    ] {
        let page = app.get(Who::Auditor, path).await.expect(200).json();
        let own = URL_SAFE_NO_PAD.decode(page["nextCursor"].as_str().unwrap()).unwrap();
        let mut taken = 0;
        for place in &places {
            let cursor = URL_SAFE_NO_PAD.encode([&own[..SEALED], place].concat());
            let path = format!("{path}&cursor={cursor}");
            let answer = app.get(Who::Auditor, &path).await;
            is_answered(&answer, &path);
            // Of a history that the database doesn't have (410), it is a cursor all the same.
            taken += usize::from(matches!(answer.status, 200 | 410));
        }
        assert!(taken >= least, "{path}: hardly any of the cursors is one: {taken}");
    }
    app.end().await;
}

/// Made-up headers, of any bytes that may stand in one.
#[tokio::test]
async fn no_header_is_answered_with_a_5xx() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let names = select(vec![
        "If-Match",
        "If-None-Match",
        "Prefer",
        "Accept",
        "Content-Type",
        "Content-Encoding",
        "traceparent",
        "X-Request-Id",
        "Accept-Encoding",
        "Range",
        "Expect",
        "If-Modified-Since",
        "Cookie",
        "Origin",
    ]);
    let likely = select(vec![
        "*",
        "\"1.2\"",
        "W/\"1.2\"",
        "\"1.2\", \"1.3\"",
        "\"",
        "wait=0",
        "wait=-1",
        "wait=99999999999999999999",
        "respond-async, wait=0",
        "wait=\"1\"",
        "application/json;charset=utf-16",
        "*/*;q=9",
        "text/html",
        ",,,",
        "gzip",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-0-0",
    ]);
    let bytes = vec(prop_oneof![32_u8..127, 128_u8..=255, Just(b'\t')], 0..60);
    let values = Union::new([likely.prop_map(|text| text.as_bytes().to_vec()).boxed(), bytes.boxed()]);
    let headers = vec((names, values), 1..4);
    let methods = select(vec![Method::GET, Method::PUT, Method::DELETE]);
    for (method, headers) in made((methods, headers), REQUESTS / 2) {
        let path = if method == Method::GET { "/v1/bookings/BK-1" } else { "/v1/bookings/UNKNOWN" };
        let mut request = app.request(Who::Desk, method.clone(), path);
        if method == Method::PUT {
            // Not a whole booking, so that nothing is made.
            request = request.body("{}");
        }
        for (name, value) in &headers {
            request = request.header(*name, HeaderValue::from_bytes(value).unwrap());
        }
        let answer = ApiResponse::read(request.send().await.unwrap()).await;
        is_answered(&answer, &format!("{method} {headers:?}"));
    }
    app.end().await;
}
