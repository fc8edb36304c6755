//! Access: every route, every kind of caller.

use std::collections::{BTreeMap, BTreeSet};

use meeting_provisioner::msgraph_simulator::{Effect, InjectedFault, Operation};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::keys::sha256_hex;
use crate::support::{ApiResponse, TestApp, Who, booking};

/// One row of the table: a route of the document, a request to it, and how each caller is answered.
struct Route {
    method: Method,
    pattern: &'static str,
    path: &'static str,
    access: Access,
}

enum Access {
    /// Needs a credential. The status for each of [`Who::KNOWN`]: the desk (may write), the screen (may read), the other
    /// system's desk, the auditor, the operator, the one for erasure, and one with all roles.
    Authenticated([u16; 7]),
    /// Answers every caller with this status.
    Public(u16),
}

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    let (get, post, put, delete) = (Method::GET, Method::POST, Method::PUT, Method::DELETE);
    let route = |method: &Method, pattern, path, expected| Route {
        method: method.clone(), pattern, path, access: Access::Authenticated(expected),
    };
    let public = |pattern, path, expected| Route {
        method: Method::GET, pattern, path, access: Access::Public(expected),
    };
    let booking = "/v1/bookings/{bookingId}";
    vec![
        public("/", "/", 200),
        public("/problems", "/problems", 200),
        public("/problems/{code}", "/problems/booking-differs", 200),
        //                                                              write read other audit operator privacy all
        // The other system makes a booking of its own under the same id.
        route(&post, "/v1/bookings", "/v1/bookings",                     [200, 403, 201, 403, 403, 403, 200]),
        route(&get, "/v1/bookings", "/v1/bookings",                      [200, 200, 200, 200, 200, 403, 200]),
        route(&get, booking, "/v1/bookings/BK-1?sourceSystem=room-booking", [200, 200, 404, 200, 200, 403, 200]),
        route(&get, booking, "/v1/bookings/BK-1?sourceSystem=room-booking&expand=onlineMeeting",
            [200, 200, 404, 403, 200, 403, 200]),
        route(&put, booking, "/v1/bookings/BK-1",                        [200, 403, 200, 403, 403, 403, 200]),
        // Neither system has a booking of this id.
        route(&delete, booking, "/v1/bookings/BK-2",                     [404, 403, 404, 403, 403, 403, 404]),
        route(&get, "/v1/bookings/{bookingId}/audit-events", "/v1/bookings/BK-1/audit-events?sourceSystem=room-booking",
            [200, 200, 404, 200, 200, 403, 200]),
        route(&post, "/v1/bookings/{bookingId}/check", "/v1/bookings/BK-1/check?sourceSystem=room-booking",
            [200, 403, 404, 403, 200, 403, 200]),
        // It succeeded, so there is nothing to retry; who may ask is told so.
        route(&post, "/v1/bookings/{bookingId}/retry", "/v1/bookings/BK-1/retry?sourceSystem=room-booking",
            [409, 403, 404, 403, 409, 403, 409]),
        route(&get, "/v1/audit-events", "/v1/audit-events",              [200, 200, 200, 200, 200, 403, 200]),
        route(&get, "/v1/me", "/v1/me",                                  [200, 200, 200, 200, 200, 200, 200]),
        route(&get, "/v1/organizers/{organizer}/readiness",
            "/v1/organizers/1f35f2e6-9cab-44ad-8d5a-b74c14720000/readiness",
            [200, 403, 200, 403, 200, 403, 200]),
    ]
}

async fn ask(app: &TestApp, who: Who, method: Method, route: &Route) -> ApiResponse {
    let mut request = app.request(who, method.clone(), route.path);
    if method == Method::POST || method == Method::PUT {
        request = request.json(&booking("BK-1"));
    }
    ApiResponse::read(request.send().await.unwrap()).await
}

/// The whole table, and HEAD as GET. Without a valid credential a caller learns nothing under `/v1`, whatever it asks for.
#[tokio::test]
async fn every_route_answers_each_caller_as_its_role_allows() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    for route in routes() {
        let known = match route.access {
            Access::Authenticated(known) => known,
            Access::Public(status) => [status; 7],
        };
        for unknown in [Who::Anonymous, Who::Stranger] {
            let answer = ask(&app, unknown, route.method.clone(), &route).await;
            match route.access {
                Access::Authenticated(_) => {
                    answer.problem(401, "unauthenticated");
                    let challenge = answer.header("www-authenticate").unwrap();
                    assert!(challenge.starts_with("Bearer"), "{}", route.path);
                }
                Access::Public(status) => drop(answer.expect(status)),
            }
        }
        for (who, expected) in Who::KNOWN.into_iter().zip(known) {
            let answer = ask(&app, who, route.method.clone(), &route).await;
            assert_eq!(answer.status, expected, "{who:?} {} {}: {}", route.method, route.path, answer.text);
            match expected {
                403 => drop(answer.problem(403, "forbidden")),
                404 => drop(answer.problem(404, "not-found")),
                _ => {}
            }
            if route.method == Method::GET {
                let head = ask(&app, who, Method::HEAD, &route).await;
                assert_eq!((head.status, head.text.as_str()), (expected, ""), "{who:?} HEAD {}", route.path);
            }
        }
    }
    app.end().await;
}

