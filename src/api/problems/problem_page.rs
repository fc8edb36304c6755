//! The pages under `/problems`, for browsers.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_SECURITY_POLICY;

use crate::api::response;

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}\
                     code{background:#8882;padding:.1em .3em;border-radius:.2em}dt{font-weight:600;margin-top:1rem}\
                     dd{margin:0}:root{color-scheme:light dark}";

/// A whole page; `text` is HTML.
pub(super) fn page(title: &str, text: &str) -> HttpResponse {
    let title = escaped(title);
    let mut page = response::varied(HttpResponse::Ok());
    page.insert_header((CONTENT_SECURITY_POLICY, POLICY)).content_type("text/html; charset=utf-8").body(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><h1>{title}</h1>{text}</body></html>"
    ))
}

/// Text as it may stand in a page; what stands between backticks is code.
pub(super) fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut page = String::with_capacity(text.len());
    for (n, part) in text.split('`').enumerate() {
        page.push_str(["", "<code>", "</code>"][if n == 0 { 0 } else { 2 - n % 2 }]);
        page.push_str(part);
    }
    page
}
