//! `retry`: makes bookings due again once the cause of their failure is repaired.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;

use super::assembly::store;
use super::operator;
use super::printing::{self, PrintArguments, say, time_text, wrapped};
use crate::audit::Origin;
use crate::booking::{BookingId, SourceSystem};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::config::{MigrationSettings, process_environment};
use crate::meeting::{Booking, BookingFilter, Failure, Progress, Status};
use crate::provisioning::make_due;
use crate::store::Store;
use crate::store::reading::UnreadableRow;
use crate::throttling::{Pause, PauseScope};

/// How many bookings are read at once.
const PAGE: u32 = 200;

/// Which bookings, and whether to change them.
#[derive(Debug, clap::Args)]
pub(super) struct RetryArguments {
    /// Bookings that are failed, or that are pending, updating or cancelling and wait for their next attempt
    #[arg(long, value_delimiter = ',', default_value = "failed", value_parser = status)]
    status: Vec<Status>,
    /// Only those whose last error has this code, such as organizer-not-permitted
    #[arg(long, value_parser = failure)]
    code: Option<Failure>,
    /// Only those of this organizer: object id, or any name that bookings called the same user by
    #[arg(long)]
    organizer: Option<String>,
    /// Only those of this source system
    #[arg(long, value_parser = SourceSystem::parse)]
    source_system: Option<SourceSystem>,
    /// Only those that have been failing for the same reason, or postponed, for so long: 90s, 30m, 2h or 3d
    #[arg(long, value_name = "TIME", value_parser = duration)]
    failing_for: Option<Duration>,
    /// Only those with this booking id
    #[arg(long, value_parser = BookingId::parse)]
    booking_id: Option<BookingId>,
    /// Retry them; without this the bookings are only listed
    #[arg(long, alias = "apply")]
    yes: bool,
    #[command(flatten)]
    print: PrintArguments,
    /// A settings file; deploy/config.toml is a commented example
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

fn status(text: &str) -> Result<Status, String> {
    let retryable = [Status::Failed, Status::Pending, Status::Updating, Status::Cancelling];
    let found = retryable.into_iter().find(|status| status.as_str() == text);
    found.ok_or_else(|| format!("must be one or more of {}", retryable.map(Status::as_str).join(", ")))
}

fn failure(text: &str) -> Result<Failure, String> {
    let found = Failure::ALL.into_iter().find(|failure| failure.code() == text);
    found.ok_or_else(|| format!("must be one of {}", Failure::ALL.map(Failure::code).join(", ")))
}

fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.char_indices().last().and_then(|(at, unit)| {
        let number: u32 = text[..at].parse().ok()?;
        let unit = match unit {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            _ => return None,
        };
        Some(u64::from(number) * unit)
    });
    let longest = 10 * 365 * 24 * 60 * 60;
    let seconds = seconds.filter(|seconds| *seconds <= longest);
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| "must be a number and one of s, m, h and d, such as 30m".to_owned())
}

/// What was done with the bookings that were found.
#[derive(Debug, Default)]
struct Count {
    listed: usize,
    made_due: usize,
    unchanged: usize,
    unreadable: usize,
}

/// What became, or would become, of one booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retriable {
    /// It would be due again.
    Would,
    /// It is due again.
    Due,
    /// An attempt for it is under way under a lease that ends then, unless it is over before.
    UnderWay(Timestamp),
    /// It changed between being read and being retried.
    Changed,
}

/// Goes through the bookings one by one.
struct Retrying {
    store: Store,
    /// Who retries; none where the bookings are only listed.
    origin: Option<Origin>,
    /// What Graph asked to be left alone with.
    pauses: Vec<Pause>,
    json: bool,
    count: Count,
}

