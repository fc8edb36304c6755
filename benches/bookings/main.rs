//! How many bookings and replays a second the whole service makes on one machine, beside `pgbench` that runs the
//! very same statements on the same Postgres: `cargo bench --bench bookings`. What it measures, and figures of one
//! run, stand in `docs/BENCHMARKS.md`.
//!
//! A Postgres with fsync on and the Graph simulator are started here, the program itself in a process of its own.
//! All of them and the load share the machine's cores. After each round of new bookings the simulator's ledger and
//! the database are asked whether there is one meeting for each booking: a fast answer that is wrong counts nothing.

mod bench_setup;
mod connection;
mod crowd;
mod generated_history;
mod lateness;
mod lists;
mod load;
mod pgbench;
mod poisoned;
mod program;
mod resuming;
mod slow_clients;
mod statements;
mod throttled;
mod usage;
mod waiting;

use anyhow::Context as _;
use clap::Parser;

use bench_setup::BenchSetup;
use load::{Kind, LoadResult};
use pgbench::Pgbench;
use program::Program;
use usage::Usage;

/// As in the program, of which the simulator is a part.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures new bookings and replays.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
struct BenchArguments {
    /// How long each measurement lasts
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// How often everything is measured; the best round is shown, for other programs disturb and never help
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Numbers of connections
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    connections: Vec<u16>,
    /// The setting `database.connections_max`; without it, the default
    #[arg(long)]
    database_connections: Option<u32>,
    /// Measure the service only
    #[arg(long)]
    no_pgbench: bool,
    /// Measure requests that wait for another replica, and what that costs new bookings, instead
    #[arg(long)]
    waiting: bool,
    /// Measure what one organizer gets done while Graph throttles another, instead
    #[arg(long)]
    throttled: bool,
    /// Measure what a source system gets done, and how fast, beside another one whose bookings always fail, instead
    #[arg(long)]
    poisoned: bool,
    /// Measure how soon the bookings of a killed replica are settled by another, instead
    #[arg(long)]
    resuming: bool,
    /// Measure how late what is due is asked for, with so many bookings that wait, instead
    #[arg(long, value_delimiter = ',', value_name = "BOOKINGS")]
    lateness: Vec<u32>,
    /// Measure memory and answers while so many requests wait for their meetings, instead
    #[arg(long, value_name = "REQUESTS")]
    crowd: Option<usize>,
    /// Measure replays beside so many slow clients of each kind, instead
    #[arg(long, value_name = "CLIENTS")]
    slow_clients: Option<usize>,
    /// Measure the lists with each filter on so many bookings, and twice as many events, instead
    #[arg(long, value_name = "BOOKINGS")]
    lists: Option<u64>,
    /// With --lists: this database, filled before by `benches/bookings/generated_history.sql`
    #[arg(long, value_name = "URL", requires = "lists")]
    filled_database: Option<String>,
    /// Cargo hands this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is measured, and how.
#[derive(Clone, Copy)]
struct Subject<'a> {
    arguments: &'a BenchArguments,
    setup: &'a BenchSetup,
    service: &'a Program,
    pgbench: &'a Pgbench,
}

/// One line of the table: the best of all rounds.
struct Line {
    kind: Kind,
    connections: u16,
    load: LoadResult,
    usage: Usage,
    pgbench_per_second: Option<f64>,
}

#[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
fn main() -> anyhow::Result<()> {
    let arguments = BenchArguments::parse();
    let setup = BenchSetup::start(arguments.database_connections, arguments.filled_database.clone())?;
    if arguments.waiting {
        return waiting::measure(&setup, arguments.seconds, arguments.rounds);
    }
    if arguments.throttled {
        return throttled::measure(&setup, arguments.seconds, arguments.rounds);
    }
    if arguments.poisoned {
        return poisoned::measure(&setup, arguments.seconds, arguments.rounds);
    }
    if arguments.resuming {
        return resuming::measure(&setup, arguments.rounds);
    }
    if !arguments.lateness.is_empty() {
        return lateness::measure(&setup, &arguments.lateness);
    }
    if let Some(bookings) = arguments.lists {
        return lists::measure(&setup, bookings);
    }
    if let Some(requests) = arguments.crowd {
        return crowd::measure(&setup, requests);
    }
    if let Some(clients) = arguments.slow_clients {
        return slow_clients::measure(&setup, clients, arguments.seconds);
    }
    let first = setup.start_service()?;
    let ready_with_migrations = first.ready_after;
    first.end()?;
    let statements = statements::watch(&setup)?;
    let service = setup.start_service()?;
    println!(
        "Ready {} ms after the start on an empty database, {} ms on one with its schema.",
        ready_with_migrations.as_millis(),
        service.ready_after.as_millis()
    );
    println!("Resident memory when idle: {}", service.usage()?.memory);

    let pgbench = Pgbench::of(&setup, &statements)?;
    load::run(&service, Kind::New, 16, 1)?;
    let subject = Subject { arguments: &arguments, setup: &setup, service: &service, pgbench: &pgbench };
    let mut lines = Vec::new();
    for kind in [Kind::New, Kind::Replay] {
        for &connections in &arguments.connections {
            lines.push(measure(&subject, kind, connections)?);
        }
    }
    print_table(&lines);
    println!("Resident memory under load: {}", service.usage()?.memory);
    println!("{}", setup.check_one_meeting_per_booking(service.booked())?);
    service.end()
}

fn measure(subject: &Subject<'_>, kind: Kind, connections: u16) -> anyhow::Result<Line> {
    let Subject { arguments, setup, service, pgbench } = *subject;
    let mut best: Option<Line> = None;
    for _ in 0..arguments.rounds {
        let before = service.usage()?;
        let load = load::run(service, kind, connections, arguments.seconds)?;
        let usage = service.usage()?.since(&before);
        if kind == Kind::New {
            setup.check_one_meeting_per_booking(service.booked())?;
        }
        let pgbench_per_second = (!arguments.no_pgbench)
            .then(|| pgbench.run(kind, connections, arguments.seconds, service.booked()))
            .transpose()?;
        let known = best.as_ref().and_then(|line| line.pgbench_per_second);
        let pgbench_per_second = pgbench_per_second.map(|now| known.map_or(now, |known| known.max(now)));
        match &mut best {
            Some(line) if line.load.per_second() >= load.per_second() => {
                line.pgbench_per_second = pgbench_per_second;
            }
            _ => best = Some(Line { kind, connections, load, usage, pgbench_per_second }),
        }
    }
    best.context("no round was asked for")
}

#[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
fn print_table(lines: &[Line]) {
    println!();
    println!(
        "| what | connections | a second | pgbench | ratio | p50 ms | p99 ms | service CPU µs | load + Graph CPU µs |"
    );
    println!("| --- | --: | --: | --: | --: | --: | --: | --: | --: |");
    for line in lines {
        let per_second = line.load.per_second();
        let (pgbench, ratio) = match line.pgbench_per_second {
            Some(pgbench) => (format!("{pgbench:.0}"), format!("{:.2}", per_second / pgbench)),
            None => ("–".to_owned(), "–".to_owned()),
        };
        println!(
            "| {} | {} | {per_second:.0} | {pgbench} | {ratio} | {:.2} | {:.2} | {:.0} | {:.0} |",
            line.kind.as_str(),
            line.connections,
            line.load.milliseconds_at(0.5),
            line.load.milliseconds_at(0.99),
            line.usage.service_microseconds / line.load.answers(),
            line.usage.own_microseconds / line.load.answers(),
        );
    }
    println!();
}
