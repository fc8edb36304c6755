use std::sync::Arc;

use actix_web::App;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::http::header::{ACCEPT, CONTENT_TYPE, WWW_AUTHENTICATE};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::*;
use crate::access::{ApiKeys, Authenticator, CHALLENGE_INVALID, Caller, CallerName, NewApiKey, Role};
use crate::api::request::{booking_id, location};
use crate::booking::{BookingId, SourceSystem};
use crate::clock::SystemClock;

/// Sends a request to an app with all routes and one key, with nothing behind the endpoints: what is tested here is
/// answered before them. With a role that key is sent, without one a key that is not valid.
async fn send(request: TestRequest, role: Option<Role>) -> ServiceResponse {
    let fresh_key = |role| {
        let name = CallerName::parse("test").unwrap();
        let source_system = SourceSystem::parse("crm").unwrap();
        NewApiKey::generate(Caller { name, source_system, roles: [role].into_iter().collect() }).unwrap()
    };
    let known = fresh_key(role.unwrap_or(Role::Operator));
    let sent = if role.is_some() { &known } else { &fresh_key(Role::Operator) };
    let authenticator =
        Data::new(Authenticator::of(ApiKeys::parse(&known.block()).unwrap(), Arc::new(SystemClock)));
    let app = init_service(App::new().app_data(authenticator).configure(routes)).await;
    let header = ("Authorization", format!("Bearer {}", sent.text().expose_secret()));
    call_service(&app, request.insert_header(header).to_request()).await
}

async fn problem(response: ServiceResponse) -> Value {
    assert_eq!(response.headers().get(CONTENT_TYPE).unwrap(), "application/problem+json");
    let status = response.status().as_u16();
    let problem: Value = serde_json::from_slice(&read_body(response).await).unwrap();
    assert_eq!(problem["status"], status);
    assert_eq!(problem["type"], json!(format!("/problems/{}", problem["code"].as_str().unwrap())));
    for member in ["title", "detail", "instance", "requestId"] {
        assert!(problem[member].is_string(), "{member}");
    }
    assert!(problem["retryable"].is_boolean());
    problem
}

fn request(method: &str, path: &str) -> TestRequest {
    TestRequest::default().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path)
}

/// A request without a valid credential gets the same answer whatever it asks under /v1: the credential comes first.
#[actix_web::test]
async fn an_unauthenticated_caller_learns_nothing_under_v1() {
    for (method, path) in [
        ("GET", "/v1/bookings"),
        ("POST", "/v1/bookings"),
        ("POST", "/v1/bookings?x=y"),
        ("PATCH", "/v1/bookings"),
        ("GET", "/v1/bookings/BK-1001"),
        ("PUT", "/v1/bookings/BK-1001"),
        ("GET", "/v1/bookings/BK-1001/audit-events"),
        ("GET", "/v1/audit-events?colour=red"),
        ("GET", "/v1/organizers/anna%40contoso.com/readiness?x=y"),
        ("GET", "/v1/me"),
        ("GET", "/v1/nothing"),
        ("GET", "/v1"),
    ] {
        let body = vec![b'x'; 300 * 1024];
        let response = send(request(method, path).set_payload(body), None).await;
        assert_eq!(response.headers().get(WWW_AUTHENTICATE).unwrap(), CHALLENGE_INVALID);
        let problem = problem(response).await;
        assert_eq!(problem["code"], "unauthenticated", "{method} {path}");
        assert_eq!(problem["detail"], "This call needs a valid credential.");
    }
}

/// Known callers learn which paths and methods there are, and every caller does outside of /v1.
#[actix_web::test]
async fn other_methods_and_paths_are_problems_with_allow() {
    for (method, path, code, allow) in [
        ("DELETE", "/v1/bookings", "method-not-allowed", Some("GET, HEAD, POST")),
        ("PATCH", "/v1/bookings/BK-1001", "method-not-allowed", Some("GET, HEAD, PUT, DELETE")),
        ("POST", "/v1/bookings/BK-1001/audit-events", "method-not-allowed", Some("GET, HEAD")),
        ("POST", "/v1/audit-events", "method-not-allowed", Some("GET, HEAD")),
        ("POST", "/v1/organizers/anna%40contoso.com/readiness", "method-not-allowed", Some("GET, HEAD")),
        ("POST", "/v1/me", "method-not-allowed", Some("GET, HEAD")),
        ("GET", "/v1", "not-found", None),
        ("GET", "/v1/bookings/", "not-found", None),
        ("GET", "/v1/bookings/a/b", "not-found", None),
        ("GET", "/v1bookings", "not-found", None),
        ("GET", "/docs/nothing.js", "not-found", None),
        ("GET", "/problems/nothing", "not-found", None),
        ("POST", "/openapi.json", "method-not-allowed", Some("GET, HEAD")),
        ("POST", "/docs/", "method-not-allowed", Some("GET, HEAD")),
        ("PUT", "/problems", "method-not-allowed", Some("GET, HEAD")),
        ("POST", "/", "method-not-allowed", Some("GET, HEAD")),
    ] {
        let response = send(request(method, path), Some(Role::BookingsWrite)).await;
        let found = response.headers().get(ALLOW).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(found.as_deref(), allow, "{method} {path}");
        let problem = problem(response).await;
        assert_eq!(problem["code"], code, "{method} {path}");
        assert_eq!(problem["instance"], path);
    }
}

