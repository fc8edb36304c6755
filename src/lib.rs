//! One booking, one Microsoft Teams meeting, a complete history.
//!
//! # Which error type to use where
//!
//! `…Fault` is something to correct before it can work (an input, a setting, a credential); all faults of one input are
//! collected and told at once. `…Error` is an operation that failed at run time. What Graph answers is neither: it is an
//! outcome, a value that is decided on and stored.
//!
//! - A request body, a query: `booking::MemberFault` or `TextFault`; `api` answers them as one `Problem`.
//! - A setting or an API key: `setting::SettingFault`, collected in `ConfigFaults` or `ApiKeyFaults`.
//! - A credential or a role: `AccessFault`. Its source, `AuthenticationFault`, and what is wrong with a token, `TokenFault`,
//!   are for the log, never for the client. The keys of an issuer: `KeyFetchFault`, `KeySourceFault`.
//! - What a source system may not have: `booking::OutOfReach`; not so much of: `provisioning::Refused`, which holds both.
//! - A statement: `StoreError`, which knows whether waiting may help (`may_pass`). An operation on bookings:
//!   `ProvisioningError`.
//! - A call to Graph: `meeting::Outcome`; what is left of it is the booking's `LastError` with its `Failure` code. A call
//!   that may not be sent now: `throttling::Rejected`, with the time of the next try.
//! - The set-up of a connection to Graph: `ConnectionFault`. A token: `TokenFailure`. A start: `StartFault`.
//! - A response to a caller: `Problem`, with what the caller may know and do. The causes are for the log.
//! - A command: `anyhow::Error`, printed once, by `command::run`.
//!
//! A room wraps what a neighbour returns as the source of its own error. A failure is logged once, where it is handled,
//! with `error_chain::chain`, which holds every cause.
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
//! | `booking` | `clock`, `suggestion` |
//! | `meeting` | `booking`, `clock` |
//! | `audit` | `booking`, `clock`, `meeting` |
//! | `provisioning` | `audit`, `booking`, `clock`, `error_chain`, `meeting`, `msgraph`, `shares`, `store`, `telemetry`, `throttling`, `under_way`, `waiting` |
//! | `waiting` | `booking`, `clock`, `error_chain`, `meeting`, `shares`, `store::Listener`, `store::Notice`, `store::ReceivedNotice`, `store::ReplicaId`, `store::StoreError`, `store::Store`, `store::reading`, `telemetry`, `under_way` |
//! | `shares` | `booking` |
//! | `throttling` | `booking`, `clock`, `meeting`, `shares` |
//! | `worker` | `clock`, `error_chain`, `meeting`, `provisioning` |
//! | `store` | `audit`, `booking`, `clock`, `meeting`, `outbound::is_loopback_host`, `shares` |
//! | `msgraph` | `booking`, `clock`, `error_chain`, `meeting`, `outbound`, `setting::read_bytes`, `setting::read_text` |
//! | `msgraph_simulator` | `clock` |
//! | `local_postgres` | `error_chain`, `outbound::is_loopback` |
//! | `access` | `booking`, `clock`, `error_chain`, `outbound`, `setting` |
//! | `api` | `access`, `audit`, `booking`, `clock`, `error_chain`, `meeting`, `provisioning`, `store::Store`, `store::StoreError`, `store::reading`, `telemetry::TraceParent` |
//! | `server` | `access`, `api`, `booking`, `clock`, `error_chain`, `shares`, `store::Store`, `telemetry`, `under_way` |
//! | `command` | `access`, `api`, `audit`, `booking`, `clock`, `config`, `error_chain`, `local_postgres`, `meeting`, `msgraph`, `msgraph_simulator`, `outbound`, `provisioning`, `server`, `setting::read_bytes`, `shares`, `store`, `telemetry`, `throttling`, `under_way`, `waiting`, `worker` |
//! | `config` | `access::Caller`, `access::CallerName`, `access::CertificateIdentity`, `access::CertificateRule`, `access::ClaimPath`, `access::IssuerRules`, `access::Role`, `access::SigningAlgorithm`, `access::SourceSystems`, `booking`, `meeting::DriftPolicy`, `outbound::is_link_local`, `outbound::is_loopback`, `setting`, `suggestion` |
//! | `setting` | `suggestion` |
//! | `suggestion` | — |
//! | `telemetry` | `booking`, `config` |
//! | `error_chain` | — |
//! | `under_way` | — |
//! | `outbound` | — |
//!
//! # Names that stay in their rooms
//!
//! | name | only in |
//! | --- | --- |
//! | `sqlx` | `store` |
//! | `oauth2`, `p12_keystore`, `sha1` | `msgraph` |
//! | `jsonwebtoken`, `x509_parser` | `access`, `msgraph`, `msgraph_simulator` |
//! | `rustls`, `tokio_rustls` | `server` |
//! | `reqwest` | `access/token/key_source.rs`, `command`, `local_postgres`, `msgraph`, `outbound` |
//! | `actix_web`, `actix_http`, `tracing_actix_web`, `utoipa_swagger_ui` | `access/guard.rs`, `api`, `command`, `msgraph_simulator`, `server` |
//! | `flate2`, `tar` | `local_postgres` |
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
mod error_chain;
#[cfg(feature = "demo")]
pub mod local_postgres;
pub mod meeting;
mod msgraph;
#[cfg(feature = "demo")]
pub mod msgraph_simulator;
mod outbound;
mod provisioning;
mod server;
mod setting;
mod shares;
mod store;
mod suggestion;
mod telemetry;
mod throttling;
mod under_way;
mod waiting;
mod worker;
