//! A host that answers as its test scripts it, byte for byte where need be. It knows nothing of Graph: the simulator,
//! which does, drives the black-box tests.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use time::macros::datetime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;
use uuid::uuid;

use super::{Credential, GraphConnection, GraphVersion, MicrosoftGraph, SecretSource};
use crate::booking::TenantId;
use crate::clock::{ManualClock, Timestamp};
use crate::outbound::Timeouts;

pub(super) const NOW: Timestamp = datetime!(2026-12-01 09:00 UTC);
pub(super) const SECRET: &str = "s3cret~value";

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct RecordedRequest {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
    /// On which connection, counted from 0.
    pub(super) connection: usize,
}

impl RecordedRequest {
    pub(super) fn is_for_token(&self) -> bool {
        self.path.ends_with("/oauth2/v2.0/token")
    }
}

/// What to do with a request.
pub(super) enum FakeReaction {
    RawResponse(u16, Vec<(&'static str, String)>, String),
    /// These bytes and no more; then the connection is closed.
    Bytes(String),
    /// Nothing, for as long as the connection lasts.
    Nothing,
}

/// An answer with the header by which Graph's are known, and no other.
pub(super) fn say(status: u16, body: &Value) -> FakeReaction {
    FakeReaction::RawResponse(status, vec![("request-id", "r-1".to_owned())], body.to_string())
}

/// A token that is good for an hour.
pub(super) fn token(name: &str) -> FakeReaction {
    say(200, &json!({"token_type": "Bearer", "expires_in": 3600, "access_token": name}))
}

/// A meeting.
pub(super) fn meeting() -> Value {
    json!({"id": "MSo1N2Y5", "joinWebUrl": "https://teams.microsoft.com/l/x", "subject": "Review"})
}

/// The host.
pub(super) struct Fake {
    pub(super) url: Url,
    asked: Arc<Mutex<Vec<RecordedRequest>>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Fake {
    /// A host that answers by `script`, which gets the request and how many like it (token or not) came before.
    pub(super) async fn start(
        script: impl Fn(&RecordedRequest, usize) -> FakeReaction + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (script, log) = (Arc::new(script), Arc::clone(&asked));
        let serving = tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                tokio::spawn(async move { serve(stream, connection, &*script, &log).await });
            }
        });
        Self { url, asked, serving }
    }

    /// Everything asked so far.
    pub(super) fn asked(&self) -> Vec<RecordedRequest> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn token_requests(&self) -> usize {
        self.asked().iter().filter(|asked| asked.is_for_token()).count()
    }

    /// What Graph was asked, without the token requests.
    pub(super) fn graph_requests(&self) -> Vec<RecordedRequest> {
        self.asked().into_iter().filter(|asked| !asked.is_for_token()).collect()
    }

    /// A client of this host, and the clock it goes by.
    pub(super) fn client(&self) -> (Arc<MicrosoftGraph>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(NOW));
        let graph = MicrosoftGraph::new(&connection_to(&self.url), clock.clone()).unwrap();
        (Arc::new(graph), clock)
    }
}

/// A connection whose Graph and token endpoint are the same host.
pub(super) fn connection_to(url: &Url) -> GraphConnection {
    GraphConnection {
        tenant_id: TenantId::new(uuid!("9188040d-6c67-4c5b-b112-36a304b66dad")),
        client_id: "client".to_owned(),
        credential: Credential::Secret {
            secret: SecretSource::Written(SecretString::from(SECRET)),
            expires_on: None,
        },
        channel_meetings: true,
        version: GraphVersion::V1_0,
        root_url: url.clone(),
        login_url: url.clone(),
        timeouts: Timeouts { connect: Duration::from_secs(5), total: Duration::from_secs(5) },
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    script: &(impl Fn(&RecordedRequest, usize) -> FakeReaction + Sync),
    log: &Mutex<Vec<RecordedRequest>>,
) {
    while let Some(asked) = read(&mut stream, connection).await {
        let like = |earlier: &&RecordedRequest| earlier.is_for_token() == asked.is_for_token();
        let before = log.lock().unwrap().iter().filter(like).count();
        let said = script(&asked, before);
        log.lock().unwrap().push(asked);
        match said {
            FakeReaction::RawResponse(status, headers, body) => {
                let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
                let given = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
                if !given {
                    head.push_str("Content-Type: application/json; charset=utf-8\r\n");
                }
                for (name, value) in headers {
                    write!(head, "{name}: {value}\r\n").unwrap();
                }
                let body = if status == 204 { "" } else { &body };
                stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.unwrap();
            }
            FakeReaction::Bytes(bytes) => {
                stream.write_all(bytes.as_bytes()).await.unwrap();
                return;
            }
            FakeReaction::Nothing => {}
        }
    }
}

async fn read(stream: &mut TcpStream, connection: usize) -> Option<RecordedRequest> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ').map(str::to_owned);
    let (method, path) = (first.next().unwrap(), first.next().unwrap());
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < head_end + 4 + length {
        stream.read_buf(&mut bytes).await.ok()?;
    }
    let body = String::from_utf8(bytes[head_end + 4..].to_vec()).unwrap();
    Some(RecordedRequest { method, path, headers, body, connection })
}
