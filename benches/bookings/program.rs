//! The running program, and how it is asked.

use std::net::SocketAddr;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::bench_setup::KEY;
use crate::connection::HttpConnection;
use crate::usage::Usage;

/// The pause between two looks whether the service is ready.
const READY_POLL: Duration = Duration::from_millis(2);
/// How many digits a booking's number has.
const DIGITS: usize = 12;

/// The program in a process of its own. Dropped, it is killed.
pub struct Program {
    child: Child,
    /// The address of its public port.
    pub address: SocketAddr,
    /// The address of its operators' port.
    pub admin: SocketAddr,
    /// From its start until `/readyz` answered 200.
    pub ready_after: Duration,
    /// The highest number of a booking, of this replica or of another one that shares it.
    numbers: Arc<AtomicU64>,
    sent: AtomicU64,
}

impl Program {
    /// Waits until the process says that it is ready.
    pub fn ready(
        child: Child,
        address: SocketAddr,
        admin: SocketAddr,
        began: Instant,
        limit: Duration,
    ) -> anyhow::Result<Self> {
        let (ready_after, sent) = (Duration::ZERO, AtomicU64::new(0));
        let mut service = Self { child, address, admin, ready_after, numbers: Arc::default(), sent };
        let probe = format!("GET /readyz HTTP/1.1\r\nHost: {admin}\r\n\r\n");
        loop {
            let answer =
                HttpConnection::to(admin).and_then(|mut state| Ok(state.exchange(probe.as_bytes())?.status));
            if answer.is_ok_and(|status| status == 200) {
                service.ready_after = began.elapsed();
                return Ok(service);
            }
            if let Some(status) = service.child.try_wait()? {
                bail!("the service ended before it was ready: {status}");
            }
            ensure!(began.elapsed() < limit, "the service is not ready after {} s", limit.as_secs());
            std::thread::sleep(READY_POLL);
        }
    }

    /// Numbers its bookings together with another replica on the same database.
    pub fn numbered_with(mut self, other: &Self) -> Self {
        self.numbers = Arc::clone(&other.numbers);
        self
    }

    /// Numbers its bookings from the one after this.
    pub fn numbered_after(mut self, number: u64) -> Self {
        self.numbers = Arc::new(AtomicU64::new(number));
        self
    }

    /// A number that no booking has yet.
    pub fn next_number(&self) -> u64 {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many bookings were sent to it, which is the highest number of one where no other replica shares the numbers;
    /// all are booked when no load is under way.
    pub fn booked(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// The value of a metric without labels, on the operators' port.
    pub fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {}\r\n\r\n", self.admin);
        let mut state = HttpConnection::to(self.admin)?;
        let text = String::from_utf8_lossy(state.exchange(request.as_bytes())?.body).into_owned();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(value.with_context(|| format!("no metric {name}"))?.parse()?)
    }

    /// What it uses.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.child.id())
    }

    /// Asks it to end, and waits for that.
    pub fn end(mut self) -> anyhow::Result<()> {
        ensure!(Command::new("kill").arg(self.child.id().to_string()).status()?.success(), "kill failed");
        let status = self.child.wait()?;
        ensure!(status.success(), "the service ended with {status}");
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A process that has ended can't be killed, which is fine.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// `POST /v1/bookings`, written once; only the booking's number changes.
pub struct Request {
    bytes: Vec<u8>,
    digits: usize,
}

impl Request {
    /// A booking of an ordinary size.
    pub fn to(address: SocketAddr) -> Self {
        Self::preferring(address, None)
    }

    /// The same with the header `Prefer`.
    pub fn preferring(address: SocketAddr, prefer: Option<&str>) -> Self {
        Self::for_organizer(address, "3f1c9a52-6b0e-4c8e-9a7d-2d1e5b7c4a10", prefer)
    }

    /// The same for an organizer.
    pub fn for_organizer(address: SocketAddr, organizer: &str, prefer: Option<&str>) -> Self {
        Self::of(address, KEY, organizer, prefer)
    }

    /// The same of the source system with this key.
    pub fn of(address: SocketAddr, key: &str, organizer: &str, prefer: Option<&str>) -> Self {
        let prefer = prefer.map(|prefer| format!("Prefer: {prefer}\r\n")).unwrap_or_default();
        let body = format!(
            r#"{{"bookingId":"B-{:0DIGITS$}","organizer":"{organizer}","subject":"Consultation, room 4.12","startDateTime":"2026-12-01T09:00:00+01:00","endDateTime":"2026-12-01T09:30:00+01:00","attendees":[{{"userId":"1f35f2e6-9cab-44ad-8d5a-b74c14720000","upn":"test1@contoso.com","role":"attendee"}},{{"upn":"test2@contoso.com"}}],"metadata":{{"room":"4.12"}}}}"#,
            0
        );
        let head = format!(
            "POST /v1/bookings HTTP/1.1\r\nHost: {address}\r\n{prefer}Authorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let digits = head.len() + r#"{"bookingId":"B-"#.len();
        Self { bytes: [head.into_bytes(), body.into_bytes()].concat(), digits }
    }

    /// Names the booking.
    pub fn name(&mut self, mut number: u64) {
        for place in (self.digits..self.digits + DIGITS).rev() {
            self.bytes[place] = b'0' + u8::try_from(number % 10).unwrap_or_default();
            number /= 10;
        }
    }

    /// The booking's id with this number.
    pub fn booking_id(number: u64) -> String {
        format!("B-{number:0DIGITS$}")
    }

    /// The whole request.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
