//! Where a request comes from: its id, its trace, and who sent it.

use actix_web::{HttpMessage, HttpRequest};
use tracing_actix_web::RequestId;
use uuid::Uuid;

use crate::access::{Caller, CredentialKind};
use crate::audit::{Actor, Origin};
use crate::telemetry::TraceParent;

/// The request's id, as the log and every problem name it. The request's span gives it; only a request without a span,
/// in this room's own tests, has the nil id.
pub(crate) fn request_id(request: &HttpRequest) -> Uuid {
    request.extensions().get::<RequestId>().map_or(Uuid::nil(), |id| **id)
}

fn actor(caller: &Caller) -> Actor {
    let name = caller.name.to_string();
    match caller.name.kind() {
        CredentialKind::ApiKey => Actor::ApiKey(name),
        CredentialKind::Token => Actor::Token(name),
        CredentialKind::Certificate => Actor::Certificate(name),
    }
}

/// Who acts, by which request, in which trace: the origin of the audit events that follow.
pub(crate) fn origin(request: &HttpRequest, caller: &Caller) -> Origin {
    let traceparent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    Origin {
        actor: actor(caller),
        request_id: Some(request_id(request).to_string()),
        // Only what the standard allows is passed on to Graph, in the version that we speak.
        traceparent: traceparent.and_then(TraceParent::parse).map(|parent| parent.to_string()),
    }
}
