//! Where one request ends and the next begins, byte for byte over both ports: what another program on the way could read
//! otherwise is refused, and never taken for a request of its own (request smuggling; RFC 9112, 11.2).

use std::time::Duration;

use meeting_provisioner::msgraph_simulator::Operation;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{TestApp, Who, booking};

const IN_TIME: Duration = Duration::from_mins(1);
/// A request of its own. The connection ends with its answer.
const NEXT: &str = "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// Sends bytes and reads until the other side closes.
async fn exchange(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut answered = Vec::new();
    // What is refused at its head is not read to its end.
    let write = async {
        let _may_be_closed = writer.write_all(bytes).await;
    };
    // A reset ends it as well: a port that closes with bytes unread resets.
    let read = async {
        let _end = reader.read_to_end(&mut answered).await;
    };
    tokio::time::timeout(IN_TIME, async { tokio::join!(write, read) }).await.expect("it is closed");
    String::from_utf8_lossy(&answered).into_owned()
}

/// The statuses of all answers.
fn statuses(answered: &str) -> Vec<u16> {
    let answers = answered.split("HTTP/1.1 ").skip(1);
    answers.map(|answer| answer[..3].parse().unwrap()).collect()
}

fn post(headers: &str, body: &str) -> String {
    format!("POST /nowhere HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n{body}")
}

fn chunked(body: &str) -> String {
    post("Transfer-Encoding: chunked", body)
}

fn get(rest: &str) -> String {
    format!("GET /nowhere HTTP/1.1\r\n{rest}")
}

