//! Answers in JSON.

use actix_web::http::header::{CACHE_CONTROL, HeaderValue, VARY};
use actix_web::{HttpRequest, HttpResponseBuilder};
use serde::Serialize;

use crate::api::problems::{EndpointResult, Problem, ProblemCode};
use crate::api::request::request_id;

/// No cache keeps what is for one caller: with a join link anyone may join.
pub(crate) const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-store");

/// Answers with a body for this caller alone.
pub(crate) fn json<T: Serialize>(
    request: &HttpRequest,
    mut response: HttpResponseBuilder,
    body: &T,
) -> EndpointResult {
    response.insert_header((CACHE_CONTROL, NOT_KEPT));
    public_json(request, response, body)
}

/// Answers with a body that is the same for every caller.
pub(crate) fn public_json<T: Serialize>(
    request: &HttpRequest,
    mut response: HttpResponseBuilder,
    body: &T,
) -> EndpointResult {
    let text = serde_json::to_vec(body).map_err(|error| unwritable(request, &error))?;
    Ok(response.content_type("application/json").body(text))
}

/// An answer whose form depends on the header `Accept`.
pub(crate) fn varied(mut response: HttpResponseBuilder) -> HttpResponseBuilder {
    response.insert_header((VARY, "Accept"));
    response
}

/// Something stored is not the JSON that it should be.
pub(crate) fn unwritable(request: &HttpRequest, error: &serde_json::Error) -> Problem {
    let request_id = request_id(request);
    tracing::error!(%request_id, %error, "a response could not be written: something stored is not JSON");
    Problem::new(ProblemCode::InternalError, "The log of this service says why, under the requestId.")
}
