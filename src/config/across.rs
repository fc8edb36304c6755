//! What must hold between settings, of which each that is right by itself is compared, whatever is wrong beside it.

use std::time::Duration;

use super::graph_settings::{self, Cloud, GraphVersion};
use super::http::HttpValues;
use super::reader::Reader;
use super::worker;

/// What a lease must leave after the longest call: time to fetch a pooled connection and settle.
pub const LEASE_MARGIN: Duration = Duration::from_secs(10);

/// The default wait must be allowed, the drain must end before the shutdown does, and two ports can't share an address.
pub(super) fn check_http(reader: &mut Reader, http: &HttpValues) {
    if let (Some(wait_default), Some(wait_max)) = (http.wait_default, http.wait_max)
        && wait_default > wait_max
    {
        let (is, most) = (wait_default.as_secs(), wait_max.as_secs());
        let detail = format!("is {is}; must be at most http.wait_max_seconds, which is {most}");
        reader.fault("http.wait_default_seconds", detail);
    }
    if let (Some(drain), Some(shutdown)) = (http.drain, http.shutdown)
        && drain >= shutdown
    {
        let (is, below) = (drain.as_secs(), shutdown.as_secs());
        let detail = format!("is {is}; must be below http.shutdown_seconds, which is {below}");
        reader.fault("http.drain_seconds", detail);
    }
    if let (Some(address), Some(admin_address)) = (http.address, http.admin_address)
        && address == admin_address
        && address.port() != 0
    {
        let detail = format!("is {admin_address}, as http.address is; must be another");
        reader.fault("http.admin_address", detail);
    }
}

/// Microsoft offers `beta` of this API in the global cloud alone.
pub(super) fn check_graph(reader: &mut Reader, version: Option<GraphVersion>, cloud: Option<Cloud>) {
    if version == Some(GraphVersion::Beta) && cloud.is_some_and(|cloud| cloud != Cloud::Global) {
        reader.fault(
            "graph.version",
            "is \"beta\"; must be \"v1.0\" with this graph.cloud, whose Graph offers createOrGet on v1.0 alone",
        );
    }
}

/// A lease that ends while its call is still under way would let another replica call as well.
pub(super) fn check_lease(reader: &mut Reader) {
    let (Some(lease), Some(call)) = (worker::lease(reader), graph_settings::longest_call(reader)) else {
        return;
    };
    let minimum = call + LEASE_MARGIN;
    if lease < minimum {
        let detail = format!(
            "is {}; must be at least {}: graph.connect_timeout_seconds + graph.timeout_seconds + {}, or a \
             second replica would call Graph while the first still waits",
            lease.as_secs(),
            minimum.as_secs_f64().ceil(),
            LEASE_MARGIN.as_secs()
        );
        reader.fault("worker.lease_seconds", detail);
    }
}