/// The table above is complete: it has a row for every operation of the document, and no row for another one.
#[test]
fn the_table_has_every_route_of_the_document() {
    let document: Value = serde_json::from_str(include_str!("../../docs/openapi.json")).unwrap();
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (member, operation) in item.as_object().unwrap() {
            if operation.get("responses").is_some() {
                documented.insert(format!("{} {path}", member.to_uppercase()));
            }
        }
    }
    assert!(documented.len() > 10, "{documented:?}");
    let tested: BTreeSet<_> =
        routes().iter().map(|route| format!("{} {}", route.method, route.pattern)).collect();
    let missing: Vec<_> = documented.difference(&tested).collect();
    let unknown: Vec<_> = tested.difference(&documented).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "without a row: {missing:?}; rows without a route: {unknown:?}"
    );
}

/// Every caller learns what its credential stands for, and never the credential itself; a key's second role is told, too.
#[tokio::test]
async fn every_caller_learns_who_it_is() {
    let key = "mpk_for-tests-of-two-roles-----------------------";
    let both = format!(
        "[[api_key]]\nname = \"night desk\"\nsource_system = \"crm\"\nsha256 = \"{}\"\n\
         roles = [\"operator\", \"bookings.write\"]\n",
        sha256_hex(key)
    );
    let app = TestApp::builder().api_keys(&both).start().await;
    for (key, source_system, roles, name) in [
        (Who::Desk.key().unwrap(), "room-booking", json!(["bookings.write"]), "Desk"),
        (Who::Auditor.key().unwrap(), "audit", json!(["audit.read"]), "Auditor"),
        (key.to_owned(), "crm", json!(["bookings.write", "operator"]), "night desk"),
    ] {
        let request = app.request(Who::Anonymous, Method::GET, "/v1/me").bearer_auth(&key);
        let answer = ApiResponse::read(request.send().await.unwrap()).await.expect(200);
        let credential = json!({"kind": "api-key", "name": name});
        let expected = json!({"sourceSystem": source_system, "roles": roles, "credential": credential});
        assert_eq!(answer.json(), expected);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(!answer.text.contains(&key) && !answer.text.contains(&sha256_hex(&key)));
    }
    app.get(Who::Desk, "/v1/me?x=y").await.problem(400, "invalid-request");
    app.end().await;
}

