//! What keeps a browser from misusing an answer is on every answer, of both ports, whatever its kind.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::kept_connection::{KeptConnection, head};
use crate::support::{ApiResponse, TestApp, Who, booking, until};

const ON_EVERY_ANSWER: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// What an answer lacks, or should not have.
fn faults(answer: &ApiResponse, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in ON_EVERY_ANSWER {
        if answer.header(name) != Some(value) {
            found.push(format!("{name} is {:?}", answer.header(name)));
        }
    }
    // Pages of other origins may not read it, whatever they ask for.
    if let Some(origin) = answer.header("access-control-allow-origin") {
        found.push(format!("access-control-allow-origin is {origin:?}"));
    }
    let is_page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    let policy = answer.header("content-security-policy").unwrap_or_default();
    if is_page && !(policy.contains("default-src") && policy.contains("frame-ancestors 'none'")) {
        found.push(format!("the page's policy is {policy:?}"));
    }
    // What is for one caller, every error among it; only that nothing has changed (304) has no body to keep.
    let is_for_one = path.starts_with("/v1") || answer.text.contains("\"joinWebUrl\":\"https:");
    if is_for_one && answer.status != 304 && answer.header("cache-control") != Some("no-store") {
        found.push(format!("cache-control is {:?}", answer.header("cache-control")));
    }
    found
}

/// Every path of the document with a booking that is there, the pages with their files, and paths that lead nowhere.
async fn paths(app: &TestApp) -> Vec<String> {
    let document = app.get(Who::Anonymous, "/openapi.json").await.expect(200).json();
    let mut paths: Vec<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let more = [
        "/openapi.json",
        "/docs",
        "/docs/",
        "/docs/swagger-ui.css",
        "/docs/none",
        "/nowhere",
        "/v1",
        "/v1/none",
    ];
    paths.extend(more.map(str::to_owned));
    let fill = |path: &String| {
        path.replace("{bookingId}", "BK-1")
            .replace("{organizer}", "a@contoso.com")
            .replace("{code}", "not-found")
    };
    paths.iter().map(fill).collect()
}

#[tokio::test]
async fn every_route_answers_every_method_with_them() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let mut statuses = BTreeSet::new();
    for path in paths(&app).await {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            for who in [Who::Desk, Who::Auditor, Who::Anonymous] {
                for accept in ["text/html", "application/json", "text/csv"] {
                    let method = Method::from_bytes(method.as_bytes()).unwrap();
                    let request = app.request(who, method.clone(), &path).header("Accept", accept);
                    let request = request.header("Origin", "https://other.example");
                    let answer = ApiResponse::read(request.send().await.unwrap()).await;
                    let found = faults(&answer, &path);
                    assert_eq!(found, [""; 0], "{method} {path} {accept}: {}", answer.status);
                    statuses.insert(answer.status);
                }
            }
        }
    }
    for status in [200, 401, 403, 404, 405] {
        assert!(statuses.contains(&status), "{status} is not among {statuses:?}");
    }
    for path in ["/livez", "/readyz", "/startupz", "/metrics", "/nowhere"] {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS] {
            #[expect(clippy::disallowed_methods, reason = "a prober, not the service")]
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let sent = http.request(method.clone(), app.admin_url(path)).send().await.unwrap();
            let answer = ApiResponse::read(sent).await;
            assert_eq!(faults(&answer, path), [""; 0], "{method} {path}");
        }
    }
    app.end().await;
}

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Books with this body and these headers.
async fn booked(app: &TestApp, body: String, headers: &[(&str, &str)]) -> ApiResponse {
    let request = app.request(Who::Desk, Method::POST, "/v1/bookings").body(body);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    ApiResponse::read(request.send().await.unwrap()).await
}

