//! One method for each event that is counted or measured.

use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus_client::encoding::text;

pub use super::metric_table::Metrics;
use super::metric_table::{
    AcceptanceLabels, CallLabels, CallOutcomeLabels, ClosedLabels, DriftLabels, FailureLabels, NoticeLabels,
    ObstacleLabels, PortLabels, RefusedLabels, RequestLabels, RouteLabels, StatusLabels,
};
use crate::booking::SourceSystem;

/// The content type of [`Metrics::encode`].
pub const METRICS_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is read from Postgres with each scrape.
const BACKLOG: [&str; 4] = [
    "meeting_provisioner_bookings_due",
    "meeting_provisioner_bookings",
    "meeting_provisioner_oldest_due_age_seconds",
    "meeting_provisioner_bookings_starting_soon_without_link",
];

/// The methods that have a label value of their own; a caller can make up any other.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The result of a booking that a caller sent.
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

impl Metrics {
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

    /// How many requests are being answered, and how many of them only wait for their meeting.
    pub fn set_requests(&self, in_flight: usize, waiting: usize) {
        self.http_in_flight.set(i64::try_from(in_flight).unwrap_or(i64::MAX));
        self.http_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }

    /// A request, the wait for a meeting or a connection to Postgres was refused: all places were taken, or the share of a
    /// source system was used up.
    pub fn place_refused(&self, refused: &'static str) {
        self.http_refused.get_or_create(&RefusedLabels { refused }).inc();
    }

    /// A connection was opened.
    pub fn connection_opened(&self, port: &'static str) {
        self.connections.get_or_create(&PortLabels { port }).inc();
    }

    /// A connection is no longer open, whatever ended it.
    pub fn connection_ended(&self, port: &'static str) {
        self.connections.get_or_create(&PortLabels { port }).dec();
    }

    /// A connection was closed against its client's will.
    pub fn connection_closed(&self, port: &'static str, reason: &'static str) {
        self.connections_closed.get_or_create(&ClosedLabels { port, reason }).inc();
    }

    /// A call to Graph got its outcome; both are named as in the history (`create-or-get`, `found`).
    pub fn graph_call(&self, call: &'static str, outcome: &'static str, took: Duration) {
        self.graph_calls.get_or_create(&CallOutcomeLabels { call, outcome }).inc();
        self.graph_call_duration.get_or_create(&CallLabels { call }).observe(took.as_secs_f64());
    }

    /// A call to Graph was postponed.
    pub fn call_postponed(&self, obstacle: &'static str) {
        self.graph_calls_postponed.get_or_create(&ObstacleLabels { obstacle }).inc();
    }

    /// How many calls may be under way at once, and how many scopes are paused.
    pub fn set_gate(&self, limit: usize, pauses: usize) {
        self.graph_calls_limit.set(i64::try_from(limit).unwrap_or(i64::MAX));
        self.graph_pauses.set(i64::try_from(pauses).unwrap_or(i64::MAX));
    }

    /// How many organizers are near the number of meetings that Microsoft allows in a month.
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

    /// How often a row was passed over that can't be read, since the start.
    pub fn set_rows_unreadable(&self, passed_over: u64) {
        self.rows_unreadable.inner().store(passed_over, Ordering::Relaxed);
    }

    /// Postgres refused to store an attempt's outcome.
    pub fn settlement_refused(&self) {
        self.settlements_refused.inc();
    }

    /// An outcome came after the lease had passed to another attempt, and was not stored.
    pub fn lease_lost(&self) {
        self.leases_lost.inc();
    }

    /// A meeting drifted from its booking; `policy` is what is done about it.
    pub fn meeting_drifted(&self, source_system: &SourceSystem, policy: &'static str) {
        let source_system = source_system.as_str().to_owned();
        self.meetings_drifted.get_or_create(&DriftLabels { source_system, policy }).inc();
    }

    /// A booking was taken over because its lease had run out.
    pub fn lease_resumed(&self) {
        self.leases_resumed.inc();
    }

    /// How many bookings are due and not claimed, and how long the oldest of them has been.
    pub fn set_due(&self, count: u32, oldest_age: Duration) {
        self.bookings_due.set(count.into());
        self.oldest_due_age.set(oldest_age.as_secs_f64());
    }

    /// For how long this replica has not been able to claim what is due.
    pub fn set_claims_failing(&self, lasting: Duration) {
        self.claims_failing.set(lasting.as_secs_f64());
    }

    /// How many bookings have this status. A status that has none left must be set to 0.
    pub fn set_bookings(&self, status: &'static str, count: i64) {
        self.bookings.get_or_create(&StatusLabels { status }).set(count);
    }

    /// A notice was sent to the replicas.
    pub fn notice_told(&self, notice: &'static str) {
        self.notices.get_or_create(&NoticeLabels { notice, direction: "told" }).inc();
    }

    /// A notice was received, of this replica or another.
    pub fn notice_heard(&self, notice: &'static str) {
        self.notices.get_or_create(&NoticeLabels { notice, direction: "heard" }).inc();
    }

    /// Whether this replica receives the notices of the others.
    pub fn set_listening(&self, listening: bool) {
        self.listening.set(listening.into());
    }

    /// How many bookings start soon and have no join link yet.
    pub fn set_starting_soon(&self, count: i64) {
        self.starting_soon.set(count);
    }

    /// Whether what is measured of the bookings in Postgres is of now. While it isn't, it is left out: an old value would say
    /// that all is well.
    pub fn set_backlog_known(&self, is_known: bool) {
        self.is_backlog_known.store(is_known, Ordering::Relaxed);
    }

    /// All metrics as `OpenMetrics` text, of [`METRICS_CONTENT_TYPE`].
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::with_capacity(16 * 1024);
        text::encode(&mut text, &self.registry)?;
        if self.is_backlog_known.load(Ordering::Relaxed) {
            return Ok(text);
        }
        let is_of_backlog =
            |line: &&str| BACKLOG.contains(&line.split([' ', '{']).next().unwrap_or_default());
        let known = text.split_inclusive('\n').filter(|line| !is_of_backlog(line));
        Ok(known.collect())
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
