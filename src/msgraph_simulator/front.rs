//! The way of every call: read, enter into the ledger, draw the faults, do the work, deliver or cut.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use super::fault_plan::Drawn;
use super::faults::Effect;
use super::graph_refusal::GraphRefusal;
use super::graph_response::{Exchange, GraphResponse};
use super::identity_endpoint::IdentityHeaders;
use super::ledger_entries::{CallEntry, CallOutcome};
use super::meeting_item::Item;
use super::route::{Operation, Route};
use super::tenant::Tenant;
use super::{
    control, create_or_get, cut, fault_answers, identity_endpoint, meeting_item, permission, token_endpoint,
    users,
};

/// The headers that the ledger keeps. The last one only to show that it is not sent.
const KEPT_HEADERS: &[&str] =
    &["client-request-id", "user-agent", "traceparent", "prefer", "content-type", "accept", "sdkversion"];

/// A call as it arrived.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) route: Route,
    pub(super) query: String,
    pub(super) body: Bytes,
    pub(super) exchange: Exchange,
    headers: BTreeMap<&'static str, String>,
    authorization: Option<String>,
    identity: IdentityHeaders,
}

impl Received {
    pub(super) fn content_type(&self) -> Option<&str> {
        self.headers.get("content-type").map(String::as_str)
    }

