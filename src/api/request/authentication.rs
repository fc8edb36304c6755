//! Authentication under `/v1`: the credential is checked before anything else of a request is looked at.

use std::future::{Ready, ready};

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::request_origin::request_id;
use crate::access::{self, AccessFault, Action, Caller, Role};
use crate::api::problems::{Problem, ProblemCode};
use crate::booking::SourceSystem;

/// Passes a request on with its caller, or answers it.
pub(crate) async fn authenticate(
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
            let response = rejection(request.request(), fault).answer(request.request());
            Ok(request.into_response(response))
        }
    }
}

/// The caller of an authenticated request.
#[derive(Debug, Clone)]
pub(crate) struct Authenticated(Caller);

impl Authenticated {
    /// The caller, whatever it may do.
    pub(crate) fn anyone(&self) -> &Caller {
        &self.0
    }

    /// The caller, if it may create, change and cancel bookings.
    pub(crate) fn writer(&self, request: &HttpRequest) -> Result<&Caller, Problem> {
        self.allowed(request, self.0.check(Action::WriteBookings))
    }

    /// The caller, if it may read bookings.
    pub(crate) fn reader(&self, request: &HttpRequest) -> Result<&Caller, Problem> {
        self.allowed(request, self.0.check(Action::ReadBookings))
    }

    /// The caller, if it may read history: the roles that read bookings read their history, too.
    pub(crate) fn history_reader(&self, request: &HttpRequest) -> Result<&Caller, Problem> {
        self.allowed(request, self.0.check(Action::ReadBookings).or_else(|_| self.0.check(Action::ReadAudit)))
    }

    /// The caller, if it may check organizers.
    pub(crate) fn organizer_checker(&self, request: &HttpRequest) -> Result<&Caller, Problem> {
        self.allowed(request, self.0.check(Action::CheckOrganizers))
    }

    /// The caller, if it may retry and check bookings at all.
    pub(crate) fn retrier(&self, request: &HttpRequest) -> Result<&Caller, Problem> {
        self.allowed(request, self.0.check(Action::RetryBookings))
    }

    /// Whether the caller may retry and check bookings of this source system.
    pub(crate) fn check_retry_of(
        &self,
        request: &HttpRequest,
        source_system: &SourceSystem,
    ) -> Result<(), Problem> {
        self.allowed(request, self.0.check_retry_of(source_system)).map(drop)
    }

    /// Whether the caller may see the join links of this source system's meetings.
    pub(crate) fn check_join_links_of(
        &self,
        request: &HttpRequest,
        source_system: &SourceSystem,
    ) -> Result<(), Problem> {
        let needed = if *source_system == self.0.source_system { Role::BookingsRead } else { Role::Operator };
        let sees = self.0.sees_join_links_of(source_system);
        self.allowed(request, if sees { Ok(()) } else { Err(AccessFault::Forbidden { needed }) }).map(drop)
    }

    fn allowed(&self, request: &HttpRequest, checked: Result<(), AccessFault>) -> Result<&Caller, Problem> {
        checked.map(|()| &self.0).map_err(|fault| rejection(request, fault))
    }
}

/// An endpoint that asks for the caller of a request that was not authenticated gets none: closed, not open.
impl FromRequest for Authenticated {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or_else(|| {
            let response = unauthenticated().answer(request);
            actix_web::error::InternalError::from_response("the request was not authenticated", response)
                .into()
        }))
    }
}

/// The answer to a request without a valid credential or role. Why a credential is not valid stands in the log only.
fn rejection(request: &HttpRequest, fault: AccessFault) -> Problem {
    match fault {
        AccessFault::Unauthenticated(reason) => {
            let request_id = request_id(request);
            tracing::info!(%request_id, %reason, "a request without a valid credential was refused");
            unauthenticated()
        }
        AccessFault::Forbidden { needed } => {
            Problem::new(ProblemCode::Forbidden, format!("This call needs the role {needed}."))
        }
    }
}

fn unauthenticated() -> Problem {
    Problem::new(ProblemCode::Unauthenticated, "This call needs a valid credential.")
        .header(WWW_AUTHENTICATE, HeaderValue::from_static(access::CHALLENGE))
}
