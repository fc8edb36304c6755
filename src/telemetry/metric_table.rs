//! The one list of what is measured: each metric's name, help, labels and kind, in the order of `docs/METRICS.md`.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use super::reading::{ReadCounter, ReadGauge};

/// Upper bounds of the buckets for requests, in seconds; a replay takes about 1 ms, the longest wait 30 s.
const HTTP_BUCKETS: [f64; 14] =
    [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Upper bounds of the buckets for calls to Graph, in seconds.
const GRAPH_BUCKETS: [f64; 10] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Sets of labels. Each label has few values, whatever callers send.
macro_rules! label_sets {
    ($($set:ident { $($label:ident: $type:ty),+ })+) => {$(
        #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        pub(super) struct $set {
            $(pub(super) $label: $type,)+
        }
    )+};
}

label_sets! {
    RequestLabels { route: String, method: &'static str, status: u16 }
    RouteLabels { route: String }
    CallLabels { call: &'static str }
    CallOutcomeLabels { call: &'static str, outcome: &'static str }
    ObstacleLabels { obstacle: &'static str }
    AcceptanceLabels { source_system: String, result: &'static str }
    StatusLabels { status: &'static str }
    DriftLabels { source_system: String, policy: &'static str }
    NoticeLabels { notice: &'static str, direction: &'static str }
    FailureLabels { code: &'static str }
    RefusedLabels { refused: &'static str }
    LimitedLabels { source_system: String, limit: &'static str }
    PortLabels { port: &'static str }
    ClosedLabels { port: &'static str, reason: &'static str }
    ServerErrorLabels { status: &'static str }
    ApiKeyLabels { api_key: String }
    IssuerLabels { issuer: String }
    ReasonLabels { reason: &'static str }
    ConnectionLabels { state: &'static str }
}

type Durations<Labels> = Family<Labels, Histogram, fn() -> Histogram>;

/// A metric's first value where the table gives none.
macro_rules! first_value {
    () => {
        Default::default()
    };
    ($first:expr) => {
        $first
    };
}

/// Makes [`Metrics`] of a table: field, type and, where it isn't the default, first value; whole name as it is
/// scraped (a histogram's without `_bucket`, `_sum`, `_count`); help as a phrase without a full stop.
macro_rules! metrics {
    ($($field:ident: $type:ty $(= $first:expr)?, $name:literal, $help:literal;)+) => {
        /// The metrics of one service. Every method is cheap: an atomic behind a read lock.
        #[derive(Debug)]
        pub struct Metrics {
            pub(super) registry: Registry,
            $(pub(super) $field: $type,)+
        }

        impl Metrics {
            /// All metrics, with nothing counted yet.
            #[must_use]
            pub fn new() -> Self {
                let mut registry = Registry::default();
                $(
                    let $field: $type = first_value!($($first)?);
                    register(&mut registry, $name, $help, $field.clone());
                )+
                let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
                register(&mut registry, "meeting_provisioner_build_info", "The version that runs", build);
                Self { registry, $($field),+ }
            }
        }
    };
}

metrics! {
    http_requests: Family<RequestLabels, Counter>,
        "meeting_provisioner_http_requests_total",
        "Requests answered on the public port";
    http_request_duration: Durations<RouteLabels> = Family::new_with_constructor(|| Histogram::new(HTTP_BUCKETS)),
        "meeting_provisioner_http_request_duration_seconds",
        "Time from a request's head to its answer, the waiting for Graph included";
    http_server_errors: Family<ServerErrorLabels, Counter>,
        "meeting_provisioner_http_server_errors_total",
        "Requests answered with a status from 500 on, on the public port";
    http_in_flight: Gauge,
        "meeting_provisioner_http_requests_in_flight",
        "Requests being answered on the public port, those that only wait for their meeting included";
    http_waiting: Gauge,
        "meeting_provisioner_http_requests_waiting",
        "Requests that only wait for their meeting";
    http_refused: Family<RefusedLabels, Counter>,
        "meeting_provisioner_http_refused_total",
        "What was refused because of overload: a request (503 overloaded), its wait (202 at once) or a connection to Postgres";
    limited: Family<LimitedLabels, Counter>,
        "meeting_provisioner_limited_total",
        "What was refused because a source system asked for more than it may (429), by the limit";
    connections: Family<PortLabels, Gauge>,
        "meeting_provisioner_connections",
        "Open connections, idle ones included, by port: public or admin";
    connections_closed: Family<ClosedLabels, Counter>,
        "meeting_provisioner_connections_closed_total",
        "Connections that were closed: slow-head, slow-reader, displaced (there were too many), peer-limit or tls-refused";
    graph_calls: Family<CallOutcomeLabels, Counter>,
        "meeting_provisioner_graph_calls_total",
        "Calls to Microsoft Graph, by their outcome";
    graph_call_duration: Durations<CallLabels> = Family::new_with_constructor(|| Histogram::new(GRAPH_BUCKETS)),
        "meeting_provisioner_graph_call_duration_seconds",
        "Time from sending a call to Microsoft Graph until its outcome";
    graph_calls_postponed: Family<ObstacleLabels, Counter>,
        "meeting_provisioner_graph_calls_postponed_total",
        "Calls to Microsoft Graph that were postponed, not sent";
    graph_calls_limit: Gauge,
        "meeting_provisioner_graph_calls_limit",
        "How many calls this replica has under way at most, for the source system that may have fewest";
    graph_pauses: Gauge,
        "meeting_provisioner_graph_pauses",
        "How many pauses hold now, each for an organizer, a source system, look-ups, this replica or all calls";
    near_monthly_limit: Gauge,
        "meeting_provisioner_organizers_near_monthly_limit",
        "Organizers with 1,600 meetings or more made in this calendar month, of 2,000 that Microsoft allows";
    bookings_accepted: Family<AcceptanceLabels, Counter>,
        "meeting_provisioner_bookings_accepted_total",
        "Bookings that callers sent: new, replayed (known and identical) or differs (known and not identical)";
    bookings_settled: Family<StatusLabels, Counter>,
        "meeting_provisioner_bookings_settled_total",
        "Bookings of which an attempt was settled, by the status they have since";
    bookings_parked: Family<FailureLabels, Counter>,
        "meeting_provisioner_bookings_parked_total",
        "Bookings that were parked until an operator or the caller acts, by the failure that they ended in";
    rows_unreadable: Counter,
        "meeting_provisioner_rows_unreadable_total",
        "Rows that this version can't read, each time that one was passed over";
    settlements_refused: Counter,
        "meeting_provisioner_settlements_refused_total",
        "Attempts whose outcome Postgres refused to store";
    leases_lost: Counter,
        "meeting_provisioner_leases_lost_total",
        "Attempts whose outcome came after their lease had passed to another attempt";
    leases_resumed: Counter,
        "meeting_provisioner_leases_resumed_total",
        "Bookings claimed after a lease had expired unsettled";
    meetings_drifted: Family<DriftLabels, Counter>,
        "meeting_provisioner_meetings_drifted_total",
        "Meetings that drifted from their bookings, by what is done about it: mend, report or adopt";
    meetings_unexpected: Counter,
        "meeting_provisioner_meetings_unexpected_total",
        "Meetings that Graph had before their booking first asked for them";
    database_up: Gauge,
        "meeting_provisioner_database_up",
        "1 while Postgres answers this replica, 0 while it does not";
    database_writable: Gauge,
        "meeting_provisioner_database_writable",
        "1 while Postgres takes writes from this replica, 0 while it is read-only, full or away";
    database_connections: Family<ConnectionLabels, Gauge>,
        "meeting_provisioner_database_connections",
        "This replica's connections to Postgres, by whether a statement runs on them: in_use, idle";
    database_connections_max: Gauge,
        "meeting_provisioner_database_connections_max",
        "The most connections to Postgres that this replica opens for statements";
    clock_difference: ReadGauge,
        "meeting_provisioner_clock_difference_seconds",
        "How far this replica's clock is ahead of Postgres's; negative where it is behind";
    api_keys_file_faulty: Gauge,
        "meeting_provisioner_api_keys_file_faulty",
        "1 while something is wrong with the file of API keys: a block with a fault gives no key; of a file that can't be read the keys before it stay in force; else 0";
    credential_remaining_days: ReadGauge,
        "meeting_provisioner_credential_remaining_days",
        "Days until the credential toward Graph has to be replaced; absent where that is not known, or it renews itself";
    credential_refused: Gauge,
        "meeting_provisioner_credential_refused",
        "1 while Entra refuses the credential, as the last request for a token shows, else 0";
    credential_file_faulty: Gauge,
        "meeting_provisioner_credential_file_faulty",
        "1 while the credential's file can't be used and the one before stays in use, else 0";
    api_key_last_used: Family<ApiKeyLabels, Gauge<f64, AtomicU64>>,
        "meeting_provisioner_api_key_last_used_timestamp_seconds",
        "When this replica saw each API key last, in seconds since 1970; 0 if not since its start";
    issuer_keys: Family<IssuerLabels, Gauge>,
        "meeting_provisioner_issuer_keys",
        "How many keys of each issuer of tokens are known; 0 while its tokens can't be checked";
    issuer_keys_age: Family<IssuerLabels, Gauge<f64, AtomicU64>>,
        "meeting_provisioner_issuer_keys_age_seconds",
        "How long ago the keys of each issuer of tokens were fetched; absent while none are known";
    authentication_refused: Family<ReasonLabels, Counter>,
        "meeting_provisioner_authentication_refused_total",
        "Requests without a valid credential, by what is wrong with it";
    bookings_due: ReadGauge,
        "meeting_provisioner_bookings_due",
        "Bookings that are due and not claimed, over all replicas";
    bookings: Family<StatusLabels, Gauge>,
        "meeting_provisioner_bookings",
        "Bookings that are not settled, over all replicas";
    oldest_due_age: ReadGauge,
        "meeting_provisioner_oldest_due_age_seconds",
        "How long the booking that is due longest has been due; 0 if none is";
    claims_failing: Gauge<f64, AtomicU64>,
        "meeting_provisioner_claims_failing_seconds",
        "For how long this replica has not been able to claim what is due; 0 while it can";
    longest_failing_age: ReadGauge,
        "meeting_provisioner_longest_failing_age_seconds",
        "How long the booking that is tried again for the longest time has been failing; 0 if none is";
    notices: Family<NoticeLabels, Counter>,
        "meeting_provisioner_notices_total",
        "Notices that this replica sent (told) or received (heard), its own among them";
    listening: Gauge,
        "meeting_provisioner_listening",
        "1 while this replica receives the notices of the others, 0 while it is cut off or does not listen";
    starting_soon: ReadGauge,
        "meeting_provisioner_bookings_starting_soon_without_link",
        "Bookings that start within telemetry.starting_soon_seconds and have no join link yet, over all replicas";
    process_cpu: ReadCounter,
        "process_cpu_seconds_total",
        "Processor time that this process has used, user and system";
    process_resident: ReadGauge,
        "process_resident_memory_bytes",
        "Memory that this process has in use";
    process_files: ReadGauge,
        "process_open_fds",
        "Files that this process has open, connections among them";
    process_files_max: ReadGauge,
        "process_max_fds",
        "The most files that this process may open";
    process_started: ReadGauge,
        "process_start_time_seconds",
        "When this process was started, in seconds since 1970";
}

/// Registers a metric; the encoder itself puts `_total`, `_info` and the unit behind its name.
fn register(registry: &mut Registry, name: &'static str, help: &'static str, metric: impl Metric) {
    let name = name.trim_end_matches("_total").trim_end_matches("_info");
    if let Some(name) = name.strip_suffix("_seconds") {
        registry.register_with_unit(name, help, Unit::Seconds, metric);
    } else if let Some(name) = name.strip_suffix("_bytes") {
        registry.register_with_unit(name, help, Unit::Bytes, metric);
    } else {
        registry.register(name, help, metric);
    }
}
