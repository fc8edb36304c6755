//! What a source system gets done beside another one whose bookings always fail: rates and latencies of its new bookings, with
//! and without that neighbour.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::ensure;
use meeting_provisioner::msgraph_simulator::Effect;

use crate::bench_setup::{BenchSetup, POISONED_KEY};
use crate::connection::HttpConnection;
use crate::load::{self, Kind};
use crate::program::{Program, Request};
use crate::waiting::median;

/// Between two bookings that fail.
const PAUSE: Duration = Duration::from_millis(20);
/// Connections of the neighbour.
const CONNECTIONS: u16 = 16;
/// For so many organizers each way of failing is tried.
const ORGANIZERS_EACH: usize = 2;

/// What Graph does to all calls for an organizer.
fn poisons() -> [Effect; 6] {
    let wait = || Some("60".to_owned());
    [
        Effect::FailedBeforeWork { status: 500, retry_after: None },
        Effect::FailedBeforeWork { status: 503, retry_after: wait() },
        Effect::ThrottledBeforeWork { retry_after: wait() },
        Effect::ConnectionReset,
        Effect::SlowBeforeWork { milliseconds: 10_000 },
        Effect::NotFound,
    ]
}

/// Medians are taken of these.
#[derive(Default)]
struct Measured {
    per_second: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Measured {
    fn note(&mut self, load: &load::LoadResult) {
        self.per_second.push(load.per_second());
        self.p50.push(load.milliseconds_at(0.5));
        self.p99.push(load.milliseconds_at(0.99));
    }

    #[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
    fn print(&mut self, what: &str) {
        let (rate, p50, p99) = (median(&mut self.per_second), median(&mut self.p50), median(&mut self.p99));
        println!("| {what} | {rate:.0} | {p50:.2} | {p99:.2} |");
    }
}

/// Measures and prints it.
#[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
pub fn measure(setup: &BenchSetup, seconds: u64, rounds: u32) -> anyhow::Result<()> {
    let service = setup.start_service()?;
    let mut organizers = Vec::new();
    for (number, effect) in poisons().into_iter().cycle().take(poisons().len() * ORGANIZERS_EACH).enumerate()
    {
        let organizer = format!("{number:08x}-6b0e-4c8e-9a7d-2d1e5b7c4a10");
        setup.poison(&organizer, effect);
        organizers.push(organizer);
    }
    load::run(&service, Kind::New, CONNECTIONS, seconds)?;
    let (mut alone, mut beside, mut sent) = (Measured::default(), Measured::default(), 0);
    for round in 0..rounds {
        for is_beside in [round % 2 != 0, round % 2 == 0] {
            if is_beside {
                let (load, poisoned) = run_beside(&service, &organizers, seconds)?;
                beside.note(&load);
                sent += poisoned;
            } else {
                alone.note(&load::run(&service, Kind::New, CONNECTIONS, seconds)?);
            }
        }
    }
    println!(
        "| new bookings of the neighbour, {CONNECTIONS} connections, medians of {rounds} rounds | a second | p50 ms | p99 ms |"
    );
    println!("| --- | --: | --: | --: |");
    alone.print("beside none");
    beside.print("beside a poisoned source system");
    println!();
    println!("{sent} bookings of the poisoned source system were accepted.");
    // What fails is due for ever here, and is given back.
    drop(service);
    Ok(())
}

fn run_beside(
    service: &Program,
    organizers: &[String],
    seconds: u64,
) -> anyhow::Result<(load::LoadResult, u64)> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let poisoned = scope.spawn(|| send_poisoned(service, organizers, &over));
        let load = load::run(service, Kind::New, CONNECTIONS, seconds);
        over.store(true, Ordering::Release);
        let poisoned = poisoned.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked")))?;
        Ok((load?, poisoned))
    })
}

/// Sends bookings that fail until it is over; says how many. Each is accepted.
fn send_poisoned(service: &Program, organizers: &[String], over: &AtomicBool) -> anyhow::Result<u64> {
    let mut connection = HttpConnection::to(service.address)?;
    let of =
        |organizer: &String| Request::of(service.address, POISONED_KEY, organizer, Some("respond-async"));
    let mut requests: Vec<_> = organizers.iter().map(of).collect();
    let mut sent = 0;
    for place in (0..requests.len()).cycle() {
        if over.load(Ordering::Acquire) {
            break;
        }
        let request = &mut requests[place];
        request.name(2_000_000_000 + service.next_number());
        let answer = connection.exchange(request.bytes())?;
        ensure!(answer.status == 202, "answered {}", answer.status);
        sent += 1;
        std::thread::sleep(PAUSE);
    }
    Ok(sent)
}
