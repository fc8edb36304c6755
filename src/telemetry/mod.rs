//! Logs, metrics, and the trace that a request belongs to.
//!
//! The one list of metrics is `metric_table`, the one request line is [`RequestLine`]; `docs/METRICS.md` and
//! `docs/LOGGING.md` describe both as interfaces, and tests hold them to it. [`Metrics`] is a value that is handed in,
//! so that two services in one process (the tests) do not count for each other; only the log is global.
//!
//! It must never decide anything, never hold a secret, and never label a metric with a value that callers can make up.
//! Called by `command`, which builds it, and by every room that counts or logs.

mod exposition;
mod known_labels;
mod logs;
mod metric_table;
mod metrics;
mod process_usage;
mod reading;
mod request_log;
mod trace_parent;

pub use exposition::Exposition;
pub use known_labels::KnownLabels;
pub use logs::{LogsFault, log_subscriber, start_logs};
pub use metrics::{Acceptance, AccessCounts, BacklogCounts, DatabaseState, IssuerCounts, Metrics};
pub use request_log::RequestLine;
pub use trace_parent::TraceParent;
