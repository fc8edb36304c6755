//! One booking, one Microsoft Teams meeting, a complete history.
//!
//! # Which room may import which
//!
//! `tests/tidy` reads these two tables and holds them, file by file. `—` stands for nothing; a path like
//! `store::reading` allows that part of a room alone. Only `command` builds the others. No transaction leaves `store`,
//! so a call to Graph inside one can't be written.
//!
//! | room | may import |
//! | --- | --- |
//! | `main` | `command` |
//! | `clock` | — |
//! | `booking` | `clock` |
//! | `meeting` | `booking`, `clock` |
//! | `audit` | `booking`, `clock`, `meeting` |
//! | `provisioning` | `audit`, `booking`, `clock`, `meeting`, `msgraph`, `store`, `telemetry`, `throttling`, `under_way` |
//! | `throttling` | `booking`, `clock`, `meeting` |
//! | `worker` | `clock`, `meeting`, `provisioning` |
//! | `store` | `audit`, `booking`, `clock`, `meeting` |
//! | `msgraph` | `booking`, `clock`, `meeting`, `outbound` |
//! | `msgraph_simulator` | `clock` |
//! | `local_postgres` | — |
//! | `access` | `booking` |
//! | `api` | `access`, `audit`, `booking`, `clock`, `meeting`, `provisioning`, `store::Store`, `store::StoreError`, `store::reading`, `telemetry::TraceParent` |
//! | `server` | `access`, `api`, `booking`, `clock`, `store::Store`, `telemetry`, `under_way` |
//! | `command` | `access`, `api`, `audit`, `booking`, `clock`, `config`, `local_postgres`, `meeting`, `msgraph`, `msgraph_simulator`, `outbound`, `provisioning`, `server`, `store`, `telemetry`, `throttling`, `under_way`, `worker` |
//! | `config` | `booking`, `meeting::DriftPolicy`, `outbound::is_loopback` |
//! | `telemetry` | `booking`, `config` |
//! | `under_way` | — |
//! | `outbound` | — |
//!
//! # Names that stay in their rooms
//!
//! | name | only in |
//! | --- | --- |
//! | `sqlx` | `store` |
//! | `oauth2` | `msgraph` |
//! | `reqwest` | `command`, `msgraph`, `outbound` |
//! | `actix_web`, `actix_http`, `tracing_actix_web`, `utoipa_swagger_ui` | `access/guard.rs`, `api`, `command`, `msgraph_simulator`, `server` |
//! | `postgresql_embedded` | `local_postgres` |
//! | `std::env::var`, `std::env::var_os`, `std::env::vars`, `std::env::vars_os` | `config` |
//! | `println!`, `print!`, `eprintln!`, `eprint!` | `command` |
//! | `dbg!` | — |

/// The databases of the tests are made by files of `tests`, which know this crate by its name.
#[cfg(test)]
extern crate self as meeting_provisioner;

mod access;
mod api;
pub mod audit;
pub mod booking;
pub mod clock;
pub mod command;
pub mod config;
pub mod local_postgres;
pub mod meeting;
mod msgraph;
pub mod msgraph_simulator;
mod outbound;
mod provisioning;
mod server;
mod store;
mod telemetry;
mod throttling;
mod under_way;
mod worker;
