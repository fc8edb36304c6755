//! Bad input is answered by a problem that names the member.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::kept_connection::{KeptConnection, post};
use crate::support::process::Process;
use crate::support::{ApiResponse, TestApp, Who, booking, booking_with};

fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap();
    assert!(errors.iter().all(|error| error["detail"].as_str().is_some_and(|detail| !detail.is_empty())));
    errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

/// Everything that is wrong with a body is reported at once, each with its pointer; nothing is stored.
#[tokio::test]
async fn all_faults_of_a_body_are_reported_together() {
    let app = TestApp::start().await;
    let body = json!({
        "organizer": "nobody", "subject": "x".repeat(256), "startDateTime": "2026-12-01T09:00:00",
        "endDatetime": "2026-12-01T10:00:00Z", "attendees": [{"role": "boss"}, {"upn": "a@b.c", "x": 1}],
        "sequence": -1, "metadata": {"a": 1},
    });
    let problem = app.book(Who::Desk, &body).await.problem(422, "invalid-booking");
    let mut found = pointers(&problem);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "/attendees/0/role",
            "/attendees/0/upn",
            "/attendees/1/x",
            "/bookingId",
            "/endDatetime",
            "/metadata/a",
            "/organizer",
            "/sequence",
            "/startDateTime",
            "/subject",
        ]
    );
    assert!(problem.to_string().contains("did you mean"), "{problem}");
    let rows: i64 = sqlx::query_scalar("select count(*) from booking").fetch_one(&app.pool).await.unwrap();
    assert_eq!(rows, 0);
    app.end().await;
}

/// A body that is no booking at all is answered by its fault: no JSON, another type, too large, an unknown encoding.
#[tokio::test]
async fn each_fault_of_a_body_has_its_own_problem() {
    let app = TestApp::start().await;
    let json_type = Some("application/json");
    let large = booking_with("BK-1", json!({"metadata": {"a": "x".repeat(300 * 1024)}})).to_string();
    for (content_type, body, status, code) in [
        (json_type, "{\"bookingId\": ".to_owned(), 400, "invalid-request"),
        (json_type, String::new(), 400, "invalid-request"),
        (json_type, "\u{feff}{}".to_owned(), 422, "invalid-booking"),
        (json_type, "\u{feff}\u{feff}{}".to_owned(), 400, "invalid-request"),
        (
            Some("application/json; charset=latin1"),
            booking("BK-1").to_string(),
            415,
            "unsupported-media-type",
        ),
        (json_type, "[]".to_owned(), 422, "invalid-booking"),
        (json_type, large, 413, "body-too-large"),
        (Some("text/plain"), booking("BK-1").to_string(), 415, "unsupported-media-type"),
        (None, booking("BK-1").to_string(), 415, "unsupported-media-type"),
    ] {
        let mut request = app.request(Who::Desk, Method::POST, "/v1/bookings").body(body.clone());
        if let Some(content_type) = content_type {
            request = request.header("Content-Type", content_type);
        }
        let answer = ApiResponse::read(request.send().await.unwrap()).await;
        assert_eq!(answer.status, status, "{content_type:?} {:.60}: {}", body, answer.text);
        answer.problem(status, code);
    }
    app.end().await;
}

/// JSON in UTF-8 is taken as editors and libraries send it: by each name of the charset, and behind a byte order mark.
#[tokio::test]
async fn json_in_utf_8_is_taken_as_it_is_sent() {
    let app = TestApp::start().await;
    let body = booking_with("BK-1", json!({"subject": "Überprüfung"})).to_string();
    for (content_type, mark, status) in [
        ("application/json; charset=utf8", "", 201),
        ("application/json; charset=UTF-8", "", 200),
        ("application/json; charset=us-ascii", "", 200),
        ("application/json; charset=", "", 200),
        ("application/json", "\u{feff}", 200),
    ] {
        let request =
            app.request(Who::Desk, Method::POST, "/v1/bookings").header("Content-Type", content_type);
        let answer = ApiResponse::read(request.body(format!("{mark}{body}")).send().await.unwrap()).await;
        assert_eq!(answer.status, status, "{content_type}: {}", answer.text);
        assert_eq!(answer.json()["subject"], "Überprüfung");
    }
    app.end().await;
}

