//! `GET /problems`: every problem that this API answers with.

use std::fmt::Write;

use actix_web::{HttpRequest, HttpResponse};

use super::get_problem::{ProblemExplainedBody, explained};
use super::problem_code::ProblemCode;
use super::problem_page::{escaped, page};
use super::problem_response::EndpointResponse;
use crate::api::request::AcceptedForms;
use crate::api::response;

/// List all problems
///
/// Every problem that this API answers with, what it means and what to do. As a page where `Accept` prefers
/// `text/html`.
#[utoipa::path(
    get, path = "/problems", operation_id = "listProblems", tag = "Problems",
    responses((status = 200, description = "Every problem.", body = [ProblemExplainedBody])),
    security(()),
)]
pub(crate) async fn list_problems(request: HttpRequest) -> EndpointResponse {
    if !AcceptedForms::read(&request).prefers_html() {
        let items: Vec<_> = ProblemCode::ALL.into_iter().map(explained).collect();
        let response = response::varied(HttpResponse::Ok());
        return EndpointResponse(response::public_json(&request, response, &items));
    }
    let mut list = String::from("<ul>");
    for code in ProblemCode::ALL {
        let texts = code.texts();
        // Writing to a string can't fail.
        let _written = write!(
            list,
            "<li><a href=\"/problems/{0}\"><code>{0}</code></a> {1}: {2}</li>",
            texts.code,
            texts.status,
            escaped(texts.title)
        );
    }
    list.push_str("</ul>");
    EndpointResponse(Ok(page("Problems", &list)))
}
