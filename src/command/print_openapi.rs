//! `openapi`: prints the document, for client generators and for the reviewed copy in `docs`.

use std::process::ExitCode;

/// Prints the document.
#[expect(clippy::print_stdout, reason = "printing is what this command is for")]
pub(super) fn run() -> ExitCode {
    print!("{}", crate::api::openapi_json());
    ExitCode::SUCCESS
}
