//! The metrics of one service, counted in words of its subject.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric as Encodable, Registry, Unit};

use super::load::Load;
use super::metric_names::{self as names, Metric, MetricKind};
use crate::booking::SourceSystem;

/// The content type of [`Metrics::encode`].
pub const METRICS_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the buckets for requests, in seconds; a replay takes about 1 ms, the longest wait 30 s.
const HTTP_BUCKETS: [f64; 14] =
    [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Upper bounds of the buckets for calls to Graph, in seconds.
const GRAPH_BUCKETS: [f64; 10] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The methods that are told apart; a caller can make up any other.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// What became of a booking that a caller sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Acceptance {
    /// It was not known.
    New,
    /// It was known and identical.
    Replayed,
    /// It was known and not identical.
    Differs,
}

impl Acceptance {
    fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Replayed => "replayed",
            Self::Differs => "differs",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    call: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallOutcomeLabels {
    call: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ObstacleLabels {
    obstacle: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AcceptanceLabels {
    source_system: String,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DriftLabels {
    source_system: String,
    policy: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NoticeLabels {
    notice: &'static str,
    direction: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailureLabels {
    code: &'static str,
}

/// The metrics of one service. Every method is cheap: an atomic behind a read lock.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    http_requests: Family<RequestLabels, Counter>,
    http_request_duration: Family<RouteLabels, Histogram, fn() -> Histogram>,
    graph_calls: Family<CallOutcomeLabels, Counter>,
    graph_call_duration: Family<CallLabels, Histogram, fn() -> Histogram>,
    graph_calls_postponed: Family<ObstacleLabels, Counter>,
    graph_calls_limit: Gauge,
    graph_pauses: Gauge,
    near_monthly_limit: Gauge,
    bookings_accepted: Family<AcceptanceLabels, Counter>,
    bookings_settled: Family<StatusLabels, Counter>,
    bookings_parked: Family<FailureLabels, Counter>,
    leases_lost: Counter,
    leases_resumed: Counter,
    meetings_drifted: Family<DriftLabels, Counter>,
    bookings_due: Gauge,
    bookings: Family<StatusLabels, Gauge>,
    oldest_due_age: Gauge<f64, AtomicU64>,
    notices: Family<NoticeLabels, Counter>,
    listening: Gauge,
    starting_soon: Gauge,
    load: Load,
}

impl Metrics {
    /// All metrics, with nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            http_requests: Family::default(),
            http_request_duration: Family::new_with_constructor(|| Histogram::new(HTTP_BUCKETS)),
            graph_calls: Family::default(),
            graph_call_duration: Family::new_with_constructor(|| Histogram::new(GRAPH_BUCKETS)),
            graph_calls_postponed: Family::default(),
            graph_calls_limit: Gauge::default(),
            graph_pauses: Gauge::default(),
            near_monthly_limit: Gauge::default(),
            bookings_accepted: Family::default(),
            bookings_settled: Family::default(),
            bookings_parked: Family::default(),
            leases_lost: Counter::default(),
            leases_resumed: Counter::default(),
            meetings_drifted: Family::default(),
            bookings_due: Gauge::default(),
            bookings: Family::default(),
            oldest_due_age: Gauge::default(),
            notices: Family::default(),
            listening: Gauge::default(),
            starting_soon: Gauge::default(),
            load: Load::default(),
        };
        metrics.register_all();
        metrics
    }

    fn register_all(&mut self) {
        let registry = &mut self.registry;
        register(registry, names::HTTP_REQUESTS, self.http_requests.clone());
        register(registry, names::HTTP_REQUEST_DURATION, self.http_request_duration.clone());
        register(registry, names::HTTP_IN_FLIGHT, self.load.in_flight.clone());
        register(registry, names::HTTP_WAITING, self.load.waiting.clone());
        register(registry, names::HTTP_REFUSED, self.load.refused.clone());
        register(registry, names::GRAPH_CALLS, self.graph_calls.clone());
        register(registry, names::GRAPH_CALL_DURATION, self.graph_call_duration.clone());
        register(registry, names::GRAPH_CALLS_POSTPONED, self.graph_calls_postponed.clone());
        register(registry, names::GRAPH_CALLS_LIMIT, self.graph_calls_limit.clone());
        register(registry, names::GRAPH_PAUSES, self.graph_pauses.clone());
        register(registry, names::NEAR_MONTHLY_LIMIT, self.near_monthly_limit.clone());
        register(registry, names::BOOKINGS_ACCEPTED, self.bookings_accepted.clone());
        register(registry, names::BOOKINGS_SETTLED, self.bookings_settled.clone());
        register(registry, names::BOOKINGS_PARKED, self.bookings_parked.clone());
        register(registry, names::LEASES_LOST, self.leases_lost.clone());
        register(registry, names::LEASES_RESUMED, self.leases_resumed.clone());
        register(registry, names::MEETINGS_DRIFTED, self.meetings_drifted.clone());
        register(registry, names::BOOKINGS_DUE, self.bookings_due.clone());
        register(registry, names::BOOKINGS, self.bookings.clone());
        register(registry, names::OLDEST_DUE_AGE, self.oldest_due_age.clone());
        register(registry, names::NOTICES, self.notices.clone());
        register(registry, names::LISTENING, self.listening.clone());
        register(registry, names::STARTING_SOON, self.starting_soon.clone());
        register(registry, names::BUILD, Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    }

    /// A request was answered. `route` is the route's pattern (`/v1/bookings/{bookingId}`), never the path: a caller
    /// can make up any path. `None` for a path that fits no route.
    pub fn http_request(&self, route: Option<&str>, method: &str, status: u16, took: Duration) {
        let route = route.unwrap_or("unmatched");
        let method = METHODS.into_iter().find(|known| *known == method).unwrap_or("other");
        self.http_requests.get_or_create(&RequestLabels { route: route.to_owned(), method, status }).inc();
        self.http_request_duration
            .get_or_create(&RouteLabels { route: route.to_owned() })
            .observe(took.as_secs_f64());
    }

    /// How much the public door has to do.
    pub fn load(&self) -> &Load {
        &self.load
    }

    /// A call to Graph came to its outcome; both in the words of history (`create-or-get`, `found`).
    pub fn graph_call(&self, call: &'static str, outcome: &'static str, took: Duration) {
        self.graph_calls.get_or_create(&CallOutcomeLabels { call, outcome }).inc();
        self.graph_call_duration.get_or_create(&CallLabels { call }).observe(took.as_secs_f64());
    }

    /// A call to Graph was not sent but put off.
    pub fn call_postponed(&self, obstacle: &'static str) {
        self.graph_calls_postponed.get_or_create(&ObstacleLabels { obstacle }).inc();
    }

    /// How many calls may be under way at once, and how many scopes are to be left alone.
    pub fn set_gate(&self, limit: usize, pauses: usize) {
        self.graph_calls_limit.set(i64::try_from(limit).unwrap_or(i64::MAX));
        self.graph_pauses.set(i64::try_from(pauses).unwrap_or(i64::MAX));
    }

    /// How many organizers come near the number of meetings that Microsoft allows in a month.
    pub fn set_near_monthly_limit(&self, organizers: usize) {
        self.near_monthly_limit.set(i64::try_from(organizers).unwrap_or(i64::MAX));
    }

    /// A caller sent a booking. The source system is the credential's, so there are no more than the keys name.
    pub fn booking_accepted(&self, source_system: &SourceSystem, acceptance: Acceptance) {
        let labels = AcceptanceLabels {
            source_system: source_system.as_str().to_owned(),
            result: acceptance.as_str(),
        };
        self.bookings_accepted.get_or_create(&labels).inc();
    }

    /// An attempt's outcome was stored; `status` is what the booking has since.
    pub fn booking_settled(&self, status: &'static str) {
        self.bookings_settled.get_or_create(&StatusLabels { status }).inc();
    }

    /// A booking was parked; `code` is that of its last error.
    pub fn booking_parked(&self, code: &'static str) {
        self.bookings_parked.get_or_create(&FailureLabels { code }).inc();
    }

    /// An outcome came after the lease had gone to another, and was not stored.
    pub fn lease_lost(&self) {
        self.leases_lost.inc();
    }

    /// A meeting turned out to have moved away from its booking; `policy` is what is done about it.
    pub fn meeting_drifted(&self, source_system: &SourceSystem, policy: &'static str) {
        let source_system = source_system.as_str().to_owned();
        self.meetings_drifted.get_or_create(&DriftLabels { source_system, policy }).inc();
    }

    /// A booking was taken over because its lease had run out.
    pub fn lease_resumed(&self) {
        self.leases_resumed.inc();
    }

    /// How many bookings are due and untouched, and how long the oldest of them has been.
    pub fn set_due(&self, count: u32, oldest_age: Duration) {
        self.bookings_due.set(count.into());
        self.oldest_due_age.set(oldest_age.as_secs_f64());
    }

    /// How many bookings have this status. A status that has none left must be set to 0.
    pub fn set_bookings(&self, status: &'static str, count: i64) {
        self.bookings.get_or_create(&StatusLabels { status }).set(count);
    }

    /// Other replicas were told something.
    pub fn notice_told(&self, notice: &'static str) {
        self.notices.get_or_create(&NoticeLabels { notice, direction: "told" }).inc();
    }

    /// Something was heard that a replica told, this one or another.
    pub fn notice_heard(&self, notice: &'static str) {
        self.notices.get_or_create(&NoticeLabels { notice, direction: "heard" }).inc();
    }

    /// Whether what other replicas tell is heard.
    pub fn set_listening(&self, listening: bool) {
        self.listening.set(listening.into());
    }

    /// How many bookings start soon and have no join link yet.
    pub fn set_starting_soon(&self, count: i64) {
        self.starting_soon.set(count);
    }

    /// All metrics as `OpenMetrics` text, of [`METRICS_CONTENT_TYPE`].
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::with_capacity(16 * 1024);
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// Registers a metric under the name in the list; the encoder itself puts `_total`, `_info` and the unit behind it.
fn register(registry: &mut Registry, metric: Metric, encodable: impl Encodable) {
    let name = match metric.kind {
        MetricKind::Counter => metric.name.trim_end_matches("_total"),
        MetricKind::Info => metric.name.trim_end_matches("_info"),
        MetricKind::Gauge | MetricKind::Histogram => metric.name,
    };
    match name.strip_suffix("_seconds") {
        Some(name) => registry.register_with_unit(name, metric.help, Unit::Seconds, encodable),
        None => registry.register(name, metric.help, encodable),
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
