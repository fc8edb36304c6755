//! The answers that faults give in place of the real one.

use serde_json::json;

use super::entra_refusal::{Refused, unavailable};
use super::faults::{Effect, GatewayBody};
use super::graph_refusal::GraphRefusal;
use super::graph_response::{Exchange, GraphResponse};
use super::identity_endpoint;
use super::route::Operation;

/// The answer of an effect that strikes before the work, so that the work is not done.
pub(super) fn before_work(
    effect: &Effect,
    operation: Operation,
    exchange: &Exchange,
) -> Option<GraphResponse> {
    match effect {
        Effect::ThrottledBeforeWork { retry_after } => {
            Some(refusal(429, retry_after.as_deref(), operation, exchange))
        }
        Effect::FailedBeforeWork { status, retry_after } => {
            Some(refusal(*status, retry_after.as_deref(), operation, exchange))
        }
        Effect::TokenRefused { code } => Some(Refused::new(*code, "").answer(exchange)),
        Effect::TokenNotAccepted => Some(GraphRefusal::of_status(401).into_answer(exchange)),
        Effect::Collision => Some(GraphRefusal::of_status(409).into_answer(exchange)),
        Effect::NotFound => Some(not_found(operation).into_answer(exchange)),
        Effect::Gateway { status, body, after_work: false } => Some(gateway(*status, *body)),
        Effect::Respond { after_work: false, .. } => Some(respond(effect)),
        _ => None,
    }
}

/// The answer of an effect that strikes after the work, in place of the work's own answer.
pub(super) fn after_work(
    effect: &Effect,
    operation: Operation,
    exchange: &Exchange,
) -> Option<GraphResponse> {
    match effect {
        Effect::ThrottledAfterWork { retry_after } => {
            Some(refusal(429, retry_after.as_deref(), operation, exchange))
        }
        Effect::FailedAfterWork { status, retry_after } => {
            Some(refusal(*status, retry_after.as_deref(), operation, exchange))
        }
        Effect::Gateway { status, body, after_work: true } => Some(gateway(*status, *body)),
        Effect::Respond { after_work: true, .. } => Some(respond(effect)),
        _ => None,
    }
}

fn refusal(
    status: u16,
    retry_after: Option<&str>,
    operation: Operation,
    exchange: &Exchange,
) -> GraphResponse {
    let answer = match operation {
        Operation::Token => unavailable(status, exchange),
        Operation::IdentityToken => identity_endpoint::refusal(status, "The service can't answer now"),
        _ => GraphRefusal::of_status(status).into_answer(exchange),
    };
    match retry_after {
        Some(retry_after) => answer.with_header("retry-after", retry_after),
        None => answer,
    }
}

fn not_found(operation: Operation) -> GraphRefusal {
    match operation {
        Operation::User => GraphRefusal::unknown_user("of the call"),
        Operation::CreateOrGet => GraphRefusal::unknown_organizer(),
        _ => GraphRefusal::unknown_meeting(),
    }
}

fn gateway(status: u16, body: GatewayBody) -> GraphResponse {
    let said = |content_type, body: &str| {
        let mut answer = GraphResponse::empty(status).with_header("content-type", content_type);
        body.clone_into(&mut answer.body);
        answer
    };
    match body {
        GatewayBody::Page => said(
            "text/html; charset=utf-8",
            "<!DOCTYPE html>\n<html><title>Sign in to the network</title></html>\n",
        ),
        GatewayBody::Text => said("text/plain", &format!("{status} page not found")),
        GatewayBody::Json => GraphResponse::json(
            status,
            &json!({"status": status, "message": "no route matched", "id": "gw-1"}),
        ),
        GatewayBody::Empty => GraphResponse::empty(status),
    }
}

fn respond(effect: &Effect) -> GraphResponse {
    let Effect::Respond { status, headers, body, .. } = effect else { return GraphResponse::empty(500) };
    let mut answer = GraphResponse::empty(*status);
    answer.body.clone_from(body);
    if !headers.keys().any(|name| name.eq_ignore_ascii_case("content-type")) {
        answer = answer.with_header("content-type", "application/json");
    }
    headers.iter().fold(answer, |answer, (name, value)| answer.with_header(name, value.clone()))
}
