//! One line for each request, and the span in which everything about it is logged.
//!
//! The line is an interface: `docs/LOGGING.md` lists its fields. It never holds a credential, a body or a query.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use tracing::Span;
use tracing_actix_web::{RequestId, RootSpanBuilder};

use crate::access::Caller;
use crate::telemetry::{Metrics, TraceParent};

/// Opens the span of a request.
pub(super) struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let request_id = request.extensions().get::<RequestId>().map(ToString::to_string);
        let traceparent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
        let trace_id = traceparent.and_then(TraceParent::parse).map(|parent| parent.trace_id_hex());
        tracing::info_span!("request", request_id, trace_id)
    }

    fn on_request_end<B: MessageBody>(_: Span, _: &Result<ServiceResponse<B>, Error>) {}
}

/// Answers with the request's id, counts the request and writes its line.
pub(super) async fn request_line(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    let request_id = request.extensions().get::<RequestId>().map(ToString::to_string);
    let mut response = next.call(request).await?;
    if let Some(value) = request_id.and_then(|id| HeaderValue::from_str(&id).ok()) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    let request = response.request();
    let (status, took) = (response.status().as_u16(), began.elapsed());
    // A path that nobody serves is whatever a stranger wrote; as a label or a field it would have no bound.
    let pattern = request.match_pattern();
    let route = pattern.as_deref().unwrap_or("none");
    let method = request.method().as_str();
    if let Some(metrics) = request.app_data::<web::Data<Metrics>>() {
        metrics.http_request(route, method, status, took);
    }
    let extensions = request.extensions();
    let caller = extensions.get::<Caller>();
    tracing::info!(
        method,
        route,
        status,
        duration_milliseconds = took.as_secs_f64() * 1_000.0,
        caller = caller.map(|caller| caller.name()),
        source_system = caller.map(|caller| caller.source_system().as_str()),
        "request answered"
    );
    drop(extensions);
    Ok(response)
}