/// Lists the bookings, and makes them due again with `--yes`: all of them, whether its output is read to the end or not.
pub(super) async fn run(arguments: RetryArguments) -> anyhow::Result<ExitCode> {
    let settings = MigrationSettings::load(arguments.config.as_deref(), process_environment())?;
    let store = store(&settings.database)?;
    let filter = BookingFilter {
        source_system: arguments.source_system,
        booking_id: arguments.booking_id,
        statuses: arguments.status,
        organizer: arguments.organizer,
        code: arguments.code,
        failing_before: arguments.failing_for.map(|long| SystemClock.now() - long),
        ..BookingFilter::default()
    };
    let mut retrying = Retrying {
        pauses: pauses(&store).await?,
        origin: arguments.yes.then(operator::origin),
        json: arguments.print.json,
        count: Count::default(),
        store,
    };
    let all = retrying.matching(&filter).await;
    retrying.store.close().await;
    retrying.conclude();
    all?;
    Ok(if retrying.count.unreadable == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn pauses(store: &Store) -> anyhow::Result<Vec<Pause>> {
    let pauses = store.pauses(SystemClock.now()).await?;
    let pauses = pauses
        .into_iter()
        .filter_map(|(scope, until)| Some(Pause { scope: PauseScope::parse(&scope)?, until }));
    Ok(pauses.collect())
}

impl Retrying {
    /// Goes through all bookings page by page. What becomes due keeps its place in the list, so that none is missed.
    async fn matching(&mut self, filter: &BookingFilter) -> anyhow::Result<()> {
        let mut from = None;
        loop {
            let page = self.store.bookings(filter, from, PAGE).await?;
            for booking in &page.items {
                let result = self.one(booking).await?;
                self.show(booking, result);
            }
            for row in &page.unreadable {
                self.show_unreadable(row);
            }
            self.count.unreadable += page.unreadable.len();
            from = page.next;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    async fn one(&mut self, booking: &Booking) -> anyhow::Result<Retriable> {
        self.count.listed += 1;
        if let Some(origin) = &self.origin {
            if make_due(&self.store, booking, origin, SystemClock.now()).await? {
                self.count.made_due += 1;
                return Ok(Retriable::Due);
            }
            self.count.unchanged += 1;
        } else if booking.progress == Progress::Parked {
            return Ok(Retriable::Would);
        }
        let leased = self.store.generation(&booking.key, booking.generation).await?;
        let attempt = leased.and_then(|leased| leased.attempt);
        Ok(match (attempt, &self.origin) {
            (Some(attempt), _) => Retriable::UnderWay(attempt.leased_until),
            (None, Some(_)) => Retriable::Changed,
            (None, None) => Retriable::Would,
        })
    }

    /// Until when Graph asked to leave the booking's organizer, or the whole application, alone.
    fn paused_until(&self, booking: &Booking) -> Option<Timestamp> {
        let concerns = |pause: &&Pause| match &pause.scope {
            PauseScope::Application => true,
            PauseScope::Organizer(id) => booking.observed.organizer == Some(*id),
            PauseScope::SourceSystem(name) => booking.key.source_system == *name,
            PauseScope::LookUps => booking.observed.organizer.is_none(),
            PauseScope::Replica => false,
        };
        self.pauses.iter().filter(concerns).map(|pause| pause.until).max()
    }

    fn show(&self, booking: &Booking, result: Retriable) {
        let code = booking.last_error.as_ref().map(|error| error.code.code());
        let organizer = booking.wanted.spec.organizer.as_text();
        let starts = time_text(booking.wanted.spec.start_date_time);
        let paused_until = self.paused_until(booking).map(time_text);
        let (result, leased_until) = match result {
            Retriable::Would => ("would-be-due", None),
            Retriable::Due => ("due", None),
            Retriable::UnderWay(until) => ("under-way", Some(time_text(until))),
            Retriable::Changed => ("changed-meanwhile", None),
        };
        if self.json {
            printing::json(&json!({
                "kind": "booking", "sourceSystem": booking.key.source_system.as_str(),
                "bookingId": booking.key.booking_id.as_str(), "generation": booking.generation.number(),
                "status": booking.status().as_str(), "code": code, "attempts": booking.attempts,
                "organizer": organizer, "startDateTime": starts, "result": result,
                "leasedUntil": leased_until, "pausedUntil": paused_until,
            }));
            return;
        }
        say!(
            "{} generation {}: {}, {}",
            booking.key,
            booking.generation.number(),
            booking.status().as_str(),
            code.unwrap_or("no error")
        );
        let about = format!("{} attempts, organizer {organizer}, starts {starts}", booking.attempts);
        say!("{}", wrapped("    ", &about));
        if let Some(until) = leased_until {
            say!("    left alone: an attempt is under way, until {until} at most");
        } else if result == "changed-meanwhile" {
            say!("    left alone: it changed meanwhile");
        } else if let Some(until) = paused_until {
            say!("    Graph asked for a pause: not sent before {until}");
        }
    }

    fn show_unreadable(&self, row: &UnreadableRow) {
        if self.json {
            return printing::json(&json!({
                "kind": "booking", "sourceSystem": row.source_system, "bookingId": row.booking_id,
                "generation": row.generation, "result": "unreadable",
            }));
        }
        say!("{}/{} generation {}: can't be read", row.source_system, row.booking_id, row.generation);
    }

    /// What was done. Where standard output is closed, standard error hears it.
    fn conclude(&self) {
        let Count { listed, made_due, unchanged, unreadable } = self.count;
        if self.json {
            printing::json(&json!({
                "kind": "summary", "listed": listed, "due": made_due, "unchanged": unchanged, "unreadable": unreadable,
                "changed": self.origin.is_some(),
            }));
        }
        let mut done = match self.origin {
            None => {
                format!("{} would be due again. Nothing was changed: add --yes to do it.", bookings(listed))
            }
            Some(_) => format!("{} due again now; a worker claims them.", bookings(made_due)),
        };
        if unchanged > 0 {
            let left = format!(
                "\n{} not changed: an attempt is under way, or it changed meanwhile.",
                bookings(unchanged)
            );
            done.push_str(&left);
        }
        if unreadable > 0 {
            let left = format!(
                "\n{} not read: another version of this program wrote what this one doesn't know.",
                bookings(unreadable)
            );
            done.push_str(&left);
        }
        if !self.json {
            say!("\n{done}");
        }
        if !printing::is_read() && self.origin.is_some() {
            printing::tell(&done);
        }
    }
}

fn bookings(count: usize) -> String {
    if count == 1 { "1 booking".to_owned() } else { format!("{count} bookings") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_a_number_and_a_unit() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("30m", Some(1_800)),
            ("2h", Some(7_200)),
            ("3d", Some(259_200)),
            ("0m", Some(0)),
        ] {
            assert_eq!(duration(text).ok().map(|long| long.as_secs()), seconds, "{text}");
        }
        for text in ["", "m", "30", "-1m", "1.5h", "30 m", "30M", "4294967295d", "99999999999s", "3ü"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
