//! How late what is due is asked for: bookings of as many organizers, each of which Graph throttles once, so that each waits for
//! a time of its own. The time that its history announces is compared with the time at which Graph is asked again.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::bench_setup::BenchSetup;
use crate::connection::HttpConnection;
use crate::program::Request;

/// Bookings are sent, and come due, no faster than this: the worker is to be measured, not what the machine can do.
const PER_SECOND: u32 = 100;
/// The shortest wait that Graph asks for.
const WAIT_SHORTEST: Duration = Duration::from_secs(5);
/// The worker's regular look finds nothing that the alarm has not announced.
const SETTINGS: [(&str, &str); 1] = [("WORKER__POLL_SECONDS", "60")];
/// The longest that all may take to be settled, once the last is due.
const SETTLED_LIMIT: Duration = Duration::from_mins(2);

/// Measures and prints, for each number of bookings that wait at the same time.
#[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
pub fn measure(setup: &BenchSetup, waiting: &[u32]) -> anyhow::Result<()> {
    let service = setup.start_service_with(&SETTINGS)?;
    println!("| bookings that wait | asked for after the announced time: p50 ms | p99 ms | most ms |");
    println!("| --: | --: | --: | --: |");
    for &count in waiting {
        setup.execute("truncate booking")?;
        // The last booking is sent before the first is due, so that all of them wait together.
        let wait = WAIT_SHORTEST + Duration::from_secs(u64::from(count / PER_SECOND));
        setup.throttle_graph_times(wait.as_secs(), count);
        let mut connection = HttpConnection::to(service.address)?;
        let began = Instant::now();
        for number in 0..count {
            let due = began + Duration::from_secs(1) * number / PER_SECOND;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let booking = service.next_number();
            let organizer = format!("0e5f2f6c-0000-4000-8000-{booking:012x}");
            let mut request = Request::for_organizer(service.address, &organizer, Some("respond-async"));
            request.name(booking);
            let answer = connection.exchange(request.bytes())?;
            ensure!(answer.status == 202, "answered {} and not 202", answer.status);
        }
        let limit = began + 2 * wait + SETTLED_LIMIT;
        while setup.ask("select count(*)::float8 from booking where status <> 'provisioned'")? != [0.0] {
            ensure!(Instant::now() < limit, "not settled in time");
            std::thread::sleep(Duration::from_millis(500));
        }
        let late = setup.ask(
            "select (extract(epoch from (asked.payload->'graph'->>'startedAt')::timestamptz
                - (due.payload->'next'->>'dueAt')::timestamptz) * 1000)::float8
             from booking
             join audit_event due using (booking_id) join audit_event asked using (booking_id)
             where due.event_type = 'call.throttled' and asked.event_type = 'meeting.created' order by 1",
        )?;
        ensure!(late.len() == count as usize, "{} of {count} were measured", late.len());
        let at = |part: usize| late.get((late.len() - 1) * part / 100).copied().unwrap_or_default();
        println!("| {count} | {:.1} | {:.1} | {:.1} |", at(50), at(99), at(100));
    }
    service.end()
}
