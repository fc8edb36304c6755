//! `GET /openapi.json`: the OpenAPI document of this API.

use std::sync::LazyLock;

use actix_web::HttpResponse;

use crate::api::openapi::openapi_json;

static DOCUMENT: LazyLock<String> = LazyLock::new(openapi_json);

/// The OpenAPI 3.1 document.
pub(crate) async fn get_openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DOCUMENT.as_str())
}
