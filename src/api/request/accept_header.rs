//! The header `Accept` (RFC 9110, 12.5.1): which form of an answer a caller takes.

use actix_web::HttpRequest;
use actix_web::http::header::{Accept, Header, Quality};

/// The forms that a caller takes, each with its quality; a request without the header takes all of them.
#[derive(Debug)]
pub(crate) struct AcceptedForms(Accept);

impl AcceptedForms {
    /// Reads the header of a request. Media ranges that can't be read are ignored.
    pub(crate) fn read(request: &HttpRequest) -> Self {
        Self(Accept::parse(request).unwrap_or_else(|_| Accept::star()))
    }

    /// Whether any JSON is taken.
    pub(crate) fn takes_json(&self) -> bool {
        self.json() > Quality::ZERO
    }

    /// Whether a page is preferred to JSON, as browsers do.
    pub(crate) fn prefers_html(&self) -> bool {
        self.quality("text", "html") > self.json()
    }

    fn json(&self) -> Quality {
        self.quality("application", "json").max(self.quality("application", "problem+json"))
    }

    /// The quality that the most specific media range gives to a form. `Accept::ranked` does not tell it: there a
    /// range that refuses (`q=0`) does not take precedence over a less specific one.
    fn quality(&self, kind: &str, subkind: &str) -> Quality {
        if self.0.is_empty() {
            return Quality::MAX;
        }
        let specificity = |range: &str| match range.split_once('/')? {
            ("*", "*") => Some(0),
            (a, "*") if a == kind => Some(1),
            (a, b) if a == kind && b == subkind => Some(2),
            _ => None,
        };
        let ranges = self.0.iter();
        let best =
            ranges.filter_map(|range| Some((specificity(range.item.essence_str())?, range.quality))).max();
        best.map_or(Quality::ZERO, |(_, quality)| quality)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::ACCEPT;
    use actix_web::test::TestRequest;

    use super::*;

    /// What browsers, programs and unusual callers send: whether they get JSON, and whether they prefer a page.
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
            (Some("no media range"), true, false),
        ] {
            let mut request = TestRequest::get();
            if let Some(header) = header {
                request = request.insert_header((ACCEPT, header));
            }
            let forms = AcceptedForms::read(&request.to_http_request());
            assert_eq!((forms.takes_json(), forms.prefers_html()), (json, html), "{header:?}");
        }
    }
}
