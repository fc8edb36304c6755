//! Everything Postgres: the only room that names sqlx.
//!
//! `writing` holds one file, one function, one statement for each act, and each takes the event that records
//! it; `reading` has no side effect. No transaction leaves this room, so a call to Graph inside one can't be
//! written. It knows nothing of Graph and decides nothing. Called by `provisioning` (both halves), by `api` and `server`
//! (`reading` only) and by `command` (connecting and migrating).

mod booking_row;
mod claims;
mod condition;
mod connections;
#[cfg(test)]
mod database_tests;
mod error;
mod executor;
mod migrate;
mod notice;
mod notice_listener;
mod postgres;
pub(crate) mod reading;
mod running_replica;
mod transport;
mod writes;
pub(crate) mod writing;

pub(crate) use booking_row::LeasedBooking;

pub(crate) use error::StoreError;
pub(crate) use notice::{Notice, ReceivedNotice, ReplicaId};
pub(crate) use notice_listener::Listener;
pub(crate) use postgres::{Store, StoreSettings};
pub(crate) use running_replica::{RunningReplica, SeenReplica};
pub(crate) use transport::Unverified;
