//! Findings, each with what it means and what to do.

use std::process::ExitCode;

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
#[derive(Default)]
pub(super) struct Findings {
    bad: usize,
    noted: usize,
}

#[expect(clippy::print_stdout, reason = "findings are what this command is run for")]
impl Findings {
    /// Prints that something is as it should be.
    #[expect(clippy::unused_self, reason = "good and bad findings are noted in one place")]
    pub(super) fn good(&self, subject: &str, detail: &str) {
        println!("ok     {subject:<9} {detail}");
    }

    /// Prints that the state of something is not known.
    #[expect(clippy::unused_self, reason = "all findings are noted in one place")]
    pub(super) fn unknown(&self, subject: &str, detail: &str) {
        println!("?      {subject:<9} {}", indented(detail));
    }

    /// Prints what is no fault of the installation, and may need the operator all the same.
    pub(super) fn note(&mut self, subject: &str, detail: &str) {
        self.noted += 1;
        println!("note   {subject:<9} {}", indented(detail));
    }

    /// Prints what is wrong.
    pub(super) fn bad(&mut self, finding: &Finding) {
        self.bad += 1;
        println!("WRONG  {:<9} {}", finding.subject, indented(&finding.wrong));
        println!("       means     {}", indented(&finding.means));
        println!("       do        {}", indented(&finding.remedy));
    }

    /// The last line, and the status with which the command ends: 1 if anything is wrong.
    pub(super) fn conclude(self) -> ExitCode {
        match self.bad {
            0 if self.noted > 0 => {
                println!("\nNothing is wrong with the installation; see what is noted.");
                ExitCode::SUCCESS
            }
            0 => {
                println!("\nAll is well.");
                ExitCode::SUCCESS
            }
            1 => {
                println!("\nOne thing is wrong.");
                ExitCode::FAILURE
            }
            many => {
                println!("\n{many} things are wrong.");
                ExitCode::FAILURE
            }
        }
    }
}

fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n                 ")
}
