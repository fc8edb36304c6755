//! Postgres for `demo` and the tests, from PostgreSQL programs on this machine.
//!
//! It finds `initdb` and `postgres`, or fetches them where there are none, makes a cluster in a folder of its own, runs the server as an unprivileged
//! user on a free port of 127.0.0.1, and leaves nothing behind: not after a panic, not after `SIGKILL`.
//!
//! It must never speak SQL or name a database client (that is `store`), never read an environment variable (the
//! caller hands the search path and the folder for downloads in), and never serve production: every local user may connect, without a password.
//!
//! Called by `command` for `demo`, and by the tests.
//!
//! How nothing is left behind: a small `/bin/sh`, the supervisor, reads from a pipe whose other end only this
//! process holds. When the process ends, however it ends, the pipe closes; the supervisor then stops the server
//! and removes the temporary folder. An orderly end closes the same pipe, so this way is walked in every test.

mod account;
mod download;
mod error;
mod folder;
mod polling;
mod process;
mod programs;
mod progress;
mod server;
mod settings;
mod supervisor;

pub use download::Download;
pub use error::{LocalPostgresError, Tried};
pub use progress::DownloadProgress;
pub use server::LocalPostgres;
pub use settings::{LocalPostgresSettings, StopMode};
