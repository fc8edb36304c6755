//! Stands between the service and Postgres and breaks connections at the point that a test names: before a
//! statement is sent on, or after the server has committed it and before its answer is handed back.
//!
//! It reads the messages of PostgreSQL's protocol 3.0 ("Message Formats") as far as it must. A statement is recognised
//! by a text of its own when it is prepared, and by its name when it is run.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

use super::statement::Statement;

/// What a client may send before its startup message: a request for TLS, or for GSSAPI encryption.
const ENCRYPTION_REQUESTS: [u32; 2] = [80_877_103, 80_877_104];

/// Where a connection is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CutPoint {
    /// Before the statement reaches the server, which never runs it.
    BeforeRun,
    /// After the server has run and committed it; its answer is lost.
    AfterCommit,
}

/// A proxy in front of one database. Dropped, it breaks all its connections and takes no more.
#[derive(Debug)]
pub struct PostgresProxy {
    url: String,
    state: Arc<ProxyState>,
    _stop: DropGuard,
}

#[derive(Debug)]
struct ProxyState {
    server: SocketAddr,
    /// Cuts to be made, oldest first; without a point the statement passes.
    planned_cuts: Mutex<Vec<(Statement, Option<CutPoint>)>>,
    /// The statements that were about to be run so far.
    run: watch::Sender<Vec<Statement>>,
    done: watch::Sender<Vec<(Statement, CutPoint)>>,
    /// Breaks what is connected now; replaced by a fresh one each time.
    connected: Mutex<CancellationToken>,
    away: watch::Sender<bool>,
    frozen: watch::Sender<bool>,
    /// Nothing passes on connections with lower numbers, and nothing breaks.
    silent_below: watch::Sender<u64>,
    accepted: AtomicU64,
    stop: CancellationToken,
}

impl PostgresProxy {
    /// Stands in front of the server of this URL, on a free port of this machine.
    pub async fn in_front_of(url: &str) -> Self {
        let mut url = Url::parse(url).unwrap();
        let server = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(5432));
        let server = tokio::net::lookup_host(server).await.unwrap().next().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        url.query_pairs_mut().append_pair("sslmode", "disable");
        let stop = CancellationToken::new();
        let state = Arc::new(ProxyState {
            server,
            planned_cuts: Mutex::default(),
            run: watch::Sender::default(),
            done: watch::Sender::default(),
            connected: Mutex::new(stop.child_token()),
            away: watch::Sender::new(false),
            frozen: watch::Sender::new(false),
            silent_below: watch::Sender::new(0),
            accepted: AtomicU64::new(0),
            stop: stop.clone(),
        });
        tokio::spawn(Arc::clone(&state).accept(listener));
        Self { url: url.into(), state, _stop: stop.drop_guard() }
    }

    /// The same database, through the proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Breaks the next connection on which this statement is about to be run.
    pub fn cut_before(&self, statement: Statement) {
        self.cut(statement, CutPoint::BeforeRun);
    }

    /// Breaks the next connection on which this statement has been committed, before its answer is handed back. One that
    /// fails is handed back and doesn't count.
    pub fn cut_after_commit(&self, statement: Statement) {
        self.cut(statement, CutPoint::AfterCommit);
    }

    /// The same with the point as a value; several may be planned at once, also of one statement.
    pub fn cut(&self, statement: Statement, point: CutPoint) {
        lock(&self.state.planned_cuts).push((statement, Some(point)));
    }

    /// Lets this statement pass as often, before what is planned of it from now on.
    pub fn let_pass(&self, statement: Statement, times: usize) {
        lock(&self.state.planned_cuts).extend(std::iter::repeat_n((statement, None), times));
    }

    /// The statements that were about to be run so far, whatever became of them.
    pub fn run(&self) -> Vec<Statement> {
        self.state.run.borrow().clone()
    }

    /// Waits until this statement was about to be run.
    pub async fn until_run(&self, statement: Statement, about: &str) {
        let mut run = self.state.run.subscribe();
        let waited =
            tokio::time::timeout(Duration::from_secs(30), run.wait_for(|run| run.contains(&statement)));
        drop(waited.await.unwrap_or_else(|_| panic!("{about}: {statement:?} is never run")).unwrap());
    }

    /// The cuts that were made so far.
    pub fn cuts(&self) -> Vec<(Statement, CutPoint)> {
        self.state.done.borrow().clone()
    }

    /// Waits until so many cuts were made.
    pub async fn until_cuts(&self, count: usize, about: &str) {
        let mut done = self.state.done.subscribe();
        let waited = tokio::time::timeout(Duration::from_secs(30), done.wait_for(|done| done.len() >= count));
        drop(waited.await.unwrap_or_else(|_| panic!("{about}: no {count} cuts: {:?}", self.cuts())).unwrap());
    }

    /// Breaks every connection now; new ones are welcome.
    pub fn cut_all(&self) {
        self.state.cut_all();
    }

    /// From now on Postgres is away: connections break, and new ones are not taken.
    pub fn go_away(&self) {
        self.state.away.send_replace(true);
        self.cut_all();
    }

    /// Goes away as soon as the next planned cut was made, so that nothing comes between the two.
    pub fn go_away_after_cut(&self) {
        let made = self.cuts().len();
        let (state, mut done) = (Arc::clone(&self.state), self.state.done.subscribe());
        tokio::spawn(async move {
            if done.wait_for(|done| done.len() > made).await.is_ok() {
                state.away.send_replace(true);
                state.cut_all();
            }
        });
    }

    /// Postgres is there again.
    pub fn come_back(&self) {
        self.state.away.send_replace(false);
    }

    /// From now on nothing passes and nothing breaks, as if the host had vanished.
    pub fn freeze(&self) {
        self.state.frozen.send_replace(true);
    }

    /// From now on nothing passes on the connections that are open, as if a balancer had forgotten them; new ones are welcome.
    pub fn forget_connections(&self) {
        self.state.silent_below.send_replace(self.state.accepted.load(Ordering::Acquire));
    }

    /// Everything passes again, what was held back first.
    pub fn thaw(&self) {
        self.state.frozen.send_replace(false);
    }
}

