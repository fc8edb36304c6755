//! `retry`: makes bookings due again once the cause of their failure is repaired.

use std::path::PathBuf;
use std::process::ExitCode;

use super::assembly::store;
use super::operator;
use crate::audit::Origin;
use crate::booking::{BookingId, SourceSystem};
use crate::clock::{Clock, SystemClock};
use crate::config::{MigrationSettings, process_environment};
use crate::meeting::{Booking, BookingFilter, Failure, Status};
use crate::provisioning::make_due;
use crate::store::Store;
use crate::store::reading::UnreadableRow;

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
    /// Only those with this booking id
    #[arg(long, value_parser = BookingId::parse)]
    booking_id: Option<BookingId>,
    /// Retry them; without this the bookings are only listed
    #[arg(long, alias = "apply")]
    yes: bool,
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

/// What was done with the bookings that were found.
#[derive(Debug, Default)]
struct Count {
    listed: usize,
    made_due: usize,
    unchanged: usize,
    unreadable: usize,
}

/// Lists the bookings, and makes them due again with `--yes`.
#[expect(clippy::print_stdout, reason = "what is or would be done is what this command is run for")]
pub(super) async fn run(arguments: RetryArguments) -> anyhow::Result<ExitCode> {
    let settings = MigrationSettings::load(arguments.config.as_deref(), process_environment())?;
    let store = store(&settings.database)?;
    let origin = arguments.yes.then(operator::origin);
    let filter = BookingFilter {
        source_system: arguments.source_system,
        booking_id: arguments.booking_id,
        statuses: arguments.status,
        organizer: arguments.organizer,
        code: arguments.code,
        ..BookingFilter::default()
    };
    let count = retry_matching(&store, &filter, origin.as_ref()).await;
    store.close().await;
    let count = count?;
    let done = match origin {
        None => {
            format!("{} would be due again. Nothing was changed: add --yes to do it.", bookings(count.listed))
        }
        Some(_) => format!("{} due again now; a worker claims them.", bookings(count.made_due)),
    };
    println!("\n{done}");
    if count.unchanged > 0 {
        println!(
            "{} not changed: an attempt is under way, or it changed meanwhile.",
            bookings(count.unchanged)
        );
    }
    if count.unreadable > 0 {
        println!(
            "{} not read: another version of this program wrote what this one doesn't know.",
            bookings(count.unreadable)
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Goes through all bookings page by page. What becomes due keeps its place in the list, so that none is missed.
async fn retry_matching(
    store: &Store,
    filter: &BookingFilter,
    origin: Option<&Origin>,
) -> anyhow::Result<Count> {
    let mut count = Count::default();
    let mut from = None;
    loop {
        let page = store.bookings(filter, from, PAGE).await?;
        for booking in &page.items {
            show(booking);
            count.listed += 1;
            if let Some(origin) = origin {
                let is_due = make_due(store, booking, origin, SystemClock.now()).await?;
                *(if is_due { &mut count.made_due } else { &mut count.unchanged }) += 1;
            }
        }
        for row in &page.unreadable {
            show_unreadable(row);
        }
        count.unreadable += page.unreadable.len();
        from = page.next;
        if from.is_none() {
            return Ok(count);
        }
    }
}

#[expect(clippy::print_stdout, reason = "the list is what this command is run for")]
fn show(booking: &Booking) {
    let code = booking.last_error.as_ref().map_or("-", |error| error.code.code());
    println!(
        "{} generation {}: {}, {code}, {} attempts, organizer {}, starts {}",
        booking.key,
        booking.generation.number(),
        booking.status().as_str(),
        booking.attempts,
        booking.wanted.spec.organizer.as_text(),
        booking.wanted.spec.start_date_time,
    );
}

#[expect(clippy::print_stdout, reason = "the list is what this command is run for")]
fn show_unreadable(row: &UnreadableRow) {
    println!("{}/{} generation {}: can't be read", row.source_system, row.booking_id, row.generation);
}

fn bookings(count: usize) -> String {
    if count == 1 { "1 booking".to_owned() } else { format!("{count} bookings") }
}
