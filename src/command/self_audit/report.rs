//! What an audit found, printed as it comes, because a large one takes a while.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;

use super::NOT_CARRIED_OUT;
use crate::audit::{Examined, Exception};
use crate::clock::Timestamp;
use crate::command::printing::{self, PrintArguments, say, wrapped};

/// A booking that has been due for longer is reported: no worker claims it.
const OVERDUE: Duration = Duration::from_mins(5);

/// What was examined, and how many exceptions were found.
#[derive(Debug)]
pub(super) struct Report {
    arguments: PrintArguments,
    exceptions: usize,
    bookings: usize,
    events: usize,
    due: usize,
    overdue: usize,
    failed: usize,
    asked: usize,
    unanswered: usize,
}

impl Report {
    /// Nothing is examined yet.
    pub(super) fn printed(arguments: PrintArguments) -> Self {
        Self {
            arguments,
            exceptions: 0,
            bookings: 0,
            events: 0,
            due: 0,
            overdue: 0,
            failed: 0,
            asked: 0,
            unanswered: 0,
        }
    }

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
        if self.arguments.json {
            printing::json(&json!({"kind": "not-known", "about": name, "says": why}));
            return;
        }
        say!("{}", wrapped("NOT KNOWN  ", &format!("{name}: Graph gave no answer for its meeting: {why}")));
    }

    /// Prints what is wrong.
    pub(super) fn exception(&mut self, exception: &Exception) {
        self.exceptions += 1;
        let Exception { rule, about, says, remedy } = exception;
        if self.arguments.json {
            printing::json(
                &json!({"kind": "exception", "rule": rule, "about": about, "says": says, "do": remedy}),
            );
            return;
        }
        say!("{}", wrapped("EXCEPTION  ", &format!("{about} ({rule})")));
        say!("{}", wrapped("           is  ", says));
        say!("{}", wrapped("           do  ", remedy));
    }

    /// The last lines, and the status with which the command ends.
    pub(super) fn conclude(self) -> ExitCode {
        if self.arguments.json {
            self.summary_for_programs();
        } else {
            self.summary_for_people();
        }
        match (self.exceptions, self.unanswered) {
            (0, 0) => ExitCode::SUCCESS,
            (0, _) => ExitCode::from(NOT_CARRIED_OUT),
            (_, _) => ExitCode::FAILURE,
        }
    }

    fn summary_for_programs(&self) {
        printing::json(&json!({
            "kind": "summary", "bookings": self.bookings, "events": self.events, "due": self.due,
            "overdue": self.overdue, "failed": self.failed, "askedAtGraph": self.asked,
            "notKnown": self.unanswered, "exceptions": self.exceptions,
        }));
    }

    fn summary_for_people(&self) {
        let examined = format!(
            "Examined {} bookings (each generation counts) with {} events: {} due, {} of them for more than 5 \
             minutes; {} failed.",
            self.bookings, self.events, self.due, self.overdue, self.failed
        );
        say!("\n{}", wrapped("", &examined));
        if self.asked > 0 {
            say!("Read {} meetings at Graph; {} times it gave no answer.", self.asked, self.unanswered);
        }
        match (self.exceptions, self.unanswered) {
            (0, 0) => say!("No exceptions."),
            (0, _) => say!("No exceptions in what Graph answered."),
            (1, _) => say!("One exception."),
            (many, _) => say!("{many} exceptions."),
        }
    }
}
