//! Which path leads to which endpoint.

use std::future::{Future, ready};

use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, Resource, Responder, guard, middleware};

use super::authentication::authenticate;
use super::problem::{EndpointResponse, Problem, ProblemCode};
use super::state::ApiState;
use super::{
    delete_booking, docs_page, get_audit_events, get_booking, get_booking_history, get_bookings, get_openapi,
    get_problems, get_readiness, post_bookings, post_retry, put_booking,
};

const GET: &str = "GET, HEAD";
const POST: &str = "POST";
const GET_POST: &str = "GET, HEAD, POST";
const GET_PUT_DELETE: &str = "GET, HEAD, PUT, DELETE";

/// Puts the JSON door into an app. The app's default service answers what no door knows.
pub(crate) fn configure(config: &mut ServiceConfig, state: Data<ApiState>) {
    config.app_data(state);
    routes(config);
}

fn routes(config: &mut ServiceConfig) {
    let v1 = web::scope("/v1")
        .wrap(middleware::from_fn(authenticate))
        .service(
            readable("/bookings", get_bookings::get_bookings)
                .route(web::post().to(post_bookings::post_bookings))
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
                .route(web::post().to(post_retry::post_retry))
                .default_service(web::to(|| ready(other_method(POST)))),
        )
        .service(readable("/bookings/{bookingId}/audit-events", get_booking_history::get_booking_history))
        .service(readable("/audit-events", get_audit_events::get_audit_events))
        .service(readable("/organizers/{organizer}/readiness", get_readiness::get_readiness))
        .default_service(web::to(unknown_path));
    config
        .service(v1)
        .service(readable("/openapi.json", get_openapi::get_openapi))
        .service(readable("/docs", docs_page::to_docs))
        .service(readable("/docs/{file:.*}", docs_page::get_docs))
        .service(readable("/problems", get_problems::get_problems))
        .service(readable("/problems/{code}", get_problems::get_problem))
        .default_service(web::to(unknown_path));
}

/// A path that is only read; any other method is told so.
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
        format!("This path can be called with {allow} only."),
    )
    .header(ALLOW, HeaderValue::from_static(allow))))
}

/// What no door knows.
async fn unknown_path(_request: HttpRequest) -> EndpointResponse {
    EndpointResponse(Err(Problem::new(ProblemCode::NotFound, "There is nothing at this path.")))
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
