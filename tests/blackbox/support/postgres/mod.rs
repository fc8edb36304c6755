//! A database for each test, on one Postgres server for each test process.
//!
//! The server is, in this order: the one that `TEST_DATABASE_URL` or `DATABASE_URL` names; one started from the
//! PostgreSQL programs of this machine (`TEST_POSTGRES_BINARIES_DIR`, `PATH`, the packages' places) or, where there are
//! none, from programs that are fetched (from `POSTGRES_RELEASES_URL`, if a mirror is named there); a container of the image
//! `TEST_POSTGRES_IMAGE` (`postgres:16-alpine`), with the feature `test-containers`. `TEST_POSTGRES=local` or `container` forces one of the last two. If
//! none works, the tests fail and say what was tried; they never skip.
//!
//! On a server that was given, the user may make databases and roles.
//!
//! A test's database is a clone of a template that is migrated once. On a server that was given it is dropped when the
//! test ends; the template, and what a killed process leaves, is dropped by the next run. A server of ours ends with
//! the process, and all with it.

#[cfg(feature = "test-containers")]
mod container;
mod database;
mod keeper;
pub mod local;
mod server;

pub use database::{TestDatabase, empty_database, fresh_database};
