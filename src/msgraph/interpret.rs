//! Interprets an answer, or its absence, as an outcome with its evidence.

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use super::classify::{ErrorAnswer, classify};
use super::exchange::{NoAnswer, RawResponse};
use super::meeting_wire::{AnswerFault, meeting, user};
use super::request::CLIENT_REQUEST_ID;
use super::text::clean;
use super::token_failure::TokenFailure;
use super::{error_wire, retry_after};
use crate::clock::Clock;
use crate::meeting::{CallKind, Evidence, Outcome, Refusal};

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const DIAGNOSTIC: HeaderName = HeaderName::from_static("x-ms-ags-diagnostic");
/// Microsoft's page "Microsoft Graph throttling guidance" describes it.
const THROTTLE_SCOPE: HeaderName = HeaderName::from_static("x-ms-throttle-scope");

/// Graph answered.
pub(super) fn answered(
    kind: CallKind,
    answer: RawResponse,
    evidence: &mut Evidence,
    clock: &dyn Clock,
) -> Outcome {
    note_headers(&answer, evidence);
    let read = match (kind, answer.status) {
        (CallKind::Remove, StatusCode::OK | StatusCode::ACCEPTED | StatusCode::NO_CONTENT) => {
            return Outcome::Gone;
        }
        (CallKind::CreateOrGet, StatusCode::CREATED) => {
            success(answer, |body| Ok(Outcome::Created(Box::new(meeting(body)?))))
        }
        (CallKind::CreateOrGet, StatusCode::OK) => {
            success(answer, |body| Ok(Outcome::Found(Box::new(meeting(body)?))))
        }
        (CallKind::Change, StatusCode::OK) => {
            success(answer, |body| Ok(Outcome::Changed(Box::new(meeting(body)?))))
        }
        (CallKind::Look, StatusCode::OK) => {
            success(answer, |body| Ok(Outcome::Seen(Box::new(meeting(body)?))))
        }
        (CallKind::FindOrganizer, StatusCode::OK) => {
            success(answer, |body| Ok(Outcome::OrganizerFound(user(&body)?)))
        }
        _ => return error(kind, answer, evidence, clock),
    };
    read.unwrap_or_else(|message| {
        evidence.message = Some(clean(&message));
        Outcome::Unknown
    })
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

fn success(
    answer: RawResponse,
    read: impl FnOnce(Vec<u8>) -> Result<Outcome, AnswerFault>,
) -> Result<Outcome, String> {
    let body = answer.body.map_err(|broken| format!("the answer broke off: {broken}"))?;
    read(body).map_err(|fault| fault.to_string())
}

fn error(kind: CallKind, answer: RawResponse, evidence: &mut Evidence, clock: &dyn Clock) -> Outcome {
    let status = answer.status;
    let mut message = None;
    match answer.body {
        Err(broken) => evidence.message = Some(clean(&format!("the answer broke off: {broken}"))),
        Ok(body) => {
            let error = error_wire::read(&body);
            message = Some(error.message.clone().unwrap_or_default());
            evidence.code = error.code;
            evidence.message = error.message;
            evidence.request_id = evidence.request_id.take().or(error.request_id);
        }
    }
    if status.is_redirection() {
        evidence.message = Some(format!("a redirect, which is never followed ({status})"));
    } else if status.is_success() {
        evidence.message = Some(format!("an answer that this call should not get ({status})"));
    }
    let answered_at = evidence.date.as_deref().and_then(retry_after::date).unwrap_or_else(|| clock.now());
    let retry_after = evidence.retry_after.as_deref();
    classify(ErrorAnswer {
        kind,
        status: status.as_u16(),
        message: message.as_deref(),
        retry_after: retry_after.and_then(|text| retry_after::parse(text, answered_at)),
    })
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
