//! A problem on its way to the caller.

use std::borrow::Cow;

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, Responder};
use serde_json::value::RawValue;

use super::graph_body::GraphBody;
use super::problem_body::{DifferenceBody, ErrorBody, ProblemBody};
use super::problem_code::ProblemCode;
use crate::access::Caller;
use crate::api::request::request_id;
use crate::booking::FAULTS_MAX;

/// Most bytes of the faults in one problem: the same long pointer may stand in each of them.
const ERRORS_BYTES_MAX: usize = 32 * 1024;
/// Bytes of faults that a small request may cause, too.
const ERRORS_BYTES_MIN: usize = 4 * 1024;
/// How many times the bytes of a request its faults may have.
const ERRORS_TIMES_REQUEST: usize = 4;

/// What an endpoint answers.
pub(crate) type EndpointResult = Result<HttpResponse, Problem>;

/// An answer; a problem in it still gets its path and its id from the request.
#[derive(Debug)]
pub(crate) struct EndpointResponse(pub(crate) EndpointResult);

/// A problem, without what only the request knows: its path and its id.
#[derive(Debug)]
pub(crate) struct Problem {
    code: ProblemCode,
    detail: Cow<'static, str>,
    headers: Vec<(HeaderName, HeaderValue)>,
    members: Box<ProblemMembers>,
}

#[derive(Debug, Default)]
struct ProblemMembers {
    errors: Vec<ErrorBody>,
    differences: Vec<DifferenceBody>,
    graph: Option<GraphBody>,
    remedy: Option<String>,
    retry_after_seconds: Option<u64>,
    booking: Option<Box<RawValue>>,
}

impl Problem {
    /// A problem and what it means in this case, in words for the caller.
    pub(crate) fn new(code: ProblemCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), headers: Vec::new(), members: Box::default() }
    }

    /// With the faults of what was sent in so many bytes: the first [`FAULTS_MAX`], or as many as stay in proportion to the
    /// request and below [`ERRORS_BYTES_MAX`]. Where that leaves some out, the detail says so.
    pub(crate) fn errors(mut self, mut errors: Vec<ErrorBody>, sent_bytes: usize) -> Self {
        let bytes_max = (sent_bytes * ERRORS_TIMES_REQUEST).clamp(ERRORS_BYTES_MIN, ERRORS_BYTES_MAX);
        let told = how_many_are_told(&errors, bytes_max);
        if told < errors.len() {
            errors.truncate(told);
            self.detail =
                format!("{} There are more faults; the first {told} are named.", self.detail).into();
        }
        self.members.errors = errors;
        self
    }

    /// With the fields in which two bookings differ.
    pub(crate) fn differences(mut self, differences: Vec<DifferenceBody>) -> Self {
        self.members.differences = differences;
        self
    }

    /// With what Graph answered and what an administrator should do.
    pub(crate) fn graph(mut self, graph: GraphBody, remedy: Option<String>) -> Self {
        self.members.graph = Some(graph);
        self.members.remedy = remedy;
        self
    }

    /// With the booking as it stands, as JSON.
    pub(crate) fn booking(mut self, booking: Box<RawValue>) -> Self {
        self.members.booking = Some(booking);
        self
    }

    /// With the time after which to ask again.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.members.retry_after_seconds = Some(seconds);
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// With a header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Which problem it is.
    #[cfg(test)]
    pub(crate) fn code(&self) -> ProblemCode {
        self.code
    }

    /// What it means in this case.
    #[cfg(test)]
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// Where the faults lie, by pointer or parameter.
    #[cfg(test)]
    pub(crate) fn places(&self) -> Vec<&str> {
        self.members
            .errors
            .iter()
            .map(|error| error.pointer.as_deref().or(error.parameter.as_deref()).unwrap_or_default())
            .collect()
    }

    /// The answer to this request.
    pub(crate) fn answer(self, request: &HttpRequest) -> HttpResponse {
        let texts = self.code.texts();
        let detail = match (self.code, booking_sought_elsewhere(request)) {
            (ProblemCode::NotFound, Some(source_system)) => Cow::from(format!(
                "{} Only {source_system} was searched, the source system of your key: name another with sourceSystem.",
                self.detail
            )),
            _ => self.detail,
        };
        let body = ProblemBody {
            kind: format!("/problems/{}", texts.code),
            title: texts.title,
            status: texts.status,
            detail: &detail,
            instance: request.path(),
            code: texts.code,
            retryable: texts.retryable,
            request_id: request_id(request),
            errors: self.members.errors,
            differences: self.members.differences,
            graph: self.members.graph,
            remedy: self.members.remedy,
            retry_after_seconds: self.members.retry_after_seconds,
            booking: self.members.booking,
        };
        // Nothing in a problem can fail to be written; if something did, the status alone would have to do.
        let text = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = HttpResponse::build(self.code.status());
        for header in self.headers {
            response.insert_header(header);
        }
        // The cause may be gone in a moment, so no cache may keep the problem.
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        // For the request's line in the log.
        response.extensions_mut().insert(self.code);
        response.content_type("application/problem+json").body(text)
    }
}

/// The source system in which a booking was sought because the request named none, where its caller sees others, too.
fn booking_sought_elsewhere(request: &HttpRequest) -> Option<String> {
    request.match_info().get("bookingId")?;
    let names_one =
        request.query_string().split('&').any(|part| part.split('=').next() == Some("sourceSystem"));
    let extensions = request.extensions();
    let caller =
        extensions.get::<Caller>().filter(|caller| caller.sees_all_source_systems() && !names_one)?;
    Some(caller.source_system.to_string())
}

/// How many faults fit into so many bytes; one is always told.
fn how_many_are_told(errors: &[ErrorBody], bytes_max: usize) -> usize {
    let sizes =
        errors.iter().take(FAULTS_MAX).map(|error| serde_json::to_vec(error).map_or(0, |text| text.len()));
    let sums = sizes.scan(0, |sum, size| {
        *sum += size;
        Some(*sum)
    });
    sums.take_while(|sum| *sum <= bytes_max).count().max(errors.len().min(1))
}

impl Responder for EndpointResponse {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        self.0.unwrap_or_else(|problem| problem.answer(request))
    }
}
