//! Interprets an answer, or its absence, as an outcome with its evidence.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use super::answerer::is_graphs;
use super::classify::{ErrorAnswer, classify};
use super::exchange::{NoAnswer, RawResponse};
use super::meeting_wire::{content, meeting, user};
use super::request::CLIENT_REQUEST_ID;
use super::text::clean;
use super::token_failure::TokenFailure;
use super::{error_wire, retry_after};
use crate::clock::Clock;
use crate::meeting::{Call, CallKind, Evidence, MeetingContent, Outcome, Refusal};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const DIAGNOSTIC: HeaderName = HeaderName::from_static("x-ms-ags-diagnostic");
/// Microsoft's page "Microsoft Graph throttling guidance" describes it.
const THROTTLE_SCOPE: HeaderName = HeaderName::from_static("x-ms-throttle-scope");

/// What was asked, as far as it decides how an answer is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) kind: CallKind,
    /// Whether the call names a chat thread, which a 404 can be about as well as about the organizer.
    pub(super) has_thread: bool,
}

impl Asked {
    /// What a call asks.
    pub(super) fn by(call: &Call) -> Self {
        let has_thread = matches!(call, Call::CreateOrGet { spec, .. } if spec.chat_thread_id.is_some());
        Self { kind: call.kind(), has_thread }
    }

    /// A call of this kind without a chat thread.
    pub(super) fn plain(kind: CallKind) -> Self {
        Self { kind, has_thread: false }
    }
}

/// Something answered. Only what is Graph's says anything about the booking.
pub(super) fn answered(
    asked: Asked,
    answer: RawResponse,
    evidence: &mut Evidence,
    clock: &dyn Clock,
) -> Outcome {
    note_headers(&answer, evidence);
    if !is_graphs(asked.kind, &answer) {
        return foreign(asked.kind, &answer, evidence, clock);
    }
    if !answer.status.is_success() {
        return error(asked, answer, evidence, clock);
    }
    success(asked.kind, &answer, evidence).unwrap_or_else(|message| {
        evidence.message = Some(clean(&message));
        Outcome::Unknown
    })
}

/// A gateway, a proxy or a login page answered in Graph's place. Its 2xx may stand over work that Graph did; anything else
/// did not reach Graph.
fn foreign(kind: CallKind, answer: &RawResponse, evidence: &mut Evidence, clock: &dyn Clock) -> Outcome {
    let status = answer.status;
    let said = match &answer.body {
        Err(broken) => format!("it broke off: {broken}"),
        Ok(body) => error_wire::excerpt(body).unwrap_or_else(|| "it is empty".to_owned()),
    };
    let message = format!("the way to Graph is out of order: this answer ({status}) is not Graph's: {said}");
    evidence.message = Some(clean(&message));
    let does_work = matches!(kind, CallKind::CreateOrGet | CallKind::Change | CallKind::Remove);
    let is_failure = (300..=599).contains(&status.as_u16());
    if is_failure || status.is_success() && !does_work {
        return Outcome::Unavailable { retry_after: retry_after(evidence, clock) };
    }
    Outcome::Unknown
}

/// Graph carried the call out. What its answer must hold depends on the call: one that makes a meeting known must name it, any
/// other may tell nothing. The error is the message of an answer that leaves the outcome unknown.
fn success(kind: CallKind, answer: &RawResponse, evidence: &mut Evidence) -> Result<Outcome, String> {
    let status = answer.status;
    let body = || answer.body.as_deref().map_err(|broken| format!("the answer broke off: {broken}"));
    let unexpected = || format!("an answer that this call should not get ({status})");
    if answer.body.as_deref().is_ok_and(error_wire::is_envelope) {
        return Err(unexpected());
    }
    match (kind, status) {
        (CallKind::Remove, StatusCode::OK | StatusCode::ACCEPTED | StatusCode::NO_CONTENT) => {
            Ok(Outcome::Gone)
        }
        (CallKind::CreateOrGet, StatusCode::CREATED) => {
            Ok(Outcome::Created(Box::new(meeting(body()?).map_err(|fault| fault.to_string())?)))
        }
        (CallKind::CreateOrGet, StatusCode::OK) => {
            Ok(Outcome::Found(Box::new(meeting(body()?).map_err(|fault| fault.to_string())?)))
        }
        (CallKind::FindOrganizer, StatusCode::OK) => {
            Ok(Outcome::OrganizerFound(user(body()?).map_err(|fault| fault.to_string())?))
        }
        (CallKind::Change, _) => Ok(Outcome::Changed(told(body(), evidence))),
        // What broke off on the way is asked for again: Graph has told it.
        (CallKind::Look, _) => Ok(Outcome::Seen(told(Ok(body()?), evidence))),
        _ => Err(unexpected()),
    }
}