/// What is no address of one user is refused where it stands, and nothing is stored; unusual addresses reach Graph as they are.
#[tokio::test]
async fn an_attendee_has_one_address() {
    let app = TestApp::start().await;
    for (upn, detail) in [
        ("mailto:anna@contoso.com", "mailto:"),
        ("anna@contoso.com;bob@contoso.com", "list"),
        ("Anna <anna@contoso.com>", "display name"),
        ("a@b@contoso.com", "once"),
        ("anna\u{200b}@contoso.com", "U+200B"),
        (" anna@contoso.com", "blank"),
    ] {
        let attendees = json!({"attendees": [{"upn": "bob@contoso.com"}, {"upn": upn}]});
        let body = booking_with("BK-1", attendees);
        for answer in [app.book(Who::Desk, &body).await, app.declare(&body).await] {
            let problem = answer.problem(422, "invalid-booking");
            assert_eq!(pointers(&problem), ["/attendees/1/upn"], "{upn}");
            let found = problem["errors"][0]["detail"].as_str().unwrap();
            assert!(found.contains(detail), "{upn}: {found}");
        }
        let problem = app.book(Who::Desk, &booking_with("BK-1", json!({"organizer": upn}))).await;
        assert_eq!(pointers(&problem.problem(422, "invalid-booking")), ["/organizer"], "{upn}");
    }
    assert_eq!(app.simulator.meetings().len(), 0);
    let upns =
        ["o'brien@contoso.com", "anna+1@contoso.com", "x_gmail.com#EXT#@contoso.com", "jürgen@contoso.com"];
    let attendees: Vec<Value> = upns.iter().map(|upn| json!({"upn": upn})).collect();
    app.book(Who::Desk, &booking_with("BK-1", json!({"attendees": attendees}))).await.expect(201);
    let sent = app.simulator.meetings()[0].content()["participants"]["attendees"].clone();
    let sent: Vec<&str> = sent.as_array().unwrap().iter().map(|one| one["upn"].as_str().unwrap()).collect();
    assert_eq!(sent, upns);
    app.end().await;
}

/// A booking lasts longer than a meeting may run: a course of days, a room for a term.
#[tokio::test]
async fn a_room_is_booked_for_a_term() {
    let app = TestApp::start().await;
    let times = json!({"startDateTime": "2026-10-01T08:00:00Z", "endDateTime": "2027-02-28T18:00:00Z"});
    let body = app.book(Who::Desk, &booking_with("BK-1", times)).await.expect(201).json();
    assert_eq!(
        (&body["status"], &body["endDateTime"]),
        (&json!("provisioned"), &json!("2027-02-28T18:00:00Z"))
    );
    assert!(
        app.simulator.meetings()[0].content()["endDateTime"]
            .as_str()
            .unwrap()
            .starts_with("2027-02-28T18:00:00")
    );
    app.end().await;
}

/// A wrong path, method, query, `Accept` or `Prefer` is answered by a problem too, never by plain text.
#[tokio::test]
async fn every_other_fault_is_a_problem_too() {
    let app = TestApp::start().await;
    for (method, path, status, code) in [
        (Method::GET, "/v1/nothing", 404, "not-found"),
        (Method::GET, "/nothing", 404, "not-found"),
        (Method::GET, "/v1/bookings/none", 404, "not-found"),
        (Method::PATCH, "/v1/bookings", 405, "method-not-allowed"),
        (Method::POST, "/openapi.json", 405, "method-not-allowed"),
        (Method::GET, "/v1/bookings?status=lost", 400, "invalid-request"),
        (Method::GET, "/v1/bookings?limit=0", 400, "invalid-request"),
        (Method::GET, "/v1/bookings?limit=many", 400, "invalid-request"),
        (Method::GET, "/v1/bookings?colour=red", 400, "invalid-request"),
        (Method::GET, "/v1/bookings?cursor=nonsense", 400, "invalid-request"),
        (Method::GET, "/v1/bookings?startsFrom=today", 400, "invalid-request"),
        (Method::GET, "/v1/bookings?externalId=7", 400, "invalid-request"),
        (Method::GET, "/v1/audit-events?order=up", 400, "invalid-request"),
        (Method::GET, "/v1/audit-events?from=x&before=y", 400, "invalid-request"),
        (Method::GET, "/v1/bookings/%FF", 404, "not-found"),
    ] {
        let answer =
            ApiResponse::read(app.request(Who::Desk, method.clone(), path).send().await.unwrap()).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        answer.problem(status, code);
        if status == 405 {
            assert!(answer.header("allow").is_some(), "{method} {path}");
        }
    }
    let request = app.request(Who::Desk, Method::GET, "/v1/audit-events").header("Accept", "image/png");
    ApiResponse::read(request.send().await.unwrap()).await.problem(406, "not-acceptable");
    app.end().await;
}

/// A request's id is the same in the answer's header, in problems and in the history.
#[tokio::test]
async fn a_request_can_be_found_again() {
    let app = TestApp::start().await;
    let answer = app.book(Who::Desk, &booking("BK-1")).await.expect(201);
    let request_id = answer.header("x-request-id").unwrap().to_owned();
    let event = app.history_items("BK-1").await.remove(0);
    assert!(event.to_string().contains(&request_id), "{event}");
    assert_eq!(event["actor"], "api-key:Desk");
    let answer = app.book(Who::Desk, &json!([])).await;
    assert_eq!(answer.header("x-request-id"), answer.json()["requestId"].as_str());
    app.end().await;
}

