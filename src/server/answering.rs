//! Counts each request until the last byte of its answer is written, and tells its connection how far it is.

use std::error::Error;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CROSS_ORIGIN_RESOURCE_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error as ActixError, HttpMessage};

use super::connection::Connection;
use super::health::Health;
use crate::access::Caller;
use crate::under_way::Counted;

/// What keeps a browser from reading an answer as something else, from telling where it was, and from giving it to other sites.
const FOR_BROWSERS: [(HeaderName, HeaderValue); 3] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
];

/// Answers a request; the outermost of what is around an app.
pub(super) async fn answering(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<AnsweredBody>, ActixError> {
    let answer = Answer {
        connection: request.conn_data::<Rc<Connection>>().cloned(),
        counted: request.app_data::<Data<Health>>().map(|health| health.requests().one_more()),
    };
    if let Some(connection) = &answer.connection {
        connection.request_begun();
    }
    let mut response = next.call(request).await?.map_into_boxed_body();
    for (name, value) in FOR_BROWSERS {
        response.headers_mut().insert(name, value);
    }
    if let Some(connection) = &answer.connection {
        connection.answer_begun(response.request().extensions().contains::<Caller>());
    }
    Ok(response.map_body(|_, body| AnsweredBody { body, _answer: answer }))
}

/// One request and its answer.
struct Answer {
    connection: Option<Rc<Connection>>,
    counted: Option<Counted>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.answer_ended(self.counted.take());
        }
    }
}

/// The body of an answer, which counts as long as it is there.
pub(super) struct AnsweredBody {
    body: BoxBody,
    _answer: Answer,
}

impl MessageBody for AnsweredBody {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(context)
    }
}