    /// How the ledger enters the call; the ledger gives it a number.
    fn entry(&self, request: &HttpRequest, drawn: &Drawn) -> CallEntry {
        let operation = self.route.operation();
        let body = match operation {
            _ if self.body.is_empty() => None,
            Operation::Token => Some(token_endpoint::without_secrets(&self.body)),
            _ => Some(String::from_utf8_lossy(&self.body).into_owned()),
        };
        CallEntry {
            sequence: 0,
            received_at: self.exchange.now,
            operation,
            organizer: self.route.user().map(str::to_owned),
            method: request.method().to_string(),
            path: request.uri().to_string(),
            headers: self.headers.clone(),
            body,
            request_id: self.exchange.request_id,
            faults: drawn.kinds.clone(),
            work_done: false,
            outcome: CallOutcome::UnderWay,
        }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Answers every HTTP request that reaches the simulator.
pub(super) async fn answer(
    request: HttpRequest,
    body: Result<Bytes, actix_web::Error>,
    tenant: Data<Tenant>,
) -> HttpResponse {
    let tenant = tenant.into_inner();
    let body = match body {
        Ok(body) => body,
        Err(error) => return error.error_response(),
    };
    let route = Route::of(request.method().as_str(), request.uri().path());
    if let Route::Control { segments } = &route {
        let answer = control::answer(&tenant, request.method().as_str(), segments, &request, &body);
        return whole(answer);
    }
    let headers = request.headers();
    let kept = KEPT_HEADERS.iter().filter_map(|name| Some((*name, text(headers, name)?)));
    let call = Received {
        route,
        query: request.query_string().to_owned(),
        body,
        exchange: tenant.exchange(text(headers, "client-request-id")),
        headers: kept.collect(),
        authorization: text(headers, "authorization"),
        identity: IdentityHeaders {
            metadata: text(headers, "metadata"),
            identity: text(headers, "x-identity-header"),
            forwarded: text(headers, "x-forwarded-for"),
        },
    };
    let drawn = tenant.faults().draw(call.route.operation(), call.route.user());
    let sequence = tenant.ledger().arrived(call.entry(&request, &drawn));
    let slow = drawn.is_slow();
    let carried_out = carry_out(tenant, call, drawn, sequence);
    // A slow call goes on when its caller hangs up meanwhile, as it would at Microsoft's.
    let delivery = if slow {
        actix_web::rt::spawn(carried_out).await.unwrap_or(Delivery::Closed)
    } else {
        carried_out.await
    };
    match delivery {
        Delivery::Whole(answer) => whole(answer),
        Delivery::Truncated(answer) => cut::truncate(&request, head(&answer), answer.body),
        Delivery::Closed => cut::close(&request),
        Delivery::Reset => cut::reset(&request),
    }
}

/// How an answer goes out.
#[derive(Debug)]
enum Delivery {
    Whole(GraphResponse),
    Truncated(GraphResponse),
    Closed,
    Reset,
}

impl Delivery {
    fn of(effect: Option<&Effect>, answer: GraphResponse) -> Self {
        match effect {
            Some(Effect::ConnectionReset) => Self::Reset,
            Some(Effect::AnswerLost) => Self::Closed,
            Some(Effect::TruncatedBody) if answer.body.is_empty() => Self::Closed,
            Some(Effect::TruncatedBody) => Self::Truncated(answer),
            _ => Self::Whole(answer),
        }
    }

    fn outcome(&self) -> CallOutcome {
        match self {
            Self::Whole(answer) => CallOutcome::Answered { status: answer.status },
            Self::Truncated(answer) => CallOutcome::Truncated { status: answer.status },
            Self::Closed => CallOutcome::Cut,
            Self::Reset => CallOutcome::Reset,
        }
    }
}

async fn carry_out(tenant: Arc<Tenant>, call: Received, drawn: Drawn, sequence: u64) -> Delivery {
    let operation = call.route.operation();
    let effect = drawn.effect.as_ref();
    if !drawn.before_work.is_zero() {
        tokio::time::sleep(drawn.before_work).await;
    }
    let refused = effect.and_then(|effect| fault_answers::before_work(effect, operation, &call.exchange));
    let answer = match (refused, effect) {
        (Some(refused), _) => refused,
        (None, Some(Effect::ConnectionReset)) => GraphResponse::empty(500),
        (None, _) => {
            let answer = work(&tenant, &call);
            if answer.status < 300 {
                tenant.ledger().work_done(sequence, operation);
            }
            let replaced =
                effect.and_then(|effect| fault_answers::after_work(effect, operation, &call.exchange));
            replaced.unwrap_or(answer)
        }
    };
    if !drawn.after_work.is_zero() {
        tokio::time::sleep(drawn.after_work).await;
    }
    let is_token = matches!(operation, Operation::Token | Operation::IdentityToken);
    let from_graph = !is_token && !matches!(effect, Some(Effect::Gateway { .. }));
    let answer = if from_graph { answer.with_graph_headers(&call.exchange) } else { answer };
    let delivery = Delivery::of(effect, answer);
    tenant.ledger().ended(sequence, delivery.outcome());
    delivery
}

/// Does what the call asks for.
fn work(tenant: &Tenant, call: &Received) -> GraphResponse {
    if let Route::Token { tenant: tenant_in_path } = &call.route {
        return token_endpoint::answer(tenant, tenant_in_path, &call.body, &call.exchange);
    }
    if let Route::IdentityToken { shape } = &call.route {
        return identity_endpoint::answer(tenant, *shape, &call.query, &call.identity, &call.exchange);
    }
    let authorized = tenant.tokens().check(call.authorization.as_deref(), call.exchange.now);
    let permitted = authorized.and_then(|roles| permission::check(&call.route, &roles));
    let answered = permitted.and_then(|()| match &call.route {
        Route::CreateOrGet { version, user } => create_or_get::answer(tenant, *version, user, call),
        Route::Meeting { verb, version, user, meeting } => {
            meeting_item::answer(tenant, *verb, Item { version: *version, user, meeting }, call)
        }
        Route::User { version, user } => users::answer(tenant, *version, user, &call.query),
        Route::WrongMethod { allow } => Err(GraphRefusal::wrong_method(allow)),
        Route::Nowhere { segment } => {
            Err(GraphRefusal::bad_request(format!("Resource not found for the segment '{segment}'.")))
        }
        Route::Control { .. } | Route::Token { .. } | Route::IdentityToken { .. } => {
            Err(GraphRefusal::of_status(500))
        }
    });
    answered.unwrap_or_else(|refusal| refusal.into_answer(&call.exchange))
}

/// Status and headers. A header that HTTP can't carry is left out.
fn head(answer: &GraphResponse) -> HttpResponseBuilder {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut head = HttpResponse::build(status);
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value)) {
            head.insert_header((name, value));
        }
    }
    head
}

fn whole(answer: GraphResponse) -> HttpResponse {
    head(&answer).body(answer.body)
}
