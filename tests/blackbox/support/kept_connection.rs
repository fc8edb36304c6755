//! A connection that is kept, byte for byte: libraries repeat by themselves what a reset has cost, and here nothing may be
//! repeated.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::keys::Who;

/// A connection to a public port, for one request after the other.
pub struct KeptConnection(BufReader<TcpStream>);

/// What was answered.
#[derive(Debug)]
pub struct RawResponse {
    /// HTTP status.
    pub status: u16,
    /// Whether the next request needs another connection.
    pub closes: bool,
    /// The body, as text.
    pub text: String,
}

impl KeptConnection {
    /// Connects.
    pub async fn to(address: &str) -> io::Result<Self> {
        Ok(Self(BufReader::new(TcpStream::connect(address).await?)))
    }

    /// Sends these bytes and no more.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await
    }

    /// Breaks the connection off with a reset (RST).
    pub fn reset(self) {
        let stream = self.0.into_inner();
        stream.set_zero_linger().unwrap();
    }

    /// Reads one answer, which must have a `Content-Length`.
    pub async fn answer(&mut self) -> io::Result<RawResponse> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed instead of an answer"));
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_ascii_lowercase()),
            }
        }
        let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
        let header = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().unwrap())];
        self.0.read_exact(&mut body).await?;
        let closes = header("connection") == Some("close");
        Ok(RawResponse { status, closes, text: String::from_utf8(body).unwrap() })
    }

    /// Sends a request and reads its answer.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<RawResponse> {
        self.send(request).await?;
        self.answer().await
    }

    /// Waits until the other side closes, in order and with nothing more to say.
    pub async fn closed(&mut self) -> io::Result<()> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).await?;
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
        Ok(())
    }
}

/// The head of `POST /v1/bookings` with a body of this length.
pub fn head(length: usize) -> String {
    let key = Who::Desk.key().unwrap();
    format!(
        "POST /v1/bookings HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// `POST /v1/bookings`, whole.
pub fn post(body: &Value) -> Vec<u8> {
    let body = body.to_string();
    (head(body.len()) + &body).into_bytes()
}
