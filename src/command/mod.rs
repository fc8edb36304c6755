//! The commands; the only room that builds the others and that prints.

mod assembly;
#[cfg(feature = "demo")]
mod demo;
mod derive_external_id;
mod doctor;
mod graph_connection;
mod migrate;
mod new_api_key;
mod operator;
mod print_openapi;
mod retry_bookings;
mod run;
mod self_audit;
mod serve;
#[cfg(feature = "demo")]
mod simulate_graph;

pub use assembly::{BackgroundWork, Replica, StartFault};
pub use run::run;