#[tokio::test]
async fn every_kind_of_answer_has_them() {
    let app = TestApp::builder().setting("HTTP__READ_TIMEOUT_SECONDS", "1").start().await;
    let good = booking("BK-1").to_string();
    let differs =
        json!({"bookingId": "BK-1", "organizer": "b@contoso.com", "startDateTime": "2027-01-01T00:00:00Z"});
    for (status, body, headers) in [
        (201, good.clone(), &[JSON][..]),
        (200, good.clone(), &[JSON]),
        (400, "{".to_owned(), &[JSON]),
        (409, differs.to_string(), &[JSON]),
        (413, format!("\"{}\"", "x".repeat(4 << 20)), &[JSON]),
        (415, good.clone(), &[("Content-Type", "text/plain")]),
        (422, "{}".to_owned(), &[JSON]),
    ] {
        let answer = booked(&app, body, headers).await.expect(status);
        assert_eq!(faults(&answer, "/v1/bookings"), [""; 0], "{status}");
    }
    let etag = app.get(Who::Desk, "/v1/bookings/BK-1").await.header("etag").unwrap().to_owned();
    let unchanged = app.request(Who::Desk, Method::GET, "/v1/bookings/BK-1").header("If-None-Match", &etag);
    let unchanged = ApiResponse::read(unchanged.send().await.unwrap()).await.expect(304);
    assert_eq!(faults(&unchanged, "/v1/bookings/BK-1"), [""; 0]);
    let refused = app.declare_if("\"9.9\"", &booking("BK-1")).await.expect(412);
    assert_eq!(faults(&refused, "/v1/bookings/BK-1"), [""; 0]);
    app.end().await;
}

/// The head of an answer that the port itself gives, byte for byte.
async fn raw(address: &str, bytes: &[u8]) -> (u16, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answered = String::new();
    let read = stream.read_to_string(&mut answered);
    tokio::time::timeout(Duration::from_mins(1), read).await.unwrap().unwrap();
    (answered["HTTP/1.1 ".len()..][..3].parse().unwrap(), answered.to_ascii_lowercase())
}

/// Before a request is complete the port answers by itself: to a head or a body that comes too slowly, with the headers; to one
/// that can't be read, without a body, of which a browser could make nothing.
#[tokio::test]
async fn what_the_port_answers_by_itself_can_do_no_harm() {
    let app = TestApp::builder().setting("HTTP__READ_TIMEOUT_SECONDS", "1").start().await;
    for address in [app.url(""), app.admin_url("")].map(|url| url.replace("http://", "")) {
        let (status, head) = raw(&address, b"GET / HTTP/1.1\r\nHost: x\r\n").await;
        assert_eq!(status, 408, "{head}");
        for (name, value) in ON_EVERY_ANSWER {
            assert!(head.contains(&format!("{name}: {value}\r\n")), "{head}");
        }
        let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: a\r\n".repeat(200));
        for (expected, bytes) in [(400, "GET / HTTP/9.9\r\n\r\n"), (431, &many)] {
            let (status, head) = raw(&address, bytes.as_bytes()).await;
            assert_eq!(status, expected, "{head}");
            assert!(head.contains("content-length: 0\r\n") && head.ends_with("\r\n\r\n"), "{head}");
            assert!(!head.contains("content-type"), "{head}");
        }
    }
    let (status, slow) = raw(&app.url("").replace("http://", ""), head(100).as_bytes()).await;
    assert_eq!(status, 408, "{slow}");
    for (name, value) in ON_EVERY_ANSWER {
        assert!(slow.contains(&format!("{name}: {value}\r\n")), "{slow}");
    }
    app.end().await;
}

/// One who is refused for overload gets them, too.
#[tokio::test]
async fn the_answer_to_overload_has_them() {
    let app = TestApp::builder()
        .settings(&[
            ("HTTP__REQUESTS_MAX", "1"),
            ("ACCESS__SHARE_PERCENT", "100"),
            ("HTTP__READ_TIMEOUT_SECONDS", "300"),
        ])
        .start()
        .await;
    let mut held = KeptConnection::to(&app.url("").replace("http://", "")).await.unwrap();
    held.send(head(100).as_bytes()).await.unwrap();
    until("the only place is taken", async || app.get(Who::Desk, "/v1/me").await.status == 503).await;
    let refused: ApiResponse = app.get(Who::Desk, "/v1/me").await.expect(503);
    assert_eq!(refused.json()["code"], Value::from("overloaded"));
    assert_eq!(faults(&refused, "/v1/me"), [""; 0]);
    held.reset();
    until("the place is free", async || app.get(Who::Desk, "/v1/me").await.status == 200).await;
    app.end().await;
}
