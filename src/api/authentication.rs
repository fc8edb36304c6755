//! Nobody comes in under `/v1` without a credential; nothing else of a request is looked at before.

use std::future::{Ready, ready};

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::problem::{Problem, ProblemCode};
use super::request_id::request_id;
use crate::access::{self, AccessFault, Action, Caller};

/// Lets a request pass with its caller, or answers it.
pub(super) async fn authenticate(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match access::caller(request.request()) {
        Ok(caller) => {
            // For the request's line in the log.
            request.extensions_mut().insert(caller.clone());
            request.extensions_mut().insert(Authenticated(caller));
            next.call(request).await
        }
        Err(fault) => {
            let response = turned_away(request.request(), fault).answer(request.request());
            Ok(request.into_response(response))
        }
    }
}

/// The caller of a request that was let pass.
#[derive(Debug, Clone)]
pub(super) struct Authenticated(Caller);

impl Authenticated {
    /// The caller, if it may create bookings.
    pub(super) fn writer(&self, request: &HttpRequest) -> Result<&Caller, Problem> {
        self.allowed(request, self.0.check(Action::WriteBookings))
    }

    /// The caller, if it may read bookings.
    pub(super) fn reader(&self, request: &HttpRequest) -> Result<&Caller, Problem> {
        self.allowed(request, self.0.check(Action::ReadBookings))
    }

    /// The caller, if it may read history: who reads a booking reads its history, too.
    pub(super) fn history_reader(&self, request: &HttpRequest) -> Result<&Caller, Problem> {
        self.allowed(request, self.0.check(Action::ReadBookings).or_else(|_| self.0.check(Action::ReadAudit)))
    }

    /// The caller, if it may have organizers checked.
    pub(super) fn organizer_checker(&self, request: &HttpRequest) -> Result<&Caller, Problem> {
        self.allowed(request, self.0.check(Action::CheckOrganizers))
    }

    /// The caller, if it may have bookings tried again.
    pub(super) fn operator(&self, request: &HttpRequest) -> Result<&Caller, Problem> {
        self.allowed(request, self.0.check(Action::RetryBookings))
    }

    fn allowed(&self, request: &HttpRequest, checked: Result<(), AccessFault>) -> Result<&Caller, Problem> {
        checked.map(|()| &self.0).map_err(|fault| turned_away(request, fault))
    }
}

/// An endpoint that asks for the caller of a request that nobody let pass gets none: closed, not open.
impl FromRequest for Authenticated {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or_else(|| {
            let response = stranger().answer(request);
            actix_web::error::InternalError::from_response("nobody was authenticated", response).into()
        }))
    }
}

/// The answer to somebody who is not let in. Why a credential is not recognised stands in the log only.
fn turned_away(request: &HttpRequest, fault: AccessFault) -> Problem {
    let (request_id, path) = (request_id(request), request.path());
    match fault {
        AccessFault::Unauthenticated(reason) => {
            tracing::info!(%request_id, path, %reason, "a stranger was turned away");
            stranger()
        }
        AccessFault::Forbidden { needed } => {
            Problem::new(ProblemCode::Forbidden, format!("This call needs the role {needed}."))
        }
    }
}

fn stranger() -> Problem {
    Problem::new(ProblemCode::Unauthenticated, "This call needs a valid credential.")
        .header(WWW_AUTHENTICATE, HeaderValue::from_static(access::CHALLENGE))
}
