//! Who answered: Graph, or a gateway, a proxy or a login page that stands between us and it.

use super::exchange::RawResponse;
use super::interpret::REQUEST_ID;
use super::text::without_mark;
use super::{error_wire, meeting_wire};
use crate::meeting::CallKind;

/// Whether Graph gave this answer to a call of this kind. It did if the body is Graph's error envelope or what the call
/// asks for, or if Graph's header `request-id` stands over a body that could be Graph's: JSON, readable or not, or none. What
/// did not come from Graph says nothing about the booking, whatever its status.
pub(super) fn is_graphs(kind: CallKind, answer: &RawResponse) -> bool {
    let has_id = answer.headers.get(REQUEST_ID).is_some_and(|id| !id.is_empty());
    match &answer.body {
        Err(_) => has_id,
        Ok(body) => {
            has_id && (error_wire::says_nothing(body) || is_json(body))
                || error_wire::is_envelope(body)
                || answer.status.is_success() && meeting_wire::is_asked_for(kind, body)
        }
    }
}

/// Whether a body is JSON of the kind that Graph answers with, be it readable to its end or not.
fn is_json(body: &[u8]) -> bool {
    matches!(without_mark(body).trim_ascii_start().first(), Some(b'{' | b'['))
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::*;

    fn answer(status: u16, request_id: Option<&str>, body: Result<&str, &str>) -> RawResponse {
        let mut headers = HeaderMap::new();
        if let Some(id) = request_id {
            headers.insert(REQUEST_ID, HeaderValue::from_str(id).unwrap());
        }
        let body = body.map(|body| body.as_bytes().to_vec()).map_err(str::to_owned);
        RawResponse { status: StatusCode::from_u16(status).unwrap(), headers, body }
    }

    /// Envelope, header and body decide; the status never does.
    #[test]
    fn graph_is_told_from_what_stands_before_it() {
        let (no, id) = (None, Some("r-1"));
        let meeting = r#"{"id":"m","joinWebUrl":"https://t/1"}"#;
        for (request_id, body, expected) in [
            (no, Ok(""), false),
            (no, Ok("<html>Sign in</html>"), false),
            (no, Ok("404 page not found"), false),
            (no, Ok("{}"), false),
            (no, Ok("null"), false),
            (no, Ok("\u{feff}"), false),
            (no, Ok(r#"{"error":{}}"#), false),
            (no, Ok(r#"{"message":"no route"}"#), false),
            (no, Ok(r#"{"error":"not found"}"#), false),
            (no, Ok(r#"{"error":{"code":404,"message":"Not Found","status":"NOT_FOUND"}}"#), false),
            (no, Ok(r#"{"error":{"code":"","message":""}}"#), true),
            (no, Ok("\u{feff}{\"error\":{\"code\":\"UnknownError\"}}"), true),
            (no, Err("reset"), false),
            (Some(""), Ok(""), false),
            (id, Err("reset"), true),
            (id, Ok(" "), true),
            (id, Ok("{\"id\":"), true),
            (id, Ok("null"), true),
            (id, Ok("\u{feff}"), true),
            (id, Ok(r#""""#), true),
            (id, Ok("[]"), true),
            (id, Ok(r#"{"error":null}"#), true),
            (id, Ok(r#""Bad Request""#), false),
            (id, Ok("400"), false),
            (id, Ok("<html>Sign in</html>"), false),
            (id, Ok("\u{feff} <html>"), false),
            (id, Ok("404 page not found"), false),
        ] {
            for kind in CallKind::ALL {
                for status in [200, 201, 204, 302, 400, 401, 403, 404, 410, 429, 500, 503] {
                    let answer = answer(status, request_id, body);
                    assert_eq!(
                        is_graphs(kind, &answer),
                        expected,
                        "{kind:?} {status} {request_id:?} {body:?}"
                    );
                }
            }
        }
        for (kind, body, expected) in [
            (CallKind::CreateOrGet, meeting, true),
            (CallKind::Look, r#"{"id":"m","startDateTime":"2026-12-01T09:00:00Z"}"#, true),
            (CallKind::Look, r#"{"id":"m"}"#, false),
            (CallKind::Change, r#"{"id":7,"joinWebUrl":"https://t/1"}"#, false),
            (CallKind::Remove, meeting, false),
            (CallKind::FindOrganizer, meeting, false),
            (CallKind::FindOrganizer, r#"{"id":"1f35f2e6-9cab-44ad-8d5a-b74c14720000"}"#, true),
        ] {
            assert_eq!(is_graphs(kind, &answer(200, no, Ok(body))), expected, "{kind:?} {body}");
            assert!(!is_graphs(kind, &answer(404, no, Ok(body))), "{kind:?} {body}");
        }
    }
}
