//! One method for each event that is counted or measured.

use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus_client::encoding::text;

use super::exposition::Exposition;
use super::known_labels::SERVER_ERRORS;
pub use super::metric_table::Metrics;
use super::metric_table::{
    AcceptanceLabels, ApiKeyLabels, CallLabels, CallOutcomeLabels, ClosedLabels, ConnectionLabels,
    DriftLabels, FailureLabels, IssuerLabels, LimitedLabels, NoticeLabels, ObstacleLabels, PortLabels,
    ReasonLabels, RefusedLabels, RequestLabels, RouteLabels, ServerErrorLabels, StatusLabels,
};
use super::process_usage::ProcessUsage;
use crate::booking::SourceSystem;

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

/// What the database tells of the bookings of all replicas.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BacklogCounts {
    /// How many are due and not claimed.
    pub due: u32,
    /// How long the oldest of them has been.
    pub oldest_due_age: Duration,
    /// How long the one that fails longest has been failing.
    pub longest_failing_age: Duration,
    /// How many start soon and have no join link yet.
    pub starting_soon: u32,
    /// How many have each status; one that none has is there with 0.
    pub by_status: Vec<(&'static str, i64)>,
}

/// How authentication is, as this replica knows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AccessCounts {
    /// Whether something is wrong with the file of API keys.
    pub is_keys_file_faulty: bool,
    /// When each key in force was used last, in seconds since 1970; 0 if it was not.
    pub last_uses: Vec<(String, f64)>,
    /// How often a credential was refused, by the reason; each reason is there from the start.
    pub refusals: Vec<(&'static str, u64)>,
    /// The issuers of tokens.
    pub issuers: Vec<IssuerCounts>,
}

/// The keys of one issuer of tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct IssuerCounts {
    /// Its name.
    pub name: String,
    /// How many of its keys are known.
    pub keys: usize,
    /// How long ago they were fetched; `None` while none are known.
    pub age: Option<Duration>,
}

/// How Postgres is, as this replica sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DatabaseState {
    /// It gives no answer.
    Away,
    /// It answers.
    Answers {
        /// Whether it takes writes.
        takes_writes: bool,
        /// How far our clock is ahead of its, in seconds.
        clock_ahead_seconds: f64,
    },
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
        if status >= 500 {
            let text = status.to_string();
            let status = SERVER_ERRORS.into_iter().find(|known| *known == text).unwrap_or("other");
            self.http_server_errors.get_or_create(&ServerErrorLabels { status }).inc();
        }
    }

    /// A source system may book from now on: its counters are there, at 0.
    pub fn know_source_system(
        &self,
        source_system: &SourceSystem,
        policies: &[&'static str],
        limits: &[&'static str],
    ) {
        for &limit in limits {
            let source_system = source_system.as_str().to_owned();
            drop(self.limited.get_or_create(&LimitedLabels { source_system, limit }));
        }
        for acceptance in [Acceptance::New, Acceptance::Replayed, Acceptance::Differs] {
            let (source_system, result) = (source_system.as_str().to_owned(), acceptance.as_str());
            drop(self.bookings_accepted.get_or_create(&AcceptanceLabels { source_system, result }));
        }
        for &policy in policies {
            let source_system = source_system.as_str().to_owned();
            drop(self.meetings_drifted.get_or_create(&DriftLabels { source_system, policy }));
        }
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

    /// A source system was refused something because it asked for more than this limit allows.
    pub fn limited(&self, source_system: &SourceSystem, limit: &'static str) {
        let source_system = source_system.as_str().to_owned();
        self.limited.get_or_create(&LimitedLabels { source_system, limit }).inc();
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

    /// Graph had a meeting before its booking can have made it.
    pub fn meeting_unexpected(&self) {
        self.meetings_unexpected.inc();
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

    /// What the database told of the bookings; nothing while it can't be read.
    pub fn set_backlog(&self, backlog: Option<&BacklogCounts>) {
        self.bookings_due.set(backlog.map(|backlog| f64::from(backlog.due)));
        self.oldest_due_age.set(backlog.map(|backlog| backlog.oldest_due_age.as_secs_f64()));
        self.longest_failing_age.set(backlog.map(|backlog| backlog.longest_failing_age.as_secs_f64()));
        self.starting_soon.set(backlog.map(|backlog| f64::from(backlog.starting_soon)));
        let Some(backlog) = backlog else {
            self.bookings.clear();
            return;
        };
        for &(status, count) in &backlog.by_status {
            self.bookings.get_or_create(&StatusLabels { status }).set(count);
        }
    }

    /// For how long this replica has not been able to claim what is due.
    pub fn set_claims_failing(&self, lasting: Duration) {
        self.claims_failing.set(lasting.as_secs_f64());
    }

    /// Whether Postgres answers and takes writes, and how far our clock is ahead of its.
    pub fn set_database(&self, state: DatabaseState) {
        let (up, writable, ahead) = match state {
            DatabaseState::Away => (false, false, None),
            DatabaseState::Answers { takes_writes, clock_ahead_seconds } => {
                (true, takes_writes, Some(clock_ahead_seconds))
            }
        };
        self.database_up.set(up.into());
        self.database_writable.set(writable.into());
        self.clock_difference.set(ahead);
    }

    /// How many connections to Postgres there are.
    pub fn set_connections(&self, in_use: usize, idle: usize, most: usize) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.database_connections.get_or_create(&ConnectionLabels { state: "in_use" }).set(number(in_use));
        self.database_connections.get_or_create(&ConnectionLabels { state: "idle" }).set(number(idle));
        self.database_connections_max.set(number(most));
    }

    /// How authentication is. Keys and issuers that are gone are no longer told.
    pub fn set_access(&self, counts: &AccessCounts) {
        self.api_keys_file_faulty.set(counts.is_keys_file_faulty.into());
        self.api_key_last_used.clear();
        for (name, at) in &counts.last_uses {
            self.api_key_last_used.get_or_create(&ApiKeyLabels { api_key: name.clone() }).set(*at);
        }
        for &(reason, count) in &counts.refusals {
            let counted = self.authentication_refused.get_or_create(&ReasonLabels { reason });
            counted.inner().store(count, Ordering::Relaxed);
        }
        self.issuer_keys_age.clear();
        for IssuerCounts { name, keys, age } in &counts.issuers {
            let labels = IssuerLabels { issuer: name.clone() };
            self.issuer_keys.get_or_create(&labels).set(i64::try_from(*keys).unwrap_or(i64::MAX));
            if let Some(age) = age {
                self.issuer_keys_age.get_or_create(&labels).set(age.as_secs_f64());
            }
        }
    }

    /// How the credential toward Graph is.
    pub fn set_credential(&self, remaining_days: Option<f64>, is_refused: bool, is_file_faulty: bool) {
        self.credential_remaining_days.set(remaining_days);
        self.credential_refused.set(is_refused.into());
        self.credential_file_faulty.set(is_file_faulty.into());
    }

    fn read_process(&self) {
        let usage = ProcessUsage::read();
        self.process_cpu.set(usage.cpu_seconds);
        self.process_resident.set(usage.resident_bytes);
        self.process_files.set(usage.open_files);
        self.process_files_max.set(usage.open_files_max);
        self.process_started.set(usage.started_at);
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

    /// All metrics, in this text.
    pub fn encode(&self, exposition: Exposition) -> Result<String, std::fmt::Error> {
        self.read_process();
        let mut text = String::with_capacity(32 * 1024);
        text::encode(&mut text, &self.registry)?;
        Ok(exposition.of_openmetrics(text))
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
