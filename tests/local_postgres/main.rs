//! The room `local_postgres`: a server that works, and of which nothing is left; programs that are fetched; and what the
//! black-box tests make of it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what fails here shall fail the test")]

mod downloads;
mod ends;
#[path = "../blackbox/support/postgres/mod.rs"]
mod postgres;
mod release_server;
mod serves;
mod support;
mod test_database;
