//! One file, one function, one statement for each act; each takes the event that records it.
//!
//! A single statement is a whole transaction in one round trip, and there is no moment between its parts at
//! which a process can die. Statements with more than six values take them by name (`input`). Called by `provisioning` only.

mod accept;
mod begin_check;
mod claim;
mod declare;
pub(in crate::store) mod input;
mod keep_cancel;
mod pause_calls;
mod release;
mod retry;
mod settle;

pub(crate) use accept::{Accepted, Before};
pub(crate) use claim::Claimed;
#[cfg(test)]
pub(crate) use claim::ClaimedBooking;
pub(crate) use declare::Changed;
pub(crate) use settle::{Settled, Settlement};