/// The `type` of every problem leads to its page, in the form that the caller prefers.
#[actix_web::test]
async fn every_problem_has_its_page() {
    let listed = send(request("GET", "/problems"), None).await;
    let listed: Value = serde_json::from_slice(&read_body(listed).await).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), ProblemCode::ALL.len());
    for (code, listed) in ProblemCode::ALL.into_iter().zip(listed.as_array().unwrap()) {
        let path = format!("/problems/{}", code.as_str());
        assert_eq!(listed["type"], json!(path));
        let explained = send(request("GET", &path), None).await;
        let explained: Value = serde_json::from_slice(&read_body(explained).await).unwrap();
        assert_eq!(&explained, listed);
        let page = send(request("GET", &path).insert_header((ACCEPT, "text/html, */*;q=0.8")), None).await;
        assert_eq!(page.headers().get(CONTENT_TYPE).unwrap(), "text/html; charset=utf-8");
        let page = String::from_utf8(read_body(page).await.to_vec()).unwrap();
        assert!(page.contains(code.as_str()) && page.contains("What to do"), "{page}");
        assert!(!page.contains("http"), "nothing comes from outside: {page}");
        assert_eq!(page.matches("<code>").count(), page.matches("</code>").count(), "{page}");
    }
}

/// The documents need no credential.
#[actix_web::test]
async fn documents_need_no_credential() {
    let document = send(request("GET", "/openapi.json"), None).await;
    let document: Value = serde_json::from_slice(&read_body(document).await).unwrap();
    assert_eq!(document["info"]["title"], "Meeting Provisioner API");
    let to_docs = send(request("GET", "/docs"), None).await;
    assert_eq!(
        (to_docs.status().as_u16(), to_docs.headers().get("location").unwrap().to_str().unwrap()),
        (308, "/docs/")
    );
    let root = send(request("GET", "/").insert_header((ACCEPT, "text/html, */*;q=0.8")), None).await;
    assert_eq!(
        (root.status().as_u16(), root.headers().get("location").unwrap().to_str().unwrap()),
        (303, "/docs/")
    );
    let docs = send(request("GET", "/docs/"), None).await;
    assert_eq!(docs.status(), 200);
    let problems = send(request("HEAD", "/problems"), None).await;
    assert_eq!(problems.status(), 200);
}

/// A booking's id comes out of its path as it went in, whatever its characters.
#[actix_web::test]
async fn a_booking_id_survives_its_path() {
    async fn id(request: HttpRequest) -> String {
        booking_id(&request).map_or_else(|| "none".to_owned(), |id| id.as_str().to_owned())
    }
    let app =
        init_service(App::new().service(web::scope("/v1").service(readable("/bookings/{bookingId}", id))))
            .await;
    let all: String = (0x21..=0x7e_u8).map(char::from).collect();
    for id in ["BK-1001", "a/b", "a b", "a%2Fb", "a+b", "%", "100%25", "a?b#c", all.as_str()] {
        let path = location(&BookingId::parse(id).unwrap());
        let found = call_service(&app, TestRequest::get().uri(&path).to_request()).await;
        assert_eq!(read_body(found).await, id, "{path}");
    }
    for (path, expected) in [
        ("/v1/bookings/a+b", "a+b"),
        ("/v1/bookings/a:b;c=d@e", "a:b;c=d@e"),
        ("/v1/bookings/%FF", "none"),
        ("/v1/bookings/%20a", "none"),
        ("/v1/bookings/%C3%BC", "none"),
        ("/v1/bookings/%00", "none"),
    ] {
        let found = call_service(&app, TestRequest::get().uri(path).to_request()).await;
        assert_eq!(read_body(found).await, expected, "{path}");
    }
}
