//! `openapi`: prints the document, for client generators and for the reviewed copy in `docs`.

use std::process::ExitCode;

/// Prints the document.
pub(super) fn run() -> ExitCode {
    super::printing::write(&crate::api::openapi_json());
    ExitCode::SUCCESS
}
