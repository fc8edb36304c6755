//! Load shedding: admits a request, or refuses it at once where too many are being answered, in all or for its source system.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use super::health::Health;
use crate::shares::{NoPlace, on_behalf_of};
use crate::{access, api};

/// Refuses a request before anything of it is read but its head, where more are being answered than may be: the caller gets
/// 503 within milliseconds, rather than a place in a queue for which it will not wait. A request with a credential takes a
/// place of its source system's share; the others are answered without a wait.
pub(super) async fn admit(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(health) = request.app_data::<web::Data<Health>>().cloned() else {
        return next.call(request).await;
    };
    let source_system = access::caller(request.request()).await.ok().map(|caller| caller.source_system);
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