/// Refused with 400, and nothing behind it is read.
fn refused() -> Vec<(&'static str, String)> {
    vec![
        ("a line that is folded", get("Host: x\r\nA: b\r\n c\r\n\r\n")),
        ("a CR in a value", get("Host: x\r\nA: b\rc\r\n\r\n")),
        ("U+0000 in a value", get("Host: x\r\nA: b\0c\r\n\r\n")),
        ("a blank before the first header", get(" Host: x\r\n\r\n")),
        ("a blank before the colon", post("Content-Length : 3", "abc")),
        ("no host", get("\r\n")),
        ("two hosts", get("Host: x\r\nHost: y\r\n\r\n")),
        ("two equal lengths", post("Content-Length: 3\r\nContent-Length: 3", "abc")),
        ("two lengths", post("Content-Length: 3\r\nContent-Length: 4", "abc")),
        ("a list of lengths", post("Content-Length: 3, 3", "abc")),
        ("a length with a sign", post("Content-Length: +3", "abc")),
        ("a negative length", post("Content-Length: -3", "abc")),
        ("a hexadecimal length", post("Content-Length: 0x3", "abc")),
        ("an empty length", post("Content-Length: ", "")),
        ("a length too large", post("Content-Length: 99999999999999999999", "")),
        ("a length and chunks", post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n")),
        ("chunks and a length", post("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n")),
        ("chunks twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n")),
        ("chunks of another coding", post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n")),
        ("chunks that are not the last coding", post("Transfer-Encoding: chunked, identity", "0\r\n\r\n")),
        ("an unknown coding", post("Transfer-Encoding: xchunked", "0\r\n\r\n")),
        ("a hidden coding", post("Transfer-Encoding: \u{b}chunked", "0\r\n\r\n")),
        ("no coding, and a length", post("Transfer-Encoding: identity\r\nContent-Length: 3", "abc")),
        ("chunks in HTTP/1.0", chunked("0\r\n\r\n").replacen("HTTP/1.1", "HTTP/1.0", 1)),
        ("HTTP/2 without a word", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        ("HTTP/0.9", "GET /nowhere\r\n\r\n".to_owned()),
        ("two blanks in the first line", "GET  /nowhere HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()),
    ]
}

/// Answered for its path, and then closed: what follows can't be told apart.
fn broken_off() -> Vec<(&'static str, String)> {
    vec![
        ("a chunk's line that ends with LF", chunked("3\nabc\n0\n\n")),
        ("a chunk's extension that ends with LF", chunked("3;a\nabc\r\n0\r\n\r\n")),
        ("a chunk whose length has a prefix", chunked("0x3\r\nabc\r\n0\r\n\r\n")),
        ("a chunk whose length has a sign", chunked("+3\r\nabc\r\n0\r\n\r\n")),
        ("a chunk whose length is too large", chunked("10000000000000003\r\nabc\r\n0\r\n\r\n")),
        ("a chunk that is longer than it says", chunked("3\r\nabcXX0\r\n\r\n")),
        ("an upgrade", get("Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")),
        ("a tunnel", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n".to_owned()),
    ]
}

/// Each is one request, and the next one is the next one. That LF alone ends a line of a head is allowed (RFC 9112, 2.2), as
/// are extensions of chunks and trailers, which are passed over.
fn understood() -> Vec<(&'static str, String)> {
    vec![
        ("no body", get("Host: x\r\n\r\n")),
        ("lines that end with LF", "GET /nowhere HTTP/1.1\nHost: x\n\n".to_owned()),
        ("chunks", chunked("3\r\nabc\r\n0\r\n\r\n")),
        ("a chunk with an extension", chunked("3;a=b\r\nabc\r\n0\r\n\r\n")),
        ("trailers", chunked("0\r\nX-T: 1\r\n\r\n")),
        ("a header that only looks like a length", post("Content_Length: 3", "")),
    ]
}

#[tokio::test]
async fn requests_are_told_apart_or_refused() {
    let app = TestApp::start().await;
    for address in [app.url(""), app.admin_url("")].map(|url| url.replace("http://", "")) {
        for (cases, expected) in
            [(refused(), &[400][..]), (broken_off(), &[404]), (understood(), &[404, 404])]
        {
            for (name, bytes) in cases {
                let answered = exchange(&address, format!("{bytes}{NEXT}").as_bytes()).await;
                assert_eq!(statuses(&answered), expected, "{name} at {address}: {answered}");
            }
        }
        let endless = format!("GET /nowhere HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(1 << 20));
        let answered = exchange(&address, endless.as_bytes()).await;
        // The answer may be lost with a reset: much of what was sent is never read.
        assert!([&[][..], &[431]].contains(&statuses(&answered).as_slice()), "{answered}");
    }
    app.end().await;
}

/// Where the body is read: nothing that can be read in two ways books anything.
#[tokio::test]
async fn what_can_be_read_in_two_ways_books_nothing() {
    let app = TestApp::start().await;
    let address = app.url("").replace("http://", "");
    let body = booking("BK-1").to_string();
    let length = body.len();
    let key = Who::Desk.key().unwrap();
    let whole = |headers: &str, body: &str| {
        format!(
            "POST /v1/bookings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\n{headers}\r\n\r\n{body}"
        )
    };
    let hidden = whole(&format!("Connection: close\r\nContent-Length: {length}"), &body);
    for (name, headers, sent) in [
        (
            "chunks before a length",
            format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"),
            "0\r\n\r\n",
        ),
        ("two lengths", format!("Content-Length: 0\r\nContent-Length: {length}"), ""),
        (
            "a chunk that is longer than it says",
            "Transfer-Encoding: chunked".to_owned(),
            "1\r\n{XX\r\n0\r\n\r\n",
        ),
        (
            "a chunk's extension that ends with LF",
            "Transfer-Encoding: chunked".to_owned(),
            "1;\n{\r\n0\r\n\r\n",
        ),
        ("an upgrade", "Connection: Upgrade\r\nUpgrade: websocket".to_owned(), ""),
    ] {
        let answered = exchange(&address, (whole(&headers, sent) + &hidden).as_bytes()).await;
        assert_eq!(statuses(&answered), [400], "{name}: {answered}");
    }
    assert_eq!(app.simulator.counts().arrived(Operation::CreateOrGet), 0);
    let answered = exchange(&address, hidden.as_bytes()).await;
    assert_eq!(statuses(&answered), [201], "{answered}");
    app.end().await;
}
