//! What the two lists of history have in common: filters, order, form.

use actix_web::{HttpRequest, HttpResponse};

use super::accept::Accepted;
use super::body::AuditEventBody;
use super::paging::PageRequest;
use super::problem::{EndpointResult, Problem, ProblemCode, store_problem};
use super::query::Query;
use super::response;
use super::state::ApiState;
use crate::audit::{AuditEvent, AuditEventFilter, EventKind, Order};
use crate::meeting::Status;
use crate::store::reading::AuditEventPosition;

/// Every outcome, as events name it.
pub(super) const OUTCOMES: [&str; 9] =
    ["resolved", "created", "found", "changed", "gone", "refused", "throttled", "unavailable", "unknown"];

/// The filters that both lists know.
pub(super) fn filter(query: &mut Query) -> AuditEventFilter {
    AuditEventFilter {
        actor: query.text("actor"),
        kind: query.one_of("type", &EventKind::ALL.map(EventKind::as_str)),
        outcome: query.one_of("outcome", &OUTCOMES),
        next_status: query.one_of("nextStatus", &Status::ALL.map(Status::as_str)),
        from: query.timestamp("from"),
        before: query.timestamp("before"),
        ..AuditEventFilter::default()
    }
}

/// Takes the order; the list's own where it is absent.
pub(super) fn order(query: &mut Query, default: Order) -> Order {
    match query.one_of("order", &["asc", "desc"]).as_deref() {
        Some("asc") => Order::Ascending,
        Some(_) => Order::Descending,
        None => default,
    }
}

/// History is told in JSON only.
pub(super) fn check_accept(request: &HttpRequest) -> Result<(), Problem> {
    if Accepted::read(request).takes_json() {
        return Ok(());
    }
    Err(Problem::new(ProblemCode::NotAcceptable, "History can be had as application/json only."))
}

/// Reads events from a place on.
pub(super) async fn events(
    request: &HttpRequest,
    state: &ApiState,
    filter: &AuditEventFilter,
    (order, wanted): (Order, &PageRequest<AuditEventPosition>),
) -> Result<Vec<AuditEvent>, Problem> {
    let read = state.provisioning.store.audit_events(filter, order, wanted.from, wanted.to_read()).await;
    read.map_err(|error| store_problem(request, error))
}

/// Answers with the page of what was read.
pub(super) fn page(
    request: &HttpRequest,
    wanted: &PageRequest<AuditEventPosition>,
    read: &[AuditEvent],
) -> EndpointResult {
    let page = wanted.page(read, AuditEventPosition::behind, AuditEventBody::of);
    let page = page.map_err(|error| response::unwritable(request, &error))?;
    response::json(request, HttpResponse::Ok(), &page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meeting::{Outcome, Refusal};

    /// Every outcome that an event can carry can be searched for.
    #[test]
    fn every_outcome_is_listed() {
        let user = crate::booking::UserId::new(uuid::Uuid::nil());
        for outcome in [
            Outcome::OrganizerFound(user),
            Outcome::Gone,
            Outcome::Refused(Refusal::Request),
            Outcome::Throttled { retry_after: None },
            Outcome::Unavailable { retry_after: None },
            Outcome::Unknown,
        ] {
            assert!(OUTCOMES.contains(&outcome.as_str()), "{}", outcome.as_str());
        }
    }

    /// The filters of history reach the store, and each one that can't be read is named.
    #[test]
    fn every_filter_is_read() {
        let mut query = Query::read(
            "type=meeting.created&outcome=created&actor=worker&from=2026-01-01T00:00:00Z\
             &before=2026-01-02T00:00:00Z&order=desc&nextStatus=failed",
        );
        let filter = filter(&mut query);
        assert_eq!(order(&mut query, Order::Ascending), Order::Descending);
        query.close().unwrap();
        assert_eq!(filter.kind.as_deref(), Some("meeting.created"));
        assert_eq!((filter.outcome.as_deref(), filter.actor.as_deref()), (Some("created"), Some("worker")));
        assert!(filter.from < filter.before);
        assert_eq!(filter.next_status.as_deref(), Some("failed"));

        let mut query = Query::read("type=meeting.made&outcome=ok&from=x&order=up");
        let _filter = super::filter(&mut query);
        assert_eq!(order(&mut query, Order::Descending), Order::Descending);
        assert_eq!(query.close().unwrap_err().places(), ["type", "outcome", "from", "order"]);
    }
}
