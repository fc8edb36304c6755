//! `GET /v1/bookings/{bookingId}/audit-events`: the audit events of one booking.

use actix_web::HttpRequest;
use actix_web::web::Data;

use super::audit_event_body::AuditEventPageBody;
use super::history_query::{HistoryQuery, check_accept, filter, order};
use crate::api::openapi::{example, parameters, words};
use crate::api::problems::{
    DocumentedProblems, EVERY_CALL, EndpointResponse, EndpointResult, ProblemCode, store_problem,
};
use crate::api::request::{Authenticated, PageRequest, Query, Scope, booking_id, no_such_booking};
use crate::api::state::ApiState;
use crate::audit::Order;

/// The problems that this call can answer with.
pub(crate) const PROBLEMS: DocumentedProblems =
    &[EVERY_CALL, &[ProblemCode::NotFound, ProblemCode::NotAcceptable, ProblemCode::CursorOutdated]];

/// Get the history of a booking
///
/// Everything that happened to the booking, in all its generations: who requested what, each call to Graph with the
/// ids that Microsoft support asks for, and what was decided. Of a booking that was cancelled before it came: that cancel.
/// Oldest first, and then `nextCursor` is never null: a page without `hasMore` is the end for now. Events are never changed or deleted.
#[utoipa::path(
    get, path = "/v1/bookings/{bookingId}/audit-events", operation_id = "listBookingAuditEvents", tag = "History",
    params(
        parameters::BookingPath,
        ("sourceSystem" = Option<String>, Query, description = "The booking's source system; your own where it is absent."),
        parameters::HistoryFilters,
        ("order" = Option<words::OrderWord>, Query, description = "`asc` (oldest first, the default) or `desc`."),
        parameters::PageQuery,
    ),
    responses(
        (status = 200, description = "One page.", body = AuditEventPageBody,
            example = json!(example::audit_event_page())),
    ),
    security(("apiKey" = []), ("token" = []), ("certificate" = [])),
)]
pub(crate) async fn list_booking_audit_events(
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
    let order = order(&mut query, Order::Ascending);
    let key = booking_id(request).and_then(|id| scope.key(caller, id));
    let list = format!("booking {}", key.as_ref().map(ToString::to_string).unwrap_or_default());
    let page = PageRequest::take(&mut query, &list, "");
    query.close()?;
    let key = key.ok_or_else(no_such_booking)?;
    filter.source_system = Some(key.source_system.clone());
    filter.booking_id = Some(key.booking_id.clone());
    let history = HistoryQuery { filter, order, page };
    let read = history.read(request, state).await?;
    // A booking without any event here may have others, which these filters leave out.
    if read.items.is_empty() {
        let store = &state.provisioning.store;
        let leased = store.latest(&key).await.map_err(|error| store_problem(request, error))?;
        if leased.is_none() {
            let tombstone = store.tombstone(&key).await.map_err(|error| store_problem(request, error))?;
            tombstone.ok_or_else(no_such_booking)?;
        }
    }
    history.answer(request, &read)
}
