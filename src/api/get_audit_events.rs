//! `GET /v1/audit-events`: what happened to everything that the caller may see.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::authentication::Authenticated;
use super::body::{AuditEventBody, AuditEventPageBody};
use super::get_bookings::external_id;
use super::history;
use super::paging::{self, PageRequest};
use super::problem::{EndpointResponse, EndpointResult, ProblemCode};
use super::query::Query;
use super::response;
use super::scope::Scope;
use super::state::ApiState;
use crate::audit::Order;
use crate::booking::BookingId;

/// The problems that this call can answer with.
pub(super) const PROBLEMS: &[ProblemCode] = &[
    ProblemCode::InvalidRequest,
    ProblemCode::Unauthenticated,
    ProblemCode::Forbidden,
    ProblemCode::NotAcceptable,
    ProblemCode::StoreUnavailable,
    ProblemCode::Overloaded,
    ProblemCode::InternalError,
];

/// Search the history
///
/// The events of all bookings that you may see: those of your own source system; with the roles `audit.read` and
/// `operator`, all. The newest comes first. With `order=asc` a reader can follow the history from the beginning: that
/// list ends before an event which is still being written, so none is ever passed over.
#[utoipa::path(
    get, path = "/v1/audit-events", operation_id = "listAuditEvents", tag = "History",
    params(
        ("sourceSystem" = Option<String>, Query, description = "Of this source system."),
        ("bookingId" = Option<String>, Query, description = "Of this booking.", example = "BK-1001"),
        ("externalId" = Option<Uuid>, Query, description = "Of the booking whose meeting Graph knows by this name."),
        ("meetingId" = Option<String>, Query, description = "Of the booking with this meeting."),
        ("organizer" = Option<String>, Query, description = "Object id, or the name as the booking wrote it."),
        ("actor" = Option<String>, Query, description = "By this actor.", example = "api-key:front-desk"),
        ("type" = Option<String>, Query, description = "Of this type.", example = "meeting.created"),
        ("outcome" = Option<String>, Query, description = "With this outcome.", example = "throttled"),
        ("nextStatus" = Option<String>, Query, description = "After which the booking had this status; `failed` finds \
            where bookings were parked.", example = "failed"),
        ("from" = Option<String>, Query, format = DateTime, description = "At this time or later (RFC 3339 with an \
            offset)."),
        ("before" = Option<String>, Query, format = DateTime, description = "Before this time."),
        ("order" = Option<String>, Query, pattern = "^(asc|desc)$", description = "`desc` (newest first, the default) or `asc`.",
            example = "desc"),
        ("limit" = Option<u32>, Query, minimum = 1, description = "The size of a page, 1 to 200; 50 where it is absent. \
            A larger one is lowered to 200."),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before, with the same filters."),
    ),
    responses(
        (status = 200, description = "One page.", body = AuditEventPageBody,
            example = json!(super::example::audit_event_page())),
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn get_audit_events(
    request: HttpRequest,
    caller: Authenticated,
    state: Data<ApiState>,
) -> EndpointResponse {
    EndpointResponse(answer(&request, &caller, &state).await)
}

async fn answer(request: &HttpRequest, caller: &Authenticated, state: &ApiState) -> EndpointResult {
    let caller = caller.history_reader(request)?;
    history::check_accept(request)?;
    let mut query = Query::read(request.query_string());
    let scope = Scope::to(caller, &mut query);
    let mut filter = history::filter(&mut query);
    filter.source_system = scope.source_system();
    filter.booking_id = query.word("bookingId", |text| BookingId::parse(text).map_err(|fault| fault.0));
    filter.external_id = external_id(&mut query);
    filter.meeting_id = query.text("meetingId");
    filter.organizer = query.text("organizer");
    let order = history::order(&mut query, Order::Descending);
    let wanted = PageRequest::take(&mut query, "audit-events", scope.as_str());
    query.close()?;
    if scope == Scope::Nothing {
        return response::json(request, HttpResponse::Ok(), &paging::empty::<AuditEventBody<'_>>());
    }
    let read = history::events(request, state, &filter, (order, &wanted)).await?;
    history::page(request, &wanted, &read)
}
