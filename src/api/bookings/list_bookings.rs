//! `GET /v1/bookings`: searches bookings.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use utoipa::ToSchema;

use super::booking_body::BookingBody;
use crate::api::openapi::{example, parameters, words};
use crate::api::problems::{
    DocumentedProblems, EVERY_CALL, EndpointResponse, EndpointResult, Problem, store_problem,
};
use crate::api::request::{Authenticated, JoinLinks, PageRequest, Query, Scope, empty_page};
use crate::api::response::{self, UnreadableBody};
use crate::api::state::ApiState;
use crate::meeting::{BookingFilter, Status};

/// The problems that this call can answer with.
pub(crate) const PROBLEMS: DocumentedProblems = &[EVERY_CALL];

/// One page of bookings, newest first.
#[derive(ToSchema)]
#[schema(as = BookingPage, rename_all = "camelCase")]
#[expect(dead_code, reason = "it only describes what PageBody writes")]
struct BookingPageBody {
    /// The bookings.
    items: Vec<BookingBody<'static>>,
    /// Bookings that belong on this page and can't be read by the version that answered; absent if there are none.
    unreadable: Option<Vec<UnreadableBody>>,
    /// Whether there may be more by now: go on with `nextCursor` while it is true, also behind an empty page.
    has_more: bool,
    /// The parameter `cursor` of the next page, opaque; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Search bookings
///
/// Newest first. All filters apply together; pages don't shift while bookings arrive. A page may have fewer bookings than
/// `limit`, or none, and still `hasMore`: it ends with about 2 MB of what is stored of them, or when 5,000 bookings were looked
/// through for those that the filters want. You see the bookings of your own source system; the roles `audit.read` and `operator` see those of all.
#[utoipa::path(
    get, path = "/v1/bookings", operation_id = "listBookings", tag = "Bookings",
    params(
        ("status" = Option<Vec<words::StatusWord>>, Query, style = Form, explode = false,
            description = "One or more, separated by commas or by repeating the parameter.",
            example = json!(["pending", "failed"])),
        ("organizer" = Option<String>, Query, description = "Object id, or any name that a booking \
            has called the same user by, also a former one; in any letter case."),
        ("bookingId" = Option<String>, Query, description = "All generations of this booking."),
        ("externalId" = Option<Uuid>, Query, description = "The booking whose meeting has this `externalId` at Graph."),
        ("meetingId" = Option<String>, Query, description = "The booking with this meeting."),
        ("sourceSystem" = Option<String>, Query, description = "The bookings of this source system."),
        ("startsFrom" = Option<String>, Query, format = DateTime, description = "Starting at this time or later \
            (RFC 3339 with an offset)."),
        ("startsBefore" = Option<String>, Query, format = DateTime, description = "Starting before this time."),
        ("updatedFrom" = Option<String>, Query, format = DateTime, description = "Changed at this time or later."),
        ("updatedBefore" = Option<String>, Query, format = DateTime, description = "Changed before this time."),
        ("failingBefore" = Option<String>, Query, format = DateTime, description = "With a `failingSince` before this \
            time: what is stuck since then, however often it was tried."),
        ("expand" = Option<words::ListExpandWord>, Query, description = "`attendees`: each booking with its attendees."),
        parameters::PageQuery,
    ),
    responses(
        (status = 200, description = "One page.", body = BookingPageBody, example = json!(example::booking_page())),
    ),
    security(("apiKey" = []), ("token" = []), ("certificate" = [])),
)]
pub(crate) async fn list_bookings(
    request: HttpRequest,
    caller: Authenticated,
    state: Data<ApiState>,
) -> EndpointResponse {
    EndpointResponse(search(&request, &caller, &state).await)
}

async fn search(request: &HttpRequest, caller: &Authenticated, state: &ApiState) -> EndpointResult {
    let caller = caller.reader(request)?;
    let mut query = Query::read(request.query_string());
    let scope = Scope::to(caller, &mut query);
    let filter = filter(&mut query, &scope);
    let expanded = query.one_of("expand", &words::LIST_EXPAND).is_some();
    let page = PageRequest::take(&mut query, "bookings", scope.as_str());
    query.close()?;
    if scope == Scope::Nothing {
        return response::json(request, HttpResponse::Ok(), &empty_page::<BookingBody<'_>>());
    }
    let read = state.provisioning.store.bookings(&filter, page.from, page.limit).await;
    let read = read.map_err(|error| store_problem(request, error))?;
    let body_of = if expanded { BookingBody::of } else { BookingBody::without_attendees };
    let page = page.page(&read, |booking| {
        let links = JoinLinks::of(&booking.key.source_system, request);
        Ok::<_, Problem>(body_of(booking, &state.remedies, links))
    })?;
    response::json(request, HttpResponse::Ok(), &page)
}

fn filter(query: &mut Query, scope: &Scope) -> BookingFilter {
    let statuses = Status::ALL.map(Status::as_str);
    BookingFilter {
        source_system: scope.source_system(),
        code: None,
        statuses: query.words("status", Status::parse, &statuses),
        organizer: query.text("organizer"),
        booking_id: query.booking_id(),
        external_id: query.external_id(),
        meeting_id: query.text("meetingId"),
        starts_from: query.timestamp("startsFrom"),
        starts_before: query.timestamp("startsBefore"),
        updated_from: query.timestamp("updatedFrom"),
        updated_before: query.timestamp("updatedBefore"),
        failing_before: query.timestamp("failingBefore"),
    }
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
             &updatedBefore=2026-01-04T00:00:00Z&failingBefore=2026-01-05T00:00:00Z",
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
        assert_eq!(filter.failing_before.unwrap().day(), 5);

        let mut query = Query::read("status=x&externalId=x&startsFrom=x&updatedBefore=x&startDate=x");
        let _filter = super::filter(&mut query, &crm);
        let problem = query.close().unwrap_err();
        assert_eq!(problem.places(), ["status", "externalId", "startsFrom", "updatedBefore", "startDate"]);
    }
}
