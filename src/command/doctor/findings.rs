//! Findings, each with what it means and what to do, and how they are printed.

use std::process::ExitCode;

use serde_json::json;

use crate::command::printing::{self, PrintArguments, say, wrapped};

/// Something that is wrong.
pub(super) struct Finding {
    pub(super) subject: &'static str,
    /// What is wrong.
    pub(super) wrong: String,
    /// What that means for the service and its callers.
    pub(super) means: String,
    /// What to do.
    pub(super) remedy: String,
}

/// All findings so far; they are printed as they come, because some take seconds.
pub(super) struct Findings {
    arguments: PrintArguments,
    bad: usize,
    noted: usize,
    unknown: usize,
}

impl Findings {
    /// None yet.
    pub(super) fn printed(arguments: PrintArguments) -> Self {
        Self { arguments, bad: 0, noted: 0, unknown: 0 }
    }

    /// Prints that something is as it should be.
    pub(super) fn good(&self, subject: &str, detail: &str) {
        self.print("ok", subject, detail);
    }

    /// Prints that the state of something is not known.
    pub(super) fn unknown(&mut self, subject: &str, detail: &str) {
        self.unknown += 1;
        self.print("?", subject, detail);
    }

    /// Prints what is no fault of the installation, and may need the operator all the same.
    pub(super) fn note(&mut self, subject: &str, detail: &str) {
        self.noted += 1;
        self.print("note", subject, detail);
    }

    /// Prints what is wrong.
    pub(super) fn bad(&mut self, finding: &Finding) {
        self.bad += 1;
        if self.arguments.json {
            let Finding { subject, wrong, means, remedy } = finding;
            printing::json(&json!({
                "kind": "finding", "state": "wrong", "subject": subject,
                "detail": wrong, "means": means, "do": remedy,
            }));
            return;
        }
        self.print("WRONG", finding.subject, &finding.wrong);
        self.print("", "means", &finding.means);
        self.print("", "do", &finding.remedy);
    }

    fn print(&self, state: &str, subject: &str, detail: &str) {
        if self.arguments.json {
            let state = if state == "?" { "unknown" } else { state };
            printing::json(&json!({"kind": "finding", "state": state, "subject": subject, "detail": detail}));
        } else {
            say!("{}", wrapped(&format!("{state:<6} {subject:<13} "), detail));
        }
    }

    /// The last line, and the status with which the command ends: 1 if anything is wrong.
    pub(super) fn conclude(self) -> ExitCode {
        let status = if self.bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        if self.arguments.json {
            printing::json(
                &json!({"kind": "summary", "wrong": self.bad, "noted": self.noted, "unknown": self.unknown}),
            );
            return status;
        }
        match self.bad {
            0 if self.noted > 0 => {
                say!("\nNothing is wrong with the installation; see what is noted.");
            }
            0 => say!("\nAll is well."),
            1 => say!("\nOne thing is wrong."),
            many => say!("\n{many} things are wrong."),
        }
        status
    }
}
