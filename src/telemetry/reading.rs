//! Metrics of what is read elsewhere at each scrape: without a value, and so not exposed, while it can't be read.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// A gauge that vanishes while its value is not known: an old value would look like a present one.
#[derive(Debug, Clone, Default)]
pub(super) struct ReadGauge(Value);

/// The same for a counter that something else counts.
#[derive(Debug, Clone, Default)]
pub(super) struct ReadCounter(Value);

#[derive(Debug, Clone, Default)]
struct Value(Arc<Mutex<Option<f64>>>);

impl Value {
    fn lock(&self) -> MutexGuard<'_, Option<f64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReadGauge {
    /// It was read, or could not be.
    pub(super) fn set(&self, value: Option<f64>) {
        *self.0.lock() = value;
    }
}

impl ReadCounter {
    /// It was read, or could not be.
    pub(super) fn set(&self, value: Option<f64>) {
        *self.0.lock() = value;
    }
}

impl EncodeMetric for ReadGauge {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let value = *self.0.lock();
        value.map_or(Ok(()), |value| encoder.encode_gauge(&value))
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }

    fn is_empty(&self) -> bool {
        self.0.lock().is_none()
    }
}

impl EncodeMetric for ReadCounter {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let value = *self.0.lock();
        value.map_or(Ok(()), |value| encoder.encode_counter::<NoLabelSet, f64, f64>(&value, None))
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Counter
    }

    fn is_empty(&self) -> bool {
        self.0.lock().is_none()
    }
}
