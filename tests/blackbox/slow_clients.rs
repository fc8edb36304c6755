//! Strangers and slow clients: every head and every answer has its time, connections are bounded, and neither callers nor
//! probes are kept out.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::kept_connection::{KeptConnection, post};
use crate::support::{TestApp, Who, booking};

const IN_TIME: Duration = Duration::from_secs(30);
const HALF_A_HEAD: &[u8] = b"GET /v1/me HTTP/1.1\r\nHost: localhost\r\nX-Half: ";
const IN_FLIGHT: &str = "meeting_provisioner_http_requests_in_flight";
const OPEN: &str = "meeting_provisioner_connections{port=\"public\"}";

fn public(app: &TestApp) -> String {
    app.url("").replace("http://", "")
}

fn closed(port: &str, reason: &str) -> String {
    format!("meeting_provisioner_connections_closed_total{{port=\"{port}\",reason=\"{reason}\"}}")
}

/// Connections that each send half a head and then nothing, if they can connect at all.
async fn half_heads(address: &str, count: usize) -> Vec<TcpStream> {
    let mut held = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(HALF_A_HEAD).await.unwrap();
        held.push(stream);
    }
    held
}

/// Trickles bytes until an answer comes; how long that took from the first of them.
async fn trickle(connection: &mut KeptConnection, bytes: &[u8]) -> (u16, Duration) {
    let began = Instant::now();
    let mut bytes = bytes.iter().cycle();
    let answer = async {
        loop {
            connection.send(&[*bytes.next().unwrap()]).await.unwrap();
            tokio::select! {
                biased;
                answer = connection.answer() => return answer.unwrap(),
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
            }
        }
    };
    let answer = tokio::time::timeout(IN_TIME, answer).await.unwrap();
    (answer.status, began.elapsed())
}

/// The head of a later request has the same time as the first, from its first byte on, on both ports, and however the bytes
/// trickle in.
#[tokio::test]
async fn every_head_has_a_time_limit() {
    let app = TestApp::builder().setting("HTTP__READ_TIMEOUT_SECONDS", "1").start().await;
    let first = post(&booking("BK-1"));
    let probe = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec();
    let admin = app.admin_url("").replace("http://", "");
    for (address, whole, longest) in [(public(&app), first, 4), (admin, probe, 9)] {
        for requests_before in [0, 1, 2] {
            let mut connection = KeptConnection::to(&address).await.unwrap();
            for _ in 0..requests_before {
                let answer = connection.exchange(&whole).await.unwrap();
                assert!(matches!(answer.status, 200 | 201) && !answer.closes);
            }
            let (status, took) = trickle(&mut connection, b"GET-").await;
            assert_eq!(status, 408, "{address} after {requests_before}");
            assert!(took < Duration::from_secs(longest), "{took:?}");
            connection.closed().await.unwrap();
        }
    }
    assert!((app.metric(&closed("public", "slow-head")).await - 3.0).abs() < 0.5);
    assert!((app.metric(&closed("admin", "slow-head")).await - 3.0).abs() < 0.5);
    app.end().await;
}

