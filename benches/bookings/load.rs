//! The load: one blocking thread for each connection, each sending its next request when the last one is answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::connection::HttpConnection;
use crate::program::{Program, Request};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Bookings that are not known.
    New,
    /// Bookings that are known and provisioned, each of them drawn by chance.
    Replay,
}

impl Kind {
    /// As the table says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new bookings",
            Self::Replay => "replays",
        }
    }

    /// The one right status.
    fn status(self) -> u16 {
        match self {
            Self::New => 201,
            Self::Replay => 200,
        }
    }
}

/// What came of it.
pub struct LoadResult {
    /// How long each answer took, shortest first.
    latencies: Vec<Duration>,
    took: Duration,
}

impl LoadResult {
    /// Right answers a second.
    pub fn per_second(&self) -> f64 {
        self.answers() / self.took.as_secs_f64()
    }

    /// How many answers came; never so many that a float could not count them.
    pub fn answers(&self) -> f64 {
        f64::from(u32::try_from(self.latencies.len()).unwrap_or(u32::MAX))
    }

    /// The latency that this part of the answers kept to.
    pub fn milliseconds_at(&self, part: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a part of a length is a place in it"
        )]
        let place = (self.answers() * part) as usize;
        self.latencies.get(place).map_or(0.0, |latency| latency.as_secs_f64() * 1_000.0)
    }
}

/// Loads the service for so many seconds. Any answer but the right one is an error.
pub fn run(service: &Program, kind: Kind, connections: u16, seconds: u64) -> anyhow::Result<LoadResult> {
    let began = Instant::now();
    let end = began + Duration::from_secs(seconds);
    let known = service.booked();
    let chance = AtomicU64::new(u64::from(connections) * 7 + known);
    let parts = std::thread::scope(|scope| {
        let send = || -> anyhow::Result<Vec<Duration>> {
            let mut connection = HttpConnection::to(service.address)?;
            let mut request = Request::to(service.address);
            let mut state = chance.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
            let mut latencies = Vec::with_capacity(1 << 16);
            while Instant::now() < end {
                let number = match kind {
                    Kind::New => service.next_number(),
                    Kind::Replay => 1 + draw(&mut state) % known,
                };
                request.name(number);
                let sent = Instant::now();
                let answer = connection.exchange(request.bytes())?;
                latencies.push(sent.elapsed());
                if answer.status != kind.status() {
                    bail!("answered {}: {}", answer.status, String::from_utf8_lossy(answer.body));
                }
            }
            Ok(latencies)
        };
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(send)).collect();
        let joined = threads.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread of the load panicked")))
        });
        joined.collect::<anyhow::Result<Vec<_>>>()
    })?;
    let took = began.elapsed();
    let mut latencies: Vec<_> = parts.into_iter().flatten().collect();
    latencies.sort_unstable();
    Ok(LoadResult { latencies, took })
}

/// The next number of a xorshift generator; better ones cost more than the load may.
fn draw(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state >> 8
}
