//! Where log lines go and how they are written.

use std::fmt;
use std::io::IsTerminal;

use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter, format};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFormat, TelemetrySettings};

/// Why logging could not start.
#[derive(Debug, thiserror::Error)]
pub enum LogsFault {
    /// The filter can't be read; the settings have checked it before.
    #[error("the log filter can't be read")]
    Filter(#[from] ParseError),
    /// Another subscriber logs in this process.
    #[error("logging has started already")]
    Started(#[from] tracing_subscriber::util::TryInitError),
}

/// Writes log lines to standard output from now on, until the process ends; each JSON line bears the name of this replica. To be
/// called once, before the first line.
pub fn start_logs(settings: &TelemetrySettings, replica: &str) -> Result<(), LogsFault> {
    let is_terminal = std::io::stdout().is_terminal();
    log_subscriber(settings, replica, std::io::stdout, is_terminal)?.try_init()?;
    Ok(())
}

/// Where the HTTP library writes an error for each request that can't be parsed: anyone who reaches the port could fill the log
/// with them. Such a request is answered 400, and told to the one who sent it.
const TOLD_TO_STRANGERS: &str = "actix_http::h1";

/// Where sqlx quotes those parameters of the database's URL that it doesn't know, with their values: one may be a password.
const QUOTES_SECRETS: &str = "sqlx_postgres::options::parse";

/// The filter of the settings, never with lines that may quote a secret; what a stranger could fill the log with only where the
/// settings name it.
fn filter(text: &str) -> Result<EnvFilter, ParseError> {
    let filter = EnvFilter::builder().parse(text)?.add_directive(format!("{QUOTES_SECRETS}=off").parse()?);
    if text.contains("actix_http") {
        return Ok(filter);
    }
    Ok(filter.add_directive(format!("{TOLD_TO_STRANGERS}=off").parse()?))
}

/// What writes the log lines. Colours are for terminals; a file would keep their escape codes.
///
/// # Errors
/// When the settings' filter can't be read.
pub fn log_subscriber<W>(
    settings: &TelemetrySettings,
    replica: &str,
    writer: W,
    is_terminal: bool,
) -> Result<Box<dyn Subscriber + Send + Sync>, LogsFault>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = filter(settings.log_filter.as_str())?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(is_terminal);
    Ok(match settings.log_format {
        LogFormat::Json => {
            let line = format().json().flatten_event(true).with_current_span(false).with_span_list(true);
            let last_member = format!("\"replica\":{}", serde_json::Value::from(replica));
            let with_replica = WithReplica { line, last_member };
            Box::new(lines.fmt_fields(JsonFields::new()).event_format(with_replica).finish())
        }
        LogFormat::Pretty => Box::new(lines.finish()),
    })
}

/// JSON lines that bear the name of the replica, whichever thread or task writes them: a span would hold for the tasks in it
/// alone.
struct WithReplica<F> {
    line: F,
    last_member: String,
}

impl<S, N, F> FormatEvent<S, N> for WithReplica<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.line.format_event(context, Writer::new(&mut line), event)?;
        let members = line.trim_end().strip_suffix('}').ok_or(fmt::Error)?;
        writeln!(writer, "{members},{}}}", self.last_member)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Write;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::config::LogFilter;
    use crate::telemetry::RequestLine;

    const DOCUMENT: &str = include_str!("../../docs/LOGGING.md");

    /// Collects what is written.
    #[derive(Clone, Default)]
    struct Collected(Arc<Mutex<Vec<u8>>>);

    impl Write for Collected {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(log_format: LogFormat, log_filter: &str, act: impl FnOnce()) -> String {
        let settings = TelemetrySettings {
            log_format,
            log_filter: LogFilter::parse(log_filter).unwrap(),
            ..TelemetrySettings::default()
        };
        let collected = Collected::default();
        let writer = collected.clone();
        let subscriber = log_subscriber(&settings, "host \"a\"", move || writer.clone(), false).unwrap();
        tracing::subscriber::with_default(subscriber, act);
        String::from_utf8(collected.0.lock().unwrap().clone()).unwrap()
    }

