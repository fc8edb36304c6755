//! The header `Prefer` (RFC 7240): how long a caller is willing to wait.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::api::problems::EndpointResult;
use crate::api::state::WaitSettings;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What a caller prefers. Unknown and unreadable preferences are ignored, as the RFC demands; of several instances of
/// one preference the first counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Preferences {
    wait_seconds: Option<u64>,
    respond_async: bool,
}

impl Preferences {
    /// Reads all `Prefer` headers of a request.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let mut preferences = Self::default();
        let mut wait_seen = false;
        for value in headers.get_all(PREFER).filter_map(|value| value.to_str().ok()) {
            for preference in split_unquoted(value, ',') {
                // What follows a semicolon are parameters of the preference; ours have none.
                let Some(token) = split_unquoted(preference, ';').next() else { continue };
                let (name, text) = token.split_once('=').unwrap_or((token, ""));
                let text = unquoted(text.trim());
                match name.trim().to_ascii_lowercase().as_str() {
                    "respond-async" => preferences.respond_async = true,
                    "wait" if !wait_seen => {
                        wait_seen = true;
                        preferences.wait_seconds = delta_seconds(text);
                    }
                    _ => {}
                }
            }
        }
        preferences
    }

    /// The wait at an endpoint that waits by default. With both preferences, `wait` says after how long to answer
    /// asynchronously (RFC 7240, 4.3).
    pub(crate) fn wait(self, waits: WaitSettings) -> Wait {
        match (self.requested_wait(waits), self.respond_async) {
            (Some(at_most), false) => Wait::applied(at_most, format!("wait={}", at_most.as_secs())),
            (Some(at_most), true) => {
                Wait::applied(at_most, format!("respond-async, wait={}", at_most.as_secs()))
            }
            (None, true) => Wait::applied(Duration::ZERO, "respond-async".to_owned()),
            (None, false) => Wait { at_most: waits.default, applied: None },
        }
    }

    /// The wait at an endpoint that waits only when the caller asks for it. A wait that is over before anything can happen,
    /// after `until_due`, is not begun, and not named as applied.
    pub(crate) fn wait_of_a_read(self, waits: WaitSettings, until_due: Duration) -> Wait {
        match self.requested_wait(waits).filter(|at_most| until_due <= *at_most) {
            Some(at_most) => Wait::applied(at_most, format!("wait={}", at_most.as_secs())),
            None => Wait { at_most: Duration::ZERO, applied: None },
        }
    }

    fn requested_wait(self, waits: WaitSettings) -> Option<Duration> {
        self.wait_seconds.map(|seconds| Duration::from_secs(seconds).min(waits.maximum))
    }
}

/// How long a request waits for its booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wait {
    /// The longest wait.
    pub(crate) at_most: Duration,
    /// The preferences that were applied, as the answer names them.
    applied: Option<HeaderValue>,
}

impl Wait {
    fn applied(at_most: Duration, preferences: String) -> Self {
        Self { at_most, applied: HeaderValue::try_from(preferences).ok() }
    }

    /// Names the preferences that were applied, on responses and on problems.
    pub(crate) fn named_in(self, result: EndpointResult) -> EndpointResult {
        match (result, self.applied) {
            (Ok(mut response), Some(applied)) => {
                response.headers_mut().insert(PREFERENCE_APPLIED, applied);
                Ok(response)
            }
            (Err(problem), Some(applied)) => Err(problem.header(PREFERENCE_APPLIED, applied)),
            (result, None) => result,
        }
    }
}

/// `delta-seconds` of RFC 9110: digits only, however many.
fn delta_seconds(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// Splits at a separator outside of quoted strings.
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c: char| {
        let inside = quoted;
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        }
        !inside && c == separator
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITS: WaitSettings =
        WaitSettings { default: Duration::from_secs(10), maximum: Duration::from_secs(30) };

    fn preferences(headers: &[&str]) -> Preferences {
        let mut map = HeaderMap::new();
        for value in headers {
            map.append(PREFER, HeaderValue::from_str(value).unwrap());
        }
        Preferences::read(&map)
    }

    fn said(wait: &Wait) -> (u64, Option<&str>) {
        (wait.at_most.as_secs(), wait.applied.as_ref().map(|value| value.to_str().unwrap()))
    }

    /// Each spelling of the header gives the wait, and names the preferences that were applied.
    #[test]
    fn preferences_decide_the_wait() {
        for (headers, seconds, applied) in [
            (&[][..], 10, None),
            (&["wait=5"], 5, Some("wait=5")),
            (&["wait=0"], 0, Some("wait=0")),
            (&["wait=31"], 30, Some("wait=30")),
            (&["wait=99999999999999999999999"], 30, Some("wait=30")),
            (&["Wait = \"7\""], 7, Some("wait=7")),
            (&["wait=7; x=\"a;b\""], 7, Some("wait=7")),
            (&["wait=5, wait=6"], 5, Some("wait=5")),
            (&["handling=lenient", "wait=6"], 6, Some("wait=6")),
            (&["x=\"wait=3, respond-async\", wait=6"], 6, Some("wait=6")),
            (&["x=\"\\\", wait=3\", wait=6"], 6, Some("wait=6")),
            (&["wait=-1"], 10, None),
            (&["wait=1.5"], 10, None),
            (&["wait"], 10, None),
            (&["wait=soon"], 10, None),
            (&["return=minimal"], 10, None),
            (&["respond-async"], 0, Some("respond-async")),
            (&["respond-async, wait=4"], 4, Some("respond-async, wait=4")),
            (&["wait=4", "Respond-Async"], 4, Some("respond-async, wait=4")),
            (&[",,"], 10, None),
        ] {
            let wait = preferences(headers).wait(WAITS);
            assert_eq!(said(&wait), (seconds, applied), "{headers:?}");
        }
    }

    /// A read doesn't wait unless it is asked to, nor for what is due after the wait.
    #[test]
    fn a_read_waits_only_when_asked_and_for_what_can_happen() {
        for (headers, until_due, seconds, applied) in [
            (&[][..], 0, 0, None),
            (&["wait=5"], 0, 5, Some("wait=5")),
            (&["wait=5"], 5, 5, Some("wait=5")),
            (&["wait=5"], 6, 0, None),
            (&["wait=99"], 31, 0, None),
            (&["respond-async"], 0, 0, None),
            (&["respond-async, wait=5"], 0, 5, Some("wait=5")),
        ] {
            let wait = preferences(headers).wait_of_a_read(WAITS, Duration::from_secs(until_due));
            assert_eq!(said(&wait), (seconds, applied), "{headers:?} {until_due}");
        }
    }
}
