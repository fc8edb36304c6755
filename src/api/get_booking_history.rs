//! `GET /v1/bookings/{bookingId}/audit-events`: what happened to one booking.

use actix_web::HttpRequest;
use actix_web::web::Data;

use super::authentication::Authenticated;
use super::body::AuditEventPageBody;
use super::history;
use super::paging::PageRequest;
use super::problem::{EndpointResponse, EndpointResult, ProblemCode, store_problem};
use super::query::Query;
use super::response;
use super::scope::Scope;
use super::state::ApiState;
use crate::audit::Order;

/// The problems that this call can answer with.
pub(super) const PROBLEMS: &[ProblemCode] = &[
    ProblemCode::InvalidRequest,
    ProblemCode::Unauthenticated,
    ProblemCode::Forbidden,
    ProblemCode::NotFound,
    ProblemCode::NotAcceptable,
    ProblemCode::StoreUnavailable,
    ProblemCode::Overloaded,
    ProblemCode::InternalError,
];

/// Get the history of a booking
///
/// Everything that happened to the booking, in all its generations: who asked for what, each call to Graph with the
/// ids that Microsoft support asks for, and what was decided. The oldest comes first. Events are never changed or
/// deleted.
#[utoipa::path(
    get, path = "/v1/bookings/{bookingId}/audit-events", operation_id = "listBookingAuditEvents", tag = "History",
    params(
        ("bookingId" = String, Path, description = "The booking's name in your system, percent-encoded.",
            example = "BK-1001"),
        ("sourceSystem" = Option<String>, Query, description = "Whose booking; your own where it is absent."),
        ("actor" = Option<String>, Query, description = "By this actor.", example = "worker"),
        ("type" = Option<String>, Query, description = "Of this type.", example = "meeting.created"),
        ("outcome" = Option<String>, Query, description = "With this outcome.", example = "throttled"),
        ("nextStatus" = Option<String>, Query, description = "After which the booking had this status; `failed` finds \
            where bookings were parked.", example = "failed"),
        ("from" = Option<String>, Query, format = DateTime, description = "At this time or later (RFC 3339 with an \
            offset)."),
        ("before" = Option<String>, Query, format = DateTime, description = "Before this time."),
        ("order" = Option<String>, Query, pattern = "^(asc|desc)$", description = "`asc` (oldest first, the default) or `desc`.",
            example = "asc"),
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
pub(super) async fn get_booking_history(
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
    let order = history::order(&mut query, Order::Ascending);
    let booking_id = response::booking_id(request);
    let key = booking_id.and_then(|id| scope.key(caller, id));
    let list = format!("booking {}", key.as_ref().map(ToString::to_string).unwrap_or_default());
    let wanted = PageRequest::take(&mut query, &list, "");
    query.close()?;
    let key = key.ok_or_else(response::no_such_booking)?;
    filter.source_system = Some(key.source_system.clone());
    filter.booking_id = Some(key.booking_id.clone());
    let read = history::events(request, state, &filter, (order, &wanted)).await?;
    // A booking without any event here may have others, that these filters leave out.
    if read.is_empty() {
        let leased = state.provisioning.store.latest(&key).await;
        leased.map_err(|error| store_problem(request, error))?.ok_or_else(response::no_such_booking)?;
    }
    history::page(request, &wanted, &read)
}
