//! Authentication under `/v1`: the credential is checked before anything else of a request is looked at.

use std::future::{Ready, ready};

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::request_origin::request_id;
use crate::access::{self, AccessFault, Action, AuthenticationFault, Caller, Role};
use crate::api::problems::{Problem, ProblemCode};
use crate::booking::SourceSystem;
use crate::error_chain::chain;

/// When to ask again, in seconds, where an issuer's keys are not known.
const ASK_AGAIN_SECONDS: u64 = 5;

/// Passes a request on with its caller, or answers it.
pub(crate) async fn authenticate(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match access::caller(request.request()).await {
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
            let response = unauthenticated(access::CHALLENGE).answer(request);
            actix_web::error::InternalError::from_response("the request was not authenticated", response)
                .into()
        }))
    }
}

/// The answer to a request without a valid credential or role. Why a credential is not valid stands in the log only.
fn rejection(request: &HttpRequest, fault: AccessFault) -> Problem {
    let reason = match fault {
        AccessFault::Unauthenticated(reason) => reason,
        AccessFault::Forbidden { needed } => {
            return Problem::new(ProblemCode::Forbidden, format!("This call needs the role {needed}."));
        }
    };
    access::note_refusal(request, &reason);
    let (request_id, why) = (request_id(request), chain(&reason));
    match reason {
        AuthenticationFault::KeysUnavailable(issuer) => {
            tracing::warn!(%request_id, issuer, "a token can't be checked: the keys of its issuer are not known");
            let detail = "The keys of the token's issuer are not known now. Nothing was done; send the same request again.";
            Problem::new(ProblemCode::IssuerUnavailable, detail).retry_after(ASK_AGAIN_SECONDS)
        }
        AuthenticationFault::NoCredential => {
            tracing::info!(%request_id, reason = why, "a request without a valid credential was refused");
            unauthenticated(access::CHALLENGE)
        }
        _ => {
            tracing::info!(%request_id, reason = why, "a request without a valid credential was refused");
            unauthenticated(access::CHALLENGE_INVALID)
        }
    }
}

fn unauthenticated(challenge: &'static str) -> Problem {
    Problem::new(ProblemCode::Unauthenticated, "This call needs a valid credential.")
        .header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}
