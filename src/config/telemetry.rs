//! `[telemetry]`: what can be seen from outside.

use tracing_subscriber::EnvFilter;

use super::reader::Reader;
use super::rule::{Rule, one_of};

/// How the service logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetrySettings {
    /// How a line is written.
    pub log_format: LogFormat,
    /// Which lines are written.
    pub log_filter: LogFilter,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// For people.
    Pretty,
}

/// Which log lines are written, in the words of `RUST_LOG`: `info`, `warn,meeting_provisioner=debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// Reads a filter. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        match EnvFilter::builder().parse(text) {
            Ok(_) if !text.trim().is_empty() => Ok(Self(text.to_owned())),
            Ok(_) => Err("must not be empty".to_owned()),
            Err(error) => Err(format!(
                "must be a filter such as \"info\" or \"warn,meeting_provisioner=debug\" ({error})"
            )),
        }
    }

    /// The filter as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TelemetrySettings {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let formats = one_of(&[("json", LogFormat::Json), ("pretty", LogFormat::Pretty)]);
        let log_format = reader.or_default("telemetry.log_format", LogFormat::Json, &formats);
        let default = LogFilter("info".to_owned());
        let log_filter = reader.or_default("telemetry.log_filter", default, &Rule::text(LogFilter::parse));
        Some(Self { log_format: log_format?, log_filter: log_filter? })
    }
}
