//! How the tests start a Postgres of their own.

use std::io::{IsTerminal as _, Write as _};

use meeting_provisioner::config::process_cache_dir;
use meeting_provisioner::local_postgres::{Download, DownloadProgress, LocalPostgresSettings};

/// The programs that `TEST_POSTGRES_BINARIES_DIR` names, else those of this machine, else those that can be fetched.
pub fn local_settings() -> LocalPostgresSettings {
    LocalPostgresSettings {
        binaries_dir: variable("TEST_POSTGRES_BINARIES_DIR").map(Into::into),
        search_path: variable("PATH").map(Into::into),
        data_dir: None,
        download: process_cache_dir().map(|cache_dir| Download {
            cache_dir,
            releases_url: variable("POSTGRES_RELEASES_URL"),
            tell,
        }),
    }
}

/// Written past the test harness, which swallows what a passing test prints; the bar only at a terminal.
fn tell(progress: &DownloadProgress<'_>) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() || matches!(progress, DownloadProgress::Begins { .. }) {
        let _best_effort = stderr.write_all(progress.to_string().as_bytes());
    }
}

/// An environment variable that is set to something.
#[expect(clippy::disallowed_methods, reason = "the tests have settings of their own")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
