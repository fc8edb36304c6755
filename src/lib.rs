//! One booking, one Microsoft Teams meeting, a complete history.

pub mod booking;
pub mod clock;
pub mod local_postgres;
pub mod meeting;
pub mod msgraph_simulator;
