//! Requests that wait for what another replica works on: how long after the one that does the work is answered they
//! are, and what it costs new bookings that replicas listen to each other.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

use crate::bench_setup::BenchSetup;
use crate::connection::HttpConnection;
use crate::load::{self, Kind};
use crate::program::{Program, Request};

/// How long Graph takes for a meeting: enough for a second request to arrive meanwhile.
const GRAPH_MILLISECONDS: u64 = 400;
/// How much later the second request is sent.
const LATER: Duration = Duration::from_millis(50);
/// How many bookings each pair of connections sends.
const BOOKINGS: u32 = 50;
/// Pairs of connections at once.
const PAIRS: [u32; 2] = [1, 16];
/// Connections that send new bookings.
const CONNECTIONS: u16 = 16;
/// The longest that two replicas may take until they hear each other.
const LISTENING_LIMIT: Duration = Duration::from_secs(10);

/// Measures and prints both.
#[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
pub fn measure(setup: &BenchSetup, seconds: u64, rounds: u32) -> anyhow::Result<()> {
    let listening = setup.start_service()?;
    let other = setup.start_service()?;
    let polling = setup.start_service_with(&[("DATABASE__LISTEN", "false")])?.numbered_with(&listening);
    let polling_other = setup.start_service_with(&[("DATABASE__LISTEN", "false")])?;
    until_listening(&listening)?;
    until_listening(&other)?;

    println!("| a request waits at another replica | pairs at once | p50 ms | p99 ms | most ms |");
    println!("| --- | --: | --: | --: | --: |");
    setup.slow_down_graph(GRAPH_MILLISECONDS);
    for (name, first, second) in [("notified", &listening, &other), ("polling", &polling, &polling_other)] {
        for pairs in PAIRS {
            let delays = delays(first, second, pairs)?;
            let at = |part: usize| delays[(delays.len() - 1) * part / 1_000];
            println!("| {name} | {pairs} | {:.1} | {:.1} | {:.1} |", at(500), at(990), at(1_000));
        }
    }
    setup.speed_up_graph();

    compare(&listening, &polling, seconds, rounds)?;
    println!("{}", setup.check_one_meeting_per_booking(listening.booked() + polling.booked())?);
    for service in [listening, other, polling, polling_other] {
        service.end()?;
    }
    Ok(())
}

/// New bookings where replicas listen, and where they don't: in turns, for other programs disturb both, and each as often
/// first, for the database grows.
#[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
fn compare(listening: &Program, polling: &Program, seconds: u64, rounds: u32) -> anyhow::Result<()> {
    let run = |service: &Program| -> anyhow::Result<(f64, f64)> {
        let before = service.usage()?;
        let load = load::run(service, Kind::New, CONNECTIONS, seconds)?;
        let usage = service.usage()?.since(&before);
        Ok((load.per_second(), usage.service_microseconds / load.answers()))
    };
    for service in [listening, polling] {
        run(service)?;
    }
    let (mut with, mut without, mut ratios) =
        ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()), Vec::new());
    for round in 0..rounds {
        let (one, other) = if round % 2 == 0 {
            let one = run(listening)?;
            (one, run(polling)?)
        } else {
            let other = run(polling)?;
            (run(listening)?, other)
        };
        with.0.push(one.0);
        with.1.push(one.1);
        without.0.push(other.0);
        without.1.push(other.1);
        ratios.push(one.0 / other.0);
    }
    println!();
    println!(
        "| new bookings, {CONNECTIONS} connections, medians of {rounds} rounds | a second | service CPU µs |"
    );
    println!("| --- | --: | --: |");
    println!("| replicas listen | {:.0} | {:.0} |", median(&mut with.0), median(&mut with.1));
    println!("| they don't | {:.0} | {:.0} |", median(&mut without.0), median(&mut without.1));
    let cpu = median(&mut with.1) / median(&mut without.1);
    println!("| ratio | {:.3} | {cpu:.3} |", median(&mut ratios));
    println!();
    let (low, high) = (quartile(&ratios, 1), quartile(&ratios, 3));
    println!("Ratios of the rates within each round: half of them lie between {low:.3} and {high:.3}.");
    println!();
    Ok(())
}

/// How much later than the request that does the work the one that waits is answered, in milliseconds, least first; it
/// may be earlier.
fn delays(first: &Program, second: &Program, pairs: u32) -> anyhow::Result<Vec<f64>> {
    let pair = || -> anyhow::Result<Vec<f64>> {
        let mut working = HttpConnection::to(first.address)?;
        let mut waiting = HttpConnection::to(second.address)?;
        let mut delays = Vec::new();
        for _ in 0..BOOKINGS {
            let number = first.next_number();
            let send = |connection: &mut HttpConnection, program: &Program| {
                let mut request = Request::to(program.address);
                request.name(number);
                let status = connection.exchange(request.bytes())?.status;
                anyhow::Ok((status, Instant::now()))
            };
            let answers = std::thread::scope(|scope| {
                let later = scope.spawn(|| {
                    std::thread::sleep(LATER);
                    send(&mut waiting, second)
                });
                let settled = send(&mut working, first)?;
                let notified = later.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked")))?;
                anyhow::Ok((settled, notified))
            })?;
            // On a busy machine the later one may be the first to arrive.
            let (settled, notified) = match answers {
                ((201, settled), (200, notified)) | ((200, notified), (201, settled)) => (settled, notified),
                ((one, _), (other, _)) => bail!("answered {one} and {other}"),
            };
            let later = notified.saturating_duration_since(settled).as_secs_f64();
            delays.push((later - settled.saturating_duration_since(notified).as_secs_f64()) * 1_000.0);
        }
        Ok(delays)
    };
    let parts = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..pairs).map(|_| scope.spawn(pair)).collect();
        let joined = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked"))));
        joined.collect::<anyhow::Result<Vec<_>>>()
    })?;
    let mut delays: Vec<f64> = parts.into_iter().flatten().collect();
    delays.sort_unstable_by(f64::total_cmp);
    Ok(delays)
}

/// Waits until a replica listens for notifications.
fn until_listening(service: &Program) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        if service.metric("meeting_provisioner_listening")? > 0.5 {
            return Ok(());
        }
        ensure!(began.elapsed() < LISTENING_LIMIT, "a replica does not listen");
    }
}

pub fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    quartile(values, 2)
}

/// Of sorted values.
fn quartile(sorted: &[f64], number: usize) -> f64 {
    sorted.get(sorted.len() * number / 4).copied().unwrap_or_default()
}
