//! `GET /problems/{code}`: what a problem means and what to do.

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::documented_problems::DocumentedProblems;
use super::problem_code::ProblemCode;
use super::problem_page::{escaped, page};
use super::problem_response::{EndpointResponse, EndpointResult, Problem};
use crate::api::request::AcceptedForms;
use crate::api::response;

/// The problems that this call can answer with.
pub(crate) const PROBLEMS: DocumentedProblems = &[&[ProblemCode::NotFound]];

/// What a problem means and what to do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProblemExplained)]
pub(super) struct ProblemExplainedBody {
    /// The problem's `type`.
    #[serde(rename = "type")]
    kind: String,
    /// Its code.
    #[schema(value_type = crate::api::openapi::words::ProblemWord)]
    code: &'static str,
    /// Its title.
    title: &'static str,
    /// Its HTTP status.
    status: u16,
    /// Whether the same request may succeed later without anyone doing anything.
    retryable: bool,
    /// What it means.
    meaning: &'static str,
    /// What to do.
    what_to_do: &'static str,
}

/// Explain a problem
///
/// What the problem means and what to do. This path is the `type` of every problem of this code. As a page where
/// `Accept` prefers `text/html`.
#[utoipa::path(
    get, path = "/problems/{code}", operation_id = "getProblem", tag = "Problems",
    params(("code" = String, Path, description = "The problem's code.", example = "booking-differs")),
    responses((status = 200, description = "The problem, explained.", body = ProblemExplainedBody)),
    security(()),
)]
pub(crate) async fn get_problem(request: HttpRequest) -> EndpointResponse {
    EndpointResponse(explain(&request))
}

fn explain(request: &HttpRequest) -> EndpointResult {
    let code = request.match_info().get("code").and_then(ProblemCode::parse);
    let code = code.ok_or_else(|| {
        Problem::new(ProblemCode::NotFound, "There is no problem of this code; /problems lists them all.")
    })?;
    if !AcceptedForms::read(request).prefers_html() {
        return response::public_json(request, response::varied(HttpResponse::Ok()), &explained(code));
    }
    let texts = code.texts();
    let retryable = if texts.retryable { "yes" } else { "no" };
    let text = format!(
        "<p><code>{}</code></p><dl><dt>What it means</dt><dd>{}</dd><dt>What to do</dt><dd>{}</dd>\
         <dt>HTTP status</dt><dd>{}</dd><dt>May the same request succeed later by itself?</dt><dd>{retryable}</dd></dl>\
         <p><a href=\"/problems\">All problems</a></p>",
        texts.code,
        escaped(texts.meaning),
        escaped(texts.what_to_do),
        texts.status,
    );
    Ok(page(texts.title, &text))
}

/// The entry of the table, as JSON.
pub(super) fn explained(code: ProblemCode) -> ProblemExplainedBody {
    let texts = code.texts();
    ProblemExplainedBody {
        kind: format!("/problems/{}", texts.code),
        code: texts.code,
        title: texts.title,
        status: texts.status,
        retryable: texts.retryable,
        meaning: texts.meaning,
        what_to_do: texts.what_to_do,
    }
}
