//! The one way to make an outgoing HTTP client.
//!
//! Every client carries both time-outs and our `User-Agent`, follows no redirect (a token must not travel to a
//! host that is not configured), uses https except to loopback, and no proxy for loopback. It knows no neighbour and no
//! setting. A metadata endpoint is asked on this machine or its link alone, and never through a proxy. Called by `command` and
//! `msgraph`; `config` and `store` ask it which addresses are loopback
//! or link-local.

mod client;

pub use client::{
    ClientFault, Timeouts, client, is_link_local, is_loopback, is_loopback_host, metadata_client,
};