impl ProxyState {
    fn cut_all(&self) {
        std::mem::replace(&mut *lock(&self.connected), self.stop.child_token()).cancel();
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            let client = tokio::select! {
                () = self.stop.cancelled() => return,
                client = listener.accept() => client.unwrap().0,
            };
            if *self.away.borrow() {
                continue;
            }
            let connection = lock(&self.connected).child_token();
            let state = Arc::clone(&self);
            tokio::spawn(async move {
                // However it ends, both sides are closed with the futures that own them.
                tokio::select! {
                    () = connection.cancelled() => {}
                    _ended = state.connect(client, connection.clone()) => {}
                }
            });
        }
    }

    async fn connect(&self, mut client: TcpStream, connection: CancellationToken) -> std::io::Result<()> {
        let mut server = TcpStream::connect(self.server).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let startup = loop {
            let message = read_untyped(&mut client).await?;
            let code = u32::from_be_bytes(message[4..8].try_into().unwrap());
            if !ENCRYPTION_REQUESTS.contains(&code) {
                break message;
            }
            client.write_all(b"N").await?;
        };
        server.write_all(&startup).await?;
        let number = self.accepted.fetch_add(1, Ordering::AcqRel);
        let progress = ConnectionProgress { number, expected: 1, ..ConnectionProgress::default() };
        let progress = Mutex::new(progress);
        let (mut client_reads, mut client_writes) = client.split();
        let (mut server_reads, mut server_writes) = server.split();
        tokio::select! {
            ended = self.forth(&mut client_reads, &mut server_writes, &progress, &connection) => ended,
            ended = self.back(&mut server_reads, &mut client_writes, &progress, &connection) => ended,
        }
    }

    async fn forth(
        &self,
        client: &mut (impl AsyncRead + Unpin),
        server: &mut (impl AsyncWrite + Unpin),
        progress: &Mutex<ConnectionProgress>,
        connection: &CancellationToken,
    ) -> std::io::Result<()> {
        let mut prepared: HashMap<Vec<u8>, Option<Statement>> = HashMap::new();
        loop {
            let message = read_typed(client).await?;
            let body = &message[5..];
            match message[0] {
                b'P' => {
                    let (name, rest) = text(body);
                    let query = String::from_utf8_lossy(text(rest).0).into_owned();
                    prepared.insert(name.to_vec(), Statement::recognise(&query));
                }
                b'B' => {
                    let (_portal, rest) = text(body);
                    if let Some(statement) = prepared.get(text(rest).0).copied().flatten() {
                        self.run.send_modify(|run| run.push(statement));
                        match self.take_planned(statement) {
                            Some(CutPoint::BeforeRun) => {
                                connection.cancel();
                                self.note(statement, CutPoint::BeforeRun);
                                return Ok(());
                            }
                            Some(CutPoint::AfterCommit) => lock(progress).cut(statement),
                            None => {}
                        }
                    }
                }
                // Each is answered by one `ReadyForQuery`.
                b'S' | b'Q' => lock(progress).expected += 1,
                _ => {}
            }
            self.thawed(progress).await;
            server.write_all(&message).await?;
        }
    }

    async fn back(
        &self,
        server: &mut (impl AsyncRead + Unpin),
        client: &mut (impl AsyncWrite + Unpin),
        progress: &Mutex<ConnectionProgress>,
        connection: &CancellationToken,
    ) -> std::io::Result<()> {
        let mut held_back = Vec::new();
        loop {
            let message = read_typed(server).await?;
            let (is_ready, failed) = (message[0] == b'Z', message[0] == b'E');
            held_back.extend(message);
            let committed = {
                let mut progress = lock(progress);
                progress.seen += u32::from(is_ready);
                match progress.cut {
                    Some((statement, at)) if progress.seen + 1 >= at && failed => {
                        progress.cut = None;
                        lock(&self.planned_cuts).insert(0, (statement, Some(CutPoint::AfterCommit)));
                        None
                    }
                    Some((statement, at)) if progress.seen >= at => Some(statement),
                    // What comes from now on is the answer that is to be lost.
                    Some((_, at)) if progress.seen + 1 >= at && !is_ready => continue,
                    _ => None,
                }
            };
            if let Some(statement) = committed {
                connection.cancel();
                self.note(statement, CutPoint::AfterCommit);
                return Ok(());
            }
            self.thawed(progress).await;
            client.write_all(&held_back).await?;
            held_back.clear();
        }
    }

    async fn thawed(&self, progress: &Mutex<ConnectionProgress>) {
        let number = lock(progress).number;
        drop(self.silent_below.subscribe().wait_for(|below| *below <= number).await);
        drop(self.frozen.subscribe().wait_for(|frozen| !frozen).await);
    }

    fn take_planned(&self, statement: Statement) -> Option<CutPoint> {
        let mut planned_cuts = lock(&self.planned_cuts);
        let place = planned_cuts.iter().position(|(planned, _)| *planned == statement)?;
        planned_cuts.remove(place).1
    }

    fn note(&self, statement: Statement, point: CutPoint) {
        self.done.send_modify(|done| done.push((statement, point)));
    }
}

/// How far one connection is: how many `ReadyForQuery` were asked for and how many came.
#[derive(Debug, Default)]
struct ConnectionProgress {
    /// How many connections were accepted before.
    number: u64,
    expected: u32,
    seen: u32,
    /// The statement whose answer is to be lost, and the number of the `ReadyForQuery` that ends it.
    cut: Option<(Statement, u32)>,
}

impl ConnectionProgress {
    fn cut(&mut self, statement: Statement) {
        self.cut = Some((statement, self.expected + 1));
    }
}

/// A message without a type: its length, which counts itself, and the rest.
async fn read_untyped(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let length = stream.read_u32().await?;
    let mut message = length.to_be_bytes().to_vec();
    message.resize(length as usize, 0);
    stream.read_exact(&mut message[4..]).await?;
    Ok(message)
}

async fn read_typed(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let kind = stream.read_u8().await?;
    let mut message = vec![kind];
    message.extend(read_untyped(stream).await?);
    Ok(message)
}

/// A text that ends with a zero byte, and what comes after it.
fn text(body: &[u8]) -> (&[u8], &[u8]) {
    let end = body.iter().position(|byte| *byte == 0).unwrap_or(body.len());
    (&body[..end], &body[(end + 1).min(body.len())..])
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}
