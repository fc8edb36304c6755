//! The one log line of every request. An interface: people search and count by its fields.

use std::time::Duration;

/// What is logged of a request. `docs/LOGGING.md` explains each field; bodies, headers, paths and query strings are not
/// among them, for they may hold secrets and personal names.
#[derive(Debug, Clone, Copy)]
pub struct RequestLine<'a> {
    /// The request's id, which is in the response as well.
    pub request_id: &'a str,
    /// The trace it belongs to, 32 hexadecimal digits; `None` when the caller sent none.
    pub trace_id: Option<&'a str>,
    /// The HTTP method.
    pub method: &'a str,
    /// The route's pattern; `None` when the path fits none.
    pub route: Option<&'a str>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// From the request's head to its answer.
    pub took: Duration,
    /// The name of the caller's key; `None` when the caller was not authenticated.
    pub caller: Option<&'a str>,
    /// The caller's source system.
    pub source_system: Option<&'a str>,
    /// The booking it was about.
    pub booking_id: Option<&'a str>,
    /// The code of the problem that was answered.
    pub problem: Option<&'a str>,
}

impl RequestLine<'_> {
    /// Writes the line: a warning when the fault is ours (5xx), else for information.
    pub fn log(&self) {
        if self.status >= 500 { self.log_as_warning() } else { self.log_as_information() }
    }

    /// To the microsecond; what takes longer than 71 minutes is logged as that long.
    fn took_milliseconds(&self) -> f64 {
        f64::from(u32::try_from(self.took.as_micros()).unwrap_or(u32::MAX)) / 1_000.0
    }
}

/// The level of an event is part of its call site, so there are two sites; the fields are written here once.
macro_rules! log_at {
    ($name:ident, $level:expr) => {
        impl RequestLine<'_> {
            fn $name(&self) {
                let route = self.route.unwrap_or("unmatched");
                let duration_milliseconds = self.took_milliseconds();
                tracing::event!(
                    target: "meeting_provisioner::request",
                    $level,
                    request_id = self.request_id,
                    trace_id = self.trace_id,
                    method = self.method,
                    route,
                    status = self.status,
                    duration_milliseconds,
                    caller = self.caller,
                    source_system = self.source_system,
                    booking_id = self.booking_id,
                    problem = self.problem,
                    "{} {route} answered {} after {duration_milliseconds} ms, request {}",
                    self.method,
                    self.status,
                    self.request_id,
                );
            }
        }
    };
}
log_at!(log_as_information, tracing::Level::INFO);
log_at!(log_as_warning, tracing::Level::WARN);
