//! The commands; the only room that builds the others and that prints.

mod assembly;
mod background_loops;
#[cfg(feature = "demo")]
mod demo;
mod derive_external_id;
mod doctor;
#[cfg(test)]
mod going_live_tests;
mod graph_connection;
mod listening_server;
mod migrate;
mod new_api_key;
mod operator;
mod print_openapi;
mod printing;
mod replica;
mod retry_bookings;
mod run;
mod running_replica;
mod schema;
mod self_audit;
mod serve;
#[cfg(feature = "demo")]
mod simulate_graph;
mod start_fault;

pub use background_loops::{BackgroundWork, LoopEnded};
pub use replica::Replica;
pub use run::run;
pub use start_fault::StartFault;

pub use crate::telemetry::{LogsFault, log_subscriber};
