//! The statements of this room against a real Postgres, where the tests of the whole service can't look: each on a
//! database of its own, as the tests in `tests/blackbox` have them.

mod beginnings_wait_for_each_other;
mod connections_are_kept;
mod failed_writes_are_noted;
mod inputs_fit_their_types;
mod migrations;
#[path = "../../../tests/blackbox/support/postgres/mod.rs"]
mod postgres;
mod reads_are_bounded;
mod refuted_is_freed;
mod rows;
mod sql_decides_as_rust_does;

pub(super) use rows::TestStore;