    fn line(status: u16) -> RequestLine<'static> {
        RequestLine {
            request_id: "01935a5a-7000-7abc-8123-456789abcdef",
            trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736"),
            method: "POST",
            route: Some("/v1/bookings"),
            status,
            took: Duration::from_micros(12_345),
            caller: Some("room booking, production"),
            source_system: Some("room-booking"),
            booking_id: Some("BK-1001"),
            problem: Some("booking-differs"),
        }
    }

    /// The first column of the document's table of fields.
    fn documented_fields() -> BTreeSet<String> {
        let table = DOCUMENT.split("## The request line").nth(1).unwrap().split("\n## ").next().unwrap();
        let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
        rows.filter_map(|row| row.split('`').next()).map(str::to_owned).collect()
    }

    #[test]
    fn the_request_line_has_the_documented_fields_and_no_other() {
        let text = written(LogFormat::Json, "info", || {
            tracing::info_span!("any", colour = 1).in_scope(|| line(409).log());
        });
        let found: Value = serde_json::from_str(&text).unwrap();
        let names: BTreeSet<String> = found.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, documented_fields());
        assert_eq!(found["target"], "meeting_provisioner::request");
        assert_eq!(found["level"], "INFO");
        assert_eq!((&found["status"], &found["duration_milliseconds"]), (&json!(409), &json!(12.345)));
        assert_eq!(
            found["message"],
            "POST /v1/bookings answered 409 after 12.345 ms, request 01935a5a-7000-7abc-8123-456789abcdef"
        );
    }

    #[test]
    fn fields_without_a_value_are_left_out_and_our_own_faults_are_warnings() {
        let unauthenticated = RequestLine {
            route: None,
            caller: None,
            source_system: None,
            booking_id: None,
            problem: None,
            ..line(503)
        };
        let text = written(LogFormat::Json, "info", || unauthenticated.log());
        let found: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&found["level"], &found["route"]), (&json!("WARN"), &json!("unmatched")));
        for absent in ["caller", "source_system", "booking_id", "problem"] {
            assert!(found.get(absent).is_none(), "{text}");
        }
    }

    #[test]
    fn lines_that_may_quote_a_secret_are_never_written() {
        for filter in ["trace", "warn,sqlx_postgres::options=trace"] {
            let text = written(LogFormat::Json, filter, || {
                tracing::warn!(target: "sqlx_postgres::options::parse", value = "s3cret", "ignoring");
            });
            assert_eq!(text, "", "{filter}");
        }
    }

    #[test]
    fn lines_name_the_spans_they_were_written_in() {
        let text = written(LogFormat::Json, "info", || {
            let request = tracing::info_span!("request", request_id = "r-1");
            request.in_scope(|| tracing::info!(booking = "crm/BK-1", "inside"));
        });
        let found: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(found["spans"], json!([{"name": "request", "request_id": "r-1"}]));
        assert_eq!(found["booking"], "crm/BK-1");
        assert_eq!(found["replica"], "host \"a\"");
    }

    /// What anyone can make the HTTP library write is written only where the settings say so.
    #[test]
    fn a_stranger_writes_no_errors() {
        let unparsable = || tracing::error!(target: "actix_http::h1::dispatcher", "stream error");
        for (filter, is_written) in [
            ("info", false),
            ("trace", false),
            ("info,actix_http=error", true),
            ("warn,actix_http::h1=error", true),
        ] {
            assert_eq!(!written(LogFormat::Json, filter, unparsable).is_empty(), is_written, "{filter}");
        }
        let ours = || tracing::error!(target: "actix_http::service", "not ready");
        assert!(written(LogFormat::Json, "info", ours).contains("not ready"));
    }

    #[test]
    fn the_filter_decides_and_pretty_lines_are_plain_text() {
        assert_eq!(written(LogFormat::Json, "warn", || line(200).log()), "");
        let text = written(LogFormat::Pretty, "warn,meeting_provisioner::request=info", || line(200).log());
        assert!(text.contains("INFO meeting_provisioner::request: POST /v1/bookings answered 200"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
