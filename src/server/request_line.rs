//! The log line of each request, and the span in which everything about it is logged.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use tracing::Span;
use tracing_actix_web::{RequestId, RootSpanBuilder};

use super::health::Health;
use crate::access::Caller;
use crate::api::ProblemCode;
use crate::booking::BookingId;
use crate::telemetry::{Metrics, RequestLine, TraceParent};

/// Opens the span of a request.
pub(super) struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let request_id = request.extensions().get::<RequestId>().map(ToString::to_string);
        tracing::info_span!("request", request_id)
    }

    fn on_request_end<B: MessageBody>(_: Span, _: &Result<ServiceResponse<B>, Error>) {}
}

/// Answers with the request's id and writes the request's line.
pub(super) async fn request_line(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    let health = request.app_data::<web::Data<Health>>().cloned();
    let mut response = next.call(request).await?;
    if health.is_some_and(|health| health.is_stopping()) {
        // So that the client's next request goes to another replica.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let request_id = response.request().extensions().get::<RequestId>().map(ToString::to_string);
    let request_id = request_id.unwrap_or_default();
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    let problem = response.response().extensions().get::<ProblemCode>().map(|code| code.as_str());
    let (request, status, took) = (response.request(), response.status().as_u16(), began.elapsed());
    let route = request.match_pattern();
    let method = request.method().as_str();
    if let Some(metrics) = request.app_data::<web::Data<Metrics>>() {
        metrics.http_request(route.as_deref(), method, status, took);
    }
    let traceparent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    let trace_id = traceparent.and_then(TraceParent::parse).map(|parent| parent.trace_id().to_string());
    let extensions = request.extensions();
    let caller = extensions.get::<Caller>();
    let line = RequestLine {
        request_id: &request_id,
        trace_id: trace_id.as_deref(),
        method,
        route: route.as_deref(),
        status,
        took,
        caller: caller.map(|caller| caller.name.as_str()),
        source_system: caller.map(|caller| caller.source_system.as_str()),
        booking_id: extensions.get::<BookingId>().map(BookingId::as_str),
        problem,
    };
    line.log();
    drop(extensions);
    Ok(response)
}
