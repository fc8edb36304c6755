//! `GET /problems` and `GET /problems/{code}`: what problems mean and what to do about them.

use std::fmt::Write;

use actix_web::http::header::{CONTENT_SECURITY_POLICY, VARY};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use super::accept::Accepted;
use super::body::ProblemExplainedBody;
use super::problem::{EndpointResponse, EndpointResult, Problem, ProblemCode};
use super::response;

/// The problems that the page of one problem can answer with.
pub(super) const PROBLEMS: &[ProblemCode] = &[ProblemCode::NotFound];

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}\
                     code{background:#8882;padding:.1em .3em;border-radius:.2em}dt{font-weight:600;margin-top:1rem}\
                     dd{margin:0}:root{color-scheme:light dark}";

/// List all problems
///
/// Every problem that this API answers with, with what it means and what to do. As a page where `Accept` prefers
/// `text/html`.
#[utoipa::path(
    get, path = "/problems", operation_id = "listProblems", tag = "Problems",
    responses((status = 200, description = "Every problem.", body = [ProblemExplainedBody])),
    security(()),
)]
pub(super) async fn get_problems(request: HttpRequest) -> EndpointResponse {
    if !Accepted::read(&request).prefers_html() {
        let items: Vec<_> = ProblemCode::ALL.into_iter().map(explained).collect();
        return EndpointResponse(response::public_json(&request, varied(), &items));
    }
    let mut list = String::from("<ul>");
    for code in ProblemCode::ALL {
        let words = code.words();
        // Writing to a string can't fail.
        let _written = write!(
            list,
            "<li><a href=\"/problems/{0}\"><code>{0}</code></a> {1}: {2}</li>",
            words.code,
            words.status,
            escaped(words.title)
        );
    }
    list.push_str("</ul>");
    EndpointResponse(Ok(html("Problems", &list)))
}

/// Explain a problem
///
/// What the problem means and what to do. Its path is the `type` of every problem of this code. As a page where
/// `Accept` prefers `text/html`.
#[utoipa::path(
    get, path = "/problems/{code}", operation_id = "getProblem", tag = "Problems",
    params(("code" = String, Path, description = "The problem's code.", example = "booking-differs")),
    responses((status = 200, description = "The problem, explained.", body = ProblemExplainedBody)),
    security(()),
)]
pub(super) async fn get_problem(request: HttpRequest) -> EndpointResponse {
    EndpointResponse(answer(&request))
}

fn answer(request: &HttpRequest) -> EndpointResult {
    let code = request.match_info().get("code").and_then(ProblemCode::parse);
    let code = code.ok_or_else(|| {
        Problem::new(ProblemCode::NotFound, "There is no problem of this code; /problems lists them all.")
    })?;
    if !Accepted::read(request).prefers_html() {
        return response::public_json(request, varied(), &explained(code));
    }
    let words = code.words();
    let retryable = if words.retryable { "yes" } else { "no" };
    let text = format!(
        "<p><code>{}</code></p><dl><dt>What it means</dt><dd>{}</dd><dt>What to do</dt><dd>{}</dd>\
         <dt>HTTP status</dt><dd>{}</dd><dt>May the same request succeed later by itself?</dt><dd>{retryable}</dd></dl>\
         <p><a href=\"/problems\">All problems</a></p>",
        words.code,
        escaped(words.meaning),
        escaped(words.what_to_do),
        words.status,
    );
    Ok(html(words.title, &text))
}

fn explained(code: ProblemCode) -> ProblemExplainedBody {
    let words = code.words();
    ProblemExplainedBody {
        kind: format!("/problems/{}", words.code),
        code: words.code,
        title: words.title,
        status: words.status,
        retryable: words.retryable,
        meaning: words.meaning,
        what_to_do: words.what_to_do,
    }
}

fn varied() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header((VARY, "Accept"));
    response
}

fn html(title: &str, text: &str) -> HttpResponse {
    let title = escaped(title);
    varied().insert_header((CONTENT_SECURITY_POLICY, POLICY)).content_type("text/html; charset=utf-8").body(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><h1>{title}</h1>{text}</body></html>"
    ))
}

/// Text as it may stand in a page; what stands between backticks is code.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut page = String::with_capacity(text.len());
    for (n, part) in text.split('`').enumerate() {
        page.push_str(["", "<code>", "</code>"][if n == 0 { 0 } else { 2 - n % 2 }]);
        page.push_str(part);
    }
    page
}
