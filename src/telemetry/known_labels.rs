//! The values that labels can have, known before anything happens.

use super::metric_table::{
    CallLabels, CallOutcomeLabels, ClosedLabels, FailureLabels, Metrics, NoticeLabels, ObstacleLabels,
    RefusedLabels, ServerErrorLabels, StatusLabels,
};

/// The statuses by which answers that are our fault are counted; `other` for any other of 5xx.
pub(super) const SERVER_ERRORS: [&str; 5] = ["500", "502", "503", "504", "other"];

/// All values of the labels whose values don't depend on callers.
#[derive(Debug, Clone, Default)]
pub struct KnownLabels {
    /// The calls to Graph.
    pub calls: Vec<&'static str>,
    /// Their outcomes.
    pub outcomes: Vec<&'static str>,
    /// What postpones them.
    pub obstacles: Vec<&'static str>,
    /// A booking's statuses.
    pub statuses: Vec<&'static str>,
    /// The codes of failures.
    pub codes: Vec<&'static str>,
    /// The kinds of notices.
    pub notices: Vec<&'static str>,
    /// What is refused because of overload.
    pub refused: Vec<&'static str>,
    /// The ports.
    pub ports: Vec<&'static str>,
    /// Why a port closes connections.
    pub close_reasons: Vec<&'static str>,
}

impl Metrics {
    /// Metrics whose counters are there from the first scrape on, at 0: `increase` and `rate` see a counter's first event
    /// only where it was scraped before.
    #[must_use]
    pub fn born_at_zero(known: &KnownLabels) -> Self {
        let metrics = Self::new();
        for status in SERVER_ERRORS {
            drop(metrics.http_server_errors.get_or_create(&ServerErrorLabels { status }));
        }
        for &refused in &known.refused {
            drop(metrics.http_refused.get_or_create(&RefusedLabels { refused }));
        }
        for &port in &known.ports {
            for &reason in &known.close_reasons {
                drop(metrics.connections_closed.get_or_create(&ClosedLabels { port, reason }));
            }
        }
        for &call in &known.calls {
            drop(metrics.graph_call_duration.get_or_create(&CallLabels { call }));
            for &outcome in &known.outcomes {
                drop(metrics.graph_calls.get_or_create(&CallOutcomeLabels { call, outcome }));
            }
        }
        for &obstacle in &known.obstacles {
            drop(metrics.graph_calls_postponed.get_or_create(&ObstacleLabels { obstacle }));
        }
        for &status in &known.statuses {
            drop(metrics.bookings_settled.get_or_create(&StatusLabels { status }));
        }
        for &code in &known.codes {
            drop(metrics.bookings_parked.get_or_create(&FailureLabels { code }));
        }
        for &notice in &known.notices {
            for direction in ["told", "heard"] {
                drop(metrics.notices.get_or_create(&NoticeLabels { notice, direction }));
            }
        }
        metrics
    }
}
