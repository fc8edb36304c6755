//! The commands; the only room that builds the others and that prints.

mod api_key;
mod assembly;
#[cfg(feature = "demo")]
mod demo;
mod doctor;
mod external_id;
mod graph_connection;
mod migrate;
mod openapi;
mod operator;
mod retry;
mod run;
mod self_audit;
mod serve;
#[cfg(feature = "demo")]
mod simulate_graph;

pub use assembly::{Clockwork, Replica, StartFault};
pub use run::run;
