//! What the two lists of audit events share: filters, order and pages.

use actix_web::{HttpRequest, HttpResponse};

use super::audit_event_body::AuditEventBody;
use crate::api::problems::{EndpointResult, Problem, ProblemCode, store_problem};
use crate::api::request::{AcceptedForms, JoinLinks, PageRequest, Query};
use crate::api::response;
use crate::api::state::ApiState;
use crate::audit::{AuditEvent, AuditEventFilter, EventKind, Order};
use crate::meeting::{Outcome, Status};
use crate::store::reading::{AuditEventPosition, ListPart};

/// Which events a request asks for, in which order, and which page of them.
#[derive(Debug)]
pub(super) struct HistoryQuery {
    pub(super) filter: AuditEventFilter,
    pub(super) order: Order,
    pub(super) page: PageRequest<AuditEventPosition>,
}

impl HistoryQuery {
    /// Reads the page's events from the store.
    pub(super) async fn read(
        &self,
        request: &HttpRequest,
        state: &ApiState,
    ) -> Result<ListPart<AuditEvent, AuditEventPosition>, Problem> {
        let store = &state.provisioning.store;
        let read =
            store.audit_events(&self.filter, self.order, self.page.from.as_ref(), self.page.limit).await;
        read.map_err(|error| store_problem(request, error))
    }

    /// Answers with the page of what was read.
    pub(super) fn answer(
        &self,
        request: &HttpRequest,
        read: &ListPart<AuditEvent, AuditEventPosition>,
    ) -> EndpointResult {
        let page = self
            .page
            .page(read, |event| AuditEventBody::of(event, JoinLinks::of(&event.key.source_system, request)));
        let page = page.map_err(|error| response::unwritable(request, &error))?;
        response::json(request, HttpResponse::Ok(), &page)
    }
}

/// Takes the filters that both lists know.
pub(super) fn filter(query: &mut Query) -> AuditEventFilter {
    AuditEventFilter {
        actor: query.text("actor"),
        kind: query.one_of("type", &EventKind::ALL.map(EventKind::as_str)),
        outcome: query.one_of("outcome", &Outcome::NAMES),
        request_id: query.uuid("requestId"),
        next_status: query.one_of("nextStatus", &Status::ALL.map(Status::as_str)),
        from: query.timestamp("from"),
        before: query.timestamp("before"),
        ..AuditEventFilter::default()
    }
}

/// Takes the order; the list's own where it is absent.
pub(super) fn order(query: &mut Query, default: Order) -> Order {
    let asked = query.one_of("order", &Order::ALL.map(Order::as_str));
    asked.and_then(|asked| Order::ALL.into_iter().find(|order| order.as_str() == asked)).unwrap_or(default)
}

/// The history is answered in JSON only.
pub(super) fn check_accept(request: &HttpRequest) -> Result<(), Problem> {
    if AcceptedForms::read(request).takes_json() {
        return Ok(());
    }
    Err(Problem::new(ProblemCode::NotAcceptable, "The history is available as application/json only."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meeting::{MeetingContent, Refusal, Seen};

    /// Every outcome that an event can carry can be searched for.
    #[test]
    fn every_outcome_is_listed() {
        let user = crate::booking::UserId::new(uuid::Uuid::nil());
        let content =
            MeetingContent { join_web_url: None, seen: Seen::default(), online_meeting: "{}".into() };
        for outcome in [
            Outcome::OrganizerFound(user),
            Outcome::Changed(None),
            Outcome::Seen(Some(Box::new(content))),
            Outcome::Gone,
            Outcome::Refused(Refusal::Request),
            Outcome::Throttled { retry_after: None },
            Outcome::Unavailable { retry_after: None },
            Outcome::Unknown,
        ] {
            let mut query = Query::read(&format!("outcome={}", outcome.as_str()));
            assert_eq!(filter(&mut query).outcome.as_deref(), Some(outcome.as_str()));
            query.close().unwrap();
        }
    }

    /// The filters of history reach the store, and each one that can't be read is named.
    #[test]
    fn every_filter_is_read() {
        let mut query = Query::read(
            "type=meeting.created&outcome=created&actor=worker&from=2026-01-01T00:00:00Z\
             &before=2026-01-02T00:00:00Z&order=desc&nextStatus=failed\
             &requestId=019AB0F2-69d0-7f43-8a51-6d0b3c9e2f10",
        );
        let filter = filter(&mut query);
        assert_eq!(order(&mut query, Order::Ascending), Order::Descending);
        query.close().unwrap();
        assert_eq!(filter.kind.as_deref(), Some("meeting.created"));
        assert_eq!((filter.outcome.as_deref(), filter.actor.as_deref()), (Some("created"), Some("worker")));
        assert!(filter.from < filter.before);
        assert_eq!(filter.next_status.as_deref(), Some("failed"));
        let request_id = filter.request_id.unwrap().to_string();
        assert_eq!(request_id, "019ab0f2-69d0-7f43-8a51-6d0b3c9e2f10", "in any letter case");

        let mut query = Query::read("type=meeting.made&outcome=ok&from=x&order=up&requestId=x");
        let _filter = super::filter(&mut query);
        assert_eq!(order(&mut query, Order::Descending), Order::Descending);
        assert_eq!(query.close().unwrap_err().places(), ["type", "outcome", "requestId", "from", "order"]);
    }
}
