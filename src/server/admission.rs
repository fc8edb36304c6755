//! Lets a request in, or turns it away at once where there are too many.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use super::health::Health;
use crate::api;
use crate::telemetry::Metrics;

/// Turns a request away before anything of it is looked at, where more are being answered than may be: it is told so
/// within milliseconds, rather than kept in a queue that its sender will not wait for.
pub(super) async fn admit(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if !request.app_data::<web::Data<Health>>().is_some_and(|health| health.is_overloaded()) {
        return next.call(request).await;
    }
    if let Some(metrics) = request.app_data::<web::Data<Metrics>>() {
        metrics.request_refused();
    }
    let answer = api::overloaded(request.request());
    Ok(request.into_response(answer))
}
