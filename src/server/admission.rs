//! Load shedding: admits a request, or refuses it at once where too many are being answered.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use super::health::Health;
use crate::api;
use crate::telemetry::Metrics;

/// Refuses a request before anything of it is read, where more are being answered than may be: the caller gets 503
/// within milliseconds, rather than a place in a queue for which it will not wait.
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
