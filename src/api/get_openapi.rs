//! `GET /openapi.json`: the document that describes this API.

use std::sync::LazyLock;

use actix_web::HttpResponse;

use super::openapi::openapi_json;

static DOCUMENT: LazyLock<String> = LazyLock::new(openapi_json);

/// The OpenAPI 3.1 document.
pub(super) async fn get_openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DOCUMENT.as_str())
}
