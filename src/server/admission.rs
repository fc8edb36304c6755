//! Load shedding: admits a request, or refuses it at once: its source system sends too many a second, or too many are being
//! answered, in all or for its source system.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};

use super::health::Health;
use super::rate_limits::{Allowance, REQUESTS_PER_SECOND, RateLimits};
use crate::access::Caller;
use crate::shares::{NoPlace, on_behalf_of};
use crate::telemetry::Metrics;
use crate::{access, api};

/// What is counted and refused: the documents beside it are for all, and cost nothing.
const API: &str = "/v1/";

/// Refuses a request before anything of it is read but its head, where its source system sends too many: 429. Where more are
/// being answered than may be: the caller gets 503 within milliseconds, rather than a place in a queue for which it will not
/// wait. A request with a credential takes a place of its source system's share; the others are answered without a wait.
pub(super) async fn admit(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let caller = access::caller(request.request()).await.ok();
    let allowance = caller.as_ref().and_then(|caller| allowance(&request, caller));
    let refused_for = allowance.and_then(|allowance| allowance.refused_for_seconds());
    let mut response = match (caller, refused_for) {
        (Some(caller), Some(seconds)) => refuse(request, caller, seconds),
        (caller, _) => answer(request, next, caller).await?,
    };
    if let Some(allowance) = allowance {
        allowance.write(response.headers_mut());
    }
    Ok(response)
}

fn allowance(request: &ServiceRequest, caller: &Caller) -> Option<Allowance> {
    let limits = request.app_data::<web::Data<RateLimits>>()?;
    if request.path().starts_with(API) { limits.count(&caller.source_system) } else { None }
}

fn refuse(request: ServiceRequest, caller: Caller, seconds: u64) -> ServiceResponse<BoxBody> {
    if let Some(metrics) = request.app_data::<web::Data<Metrics>>() {
        metrics.limited(&caller.source_system, REQUESTS_PER_SECOND);
    }
    let answer = api::rate_limited(request.request(), seconds);
    // For the request's line in the log.
    request.extensions_mut().insert(caller);
    request.into_response(answer)
}

async fn answer(
    request: ServiceRequest,
    next: Next<BoxBody>,
    caller: Option<Caller>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(health) = request.app_data::<web::Data<Health>>().cloned() else {
        return next.call(request).await;
    };
    let source_system = caller.map(|caller| caller.source_system);
    let _place = match health.answering().try_take(source_system.clone()) {
        Ok(place) => place,
        Err(why) => {
            let answer = api::overloaded(request.request(), why == NoPlace::ShareUsedUp);
            return Ok(request.into_response(answer));
        }
    };
    match source_system {
        Some(source_system) => on_behalf_of(source_system, next.call(request)).await,
        None => next.call(request).await,
    }
}
