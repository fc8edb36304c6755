//! How fast the lists answer on very many bookings and events: each filter, with values that are frequent, rare, or nowhere.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::bench_setup::{AUDITOR_KEY, BenchSetup};
use crate::connection::HttpConnection;
use crate::generated_history;
use crate::program::Program;

/// How often the first page is asked for.
const TIMES: usize = 20;
/// After so many pages without anything it is given up.
const PAGES_MAX: usize = 100;

/// The searches, with what `NUMBER` stands for put in: a booking far back. Each is a path and what it is for.
const SEARCHES: [&str; 44] = [
    "bookings?",
    "bookings?status=provisioned",
    "bookings?status=cancelled",
    "bookings?status=failed",
    "bookings?status=pending",
    "bookings?status=pending,failed",
    "bookings?status=updating",
    "bookings?organizer=user0@contoso.com",
    "bookings?organizer=user7@contoso.com",
    "bookings?organizer=user0@contoso.com&status=failed",
    "bookings?bookingId=BK-1234",
    "bookings?externalId=EXTERNAL-ID",
    "bookings?meetingId=MSoEXTERNAL-ID",
    "bookings?sourceSystem=crm",
    "bookings?sourceSystem=small",
    "bookings?sourceSystem=small&status=cancelled",
    "bookings?startsFrom=TOMORROW",
    "bookings?startsBefore=LAST-YEAR",
    "bookings?startsFrom=2099-01-01T00:00:00Z",
    "bookings?updatedFrom=AN-HOUR-AGO",
    "bookings?updatedFrom=LAST-YEAR",
    "bookings?updatedBefore=LAST-YEAR",
    "bookings?failingBefore=LAST-MONTH",
    "audit-events?",
    "audit-events?order=asc",
    "audit-events?sourceSystem=crm",
    "audit-events?sourceSystem=small",
    "audit-events?bookingId=BK-1234",
    "audit-events?externalId=EXTERNAL-ID",
    "audit-events?meetingId=MSoEXTERNAL-ID",
    "audit-events?organizer=user0@contoso.com",
    "audit-events?organizer=user7@contoso.com",
    "audit-events?actor=api-key:crm",
    "audit-events?actor=command:alice",
    "audit-events?type=meeting.created",
    "audit-events?type=meeting.drifted",
    "audit-events?type=meeting.found",
    "audit-events?outcome=refused",
    "audit-events?nextStatus=failed",
    "audit-events?requestId=REQUEST-ID",
    "audit-events?from=LAST-MONTH&order=asc",
    "audit-events?before=LAST-MONTH",
    "audit-events?from=LAST-MONTH&before=LAST-MONTH-TOO&type=call.refused&order=asc",
    "audit-events?sourceSystem=small&actor=command:alice",
];

/// What the names in the searches stand for: a query each.
const VALUES: [(&str, &str); 7] = [
    ("EXTERNAL-ID", "select external_id::text from booking where booking_id = 'BK-1234'"),
    ("REQUEST-ID", "select payload->>'requestId' from audit_event where booking_id = 'BK-1234' limit 1"),
    (
        "TOMORROW",
        "select to_char(now() at time zone 'UTC' + interval '1 day', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
    ),
    (
        "AN-HOUR-AGO",
        "select to_char(max(created_at) at time zone 'UTC' - interval '1 hour', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') from booking",
    ),
    (
        "LAST-MONTH-TOO",
        "select to_char(now() at time zone 'UTC' - interval '29 days', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
    ),
    (
        "LAST-MONTH",
        "select to_char(now() at time zone 'UTC' - interval '30 days', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
    ),
    (
        "LAST-YEAR",
        "select to_char(min(created_at) at time zone 'UTC' + interval '1 day', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') from booking",
    ),
];

/// Fills a database, and measures and prints.
#[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
pub fn measure(setup: &BenchSetup, bookings: u64) -> anyhow::Result<()> {
    if setup.is_own_database() {
        generated_history::fill(setup, bookings)?;
    }
    let mut values = Vec::new();
    for (name, query) in VALUES {
        values.push((name, setup.ask_texts(query)?.pop().context("the database is empty")?));
    }
    let service = setup.start_service()?;
    println!(
        "| search | items of the first page | least ms | p50 ms | most ms | pages to the first item | most ms of these |"
    );
    println!("| --- | --: | --: | --: | --: | --: | --: |");
    for search in SEARCHES {
        let path = values.iter().fold(search.to_owned(), |path, (name, value)| path.replace(name, value));
        let line = Line::of(&service, &path)?;
        println!("| `{search}` | {line} |");
    }
    service.end()
}

/// What was measured of one search.
struct Line {
    items: usize,
    first_pages: Vec<Duration>,
    /// Until one had an item, or to the end.
    pages: Vec<Duration>,
    has_found: bool,
}

impl Line {
    fn of(service: &Program, path: &str) -> anyhow::Result<Self> {
        let mut connection = HttpConnection::to(service.address)?;
        let mut get = |path: &str| -> anyhow::Result<(Duration, Value)> {
            let request = format!(
                "GET /v1/{path}&limit=20 HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {AUDITOR_KEY}\r\n\r\n",
                service.address
            );
            let began = Instant::now();
            let answer = connection.exchange(request.as_bytes())?;
            let took = began.elapsed();
            let text = String::from_utf8_lossy(answer.body);
            ensure!(answer.status == 200, "{path}: {} {text}", answer.status);
            Ok((took, serde_json::from_str(&text)?))
        };
        let items = |page: &Value| page["items"].as_array().map_or(0, Vec::len);
        let (mut first_pages, mut first) = (Vec::new(), Value::Null);
        for _ in 0..TIMES {
            let (took, page) = get(path)?;
            first_pages.push(took);
            first = page;
        }
        first_pages.sort_unstable();
        let (mut pages, mut page) = (vec![first_pages[TIMES / 2]], first.clone());
        while items(&page) == 0 && page["hasMore"] == true && pages.len() < PAGES_MAX {
            let cursor = page["nextCursor"].as_str().context("no cursor")?;
            let (took, next) = get(&format!("{path}&cursor={cursor}"))?;
            pages.push(took);
            page = next;
        }
        Ok(Self { items: items(&first), first_pages, pages, has_found: items(&page) > 0 })
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let milliseconds = |took: Option<&Duration>| took.map_or(0.0, |took| took.as_secs_f64() * 1000.0);
        let [least, half, most] = [0, TIMES / 2, TIMES - 1].map(|at| milliseconds(self.first_pages.get(at)));
        write!(formatter, "{} | {least:.1} | {half:.1} | {most:.1} | ", self.items)?;
        if !self.has_found {
            write!(formatter, "none in ")?;
        }
        write!(formatter, "{}", self.pages.len())?;
        write!(formatter, " | {:.1}", milliseconds(self.pages.iter().max()))
    }
}
