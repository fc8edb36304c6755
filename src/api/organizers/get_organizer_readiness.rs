//! `GET /v1/organizers/{organizer}/readiness`: whether bookings for an organizer would work.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use percent_encoding::percent_decode_str;

use super::readiness_body::ReadinessBody;
use crate::api::openapi::example;
use crate::api::problems::{
    DocumentedProblems, EVERY_CALL, EndpointResponse, EndpointResult, Problem, ProblemCode, out_of_reach,
    store_problem,
};
use crate::api::request::{Authenticated, Query, origin};
use crate::api::response;
use crate::api::state::ApiState;
use crate::booking::Organizer;
use crate::provisioning::Asker;

/// The problems that this call can answer with.
pub(crate) const PROBLEMS: DocumentedProblems = &[EVERY_CALL, &[ProblemCode::OrganizerNotAllowed]];

/// Check an organizer
///
/// Whether bookings for this organizer would work, found out by reading only: no meeting is made, changed or removed.
/// Entra is asked for a token, Graph for the user and for a meeting that can't exist; requests within ten seconds get the
/// same answer. Where Graph may not be asked now, because it asked for a pause or is away, the checks are `unknown` and say
/// so. A user whom Graph doesn't know is answered with 200, too, with the check `organizer` failed. Only a booking shows it
/// for certain.
///
/// The role is `bookings.write` or `operator`; without the latter, only organizers are checked on whose behalf your source
/// system may act (403 `organizer-not-allowed`). A caller that asks by name is told the object id only as an operator, or where the own
/// source system has a booking of that user.
#[utoipa::path(
    get, path = "/v1/organizers/{organizer}/readiness", operation_id = "getOrganizerReadiness", tag = "Organizers",
    params(
        ("organizer" = String, Path, description = "The organizer's object id or user principal name, \
                                                    percent-encoded.", example = "megan@contoso.com"),
    ),
    responses(
        (status = 200, description = "The result of the checks.", body = ReadinessBody<'static>,
            example = json!(example::readiness())),
    ),
    security(("apiKey" = []), ("token" = []), ("certificate" = [])),
)]
pub(crate) async fn get_organizer_readiness(
    request: HttpRequest,
    caller: Authenticated,
    state: Data<ApiState>,
) -> EndpointResponse {
    EndpointResponse(check(&request, &caller, &state).await)
}

async fn check(request: &HttpRequest, caller: &Authenticated, state: &ApiState) -> EndpointResult {
    let caller = caller.organizer_checker(request)?;
    Query::read(request.query_string()).close()?;
    let organizer = organizer(request)?;
    if !caller.sees_all_source_systems() {
        let reaches = &state.provisioning.reaches;
        reaches.check_organizer(&caller.source_system, &organizer).map_err(out_of_reach)?;
    }
    let asker = Asker {
        sees: (!caller.sees_all_source_systems()).then(|| caller.source_system.clone()),
        source_system: caller.source_system.clone(),
        origin: origin(request, caller),
    };
    let looked = state.provisioning.look_at_organizer(&organizer, &asker).await;
    let (facts, recent) = looked.map_err(|error| store_problem(request, error))?;
    response::json(request, HttpResponse::Ok(), &ReadinessBody::of(&facts, &recent, &state.remedies))
}

/// The organizer that a path names.
fn organizer(request: &HttpRequest) -> Result<Organizer, Problem> {
    let segment = request.match_info().get("organizer").unwrap_or_default();
    // The router decodes a path but for "%", "/" and "+", so what it leaves encoded is decoded here, once.
    let text = percent_decode_str(segment).decode_utf8().unwrap_or_default();
    Organizer::parse(&text).map_err(|fault| {
        Problem::new(ProblemCode::InvalidRequest, format!("The organizer in the path {fault}."))
    })
}
