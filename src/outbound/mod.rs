//! The one way to make an outgoing HTTP client.
//!
//! Every client carries both time-outs and our `User-Agent`, follows no redirect (a token must not travel to a
//! host that nobody configured), speaks https except to this machine, and never asks a proxy for this machine.
//! It knows no neighbour and no setting. Called by `command` and `msgraph`; `config` asks it what this machine is.

mod client;

pub use client::{ClientFault, Timeouts, client, is_loopback};
