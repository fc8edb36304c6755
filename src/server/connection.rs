//! One connection: a stream that notes what is read and written, and is closed when its client is too slow.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::progress::{Late, Progress, TimeLimits};
use super::stream::Stream;
use super::waiting_line::{Standing, WaitingLine};
use crate::access::PeerCertificate;
use crate::under_way::Counted;

/// What a client is told that began a head and did not end it. It may read it or not: the connection is closed.
const HEAD_TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\
    x-content-type-options: nosniff\r\nreferrer-policy: no-referrer\r\ncross-origin-resource-policy: same-origin\r\n\r\n";
/// A connection without a deadline looks for one after this time; what happens on it makes it look at once.
const LOOK_AGAIN: Duration = Duration::from_hours(1);

/// Why a connection was closed before its client closed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// The client was too slow.
    Late(Late),
    /// Another client needed the place.
    Displaced,
}

/// A connection, shared by the stream that HTTP is spoken over, its requests and its watch. All are of one thread.
pub(super) struct Connection {
    stream: RefCell<Stream>,
    /// What its client shows, once TLS is agreed on.
    peer: PeerCertificate,
    limits: TimeLimits,
    /// When TLS must be agreed on, where it is spoken: no byte of a request is seen before.
    agree_by: Instant,
    progress: Cell<Progress>,
    /// Whether one of its requests came from an authenticated caller.
    is_callers: Cell<bool>,
    /// Where it stands among those that may be closed for another one's sake.
    standing: Cell<Option<Standing>>,
    line: Rc<WaitingLine>,
    is_displaced: Cell<bool>,
    /// The answers that are complete and not yet written.
    unwritten: RefCell<Vec<Counted>>,
    watch: RefCell<Option<Waker>>,
}

impl Connection {
    /// A connection that was opened now.
    pub(super) fn opened(
        stream: Stream,
        peer: PeerCertificate,
        limits: TimeLimits,
        line: Rc<WaitingLine>,
    ) -> Rc<Self> {
        let now = Instant::now();
        let connection = Rc::new(Self {
            stream: RefCell::new(stream),
            peer,
            limits,
            agree_by: now + limits.read,
            progress: Cell::new(Progress::opened(now)),
            is_callers: Cell::new(false),
            standing: Cell::new(None),
            line,
            is_displaced: Cell::new(false),
            unwritten: RefCell::default(),
            watch: RefCell::default(),
        });
        connection.stand_in_line();
        connection
    }

    /// A request's head is complete. It is answered, and counted by `counted`, until the last byte of its answer is written.
    pub(super) fn request_begun(self: &Rc<Self>) {
        self.advance(Progress::request_begun);
    }

    /// Its answer begins; whether an authenticated caller gets it.
    pub(super) fn answer_begun(self: &Rc<Self>, is_callers: bool) {
        self.is_callers.set(self.is_callers.get() || is_callers);
        self.advance(Progress::answer_begun);
    }

    /// The last byte of its answer is ready to be written.
    pub(super) fn answer_ended(self: &Rc<Self>, counted: Option<Counted>) {
        self.unwritten.borrow_mut().extend(counted);
        self.advance(|progress| progress.answer_ended(Instant::now()));
    }

    /// The certificate that its client has shown.
    pub(super) fn peer(&self) -> PeerCertificate {
        self.peer.clone()
    }

    /// Whether TLS was not agreed on.
    pub(super) fn is_refused(&self) -> bool {
        self.stream.borrow().is_refused()
    }

    /// Closes it, for another client needs its place.
    pub(super) fn displace(&self) {
        self.is_displaced.set(true);
        if let Some(watch) = self.watch.borrow_mut().take() {
            watch.wake();
        }
    }

    /// Speaks HTTP over it until that ends or the client is too slow; why it was closed, if it wasn't by HTTP.
    pub(super) async fn watched<E>(
        self: &Rc<Self>,
        http: impl Future<Output = Result<(), E>>,
    ) -> Result<Option<Closed>, E> {
        let mut http = pin!(http);
        let mut timer = pin!(sleep_until(Instant::now() + LOOK_AGAIN));
        let ended = poll_fn(|context| {
            self.watch.borrow_mut().replace(context.waker().clone());
            if let Poll::Ready(ended) = http.as_mut().poll(context) {
                return Poll::Ready(ended.map(|()| None));
            }
            self.poll_closed(timer.as_mut(), context).map(|closed| Ok(Some(closed)))
        })
        .await;
        self.line.leave(self.standing.take());
        if let Ok(Some(Closed::Late(Late::Head))) = ended {
            self.stream.borrow_mut().write_what_fits(HEAD_TOO_SLOW);
        }
        ended
    }

    fn poll_closed(&self, mut timer: Pin<&mut Sleep>, context: &mut Context<'_>) -> Poll<Closed> {
        loop {
            if self.is_displaced.get() {
                return Poll::Ready(Closed::Displaced);
            }
            let now = Instant::now();
            let at = match self.deadline() {
                Some((at, late)) if at <= now => return Poll::Ready(Closed::Late(late)),
                Some((at, _)) => at,
                None => now + LOOK_AGAIN,
            };
            // Deadlines mostly move away, for which the timer need not be set anew until it has rung.
            if at < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(at);
            }
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn deadline(&self) -> Option<(Instant, Late)> {
        if self.stream.borrow().is_agreeing() {
            return Some((self.agree_by, Late::Head));
        }
        self.progress.get().deadline(&self.limits)
    }

    fn advance(self: &Rc<Self>, step: impl FnOnce(&mut Progress)) {
        let mut progress = self.progress.get();
        step(&mut progress);
        self.progress.set(progress);
        self.stand_in_line();
    }

    /// Takes the place in the line that its progress gives it.
    fn stand_in_line(self: &Rc<Self>) {
        let since = self.progress.get().waiting_since();
        let is_callers = self.is_callers.get();
        if self.standing.get().map(|standing| (standing.is_callers, standing.since))
            != since.map(|since| (is_callers, since))
        {
            self.line.leave(self.standing.take());
            self.standing.set(since.map(|since| self.line.join(is_callers, since, self)));
        }
    }
}

/// The stream that HTTP is spoken over.
pub(super) struct WatchedStream(pub(super) Rc<Connection>);

impl AsyncRead for WatchedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = bytes.filled().len();
        let read = Pin::new(&mut *self.0.stream.borrow_mut()).poll_read(context, bytes);
        if bytes.filled().len() > before {
            self.0.advance(|progress| progress.read(Instant::now()));
        }
        read
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut *self.0.stream.borrow_mut()).poll_write(context, bytes);
        if written.is_pending() {
            self.0.advance(|progress| progress.blocked(Instant::now()));
        }
        written
    }

    /// Asked for when all that was ready is written.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.advance(Progress::written);
        self.0.unwritten.borrow_mut().clear();
        Pin::new(&mut *self.0.stream.borrow_mut()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.stream.borrow_mut()).poll_shutdown(context)
    }
}
