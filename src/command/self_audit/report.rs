//! What an audit found, printed as it comes, because a large one takes a while.

use std::process::ExitCode;
use std::time::Duration;

use super::NOT_CARRIED_OUT;
use crate::audit::{Examined, Exception};
use crate::clock::Timestamp;

/// A booking that has been due for longer is reported: no worker claims it.
const OVERDUE: Duration = Duration::from_mins(5);

/// What was examined, and how many exceptions were found.
#[derive(Debug, Default)]
pub(super) struct Report {
    exceptions: usize,
    bookings: usize,
    events: usize,
    due: usize,
    overdue: usize,
    failed: usize,
    asked: usize,
    unanswered: usize,
}

#[expect(clippy::print_stdout, reason = "what is found is what this command is run for")]
impl Report {
    /// Counts a generation of a booking.
    pub(super) fn examined(&mut self, examined: &Examined, now: Timestamp) {
        self.bookings += 1;
        self.events += examined.events.len();
        self.due += usize::from(examined.due_at.is_some());
        self.overdue += usize::from(examined.due_at.is_some_and(|due_at| due_at + OVERDUE < now));
        self.failed += usize::from(examined.status == "failed");
    }

    /// Counts a meeting that was read at Graph.
    pub(super) fn asked(&mut self) {
        self.asked += 1;
    }

    /// Prints that Graph did not answer for a meeting, and why.
    pub(super) fn unanswered(&mut self, name: &str, why: &str) {
        self.unanswered += 1;
        println!("NOT KNOWN  {name}: Graph gave no answer for its meeting: {why}");
    }

    /// Prints what is wrong.
    pub(super) fn exception(&mut self, exception: &Exception) {
        self.exceptions += 1;
        println!("EXCEPTION  {} ({})", exception.about, exception.rule);
        println!("           is  {}", exception.says);
        println!("           do  {}", exception.remedy);
    }

    /// The last lines, and the status with which the command ends.
    pub(super) fn conclude(self) -> ExitCode {
        println!(
            "\nExamined {} bookings (each generation counts) with {} events: {} due, {} of them for more than 5 \
             minutes; {} failed.",
            self.bookings, self.events, self.due, self.overdue, self.failed
        );
        if self.asked > 0 {
            println!("Read {} meetings at Graph; {} times it gave no answer.", self.asked, self.unanswered);
        }
        match (self.exceptions, self.unanswered) {
            (0, 0) => {
                println!("No exceptions.");
                ExitCode::SUCCESS
            }
            (0, _) => {
                println!("No exceptions in what Graph answered.");
                ExitCode::from(NOT_CARRIED_OUT)
            }
            (1, _) => {
                println!("One exception.");
                ExitCode::FAILURE
            }
            (many, _) => {
                println!("{many} exceptions.");
                ExitCode::FAILURE
            }
        }
    }
}