/// What a later answer tells of its meeting; where that is nothing, the evidence says why.
fn told(body: Result<&[u8], String>, evidence: &mut Evidence) -> Option<Box<MeetingContent>> {
    let read = body.and_then(|body| content(body).map_err(|fault| fault.to_string()));
    read.map(Box::new).map_err(|message| evidence.message = Some(clean(&message))).ok()
}

/// No answer: only what was certainly never sent is certainly not carried out.
pub(super) fn unanswered(fault: &NoAnswer, evidence: &mut Evidence) -> Outcome {
    *evidence = Evidence { message: Some(clean(&fault.to_string())), ..Evidence::begun(evidence.started_at) };
    match fault {
        NoAnswer::NotSent(_) => Outcome::Unavailable { retry_after: None },
        NoAnswer::Lost(_) => Outcome::Unknown,
    }
}

/// There was no token, so nothing was sent to Graph; the evidence is the token endpoint's.
pub(super) fn without_token(failure: TokenFailure, evidence: &mut Evidence) -> Outcome {
    *evidence = Evidence {
        message: Some(clean(&failure.to_string())),
        status: failure.status,
        code: failure.error,
        request_id: failure.trace_id,
        client_request_id: failure.correlation_id,
        date: failure.date,
        retry_after: failure.retry_after_text,
        ..Evidence::begun(evidence.started_at)
    };
    if failure.kind.is_refusal() {
        return Outcome::Refused(Refusal::Unauthorized);
    }
    Outcome::Unavailable { retry_after: failure.retry_after }
}

fn error(asked: Asked, answer: RawResponse, evidence: &mut Evidence, clock: &dyn Clock) -> Outcome {
    let status = answer.status;
    let mut said = None;
    match answer.body {
        Err(broken) => evidence.message = Some(clean(&format!("the answer broke off: {broken}"))),
        Ok(body) => {
            let error = said.insert(error_wire::read(&body));
            evidence.code.clone_from(&error.code);
            evidence.message.clone_from(&error.message);
            evidence.request_id = evidence.request_id.take().or(error.request_id.take());
        }
    }
    if status.is_redirection() {
        evidence.message = Some(format!("a redirect, which is never followed ({status})"));
    }
    let retry_after = retry_after(evidence, clock);
    classify(ErrorAnswer { asked, status: status.as_u16(), error: said.as_ref(), retry_after })
}

/// How long the answer asks to wait.
fn retry_after(evidence: &Evidence, clock: &dyn Clock) -> Option<Duration> {
    let answered_at = evidence.date.as_deref().and_then(retry_after::date).unwrap_or_else(|| clock.now());
    evidence.retry_after.as_deref().and_then(|text| retry_after::parse(text, answered_at))
}

fn note_headers(answer: &RawResponse, evidence: &mut Evidence) {
    let kept = |name| header(&answer.headers, name);
    *evidence = Evidence {
        status: Some(answer.status.as_u16()),
        request_id: kept(REQUEST_ID),
        client_request_id: kept(CLIENT_REQUEST_ID),
        date: kept(DATE),
        retry_after: kept(RETRY_AFTER),
        diagnostic: kept(DIAGNOSTIC),
        throttle_scope: kept(THROTTLE_SCOPE),
        ..Evidence::begun(evidence.started_at)
    };
}

/// A header's text, fit to be kept.
pub(super) fn header(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(clean)
}

#[cfg(test)]
#[path = "interpret_tests.rs"]
mod tests;
