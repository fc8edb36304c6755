//! Stands between a caller and the service, and does to one request after another what a test names.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What is done with one request.
#[derive(Debug, Clone)]
pub enum Turn {
    /// It is passed on, and its answer is handed back.
    PassOn,
    /// It is passed on, and of its answer only so many bytes are handed back.
    CutAnswer(usize),
    /// The connection is closed, and nothing is passed on.
    Cut,
    /// This is answered, byte for byte, and nothing is passed on.
    Answer(String),
}

/// A proxy for callers that open a connection for each request. Once all turns are taken, it passes everything on.
pub struct FaultyProxy {
    address: SocketAddr,
    turns: Arc<Mutex<VecDeque<Turn>>>,
    _stop: DropGuard,
}

impl FaultyProxy {
    /// Stands in front of the service of this base URL, on a free port of this machine.
    pub async fn in_front_of(base: &str) -> Self {
        let service: SocketAddr = base.trim_start_matches("http://").parse().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (turns, stop) = (Arc::<Mutex<VecDeque<Turn>>>::default(), CancellationToken::new());
        let (planned, stopped) = (Arc::clone(&turns), stop.clone());
        tokio::spawn(async move {
            loop {
                let caller = tokio::select! {
                    () = stopped.cancelled() => return,
                    caller = listener.accept() => caller.unwrap().0,
                };
                let turn = planned.lock().unwrap().pop_front().unwrap_or(Turn::PassOn);
                take(turn, caller, service).await.unwrap();
            }
        });
        Self { address, turns, _stop: stop.drop_guard() }
    }

    /// Its base URL.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What is done with the next requests.
    pub fn plan(&self, turns: impl IntoIterator<Item = Turn>) {
        self.turns.lock().unwrap().extend(turns);
    }

    /// How many turns were not taken.
    pub fn turns_left(&self) -> usize {
        self.turns.lock().unwrap().len()
    }
}

async fn take(turn: Turn, mut caller: TcpStream, service: SocketAddr) -> std::io::Result<()> {
    let request = read_request(&mut caller).await?;
    let answer = match turn {
        Turn::Cut => Vec::new(),
        Turn::Answer(answer) => answer.into_bytes(),
        Turn::PassOn => passed_on(&request, service).await?,
        Turn::CutAnswer(length) => {
            let mut answer = passed_on(&request, service).await?;
            assert!(length < answer.len(), "the whole answer has {} bytes", answer.len());
            answer.truncate(length);
            answer
        }
    };
    caller.write_all(&answer).await?;
    caller.shutdown().await
}

/// One request, by its `Content-Length`.
async fn read_request(caller: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some(head) = text.find("\r\n\r\n") {
            let length = text[..head].split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.split("\r\n").next());
            if bytes.len() >= head + 4 + length.map_or(0, |length| length.parse().unwrap()) {
                return Ok(bytes);
            }
        }
        assert_ne!(caller.read_buf(&mut bytes).await?, 0, "the caller hung up within its request");
    }
}

/// The service's answer, which closes its connection after it.
async fn passed_on(request: &[u8], service: SocketAddr) -> std::io::Result<Vec<u8>> {
    let mut connection = TcpStream::connect(service).await?;
    connection.write_all(request).await?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await?;
    Ok(answer)
}