/// A booking of another source system and one that does not exist get the same answer, to the letter, whatever is asked:
/// status, headers and body. Both are looked up by the caller's own source system, so that one takes no longer than the other.
#[tokio::test]
async fn another_systems_booking_cannot_be_told_from_none() {
    let app = TestApp::start().await;
    let known = app.book(Who::Desk, &booking("BK-1")).await.expect(201).json();
    let mut asked = BTreeSet::new();
    for (method, suffix, header) in [
        (Method::GET, "", None),
        (Method::GET, "?expand=onlineMeeting", None),
        (Method::GET, "?generation=1", None),
        (Method::GET, "", Some(("If-None-Match", "\"1.1\""))),
        (Method::GET, "", Some(("Prefer", "wait=1"))),
        (Method::HEAD, "", None),
        (Method::GET, "/audit-events", None),
        (Method::GET, "/audit-events?order=desc&type=meeting.created", None),
        (Method::POST, "/retry", None),
        (Method::POST, "/retry?generation=1", None),
        (Method::POST, "/check", None),
        (Method::DELETE, "", None),
        (Method::DELETE, "", Some(("If-Match", "\"1.3\""))),
        (Method::PUT, "", Some(("If-Match", "\"1.3\""))),
        (Method::PUT, "", Some(("If-Match", "*"))),
        (Method::GET, "?sourceSystem=room-booking", None),
        (Method::GET, "/audit-events?sourceSystem=room-booking", None),
        (Method::POST, "/retry?sourceSystem=room-booking", None),
        (Method::POST, "/check?sourceSystem=room-booking", None),
    ] {
        let mut answers = Vec::new();
        for id in ["BK-1", "BK-2"] {
            let mut request =
                app.request(Who::OtherSystem, method.clone(), &format!("/v1/bookings/{id}{suffix}"));
            if method == Method::PUT {
                request = request.json(&booking(id));
            }
            if let Some((name, value)) = header {
                request = request.header(name, value);
            }
            let answer = ApiResponse::read(request.send().await.unwrap()).await;
            answers.push(told(&answer, id));
        }
        assert_eq!(answers[0], answers[1], "{method} {suffix} {header:?}");
        let status = if header.is_some_and(|(name, _)| name == "If-Match") { 412 } else { 404 };
        assert_eq!(answers[0].0, status, "{method} {suffix} {header:?}");
        asked.insert(format!("{method} {}", suffix.split('?').next().unwrap()));
    }
    // Lists: what names the other's booking finds as much as what names none.
    for (name, theirs, none) in [
        ("bookingId", "BK-1", "BK-2"),
        ("sourceSystem", "room-booking", "no-such-system"),
        ("meetingId", known["meeting"]["id"].as_str().unwrap(), "none"),
        ("externalId", known["externalId"].as_str().unwrap(), "4b22997d-a5f7-5483-b720-2dee50154e74"),
        ("organizer", known["organizer"]["userId"].as_str().unwrap(), "1f35f2e6-9cab-44ad-8d5a-b74c14729999"),
    ] {
        for list in ["/v1/bookings", "/v1/audit-events"] {
            let mut answers = Vec::new();
            for value in [theirs, none] {
                let url = format!("{list}?{name}={}", percent_encoded(value));
                answers.push(told(&app.get(Who::OtherSystem, &url).await.expect(200), value));
            }
            assert_eq!(answers[0], answers[1], "{list} {name}");
            assert!(answers[0].2.contains("\"items\":[]"), "{list} {name}: {}", answers[0].2);
        }
    }
    // Each route that names a booking was asked.
    let named: BTreeSet<String> = routes()
        .iter()
        .filter_map(|route| {
            Some(format!("{} {}", route.method, route.pattern.strip_prefix("/v1/bookings/{bookingId}")?))
        })
        .collect();
    asked.remove("HEAD ");
    assert_eq!(asked, named);
    app.end().await;
}

/// Status, headers and body of an answer without what differs between any two requests.
fn told(answer: &ApiResponse, named: &str) -> (u16, Vec<(String, String)>, String) {
    let request_id = answer.header("x-request-id").unwrap();
    let plain = |text: &str| text.replace(request_id, "…").replace(named, "…");
    let headers = answer.headers.iter().filter(|(name, _)| *name != "date");
    let headers = headers.map(|(name, value)| (name.to_string(), plain(value.to_str().unwrap()))).collect();
    (answer.status, headers, plain(&answer.text))
}

fn percent_encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Lists hold the caller's own bookings, whatever the filter says; auditors and operators see all.
#[tokio::test]
async fn lists_hold_what_the_caller_may_see() {
    let app = TestApp::start().await;
    app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    app.book(Who::OtherSystem, &booking("BK-1")).await.expect(201);
    for (who, path, expected) in [
        (Who::Desk, "/v1/bookings", 1),
        (Who::Screen, "/v1/bookings", 1),
        (Who::OtherSystem, "/v1/bookings", 1),
        (Who::Auditor, "/v1/bookings", 2),
        (Who::Operator, "/v1/bookings", 2),
        (Who::Auditor, "/v1/bookings?sourceSystem=crm", 1),
        (Who::Desk, "/v1/audit-events?order=desc", 2),
        (Who::OtherSystem, "/v1/audit-events?order=desc", 2),
        (Who::Auditor, "/v1/audit-events?order=desc", 4),
        (Who::Auditor, "/v1/audit-events?order=desc&sourceSystem=crm", 2),
        (Who::Auditor, "/v1/audit-events?order=desc&bookingId=BK-1", 4),
    ] {
        let page = app.get(who, path).await.expect(200).json();
        assert_eq!(page["items"].as_array().unwrap().len(), expected, "{who:?} {path}");
    }
    app.end().await;
}

/// The credential is checked before anything else: without one there is no 404, 405, 413, 415 or 422 to learn from.
#[tokio::test]
async fn unauthenticated_callers_learn_nothing() {
    let app = TestApp::start().await;
    let paths = [
        (Method::GET, "/v1/nothing"),
        (Method::PATCH, "/v1/bookings"),
        (Method::GET, "/v1/bookings?x=y"),
        (Method::GET, "/v1/bookings/%FF"),
        (Method::POST, "/v1/bookings"),
    ];
    for (method, path) in paths {
        for body in [String::new(), "x".repeat(300 * 1024)] {
            let request = app.request(Who::Anonymous, method.clone(), path).body(body);
            ApiResponse::read(request.send().await.unwrap()).await.problem(401, "unauthenticated");
        }
    }
    app.end().await;
}

