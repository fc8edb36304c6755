//! The one list of what is measured. `docs/METRICS.md` is the same list with more words.

/// What a metric is, in `OpenMetrics`' words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How observations are spread.
    Histogram,
    /// Always 1; its labels say something.
    Info,
}

#[cfg(test)]
impl MetricKind {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }
}

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its whole name as it is scraped, with prefix and unit; a histogram's without `_bucket`, `_sum`, `_count`.
    pub name: &'static str,
    /// What it is.
    pub kind: MetricKind,
    /// Its labels. Each has a bounded number of values.
    pub labels: &'static [&'static str],
    /// What it says, as a phrase without a full stop.
    pub help: &'static str,
}

const fn metric(
    name: &'static str,
    kind: MetricKind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind, labels, help }
}

use MetricKind::{Counter, Gauge, Histogram, Info};

pub(super) const HTTP_REQUESTS: Metric = metric(
    "meeting_provisioner_http_requests_total",
    Counter,
    &["route", "method", "status"],
    "Requests answered on the public door",
);
pub(super) const HTTP_REQUEST_DURATION: Metric = metric(
    "meeting_provisioner_http_request_duration_seconds",
    Histogram,
    &["route"],
    "Time from a request's head to its answer, the waiting for Graph included",
);
pub(super) const HTTP_IN_FLIGHT: Metric = metric(
    "meeting_provisioner_http_requests_in_flight",
    Gauge,
    &[],
    "Requests being answered on the public door, those that only wait for their meeting included",
);
pub(super) const HTTP_WAITING: Metric = metric(
    "meeting_provisioner_http_requests_waiting",
    Gauge,
    &[],
    "Requests that only wait for their meeting",
);
pub(super) const HTTP_REFUSED: Metric = metric(
    "meeting_provisioner_http_refused_total",
    Counter,
    &["refused"],
    "What was refused for want of room: a request (503 overloaded), or only its wait (202 at once)",
);
pub(super) const GRAPH_CALLS: Metric = metric(
    "meeting_provisioner_graph_calls_total",
    Counter,
    &["call", "outcome"],
    "Calls to Microsoft Graph, by what became of them",
);
pub(super) const GRAPH_CALL_DURATION: Metric = metric(
    "meeting_provisioner_graph_call_duration_seconds",
    Histogram,
    &["call"],
    "Time from sending a call to Microsoft Graph until its outcome",
);
pub(super) const GRAPH_CALLS_POSTPONED: Metric = metric(
    "meeting_provisioner_graph_calls_postponed_total",
    Counter,
    &["obstacle"],
    "Calls to Microsoft Graph that were not sent but put off",
);
pub(super) const GRAPH_CALLS_LIMIT: Metric = metric(
    "meeting_provisioner_graph_calls_limit",
    Gauge,
    &[],
    "How many calls this replica has under way at most; less than graph.calls_max after throttling or time-outs",
);
pub(super) const GRAPH_PAUSES: Metric = metric(
    "meeting_provisioner_graph_pauses",
    Gauge,
    &[],
    "For how many organizers, or the whole application, Graph asked to be left alone at the moment",
);
pub(super) const NEAR_MONTHLY_LIMIT: Metric = metric(
    "meeting_provisioner_organizers_near_monthly_limit",
    Gauge,
    &[],
    "Organizers with 1,600 meetings or more made in this calendar month, of 2,000 that Microsoft allows",
);
pub(super) const BOOKINGS_ACCEPTED: Metric = metric(
    "meeting_provisioner_bookings_accepted_total",
    Counter,
    &["source_system", "result"],
    "Bookings that callers sent: new, replayed (known and identical) or differs (known and not identical)",
);
pub(super) const BOOKINGS_SETTLED: Metric = metric(
    "meeting_provisioner_bookings_settled_total",
    Counter,
    &["status"],
    "Bookings carried out as far as they go for now, by the status they have since",
);
pub(super) const BOOKINGS_PARKED: Metric = metric(
    "meeting_provisioner_bookings_parked_total",
    Counter,
    &["code"],
    "Bookings that were parked until somebody acts, by the failure that they ended in",
);
pub(super) const LEASES_LOST: Metric = metric(
    "meeting_provisioner_leases_lost_total",
    Counter,
    &[],
    "Attempts whose outcome came after their lease had gone to another",
);
pub(super) const LEASES_RESUMED: Metric = metric(
    "meeting_provisioner_leases_resumed_total",
    Counter,
    &[],
    "Bookings taken over after a lease had run out unsettled",
);
pub(super) const MEETINGS_DRIFTED: Metric = metric(
    "meeting_provisioner_meetings_drifted_total",
    Counter,
    &["source_system", "policy"],
    "Meetings found to have moved away from their bookings, by what is done about it: mend, report or adopt",
);
pub(super) const BOOKINGS_DUE: Metric = metric(
    "meeting_provisioner_bookings_due",
    Gauge,
    &[],
    "Bookings that are due and that nobody works on, over all replicas",
);
pub(super) const BOOKINGS: Metric = metric(
    "meeting_provisioner_bookings",
    Gauge,
    &["status"],
    "Bookings that are not settled, over all replicas",
);
pub(super) const OLDEST_DUE_AGE: Metric = metric(
    "meeting_provisioner_oldest_due_age_seconds",
    Gauge,
    &[],
    "How long the booking that is due longest has been due; 0 if none is",
);
pub(super) const NOTICES: Metric = metric(
    "meeting_provisioner_notices_total",
    Counter,
    &["notice", "direction"],
    "Notices that this replica told the others, or heard, its own among them",
);
pub(super) const LISTENING: Metric = metric(
    "meeting_provisioner_listening",
    Gauge,
    &[],
    "1 while this replica hears what the others tell, 0 while it is cut off or does not listen",
);
pub(super) const STARTING_SOON: Metric = metric(
    "meeting_provisioner_bookings_starting_soon_without_link",
    Gauge,
    &[],
    "Bookings that start within telemetry.starting_soon_seconds and have no join link yet, over all replicas",
);
pub(super) const BUILD: Metric =
    metric("meeting_provisioner_build_info", Info, &["version"], "The version that runs");

/// Everything that is measured, for the tests that hold the document and the scrape to it.
#[cfg(test)]
pub const METRICS: [Metric; 24] = [
    HTTP_REQUESTS,
    HTTP_REQUEST_DURATION,
    HTTP_IN_FLIGHT,
    HTTP_WAITING,
    HTTP_REFUSED,
    GRAPH_CALLS,
    GRAPH_CALL_DURATION,
    GRAPH_CALLS_POSTPONED,
    GRAPH_CALLS_LIMIT,
    GRAPH_PAUSES,
    NEAR_MONTHLY_LIMIT,
    BOOKINGS_ACCEPTED,
    BOOKINGS_SETTLED,
    BOOKINGS_PARKED,
    LEASES_LOST,
    LEASES_RESUMED,
    MEETINGS_DRIFTED,
    BOOKINGS_DUE,
    BOOKINGS,
    OLDEST_DUE_AGE,
    NOTICES,
    LISTENING,
    STARTING_SOON,
    BUILD,
];
