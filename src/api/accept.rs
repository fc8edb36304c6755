//! The header `Accept` (RFC 9110, 12.5.1): which form a caller takes.

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT;

/// How much a caller likes each form, in thousandths; a request without the header likes all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted(Vec<Range>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Range {
    kind: String,
    subkind: String,
    quality: u16,
}

impl Accepted {
    /// Reads the headers of a request.
    pub(super) fn read(request: &HttpRequest) -> Self {
        let values = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
        Self(values.flat_map(|value| value.split(',')).filter_map(Range::read).collect())
    }

    /// Whether any JSON is taken.
    pub(super) fn takes_json(&self) -> bool {
        self.json() > 0
    }

    /// Whether a page is liked better than JSON, as browsers do.
    pub(super) fn prefers_html(&self) -> bool {
        !self.0.is_empty() && self.quality("text", "html") > self.json()
    }

    fn json(&self) -> u16 {
        self.quality("application", "json").max(self.quality("application", "problem+json"))
    }

    /// The quality that the most specific range gives to a form.
    fn quality(&self, kind: &str, subkind: &str) -> u16 {
        if self.0.is_empty() {
            return 1_000;
        }
        let specificity = |range: &Range| match (range.kind.as_str(), range.subkind.as_str()) {
            ("*", "*") => Some(0),
            (a, "*") if a == kind => Some(1),
            (a, b) if a == kind && b == subkind => Some(2),
            _ => None,
        };
        let best = self.0.iter().filter_map(|range| Some((specificity(range)?, range.quality))).max();
        best.map_or(0, |(_, quality)| quality)
    }
}

impl Range {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subkind) = parts.next()?.split_once('/')?;
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let quality: f32 = quality.map_or(Some(1.0), |text| text.parse().ok())?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the number is between 0 and 1000"
        )]
        let quality = (quality.clamp(0.0, 1.0) * 1_000.0) as u16;
        Some(Self { kind: kind.to_ascii_lowercase(), subkind: subkind.to_ascii_lowercase(), quality })
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    /// What browsers, programs and odd callers send: whether they get JSON, and whether they'd rather have a page.
    #[test]
    fn the_most_specific_range_decides() {
        for (header, json, html) in [
            (None, true, false),
            (Some("*/*"), true, false),
            (Some("application/json"), true, false),
            (Some("application/problem+json"), true, false),
            (Some("APPLICATION/*"), true, false),
            (Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), true, true),
            (Some("text/html"), false, true),
            (Some("text/html;q=0.5, application/json"), true, false),
            (Some("application/x-ndjson"), false, false),
            (Some("text/csv, application/x-ndjson"), false, false),
            (Some("*/*, application/json;q=0, application/problem+json;q=0"), false, true),
            (Some("text/csv, */*;q=0.1"), true, false),
        ] {
            let mut request = TestRequest::get();
            if let Some(header) = header {
                request = request.insert_header((ACCEPT, header));
            }
            let accepted = Accepted::read(&request.to_http_request());
            assert_eq!((accepted.takes_json(), accepted.prefers_html()), (json, html), "{header:?}");
        }
    }
}
