//! The answers that faults give in place of the real one.

use super::faults::Effect;
use super::graph_refusal::GraphRefusal;
use super::graph_response::{Exchange, GraphResponse};
use super::route::Operation;
use super::token_endpoint;

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
        Effect::TokenRefused { code } => Some(token_endpoint::refusal(*code, "", exchange)),
        Effect::TokenNotAccepted => Some(GraphRefusal::of_status(401).into_answer(exchange)),
        Effect::Collision => Some(GraphRefusal::of_status(409).into_answer(exchange)),
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
    let answer = if operation == Operation::Token {
        token_endpoint::unavailable(status, exchange)
    } else {
        GraphRefusal::of_status(status).into_answer(exchange)
    };
    match retry_after {
        Some(retry_after) => answer.with_header("retry-after", retry_after),
        None => answer,
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
