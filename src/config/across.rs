//! What must hold between settings that are right one by one.

use std::time::Duration;

use super::graph_settings::{Cloud, GraphSettings, GraphVersion};
use super::http::HttpSettings;
use super::reader::Reader;
use super::worker::WorkerSettings;

/// What a lease must leave after the longest call: time to fetch a pooled connection and settle.
pub const LEASE_MARGIN: Duration = Duration::from_secs(10);

/// The default wait must be allowed, the drain must end before the shutdown does, and two ports can't share an address.
pub(super) fn check_http(reader: &mut Reader, http: &HttpSettings) {
    if http.wait_default > http.wait_max {
        let detail = format!(
            "is {}; must be at most http.wait_max_seconds, which is {}",
            http.wait_default.as_secs(),
            http.wait_max.as_secs()
        );
        reader.fault("http.wait_default_seconds", detail);
    }
    if http.drain >= http.shutdown {
        let detail = format!(
            "is {}; must be below http.shutdown_seconds, which is {}",
            http.drain.as_secs(),
            http.shutdown.as_secs()
        );
        reader.fault("http.drain_seconds", detail);
    }
    if http.address == http.admin_address && http.address.port() != 0 {
        let detail = format!("is {}, as http.address is; must be another", http.admin_address);
        reader.fault("http.admin_address", detail);
    }
}

/// Microsoft offers `beta` of this API in the global cloud alone.
pub(super) fn check_graph(reader: &mut Reader, graph: &GraphSettings) {
    if graph.version == GraphVersion::Beta && graph.cloud != Cloud::Global {
        reader.fault(
            "graph.version",
            "is \"beta\"; must be \"v1.0\" with this graph.cloud, whose Graph offers createOrGet on v1.0 alone",
        );
    }
}

/// A lease that ends while its call is still under way would let another replica call as well.
pub(super) fn check_lease(reader: &mut Reader, graph: &GraphSettings, worker: &WorkerSettings) {
    let least = graph.connect_timeout + graph.timeout + LEASE_MARGIN;
    if worker.lease < least {
        let detail = format!(
            "is {}; must be at least {}: graph.connect_timeout_seconds + graph.timeout_seconds + {}, or a \
             second replica would call Graph while the first still waits",
            worker.lease.as_secs(),
            least.as_secs_f64().ceil(),
            LEASE_MARGIN.as_secs()
        );
        reader.fault("worker.lease_seconds", detail);
    }
}
