//! `GET /v1/me`: who the caller is to this service.

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Caller;
use crate::api::openapi::words::{CredentialKindWord, RoleWord};
use crate::api::problems::{DocumentedProblems, EndpointResponse, EndpointResult, ProblemCode};
use crate::api::request::{Authenticated, Query};
use crate::api::response;

/// The problems that this call can answer with: it needs no role and no database.
pub(crate) const PROBLEMS: DocumentedProblems = &[&[
    ProblemCode::InvalidRequest,
    ProblemCode::Unauthenticated,
    ProblemCode::IssuerUnavailable,
    ProblemCode::RateLimited,
    ProblemCode::Overloaded,
    ProblemCode::InternalError,
]];

/// Who the caller is to this service.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Caller)]
struct CallerBody<'a> {
    /// The source system: it names the caller's bookings together with their `bookingId`.
    #[schema(example = "room-booking")]
    source_system: &'a str,
    /// What the caller may do.
    #[schema(value_type = Vec<RoleWord>)]
    roles: Vec<&'static str>,
    /// The credential that was sent.
    credential: CredentialBody<'a>,
}

/// The credential that was sent, never its secret.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Credential)]
struct CredentialBody<'a> {
    /// What it is.
    #[schema(value_type = CredentialKindWord)]
    kind: &'static str,
    /// The name that the operator gave an API key; of a token, its issuer, subject and application
    /// (`entra:<sub>/<azp>`). The history names its acts `<kind>:<name>`.
    #[schema(example = "front-desk")]
    name: &'a str,
}

impl<'a> CallerBody<'a> {
    fn of(caller: &'a Caller) -> Self {
        Self {
            source_system: caller.source_system.as_str(),
            roles: caller.roles.iter().map(crate::access::Role::as_str).collect(),
            credential: CredentialBody { kind: caller.name.kind().as_str(), name: caller.name.as_str() },
        }
    }
}

/// Get the caller
///
/// What your credential stands for: the source system whose bookings are yours, and your roles. Every caller with a valid
/// credential may ask, and nothing else is touched, so it shows whether base URL and key are right.
#[utoipa::path(
    get, path = "/v1/me", operation_id = "getCaller", tag = "Service",
    responses(
        (status = 200, description = "Who you are to this service.", body = CallerBody<'static>,
            example = json!({
                "sourceSystem": "room-booking", "roles": ["bookings.write"],
                "credential": {"kind": "api-key", "name": "front-desk"},
            })),
    ),
    security(("apiKey" = []), ("token" = []), ("certificate" = [])),
)]
pub(crate) async fn get_caller(request: HttpRequest, caller: Authenticated) -> EndpointResponse {
    EndpointResponse(answer(&request, &caller))
}

fn answer(request: &HttpRequest, caller: &Authenticated) -> EndpointResult {
    Query::read(request.query_string()).close()?;
    response::json(request, HttpResponse::Ok(), &CallerBody::of(caller.anyone()))
}
