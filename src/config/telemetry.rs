//! `[telemetry]`: logs and metrics.

use std::time::Duration;

use tracing_subscriber::EnvFilter;

use super::reader::Reader;
use crate::setting::{SettingRule, one_of, seconds};

/// How the service logs, and what it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetrySettings {
    /// How a line is written.
    pub log_format: LogFormat,
    /// Which lines are written.
    pub log_filter: LogFilter,
    /// How far ahead a booking without a join link counts as one that starts soon.
    pub starting_soon: Duration,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// Lines for people.
    Pretty,
}

/// Which log lines are written, written as for `RUST_LOG`: `info`, `warn,meeting_provisioner=debug`.
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

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Json,
            log_filter: LogFilter("info".to_owned()),
            starting_soon: Duration::from_hours(24),
        }
    }
}

impl TelemetrySettings {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let default = Self::default();
        let formats = one_of([("json", LogFormat::Json), ("pretty", LogFormat::Pretty)]);
        let log_format = reader.or_default("telemetry.log_format", default.log_format, &formats);
        let log_filter = reader.or_default(
            "telemetry.log_filter",
            default.log_filter,
            &SettingRule::text(LogFilter::parse),
        );
        let window = seconds(60..=2_592_000);
        let starting_soon =
            reader.or_default("telemetry.starting_soon_seconds", default.starting_soon, &window);
        Some(Self { log_format: log_format?, log_filter: log_filter?, starting_soon: starting_soon? })
    }
}
