//! A small, faithful Microsoft Graph and Entra token endpoint over real HTTP, with faults on demand.
//!
//! What for: `simulate-graph`, `demo`, the benchmarks and the black-box tests need a Graph that keeps its identity
//! rule, is indifferent to the body on a hit, and fails in every way the real one is known to fail.
//!
//! What it must never do: share a type with `msgraph` (a wrong guess must not agree with itself), listen on anything
//! but the loopback, or hold a real credential.
//!
//! Who calls it: `command` and the tests start a [`Simulator`]; every other program reaches it over HTTP only.
//!
//! How a call passes: `front` reads it, writes it into the `ledger`, draws from the `fault_plan`, lets the room's
//! endpoints (`token_endpoint`, `identity_endpoint`, `create_or_get`, `meeting_item`, `users`) do the work, and delivers or cuts the answer.
//! `control` is the way to steer all that over HTTP. See `docs/SIMULATOR.md`.

mod app_credentials;
mod client_assertion;
mod control;
mod create_or_get;
mod cut;
mod entra_refusal;
mod fault_answers;
mod fault_plan;
mod faults;
mod front;
mod graph_refusal;
mod graph_response;
mod graph_time;
mod identity_endpoint;
mod json_body;
mod ledger;
mod ledger_entries;
mod meeting_content;
mod meeting_item;
mod meetings;
mod organizers;
mod permission;
mod route;
mod simulator;
mod simulator_settings;
mod tenant;
mod token_endpoint;
mod users;

pub use app_credentials::FederatedCredential;
pub use faults::{Effect, Frequency, GatewayBody, InjectedFault};
pub use ledger::NotInTime;
pub use ledger_entries::{CallCounts, CallEntry, CallOutcome, LedgerSnapshot, MeetingEntry};
pub use organizers::{OrganizerState, UserId};
pub use route::Operation;
pub use simulator::{Simulator, SimulatorError};
pub use simulator_settings::SimulatorSettings;
