//! Which path leads to which endpoint.

use std::future::{Future, ready};

use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, Resource, Responder, guard, middleware};

use super::bookings::{
    check_booking, create_booking, delete_booking, get_booking, list_bookings, put_booking, retry_booking,
};
use super::callers::get_caller;
use super::documents::{docs_page, get_openapi, get_root};
use super::history::{list_audit_events, list_booking_audit_events};
use super::organizers::get_organizer_readiness;
use super::problems::{EndpointResponse, Problem, ProblemCode, get_problem, list_problems};
use super::request::authenticate;
use super::state::ApiState;

const GET: &str = "GET, HEAD";
const POST: &str = "POST";
const GET_POST: &str = "GET, HEAD, POST";
const GET_PUT_DELETE: &str = "GET, HEAD, PUT, DELETE";

/// Puts the API into an app, with the answer to every path that does not exist.
pub(crate) fn configure(config: &mut ServiceConfig, state: Data<ApiState>) {
    config.app_data(state);
    routes(config);
}

fn routes(config: &mut ServiceConfig) {
    let v1 = web::scope("/v1")
        .wrap(middleware::from_fn(authenticate))
        .service(
            readable("/bookings", list_bookings::list_bookings)
                .route(web::post().to(create_booking::create_booking))
                .default_service(web::to(|| ready(other_method(GET_POST)))),
        )
        .service(
            readable("/bookings/{bookingId}", get_booking::get_booking)
                .route(web::put().to(put_booking::put_booking))
                .route(web::delete().to(delete_booking::delete_booking))
                .default_service(web::to(|| ready(other_method(GET_PUT_DELETE)))),
        )
        .service(
            web::resource("/bookings/{bookingId}/retry")
                .route(web::post().to(retry_booking::retry_booking))
                .default_service(web::to(|| ready(other_method(POST)))),
        )
        .service(
            web::resource("/bookings/{bookingId}/check")
                .route(web::post().to(check_booking::check_booking))
                .default_service(web::to(|| ready(other_method(POST)))),
        )
        .service(readable(
            "/bookings/{bookingId}/audit-events",
            list_booking_audit_events::list_booking_audit_events,
        ))
        .service(readable("/audit-events", list_audit_events::list_audit_events))
        .service(readable(
            "/organizers/{organizer}/readiness",
            get_organizer_readiness::get_organizer_readiness,
        ))
        .service(readable("/me", get_caller::get_caller))
        .default_service(web::to(unknown_path));
    config
        .service(v1)
        .service(readable("/", get_root::get_root))
        .service(readable("/openapi.json", get_openapi::get_openapi))
        .service(readable("/docs", docs_page::to_docs))
        .service(readable("/docs/{file:.*}", docs_page::get_docs))
        .service(readable("/problems", list_problems::list_problems))
        .service(readable("/problems/{code}", get_problem::get_problem))
        .default_service(web::to(unknown_path));
}

/// A path that can only be read; any other method is answered with `method-not-allowed`.
fn readable<F, Args>(path: &str, endpoint: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
    F::Future: Future<Output = F::Output>,
{
    let reads = guard::Any(guard::Get()).or(guard::Head());
    web::resource(path.to_owned())
        .route(web::route().guard(reads).to(endpoint))
        .default_service(web::to(|| ready(other_method(GET))))
}

fn other_method(allow: &'static str) -> EndpointResponse {
    EndpointResponse(Err(Problem::new(
        ProblemCode::MethodNotAllowed,
        format!("This path allows {allow} only."),
    )
    .header(ALLOW, HeaderValue::from_static(allow))))
}

/// A path that does not exist.
async fn unknown_path(_request: HttpRequest) -> EndpointResponse {
    EndpointResponse(Err(Problem::new(ProblemCode::NotFound, "There is nothing at this path.")))
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
