//! The one way to make an outgoing HTTP client.
//!
//! Every client carries both time-outs and our `User-Agent`, follows no redirect (a token must not travel to a
//! host that nobody configured), speaks https except to this machine, and never asks a proxy for this machine.
//! It knows no neighbour and no setting. Called by `msgraph` and `access`.

mod client;

pub use client::{ClientFault, Timeouts, USER_AGENT, client, is_loopback};
