//! `GET /`: what this service is, and where its documents are.

use actix_web::http::header::{LOCATION, VARY};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::problems::EndpointResponse;
use crate::api::request::AcceptedForms;
use crate::api::response;

/// What this service is, and where its documents are. All links are paths on this host.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Service)]
struct ServiceBody {
    /// The service's name.
    #[schema(example = "meeting-provisioner")]
    name: &'static str,
    /// The version of the running program.
    #[schema(example = "1.2.3")]
    version: &'static str,
    /// What it does.
    description: &'static str,
    /// Where to go on.
    links: ServiceLinksBody,
}

/// Where to go on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceLinks)]
struct ServiceLinksBody {
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

const SERVICE: ServiceBody = ServiceBody {
    name: env!("CARGO_PKG_NAME"),
    version: env!("CARGO_PKG_VERSION"),
    description: "One booking, one Microsoft Teams meeting, a complete history.",
    links: ServiceLinksBody {
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
    get, path = "/", operation_id = "getService", tag = "Service",
    responses(
        (status = 200, description = "What this service is.", body = ServiceBody),
        (status = 303, description = "For browsers: the documentation.",
            headers(("Location" = String, description = "`/docs/`."))),
    ),
    security(()),
)]
pub(crate) async fn get_service(request: HttpRequest) -> EndpointResponse {
    if AcceptedForms::read(&request).prefers_html() {
        let mut redirect = HttpResponse::SeeOther();
        redirect.insert_header((LOCATION, DOCUMENTATION)).insert_header((VARY, "Accept"));
        return EndpointResponse(Ok(redirect.finish()));
    }
    let mut response = HttpResponse::Ok();
    response.insert_header((VARY, "Accept"));
    EndpointResponse(response::public_json(&request, response, &SERVICE))
}
