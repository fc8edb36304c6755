//! One call of each kind, and what a scripted host makes of it.

use serde_json::json;
use uuid::{Uuid, uuid};

use super::MicrosoftGraph;
use super::fake::{Fake, FakeReaction, RecordedRequest, token};
use crate::booking::{ExternalId, Subject, Upn, UserId, parse};
use crate::meeting::{AttemptId, Call, Change, MeetingId, Reply};

pub(super) const ORGANIZER: &str = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";
pub(super) const ATTEMPT: Uuid = uuid!("0197f000-0000-7000-8000-000000000001");
pub(super) const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

pub(super) fn organizer() -> UserId {
    UserId::parse(ORGANIZER).unwrap()
}

pub(super) fn create() -> Call {
    let body = json!({
        "organizer": ORGANIZER, "startDateTime": "2026-12-01T09:00:00Z", "endDateTime": "2026-12-01T09:30:00Z",
    });
    Call::CreateOrGet {
        organizer: organizer(),
        external_id: ExternalId::new(uuid!("4b22997d-a5f7-5483-b720-2dee50154e74")),
        spec: Box::new(parse(body).unwrap().1),
    }
}

pub(super) fn change() -> Call {
    let subject = Some(Some(Subject::parse("Review").unwrap()));
    let meeting = MeetingId::parse("MSo1N2Y5").unwrap();
    let change = Change { subject, ..Change::default() };
    Call::Change { organizer: organizer(), meeting, in_channel: false, change }
}

pub(super) fn remove() -> Call {
    Call::Remove { organizer: organizer(), meeting: MeetingId::parse("MSo1N2Y5").unwrap(), in_channel: false }
}

pub(super) fn find() -> Call {
    Call::FindOrganizer(Upn::parse("anna@contoso.com").unwrap())
}

pub(super) async fn perform(graph: &MicrosoftGraph, call: &Call) -> Reply {
    graph.perform(AttemptId::new(ATTEMPT), Some(TRACEPARENT), call).await.reply
}

/// A host that grants any token and answers Graph's calls by `script`.
pub(super) async fn graph_saying(
    script: impl Fn(&RecordedRequest, usize) -> FakeReaction + Send + Sync + 'static,
) -> Fake {
    Fake::start(
        move |asked, before| {
            if asked.is_for_token() { token(&format!("token-{before}")) } else { script(asked, before) }
        },
    )
    .await
}

/// What one answer to `call` comes to.
pub(super) async fn reply_to(
    call: &Call,
    script: impl Fn() -> FakeReaction + Send + Sync + 'static,
) -> Reply {
    let fake = graph_saying(move |_, _| script()).await;
    perform(&fake.client().0, call).await
}

pub(super) fn look() -> Call {
    Call::Look { organizer: organizer(), meeting: MeetingId::parse("MSo1N2Y5").unwrap(), in_channel: false }
}

pub(super) fn every_call() -> [Call; 5] {
    [find(), create(), change(), look(), remove()]
}
