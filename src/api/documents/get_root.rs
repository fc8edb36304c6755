//! `GET /`: what this service is, and where its documents are.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::problems::EndpointResponse;
use crate::api::request::AcceptedForms;
use crate::api::response;

/// What this service is, and where its documents are. All links are paths on this host.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ApiRoot)]
struct RootBody {
    /// The service's name.
    #[schema(example = "meeting-provisioner")]
    name: &'static str,
    /// The version of the running program.
    #[schema(example = "1.2.3")]
    version: &'static str,
    /// What it does.
    description: &'static str,
    /// Where to go on.
    links: RootLinksBody,
}

/// Where to go on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ApiRootLinks)]
struct RootLinksBody {
    /// The documentation, a page for browsers.
    #[schema(example = "/docs/")]
    documentation: &'static str,
    /// The OpenAPI 3.1 document.
    #[schema(example = "/openapi.json")]
    openapi: &'static str,
    /// All problems and what to do about them.
    #[schema(example = "/problems")]
    problems: &'static str,
    /// The bookings; needs a credential.
    #[schema(example = "/v1/bookings")]
    bookings: &'static str,
}

const ROOT: RootBody = RootBody {
    name: env!("CARGO_PKG_NAME"),
    version: env!("CARGO_PKG_VERSION"),
    description: "One booking, one Microsoft Teams meeting, a complete history.",
    links: RootLinksBody {
        documentation: DOCUMENTATION,
        openapi: "/openapi.json",
        problems: "/problems",
        bookings: "/v1/bookings",
    },
};

const DOCUMENTATION: &str = "/docs/";

/// Get the service's name, version and documents
///
/// Without a credential. A browser (`Accept` prefers `text/html`) is redirected to the documentation. Health and metrics
/// are not here but on the operator's port.
#[utoipa::path(
    get, path = "/", operation_id = "getRoot", tag = "Service",
    responses(
        (status = 200, description = "What this service is.", body = RootBody),
        (status = 303, description = "For browsers: the documentation.",
            headers(("Location" = String, description = "`/docs/`."))),
    ),
    security(()),
)]
pub(crate) async fn get_root(request: HttpRequest) -> EndpointResponse {
    if AcceptedForms::read(&request).prefers_html() {
        let mut redirect = response::varied(HttpResponse::SeeOther());
        return EndpointResponse(Ok(redirect.insert_header((LOCATION, DOCUMENTATION)).finish()));
    }
    EndpointResponse(response::public_json(&request, response::varied(HttpResponse::Ok()), &ROOT))
}
