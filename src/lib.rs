//! One booking, one Microsoft Teams meeting, a complete history.

pub mod audit;
pub mod booking;
pub mod clock;
pub mod local_postgres;
pub mod meeting;
mod msgraph;
pub mod msgraph_simulator;
mod provisioning;
mod store;
mod telemetry;
