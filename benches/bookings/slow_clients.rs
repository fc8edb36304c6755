//! What a neighbour notices of slow clients: replays alone, and beside clients that send half a head, drip a body, or don't read
//! their answers.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::bench_setup::BenchSetup;
use crate::load::{self, Kind};
use crate::program::{Program, Request};

/// Connections of the neighbour.
const CONNECTIONS: u16 = 16;
/// Between two bytes of a slow client.
const DRIP: Duration = Duration::from_millis(500);
/// Requests of a client that reads none of their answers: more than the buffers of both systems hold.
const UNREAD: usize = 200;

/// A way of being slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slowness {
    Head,
    Body,
    Reader,
}

impl Slowness {
    const ALL: [Self; 3] = [Self::Head, Self::Body, Self::Reader];

    fn as_str(self) -> &'static str {
        match self {
            Self::Head => "beside half heads",
            Self::Body => "beside slow bodies",
            Self::Reader => "beside readers who don't read",
        }
    }

    /// What such a client sends first, and then byte by byte.
    fn sends(self, address: SocketAddr) -> (Vec<u8>, &'static [u8]) {
        match self {
            Self::Head => (b"GET /v1/me HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_vec(), b"x"),
            Self::Body => {
                let mut request = Request::to(address);
                request.name(0);
                let whole = request.bytes();
                let end = whole.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |head| head + 4);
                (whole[..end].to_vec(), b" ")
            }
            Self::Reader => (b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(UNREAD), b""),
        }
    }
}

/// Measures and prints it, beside so many slow clients of each kind.
#[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
pub fn measure(setup: &BenchSetup, clients: usize, seconds: u64) -> anyhow::Result<()> {
    let service = setup.start_service()?;
    load::run(&service, Kind::New, CONNECTIONS, seconds)?;
    println!("| replays over {CONNECTIONS} connections | a second | p50 ms | p99 ms | memory |");
    println!("| --- | --: | --: | --: | --- |");
    let print = |what: &str, load: &load::LoadResult| -> anyhow::Result<()> {
        let (p50, p99) = (load.milliseconds_at(0.5), load.milliseconds_at(0.99));
        let memory = service.usage()?.memory;
        println!("| {what} | {:.0} | {p50:.2} | {p99:.2} | {memory} |", load.per_second());
        Ok(())
    };
    print("alone", &load::run(&service, Kind::Replay, CONNECTIONS, seconds)?)?;
    for slowness in Slowness::ALL {
        let over = AtomicBool::new(false);
        let load = std::thread::scope(|scope| {
            scope.spawn(|| be_slow(&service, slowness, clients, &over));
            // Until they are there, and have had time to be cut off and to come again.
            std::thread::sleep(Duration::from_secs(2));
            let load = load::run(&service, Kind::Replay, CONNECTIONS, seconds);
            over.store(true, Ordering::Release);
            load
        })?;
        print(slowness.as_str(), &load)?;
    }
    for reason in ["slow-head", "slow-reader", "displaced"] {
        let name =
            format!("meeting_provisioner_connections_closed_total{{port=\"public\",reason=\"{reason}\"}}");
        println!("Closed as {reason}: {:.0}", service.metric(&name).unwrap_or(0.0));
    }
    service.end()
}

/// So many slow clients, until it is over; each that was cut off comes again.
fn be_slow(service: &Program, slowness: Slowness, clients: usize, over: &AtomicBool) {
    let (first, drop) = slowness.sends(service.address);
    let mut held: Vec<Option<TcpStream>> = (0..clients).map(|_| None).collect();
    while !over.load(Ordering::Acquire) {
        for client in &mut held {
            let is_alive = client.as_mut().is_some_and(|stream| {
                // A reader who doesn't read notices nothing until it writes.
                stream.write_all(if drop.is_empty() { b"GET" } else { drop }).is_ok() || is_full(stream)
            });
            if !is_alive {
                *client = TcpStream::connect(service.address).ok();
                if let Some(stream) = client {
                    let _short = stream.set_write_timeout(Some(Duration::from_millis(1)));
                    let _as_much_as_fits = stream.write_all(&first);
                }
            }
        }
        std::thread::sleep(DRIP);
    }
}

/// Whether the other side takes no more for now, and has not closed.
fn is_full(stream: &TcpStream) -> bool {
    stream.take_error().is_ok_and(|error| error.is_none()) && stream.peer_addr().is_ok()
}
