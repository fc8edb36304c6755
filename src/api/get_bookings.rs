//! `GET /v1/bookings`: searches bookings.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::authentication::Authenticated;
use super::body::{BookingBody, BookingPageBody};
use super::paging::{self, PageRequest};
use super::problem::{EndpointResponse, EndpointResult, Problem, ProblemCode, store_problem};
use super::query::Query;
use super::response;
use super::scope::Scope;
use super::state::ApiState;
use crate::booking::{BookingId, ExternalId};
use crate::meeting::{BookingFilter, Status};
use crate::store::reading::BookingPosition;

/// The problems that this call can answer with.
pub(super) const PROBLEMS: &[ProblemCode] = &[
    ProblemCode::InvalidRequest,
    ProblemCode::Unauthenticated,
    ProblemCode::Forbidden,
    ProblemCode::StoreUnavailable,
    ProblemCode::Overloaded,
    ProblemCode::InternalError,
];

/// Search bookings
///
/// The latest first. Filters narrow the list together; pages are stable while bookings arrive. You see the bookings of
/// your own source system; the roles `audit.read` and `operator` see those of all.
#[utoipa::path(
    get, path = "/v1/bookings", operation_id = "listBookings", tag = "Bookings",
    params(
        ("status" = Option<String>, Query, description = "One or more of pending, provisioned, updating, cancelling, \
                                                          cancelled, failed, separated by commas or by \
                                                          naming the parameter several times.",
            example = "pending,failed"),
        ("organizer" = Option<String>, Query, description = "Object id, or the name as the booking wrote it."),
        ("bookingId" = Option<String>, Query, description = "All generations of this booking."),
        ("externalId" = Option<Uuid>, Query, description = "The booking whose meeting Graph knows by this name."),
        ("meetingId" = Option<String>, Query, description = "The booking with this meeting."),
        ("sourceSystem" = Option<String>, Query, description = "The bookings of this source system."),
        ("startsFrom" = Option<String>, Query, format = DateTime, description = "Starting at this time or later \
            (RFC 3339 with an offset)."),
        ("startsBefore" = Option<String>, Query, format = DateTime, description = "Starting before this time."),
        ("updatedFrom" = Option<String>, Query, format = DateTime, description = "Changed at this time or later."),
        ("updatedBefore" = Option<String>, Query, format = DateTime, description = "Changed before this time."),
        ("limit" = Option<u32>, Query, minimum = 1, description = "The size of a page, 1 to 200; 50 where it is absent. \
            A larger one is lowered to 200."),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before, with the same filters."),
    ),
    responses(
        (status = 200, description = "One page.", body = BookingPageBody,
            example = json!(super::example::booking_page())),
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn get_bookings(
    request: HttpRequest,
    caller: Authenticated,
    state: Data<ApiState>,
) -> EndpointResponse {
    EndpointResponse(answer(&request, &caller, &state).await)
}

async fn answer(request: &HttpRequest, caller: &Authenticated, state: &ApiState) -> EndpointResult {
    let caller = caller.reader(request)?;
    let mut query = Query::read(request.query_string());
    let scope = Scope::to(caller, &mut query);
    let filter = filter(&mut query, &scope);
    let wanted = PageRequest::take(&mut query, "bookings", scope.as_str());
    query.close()?;
    if scope == Scope::Nothing {
        return response::json(request, HttpResponse::Ok(), &paging::empty::<BookingBody<'_>>());
    }
    let read = state.provisioning.store.bookings(&filter, wanted.from, wanted.to_read()).await;
    let read = read.map_err(|error| store_problem(request, error))?;
    let body = |booking| Ok::<_, Problem>(BookingBody::of(booking, &state.remedies));
    let page = wanted.page(&read, BookingPosition::behind, body)?;
    response::json(request, HttpResponse::Ok(), &page)
}

fn filter(query: &mut Query, scope: &Scope) -> BookingFilter {
    let statuses = Status::ALL.map(Status::as_str);
    BookingFilter {
        source_system: scope.source_system(),
        code: None,
        statuses: query.words("status", Status::parse, &statuses),
        organizer: query.text("organizer"),
        booking_id: query.word("bookingId", |text| BookingId::parse(text).map_err(|fault| fault.0)),
        external_id: external_id(query),
        meeting_id: query.text("meetingId"),
        starts_from: query.timestamp("startsFrom"),
        starts_before: query.timestamp("startsBefore"),
        updated_from: query.timestamp("updatedFrom"),
        updated_before: query.timestamp("updatedBefore"),
    }
}

/// Takes an external id.
pub(super) fn external_id(query: &mut Query) -> Option<ExternalId> {
    query.word("externalId", |text| {
        let id = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
        id.map(ExternalId::new).ok_or("must be a UUID such as 4b22997d-a5f7-5483-b720-2dee50154e74")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::SourceSystem;

    /// Every filter reaches the store, and each one that can't be read is named, all at once.
    #[test]
    fn every_filter_is_read() {
        let crm = Scope::Of(SourceSystem::parse("crm").unwrap());
        let mut query = Query::read(
            "status=pending,failed&organizer=o&bookingId=b&externalId=4b22997d-a5f7-5483-b720-2dee50154e74&meetingId=m\
             &startsFrom=2026-01-01T00:00:00Z&startsBefore=2026-01-02T00:00:00Z&updatedFrom=2026-01-03T00:00:00Z\
             &updatedBefore=2026-01-04T00:00:00Z",
        );
        let filter = filter(&mut query, &crm);
        query.close().unwrap();
        assert_eq!(filter.source_system, crm.source_system());
        assert_eq!(filter.statuses, [Status::Pending, Status::Failed]);
        assert_eq!(filter.booking_id.unwrap().as_str(), "b");
        assert_eq!((filter.organizer.as_deref(), filter.meeting_id.as_deref()), (Some("o"), Some("m")));
        assert!(filter.external_id.is_some());
        let days = [filter.starts_from, filter.starts_before, filter.updated_from, filter.updated_before];
        assert_eq!(days.map(|time| time.unwrap().day()), [1, 2, 3, 4]);

        let mut query = Query::read("status=x&externalId=x&startsFrom=x&updatedBefore=x&startDate=x");
        let _filter = super::filter(&mut query, &crm);
        let problem = query.close().unwrap_err();
        assert_eq!(problem.places(), ["status", "externalId", "startsFrom", "updatedBefore", "startDate"]);
    }
}