/// The public documents need no credential, and the operators' paths are not on the public port.
#[tokio::test]
async fn what_is_public_is_public_and_what_is_not_is_not() {
    let app = TestApp::start().await;
    for path in ["/openapi.json", "/docs/", "/problems", "/problems/booking-differs"] {
        app.get(Who::Anonymous, path).await.expect(200);
    }
    for path in ["/livez", "/readyz", "/startupz", "/metrics"] {
        app.get(Who::Anonymous, path).await.problem(404, "not-found");
        assert_eq!(reqwest::get(app.admin_url(path)).await.unwrap().status(), 200);
    }
    for path in ["/", "/v1/me", "/v1/bookings", "/openapi.json", "/docs/", "/problems"] {
        let answer = reqwest::get(app.admin_url(path)).await.unwrap();
        assert_eq!(answer.status(), 404, "{path} on the admin port");
    }
    let page = app.get(Who::Anonymous, "/docs/").await.text;
    assert!(
        !page.contains("https://") && !page.contains("//cdn"),
        "the page loads something from another host: {page}"
    );
    app.end().await;
}

/// A browser that opens the root sees the documentation.
#[tokio::test]
async fn the_root_leads_a_browser_to_the_documentation() {
    let app = TestApp::start().await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let request = app.request(Who::Anonymous, Method::GET, "/").header("Accept", browser);
    let page = request.send().await.unwrap();
    assert_eq!((page.status().as_u16(), page.url().path()), (200, "/docs/"));
    assert!(page.text().await.unwrap().contains("<title>Meeting Provisioner API</title>"));
    app.end().await;
}

/// A program that asks for the root learns what this service is, and every link that needs no credential works.
#[tokio::test]
async fn the_root_tells_a_program_what_this_service_is() {
    let app = TestApp::start().await;
    let answer = app.get(Who::Anonymous, "/").await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    // `Compress` adds its own field.
    assert!(answer.header("vary").unwrap().contains("Accept"));
    let service = answer.json();
    assert_eq!(service["name"], "meeting-provisioner");
    let document = app.get(Who::Anonymous, "/openapi.json").await.expect(200).json();
    assert_eq!(service["version"], document["info"]["version"]);
    for link in ["documentation", "openapi", "problems"] {
        app.get(Who::Anonymous, service["links"][link].as_str().unwrap()).await.expect(200);
    }
    app.get(Who::Desk, service["links"]["bookings"].as_str().unwrap()).await.expect(200);
    app.end().await;
}

/// Every problem has its page, which says what it means and what to do.
#[tokio::test]
async fn every_problem_has_a_page() {
    let app = TestApp::start().await;
    let list = app.get(Who::Anonymous, "/problems").await.expect(200).json();
    let problems = list["items"].as_array().or(list.as_array()).unwrap().clone();
    assert!(problems.len() > 15);
    for problem in problems {
        let page = app.get(Who::Anonymous, &format!("/problems/{}", problem["code"].as_str().unwrap())).await;
        let page = page.expect(200).json();
        assert_eq!(page["code"], problem["code"]);
        assert!(page["status"].is_number() && page.as_object().unwrap().values().any(Value::is_string));
    }
    app.get(Who::Anonymous, "/problems/no-such-problem").await.problem(404, "not-found");
    app.end().await;
}

/// A booking system retries what is its own with its own key, without a change to the booking.
#[tokio::test]
async fn a_booking_system_retries_its_own_failed_booking() {
    let app = TestApp::start().await;
    let refused = Effect::Respond {
        status: 400,
        headers: BTreeMap::new(),
        body: json!({"error": {"code": "BadRequest", "message": "Not today."}}).to_string(),
        after_work: false,
    };
    app.simulator.inject(InjectedFault::on(Operation::CreateOrGet, refused));
    app.book(Who::Desk, &booking("BK-1")).await.problem(422, "graph-refused");
    let retry = |who| app.request(who, Method::POST, "/v1/bookings/BK-1/retry").send();
    let answer = ApiResponse::read(retry(Who::OtherSystem).await.unwrap()).await;
    answer.problem(404, "not-found");
    let answer = ApiResponse::read(retry(Who::Desk).await.unwrap()).await.expect(200);
    assert_eq!(answer.header("location"), None);
    assert_eq!(answer.json()["status"], "provisioned");
    let event = app.history_items("BK-1").await.remove(2);
    assert_eq!((&event["type"], &event["actor"]), (&json!("booking.retried"), &json!("api-key:Desk")));
    app.end().await;
}