/// What no endpoint reads of a body has a time, too: chunks without end behind an answer end the connection.
#[tokio::test]
async fn a_body_that_is_not_read_has_a_time_limit() {
    let app = TestApp::builder().setting("HTTP__READ_TIMEOUT_SECONDS", "1").start().await;
    let key = Who::Desk.key().unwrap();
    let mut stream = TcpStream::connect(public(&app)).await.unwrap();
    let head = format!(
        "GET /v1/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let began = Instant::now();
    let drops = async {
        while stream.write_all(b"1\r\nx\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(IN_TIME, drops).await.expect("it is closed");
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    app.end().await;
}

/// A client that takes no more of its answers counts as being answered, and is cut off; taking a little now and then does not
/// help it.
#[tokio::test]
async fn readers_who_do_not_read_are_cut_off() {
    let app = TestApp::builder().setting("HTTP__WRITE_TIMEOUT_SECONDS", "2").start().await;
    for is_sipping in [false, true] {
        let mut stream = TcpStream::connect(public(&app)).await.unwrap();
        let request = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
        // More than the buffers of both systems hold.
        for _ in 0..200 {
            stream.write_all(request).await.unwrap();
        }
        app.until_metric(IN_FLIGHT, |count| count > 0.5).await;
        let mut sip = [0; 64];
        let cut = async {
            let name = closed("public", "slow-reader");
            let before = f64::from(u8::from(is_sipping));
            while app.metric(&name).await < before + 0.5 {
                if is_sipping {
                    let _some = stream.read(&mut sip).await;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(IN_TIME, cut).await.expect("it is cut off");
        app.until_metric(IN_FLIGHT, |count| count < 0.5).await;
    }
    app.end().await;
}

/// Far more strangers than there are places hold half a head each, and callers are answered all the same, on new connections
/// and on the one that they keep.
#[tokio::test]
async fn strangers_do_not_keep_callers_out() {
    let app = TestApp::builder()
        .settings(&[("HTTP__CONNECTIONS_MAX", "8"), ("HTTP__READ_TIMEOUT_SECONDS", "300")])
        .start()
        .await;
    let mut kept = KeptConnection::to(&public(&app)).await.unwrap();
    assert_eq!(kept.exchange(&post(&booking("BK-1"))).await.unwrap().status, 201);
    let _strangers = half_heads(&public(&app), 200).await;
    let answered = async {
        for n in 2..10 {
            let mut fresh = KeptConnection::to(&public(&app)).await.unwrap();
            let answer = fresh.exchange(&post(&booking(&format!("BK-{n}")))).await.unwrap();
            assert_eq!(answer.status, 201);
            let _more = half_heads(&public(&app), 20).await;
        }
        assert_eq!(kept.exchange(&post(&booking("BK-1"))).await.unwrap().status, 200);
    };
    tokio::time::timeout(IN_TIME, answered).await.expect("strangers are displaced");
    assert!(app.metric(&closed("public", "displaced")).await > 100.5);
    let open = app.metric(OPEN).await;
    assert!(open < 64.5, "{open} connections are open");
    app.end().await;
}

/// Probes and scrapes are answered while strangers fill both ports.
#[tokio::test]
async fn probes_are_answered_while_both_ports_are_full() {
    let app = TestApp::builder()
        .settings(&[("HTTP__CONNECTIONS_MAX", "2"), ("HTTP__READ_TIMEOUT_SECONDS", "300")])
        .start()
        .await;
    let admin = app.admin_url("").replace("http://", "");
    let _public = half_heads(&public(&app), 100).await;
    let mut strangers = Vec::new();
    for _ in 0..3 {
        strangers.extend(half_heads(&admin, 100).await);
        for path in ["/livez", "/readyz", "/startupz", "/metrics"] {
            let began = Instant::now();
            assert_eq!(app.probe(path).await, 200, "{path}");
            assert!(began.elapsed() < Duration::from_secs(3), "{path} took {:?}", began.elapsed());
        }
    }
    assert!(app.metric(&closed("admin", "displaced")).await > 100.5);
    app.end().await;
}

/// With a limit for each peer address, one connection more is closed at once and counted; one that ends makes room.
#[tokio::test]
async fn one_address_has_so_many_connections() {
    let app = TestApp::builder().setting("HTTP__CONNECTIONS_PER_PEER_MAX", "3").start().await;
    let mut held = Vec::new();
    for n in 0..3 {
        let mut connection = KeptConnection::to(&public(&app)).await.unwrap();
        let answer = connection.exchange(&post(&booking(&format!("BK-{n}")))).await.unwrap();
        assert_eq!(answer.status, 201);
        held.push(connection);
    }
    for _ in 0..2 {
        let mut one_more = KeptConnection::to(&public(&app)).await.unwrap();
        let refused = tokio::time::timeout(IN_TIME, one_more.answer()).await.expect("it is closed at once");
        refused.unwrap_err();
    }
    assert!((app.metric(&closed("public", "peer-limit")).await - 2.0).abs() < 0.5);
    assert!((app.metric(OPEN).await - 3.0).abs() < 0.5);
    held.pop();
    app.until_metric(OPEN, |open| open < 2.5).await;
    let mut again = KeptConnection::to(&public(&app)).await.unwrap();
    assert_eq!(again.exchange(&post(&booking("BK-0"))).await.unwrap().status, 200);
    app.end().await;
}
