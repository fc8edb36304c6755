//! How much the public door has to do, and what it turned away.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RefusedLabels {
    refused: &'static str,
}

/// How much the public door has to do, and what it turned away.
#[derive(Debug, Default)]
pub struct Load {
    pub(super) in_flight: Gauge,
    pub(super) waiting: Gauge,
    pub(super) refused: Family<RefusedLabels, Counter>,
}

impl Load {
    /// How many requests are being answered, and how many of them only wait for their meeting.
    pub fn set(&self, in_flight: usize, waiting: usize) {
        self.in_flight.set(i64::try_from(in_flight).unwrap_or(i64::MAX));
        self.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }

    /// A request was turned away: too many were being answered.
    pub fn request_refused(&self) {
        self.refused.get_or_create(&RefusedLabels { refused: "request" }).inc();
    }

    /// A request was answered without waiting for its meeting: too many were waiting.
    pub fn wait_refused(&self) {
        self.refused.get_or_create(&RefusedLabels { refused: "wait" }).inc();
    }
}
