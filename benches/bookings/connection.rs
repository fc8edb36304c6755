//! A client that costs next to nothing: its processor time is taken from the service that it measures.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context as _, bail};

/// The longest answer.
const RECEIVED_MAX: usize = 64 * 1024;

/// A connection that is kept, for one request after the other.
pub struct HttpConnection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer, its body included in what was received.
pub struct BenchResponse<'a> {
    /// The HTTP status.
    pub status: u16,
    /// What came after the headers.
    pub body: &'a [u8],
}

impl HttpConnection {
    /// Connects.
    pub fn to(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::new() })
    }

    /// Sends a whole request, whose answer is not read yet.
    pub fn send(&mut self, request: &[u8]) -> anyhow::Result<()> {
        Ok(self.stream.write_all(request)?)
    }

    /// Sends a whole request and reads the whole answer, which must have a `Content-Length`.
    pub fn exchange(&mut self, request: &[u8]) -> anyhow::Result<BenchResponse<'_>> {
        self.send(request)?;
        if self.received.is_empty() {
            self.received = vec![0; RECEIVED_MAX];
        }
        let mut end = 0;
        let head = loop {
            let unread = self.received.get_mut(end..).context("the answer's head is too long")?;
            let read = self.stream.read(unread)?;
            if read == 0 {
                bail!("the connection was closed instead of an answer");
            }
            end += read;
            if let Some(head) = head_length(&self.received[..end]) {
                break head;
            }
        };
        let (status, body_length) = read_head(&self.received[..head])?;
        if head + body_length > self.received.len() {
            bail!("the answer is too long: {body_length} bytes");
        }
        if end < head + body_length {
            self.stream.read_exact(&mut self.received[end..head + body_length])?;
        }
        Ok(BenchResponse { status, body: &self.received[head..head + body_length] })
    }
}

fn head_length(received: &[u8]) -> Option<usize> {
    received.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn read_head(head: &[u8]) -> anyhow::Result<(u16, usize)> {
    let head = std::str::from_utf8(head)?;
    let status = head.get(9..12).context("no status")?.parse()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse())
    });
    Ok((status, length.context("no Content-Length")??))
}
