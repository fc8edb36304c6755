//! What can be seen from outside: logs, metrics, and the trace a request belongs to.
//!
//! The one list of metric names is `metric_names`, the one request line is [`RequestLine`]; `docs/METRICS.md` and
//! `docs/LOGGING.md` describe both as interfaces, and tests hold them to it. [`Metrics`] is a value that is handed in,
//! so that two services in one process (the tests) do not count for each other; only the log is global.
//!
//! It must never decide anything, never hold a secret, and never label a metric with what callers can make up.
//! Called by `command`, which builds it, and by whatever has something to count or to say.

mod load;
mod logs;
mod metric_names;
mod metrics;
mod request_log;
mod trace_parent;

pub use logs::begin_logs;
pub use metrics::{Acceptance, METRICS_CONTENT_TYPE, Metrics};
pub use request_log::RequestLine;
pub use trace_parent::TraceParent;
