//! One file, one function, one statement for each act; each takes the event that testifies to it.
//!
//! A single statement is a whole transaction in one round trip, and there is no moment between its parts at
//! which a process can die. Called by `provisioning` only.

mod accept;
mod begin_check;
mod claim;
mod declare;
mod parameters;
mod record_pause;
mod release;
mod retry;
mod settle;

pub(crate) use accept::Accepted;
pub(crate) use claim::Claimed;
pub(crate) use declare::Changed;
pub(crate) use settle::{Settled, Settlement};
