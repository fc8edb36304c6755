//! What one organizer gets done while Graph throttles another: new bookings of the one, with and without bookings of the
//! other that Graph answers with 429 and a `Retry-After` each time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::ensure;

use crate::bench_setup::BenchSetup;
use crate::connection::HttpConnection;
use crate::load::{self, Kind};
use crate::program::{Program, Request};
use crate::waiting::median;

/// The organizer whom Graph throttles.
const THROTTLED: &str = "4f1c9a52-6b0e-4c8e-9a7d-2d1e5b7c4a10";
/// Between two bookings for that organizer: many for a person, few for this machine.
const PAUSE: Duration = Duration::from_millis(20);
/// Connections that send bookings for the other one.
const CONNECTIONS: u16 = 16;

/// Measures and prints it.
#[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
pub fn measure(setup: &BenchSetup, seconds: u64, rounds: u32) -> anyhow::Result<()> {
    let service = setup.start_service()?;
    let calls = setup.throttle(THROTTLED);
    load::run(&service, Kind::New, CONNECTIONS, seconds)?;
    let (mut alone, mut beside, mut ratios, mut sent) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for round in 0..rounds {
        let run_alone = || load::run(&service, Kind::New, CONNECTIONS, seconds).map(|load| load.per_second());
        let run_beside = || {
            let over = AtomicBool::new(false);
            std::thread::scope(|scope| {
                let other = scope.spawn(|| send_throttled(&service, &over));
                let load = load::run(&service, Kind::New, CONNECTIONS, seconds);
                over.store(true, Ordering::Release);
                let other = other.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked")))?;
                anyhow::Ok((load?.per_second(), other))
            })
        };
        // In turns, for other programs disturb both, and each as often first, for the database grows.
        let (one, (other, throttled)) = if round % 2 == 0 {
            let one = run_alone()?;
            (one, run_beside()?)
        } else {
            let other = run_beside()?;
            (run_alone()?, other)
        };
        sent += throttled;
        alone.push(one);
        beside.push(other);
        ratios.push(other / one);
    }
    println!(
        "| new bookings of one organizer, {CONNECTIONS} connections, medians of {rounds} rounds | a second |"
    );
    println!("| --- | --: |");
    println!("| alone | {:.0} |", median(&mut alone));
    println!("| while another organizer is throttled | {:.0} |", median(&mut beside));
    println!("| ratio | {:.3} |", median(&mut ratios));
    println!();
    println!(
        "{sent} bookings for the throttled organizer were accepted, for which Graph was asked {} times.",
        calls()
    );
    // What waits for the throttled organizer is due for ever here, and is given back.
    drop(service);
    Ok(())
}

/// Sends bookings for the throttled organizer until it is over; says how many. Each is accepted, and waits.
fn send_throttled(service: &Program, over: &AtomicBool) -> anyhow::Result<u64> {
    let mut connection = HttpConnection::to(service.address)?;
    let mut request = Request::for_organizer(service.address, THROTTLED, Some("respond-async"));
    let mut sent = 0;
    while !over.load(Ordering::Acquire) {
        request.name(1_000_000_000 + service.next_number());
        let answer = connection.exchange(request.bytes())?;
        ensure!(answer.status == 202, "answered {}", answer.status);
        sent += 1;
        std::thread::sleep(PAUSE);
    }
    Ok(sent)
}
