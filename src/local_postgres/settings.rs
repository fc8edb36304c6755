//! What a caller may choose.

use std::ffi::OsString;
use std::path::PathBuf;

use super::download::Download;

/// Where to look for PostgreSQL and where to keep its files. The default finds what it can without `PATH`,
/// downloads nothing and keeps nothing.
#[derive(Debug, Clone, Default)]
pub struct LocalPostgresSettings {
    /// The folder of `initdb` and `postgres`. When it is given, no other place is tried: a wrong setting shall be
    /// seen, not papered over.
    pub binaries_dir: Option<PathBuf>,
    /// The value of `PATH`; it is handed in because only `config` reads the environment.
    pub search_path: Option<OsString>,
    /// The folder for the cluster, which is kept and used again at the next start. It must be absent, empty, or
    /// made by an earlier start. `None`: a temporary folder, removed at the end.
    pub data_dir: Option<PathBuf>,
    /// How to get programs when none on the machine work and `binaries_dir` is `None`; `None`: not at all.
    pub download: Option<Download>,
}

/// How a running server is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopMode {
    /// Sessions are ended, transactions rolled back, everything is written out (`SIGINT`).
    Fast,
    /// As if the power had failed; the next start recovers from the write-ahead log (`SIGQUIT`).
    Immediate,
}

impl StopMode {
    /// The signal's name, without `SIG`, as `kill -s` takes it.
    pub(super) fn signal(self) -> &'static str {
        match self {
            Self::Fast => "INT",
            Self::Immediate => "QUIT",
        }
    }
}