/// Bodies and queries that hold as many faults as they can, as long as they can, cost what they weigh: with little memory the
/// process answers each, in an answer of bounded size, and goes on.
#[tokio::test]
async fn hostile_input_costs_what_it_weighs() {
    const BODY_BYTES: usize = 250_000;
    const ANSWER_BYTES_MAX: usize = 40 * 1024;
    let app = TestApp::builder().at_real_time().start().await;
    let process = Process::serve_within(3 * 1024 * 1024, app.environment()).await;
    let twice = |name: &str| {
        let members = r#""":1,"#.repeat((BODY_BYTES - name.len()) / 5);
        format!(r#"{{"{name}":{{{members}"":1}}}}"#)
    };
    let unknown: Vec<_> = (0..BODY_BYTES / 12).map(|number| format!(r#""k{number:06}":0"#)).collect();
    let deep =
        format!("{}{{{}\"\":1}}{}", r#"{"a":"#.repeat(100), r#""":1,"#.repeat(40_000), "}".repeat(100));
    for (body, has_more) in [
        (twice(&"a".repeat(BODY_BYTES / 2)), true),
        (twice(&"~".repeat(BODY_BYTES / 2)), true),
        (twice(&"\\u0001".repeat(BODY_BYTES / 12)), true),
        (twice(&"\u{1f4c5}".repeat(200)), true),
        (format!("{{{}}}", unknown.join(",")), true),
        (deep, true),
        (format!(r#"{{"attendees":[{}{{}}]}}"#, "{},".repeat(900)), true),
        // One fault says that there are too many.
        (format!(r#"{{"attendees":[{}{{}}]}}"#, "{},".repeat(80_000)), false),
        (format!(r#"{{"metadata":{{{}}}}}"#, unknown.join(",")), true),
        (format!(r#"{{"settings":{{{}}}}}"#, unknown.join(",")), true),
    ] {
        let request = process.request(Who::Desk, Method::POST, "/v1/bookings");
        let request = request.header("Content-Type", "application/json").body(body.clone());
        let answer = ApiResponse::read(request.send().await.unwrap()).await;
        let problem = answer.problem(422, "invalid-booking");
        assert!(answer.text.len() <= ANSWER_BYTES_MAX, "{:.60}: {} bytes", body, answer.text.len());
        let errors = problem["errors"].as_array().unwrap();
        assert!((1..=100).contains(&errors.len()), "{:.60}: {}", body, errors.len());
        let told = errors.iter().map(|error| error["pointer"].as_str().unwrap().chars().count());
        assert!(told.max() <= Some(256), "{body:.60}");
        let detail = problem["detail"].as_str().unwrap();
        let more = format!("There are more faults; the first {} are named.", errors.len());
        assert_eq!(detail.contains(&more), has_more, "{body:.60}: {detail}");
    }
    println!("highest resident memory at the hostile shapes: {}", process.highest_memory());
    for (body, most) in [(json!({"a": 1}), 5_000), (json!([]), 5_000)] {
        let request = process.request(Who::Desk, Method::POST, "/v1/bookings").json(&body);
        let answer = ApiResponse::read(request.send().await.unwrap()).await;
        assert!(answer.text.len() < most, "{body}: {} bytes", answer.text.len());
    }
    let small: Vec<_> = (0..90).map(|number| format!(r#""{number}":0"#)).collect();
    let small = format!("{{{}}}", small.join(","));
    let request = process.request(Who::Desk, Method::POST, "/v1/bookings").body(small.clone());
    let answer = request.header("Content-Type", "application/json").send().await.unwrap();
    let bytes = answer.bytes().await.unwrap().len();
    assert!(bytes < 5_000, "{} bytes are answered with {bytes}", small.len());
    let query: Vec<_> = (0..10_000).map(|number| format!("p{number}")).collect();
    let path = format!("/v1/bookings?{}", query.join("&"));
    let answer =
        ApiResponse::read(process.request(Who::Desk, Method::GET, &path).send().await.unwrap()).await;
    let problem = answer.problem(400, "invalid-request");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 100);
    assert!(answer.text.len() <= ANSWER_BYTES_MAX, "{}", answer.text.len());
    assert_eq!(process.book(&booking("BK-1")).await.unwrap().status, 201);
    process.kill().await;
    app.end().await;
}

/// A request that asks for another protocol is refused at once, and its body isn't taken for what is sent behind it.
#[tokio::test]
async fn a_booking_is_not_sent_over_another_protocol() {
    let app = TestApp::start().await;
    let address = app.url("").trim_start_matches("http://").to_owned();
    let request = String::from_utf8(post(&booking("BK-1"))).unwrap();
    for upgrade in ["Upgrade: websocket", "Upgrade: WebSocket \r\nConnection: upgrade"] {
        let mut connection = KeptConnection::to(&address).await.unwrap();
        let asked = request.replacen("Host: localhost", &format!("Host: localhost\r\n{upgrade}"), 1);
        let began = std::time::Instant::now();
        let answer = connection.exchange(asked.as_bytes()).await.unwrap();
        assert_eq!((answer.status, answer.closes), (400, true), "{}", answer.text);
        assert!(answer.text.contains("Upgrade"), "{}", answer.text);
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "it waits for no more of the body");
    }
    let mut connection = KeptConnection::to(&address).await.unwrap();
    let asked = request.replacen("Host: localhost", "Host: localhost\r\nUpgrade: h2c", 1);
    assert_eq!(
        connection.exchange(asked.as_bytes()).await.unwrap().status,
        201,
        "what is not granted is passed over"
    );
    app.end().await;
}
