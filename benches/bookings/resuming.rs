//! A replica is killed while it works: how soon after their leases have ended its bookings are taken over by another, and
//! settled.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::bench_setup::BenchSetup;
use crate::connection::HttpConnection;
use crate::program::Request;

/// Bookings whose calls are under way when their replica is killed.
const IN_FLIGHT: u32 = 20;
/// Graph takes so long for each of these calls, which is time to send all bookings and to kill.
const GRAPH_MILLISECONDS: u64 = 1_800;
/// As short as the lease may be with these time-outs.
const SETTINGS: [(&str, &str); 3] = [
    ("WORKER__LEASE_SECONDS", "13"),
    ("GRAPH__CONNECT_TIMEOUT_SECONDS", "1"),
    ("GRAPH__TIMEOUT_SECONDS", "2"),
];
/// The longest that all may take to be settled.
const SETTLED_LIMIT: Duration = Duration::from_mins(1);
const SETTLED_POLL: Duration = Duration::from_millis(50);

/// Measures and prints.
#[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
pub fn measure(setup: &BenchSetup, rounds: u32) -> anyhow::Result<()> {
    let other = setup.start_service_with(&SETTINGS)?;
    setup.execute("create table left_behind (booking_id text, lease_until timestamptz)")?;
    for round in 0..rounds {
        let killed = setup.start_service_with(&SETTINGS)?.numbered_after(u64::from(round * IN_FLIGHT));
        setup.slow_down_graph(GRAPH_MILLISECONDS);
        let mut connection = HttpConnection::to(killed.address)?;
        let mut request = Request::preferring(killed.address, Some("respond-async"));
        for _ in 0..IN_FLIGHT {
            request.name(killed.next_number());
            let answer = connection.exchange(request.bytes())?;
            ensure!(answer.status == 202, "answered {} and not 202", answer.status);
        }
        // Dropped, it is killed: by SIGKILL.
        drop(killed);
        setup.speed_up_graph();
        setup.execute(
            "insert into left_behind select booking_id, lease_until from booking where lease_attempt_id is not null",
        )?;
        let began = Instant::now();
        while setup.ask("select count(*)::float8 from booking where status <> 'provisioned'")? != [0.0] {
            ensure!(began.elapsed() < SETTLED_LIMIT, "not settled after {} s", SETTLED_LIMIT.as_secs());
            std::thread::sleep(SETTLED_POLL);
        }
    }
    let left_behind = setup.ask("select count(*)::float8 from left_behind")?;
    let bookings = setup.ask("select count(distinct meeting_id)::float8 from booking")?;
    let expected = f64::from(rounds * IN_FLIGHT);
    ensure!(
        bookings == [expected] && setup.meetings() == (rounds * IN_FLIGHT) as usize,
        "not one meeting each"
    );
    println!(
        "{expected} bookings on a replica that was killed in {rounds} rounds; {} of them with a call under way. One \
         meeting each.",
        left_behind.first().copied().unwrap_or_default()
    );
    println!("| after the end of the lease | p50 ms | p99 ms | most ms |");
    println!("| --- | --: | --: | --: |");
    let taken_over = setup.ask(
        "select (extract(epoch from occurred_at - lease_until) * 1000)::float8 from left_behind
         join audit_event using (booking_id) where event_type = 'call.unknown' order by 1",
    )?;
    let settled = setup.ask(
        "select (extract(epoch from occurred_at - lease_until) * 1000)::float8 from left_behind
         join audit_event using (booking_id) where event_type in ('meeting.created', 'meeting.found') order by 1",
    )?;
    for (name, after) in [("taken over", taken_over), ("settled", settled)] {
        let last = after.len().checked_sub(1);
        let at =
            |part: usize| last.and_then(|last| after.get(last * part / 100)).copied().unwrap_or_default();
        println!("| {name} | {:.0} | {:.0} | {:.0} |", at(50), at(99), at(100));
    }
    other.end()
}
