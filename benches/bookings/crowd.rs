//! A crowd: thousands of requests wait for their meetings, because Graph throttles. What that costs in memory, and what
//! those notice of it who come then.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::bench_setup::BenchSetup;
use crate::connection::HttpConnection;
use crate::load::{self, Kind};
use crate::program::{Program, Request};

/// Files of this process that are no connections of the crowd.
const OTHER_FILES: usize = 300;
/// Requests that are sent before it is looked whether all of them wait: fewer than are answered at once.
const BATCH: usize = 200;
/// Graph says to come back after this time, and the requests wait for longer than that and the tenth that is added.
const THROTTLED_SECONDS: u64 = 80;
const PATIENT: &str = "wait=90";
const WAITING: &str = "meeting_provisioner_http_requests_waiting";
/// The longest that a batch may take to be accepted, and the crowd to be answered.
const LIMIT: Duration = Duration::from_mins(3);
const LOOK: Duration = Duration::from_millis(20);
/// How long the crowd is watched.
const WATCHED: Duration = Duration::from_secs(10);
/// Requests of others meanwhile.
const OTHERS: u32 = 2_000;

/// Measures and prints.
#[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
pub fn measure(setup: &BenchSetup, wanted: usize) -> anyhow::Result<()> {
    let files = open_files_max()?;
    let requests = wanted.min(files.saturating_sub(OTHER_FILES));
    if requests < wanted {
        println!(
            "A process may open {files} files here (ulimit -n): {requests} requests wait, not {wanted}."
        );
    }
    let most = requests.to_string();
    let service =
        setup.start_service_with(&[("HTTP__WAIT_MAX_SECONDS", "90"), ("HTTP__WAITING_MAX", &most)])?;
    println!("Resident memory when idle: {}", service.usage()?.memory);
    load::run(&service, Kind::New, 16, 2)?;
    let known = service.booked();
    println!("After {known} bookings over 16 connections: {}", service.usage()?.memory);

    setup.throttle_graph(THROTTLED_SECONDS);
    let began = Instant::now();
    let mut crowd = Vec::with_capacity(requests);
    let mut request = Request::preferring(service.address, Some(PATIENT));
    while crowd.len() < requests {
        for _ in 0..BATCH.min(requests - crowd.len()) {
            let mut connection = HttpConnection::to(service.address)?;
            request.name(service.next_number());
            connection.send(request.bytes())?;
            crowd.push(connection);
        }
        until_waiting(&service, crowd.len())?;
    }
    println!(
        "{requests} requests wait, after {:.1} s: {}",
        began.elapsed().as_secs_f64(),
        service.usage()?.memory
    );
    let before = service.usage()?;
    std::thread::sleep(WATCHED);
    let used = service.usage()?.since(&before);
    println!(
        "{} s later: {}; processor time meanwhile {:.1} % of one core",
        WATCHED.as_secs(),
        used.memory,
        used.service_microseconds / WATCHED.as_secs_f64() / 10_000.0
    );
    others(&service, known, &mut request)?;
    println!("Resident memory after these: {}", service.usage()?.memory);
    until_waiting(&service, 0)?;
    println!("When the crowd has been answered: {}", service.usage()?.memory);
    drop(crowd);
    std::thread::sleep(WATCHED);
    println!("When the crowd has hung up: {}", service.usage()?.memory);
    Ok(())
}

/// What those notice who come while the crowd waits.
#[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
fn others(service: &Program, known: u64, patient: &mut Request) -> anyhow::Result<()> {
    let mut connection = HttpConnection::to(service.address)?;
    let mut replay = Request::to(service.address);
    let replays = timed(|n| {
        replay.name(1 + u64::from(n) % known);
        let status = connection.exchange(replay.bytes())?.status;
        ensure!(status == 200, "answered {status} and not 200");
        Ok(())
    })?;
    let refused = timed(|_| {
        patient.name(service.next_number());
        let status = connection.exchange(patient.bytes())?.status;
        ensure!(status == 202, "answered {status} and not 202");
        Ok(())
    })?;
    println!("| meanwhile, one after another | p50 ms | p99 ms | most ms |");
    println!("| --- | --: | --: | --: |");
    for (name, took) in [("replays", replays), ("new bookings that would wait: 202 at once", refused)] {
        let at = |part: usize| took[(took.len() - 1) * part / 100].as_secs_f64() * 1_000.0;
        println!("| {name} | {:.2} | {:.2} | {:.2} |", at(50), at(99), at(100));
    }
    Ok(())
}

fn timed(mut send: impl FnMut(u32) -> anyhow::Result<()>) -> anyhow::Result<Vec<Duration>> {
    let mut took = Vec::new();
    for n in 0..OTHERS {
        let began = Instant::now();
        send(n)?;
        took.push(began.elapsed());
    }
    took.sort_unstable();
    Ok(took)
}

fn until_waiting(service: &Program, requests: usize) -> anyhow::Result<()> {
    let requests = f64::from(u32::try_from(requests)?);
    let began = Instant::now();
    loop {
        let waiting = service.metric(WAITING)?;
        if (waiting - requests).abs() < 0.5 {
            return Ok(());
        }
        ensure!(
            began.elapsed() < LIMIT,
            "{waiting} requests wait after {} s, not {requests}",
            LIMIT.as_secs()
        );
        std::thread::sleep(LOOK);
    }
}

/// How many files a process may open, by Linux; the service gets the same limit from this process.
fn open_files_max() -> anyhow::Result<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()).context("no limit of open files")?;
    Ok(soft.parse().unwrap_or(usize::MAX))
}
