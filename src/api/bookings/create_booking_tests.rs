use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::*;
use crate::api::fixture;
use crate::booking::{Difference, MessageOrder, Sequence, Sides};
use crate::meeting::{Booking, Failure, Progress};

fn pending() -> Booking {
    let mut booking = fixture::failed(Failure::GraphThrottled, Some(429), None);
    booking.progress = Progress::Due(booking.updated_at + Duration::from_millis(2_128));
    booking
}

/// Status, these headers and the body of an answer.
fn answered<const N: usize>(created: &CreateOrGet, headers: [&str; N]) -> (u16, [Option<String>; N], Value) {
    let request = TestRequest::post().uri("/v1/bookings").to_http_request();
    let now = fixture::provisioned().updated_at;
    let remedies = fixture::remedies();
    let responder = BookingResponder { request: &request, remedies: &remedies, now };
    let response = answer(responder, created).unwrap_or_else(|problem| problem.answer(&request));
    let found =
        headers.map(|name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()));
    let status = response.status().as_u16();
    (status, found, serde_json::from_slice(&response.into_body().try_into_bytes().unwrap()).unwrap())
}

/// A booking that is finished, new or known, or not finished, is answered by its own status and headers.
#[test]
fn the_outcome_decides_status_and_headers() {
    let (provisioned, path) = (fixture::provisioned(), Some("/v1/bookings/BK-1001"));
    for (created, status, [location, replayed, retry_after]) in [
        (CreateOrGet::New(provisioned.clone()), 201, [path, None, None]),
        (CreateOrGet::Known(provisioned), 200, [None, Some("true"), None]),
        (CreateOrGet::New(pending()), 202, [path, None, Some("3")]),
        (CreateOrGet::Known(pending()), 202, [path, None, Some("3")]),
    ] {
        let (found, headers, body) =
            answered(&created, ["location", "idempotent-replayed", "retry-after", "etag"]);
        let headers = headers.each_ref().map(Option::as_deref);
        let etag = if status == 202 { "\"1.2\"" } else { "\"1.3\"" };
        assert_eq!((found, headers), (status, [location, replayed, retry_after, Some(etag)]));
        assert_eq!(body["bookingId"], "BK-1001");
        assert_eq!(body["meeting"].is_null(), status == 202);
        assert_eq!(body["lastError"]["code"] == "graph-throttled", status == 202);
    }
}

/// Each failure that parks a booking has its problem, with the booking, what Graph answered and what to do.
#[test]
fn a_parked_booking_answers_with_its_problem() {
    for (failure, graph_status, status) in [
        (Failure::OrganizerNotPermitted, 403, 422),
        (Failure::OrganizerNotFound, 404, 422),
        (Failure::GraphRefused, 400, 422),
        (Failure::GraphRefused, 403, 422),
        (Failure::GraphUnauthorized, 401, 502),
    ] {
        let booking = fixture::failed(failure, Some(graph_status), Some("the reason"));
        for created in [CreateOrGet::New(booking.clone()), CreateOrGet::Known(booking)] {
            let (found, [kind], body) = answered(&created, ["content-type"]);
            assert_eq!((found, kind.as_deref()), (status, Some("application/problem+json")));
            assert_eq!(body["code"], failure.code());
            assert_eq!(body["graph"]["status"], graph_status);
            assert_eq!(body["graph"]["message"], "the reason");
            assert!(body["graph"]["requestId"].is_string());
            assert!(body["remedy"].is_string());
            assert_eq!(body["booking"]["status"], "failed");
            assert_eq!(body["booking"]["lastError"]["remedy"], body["remedy"]);
            assert_eq!((&body["retryable"], &body["instance"]), (&json!(false), &json!("/v1/bookings")));
        }
    }
}

/// Other content is refused with the fields that differ, a cancelled booking as cancelled, and a late create as late.
#[test]
fn conflicts_name_their_cause() {
    let sides = Sides::Values { stored: json!("Quarterly review"), requested: Value::Null };
    let difference = Difference { field: "subject", sides };
    let (status, [], body) = answered(&CreateOrGet::Differs(fixture::provisioned(), vec![difference]), []);
    assert_eq!((status, &body["code"]), (409, &json!("booking-differs")));
    let expected = json!([{"field": "subject", "stored": "Quarterly review", "requested": null}]);
    assert_eq!(body["differences"], expected);
    assert!(body["detail"].as_str().unwrap().contains("subject"));
    assert_eq!(body["booking"]["revision"], 3);
    let (status, [], body) = answered(&CreateOrGet::Cancelled(fixture::provisioned()), []);
    assert_eq!((status, &body["code"]), (409, &json!("booking-cancelled")));
    let order = |number| MessageOrder { sequence: Sequence::new(number), dtstamp: None };
    let stale = CreateOrGet::Stale(fixture::provisioned(), order(2).lateness(order(3)).unwrap());
    let (status, [], body) = answered(&stale, []);
    assert_eq!((status, &body["code"]), (409, &json!("stale-sequence")));
    assert!(
        body["detail"].as_str().unwrap().contains("has sequence 3; this message has sequence 2"),
        "{body}"
    );
}
