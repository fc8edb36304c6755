//! `GET /v1/audit-events`: searches the audit events of all bookings that the caller may see.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::audit_event_body::{AuditEventBody, AuditEventPageBody};
use super::history_query::{HistoryQuery, check_accept, filter, order};
use crate::api::openapi::{example, parameters, words};
use crate::api::problems::{DocumentedProblems, EVERY_CALL, EndpointResponse, EndpointResult, ProblemCode};
use crate::api::request::{Authenticated, PageRequest, Query, Scope, empty_page};
use crate::api::response;
use crate::api::state::ApiState;
use crate::audit::Order;

/// The problems that this call can answer with.
pub(crate) const PROBLEMS: DocumentedProblems =
    &[EVERY_CALL, &[ProblemCode::NotAcceptable, ProblemCode::CursorOutdated]];

/// Search the history
///
/// The audit events of all bookings that you may see: those of your own source system; with the roles `audit.read` and
/// `operator`, of all. Newest first. With `order=asc` a reader can follow the history: `nextCursor` is never null, and the
/// list ends before an event that is still being written, so that none is ever passed over. A page may have fewer events than
/// `limit`, or none, and still `hasMore`: it ends with about 2 MB of them, or when 5,000 events were looked through for those that
/// the filters want. `organizer` and `meetingId` ask
/// what a booking has now, so an event from before it had that may be passed over.
#[utoipa::path(
    get, path = "/v1/audit-events", operation_id = "listAuditEvents", tag = "History",
    params(
        ("sourceSystem" = Option<String>, Query, description = "Of this source system."),
        ("bookingId" = Option<String>, Query, description = "Of this booking.", example = "BK-1001"),
        ("externalId" = Option<Uuid>, Query, description = "Of the booking whose meeting has this `externalId` at Graph."),
        ("meetingId" = Option<String>, Query, description = "Of the booking with this meeting."),
        ("organizer" = Option<String>, Query, description = "Object id, or any name that \
            a booking has called the same user by, also a former one; in any letter case."),
        parameters::HistoryFilters,
        ("order" = Option<words::OrderWord>, Query, description = "`desc` (newest first, the default) or `asc`."),
        parameters::PageQuery,
    ),
    responses(
        (status = 200, description = "One page.", body = AuditEventPageBody,
            example = json!(example::audit_event_page())),
    ),
    security(("apiKey" = []), ("token" = []), ("certificate" = [])),
)]
pub(crate) async fn list_audit_events(
    request: HttpRequest,
    caller: Authenticated,
    state: Data<ApiState>,
) -> EndpointResponse {
    EndpointResponse(search(&request, &caller, &state).await)
}

async fn search(request: &HttpRequest, caller: &Authenticated, state: &ApiState) -> EndpointResult {
    let caller = caller.history_reader(request)?;
    check_accept(request)?;
    let mut query = Query::read(request.query_string());
    let scope = Scope::to(caller, &mut query);
    let mut filter = filter(&mut query);
    filter.source_system = scope.source_system();
    filter.booking_id = query.booking_id();
    filter.external_id = query.external_id();
    filter.meeting_id = query.text("meetingId");
    filter.organizer = query.text("organizer");
    let order = order(&mut query, Order::Descending);
    let page = PageRequest::take(&mut query, "audit-events", scope.as_str());
    query.close()?;
    if scope == Scope::Nothing {
        return response::json(request, HttpResponse::Ok(), &empty_page::<AuditEventBody<'_>>());
    }
    let history = HistoryQuery { filter, order, page };
    history.answer(request, &history.read(request, state).await?)
}
