//! The header `Prefer` (RFC 7240): how long a caller wants to wait.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use super::state::WaitSettings;

const PREFER: HeaderName = HeaderName::from_static("prefer");
/// The header that names the preferences which were heeded.
pub(super) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What a caller prefers. Unknown and unreadable preferences are ignored, as the standard demands; of several
/// instances of one preference the first counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Preferences {
    wait_seconds: Option<u64>,
    respond_async: bool,
}

impl Preferences {
    /// Reads all `Prefer` headers of a request.
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let mut preferences = Self::default();
        let mut wait_seen = false;
        for value in headers.get_all(PREFER).filter_map(|value| value.to_str().ok()) {
            for preference in split_unquoted(value, ',') {
                // What follows a semicolon are parameters of the preference; ours have none.
                let Some(word) = split_unquoted(preference, ';').next() else { continue };
                let (name, text) = word.split_once('=').unwrap_or((word, ""));
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

    /// How long to wait at a call that waits by itself, and the preferences that were heeded. With both, the wait
    /// says after how long to answer asynchronously (RFC 7240, 4.3).
    pub(super) fn patience(self, waits: WaitSettings) -> (Duration, Option<HeaderValue>) {
        match (self.asked_wait(waits), self.respond_async) {
            (Some(wait), false) => (wait, applied(format!("wait={}", wait.as_secs()))),
            (Some(wait), true) => (wait, applied(format!("respond-async, wait={}", wait.as_secs()))),
            (None, true) => (Duration::ZERO, applied("respond-async".to_owned())),
            (None, false) => (waits.default, None),
        }
    }

    /// The same at a call that waits only when asked to.
    pub(super) fn patience_of_a_read(self, waits: WaitSettings) -> (Duration, Option<HeaderValue>) {
        match self.asked_wait(waits) {
            Some(wait) => (wait, applied(format!("wait={}", wait.as_secs()))),
            None => (Duration::ZERO, None),
        }
    }

    fn asked_wait(self, waits: WaitSettings) -> Option<Duration> {
        self.wait_seconds.map(|seconds| Duration::from_secs(seconds).min(waits.maximum))
    }
}

fn applied(text: String) -> Option<HeaderValue> {
    HeaderValue::try_from(text).ok()
}

/// `delta-seconds` of RFC 9110: digits only, however many.
fn delta_seconds(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// Splits at a separator that does not stand in a quoted string.
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

    /// Each spelling of the header gives the wait, and names the preferences that were heeded.
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
            let (wait, heeded) = preferences(headers).patience(WAITS);
            let heeded = heeded.as_ref().map(|value| value.to_str().unwrap());
            assert_eq!((wait.as_secs(), heeded), (seconds, applied), "{headers:?}");
        }
    }

    /// A read doesn't wait unless it is asked to.
    #[test]
    fn a_read_waits_only_when_asked() {
        for (headers, seconds, applied) in [
            (&[][..], 0, None),
            (&["wait=5"], 5, Some("wait=5")),
            (&["respond-async"], 0, None),
            (&["respond-async, wait=5"], 5, Some("wait=5")),
        ] {
            let (wait, heeded) = preferences(headers).patience_of_a_read(WAITS);
            let heeded = heeded.as_ref().map(|value| value.to_str().unwrap());
            assert_eq!((wait.as_secs(), heeded), (seconds, applied), "{headers:?}");
        }
    }
}
