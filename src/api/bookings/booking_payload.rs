//! Reads the body of a request as a booking.

use std::time::Duration;

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::Payload;
use futures_util::StreamExt;

use crate::api::problems::{ErrorBody, Problem, ProblemCode};
use crate::api::state::ApiState;
use crate::booking::{BookingId, BookingSpec, MemberFault, parse_named, parse_with_id, read_json};

/// The largest body, in bytes: enough for 1,000 attendees.
pub(crate) const BODY_BYTES_MAX: usize = 256 * 1024;

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads the body of a request whose body names the booking.
///
/// # Errors
/// When it is not JSON, too large, not complete in time, or not a booking that this installation can make a meeting for.
pub(super) async fn read(
    headers: &HeaderMap,
    payload: Payload,
    state: &ApiState,
) -> Result<(BookingId, BookingSpec), Problem> {
    let bytes = received(headers, payload, state).await?;
    booking(&bytes, state.channel_meetings, parse_with_id)
}

/// Reads the body of a request whose path names the booking.
pub(super) async fn read_named(
    headers: &HeaderMap,
    payload: Payload,
    booking_id: &BookingId,
    state: &ApiState,
) -> Result<BookingSpec, Problem> {
    let bytes = received(headers, payload, state).await?;
    booking(&bytes, state.channel_meetings, |body| parse_named(body, booking_id))
}

/// The whole body, if it says that it is JSON.
async fn received(headers: &HeaderMap, payload: Payload, state: &ApiState) -> Result<Vec<u8>, Problem> {
    check_protocol(headers)?;
    check_media_type(headers)?;
    in_time(state.read_timeout, bytes(headers, payload)).await
}

/// With `Upgrade: websocket` actix counts everything that comes as the body, whatever `Content-Length` says: the request would
/// wait for the end of the connection, and take what is sent behind it.
fn check_protocol(headers: &HeaderMap) -> Result<(), Problem> {
    let mut upgrades = headers.get_all(header::UPGRADE).filter_map(|value| value.to_str().ok());
    if upgrades.any(|value| value.trim().eq_ignore_ascii_case("websocket")) {
        let error = ErrorBody::of_parameter("Upgrade", "must not be websocket");
        let detail = "The header Upgrade asks for a protocol in which no booking can be sent.".to_owned();
        return Err(Problem::new(ProblemCode::InvalidRequest, detail).errors(vec![error], 0));
    }
    Ok(())
}

/// What callers call UTF-8 or a part of it, in lower case.
const CHARSETS: [&str; 4] = ["utf-8", "utf8", "us-ascii", "ascii"];

/// `application/json` or `application/…+json`, in UTF-8 (RFC 8259, 8.1, knows nothing else), not compressed.
fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let refuse = |detail: &str| Err(Problem::new(ProblemCode::UnsupportedMediaType, detail.to_owned()));
    let coded = headers.get(header::CONTENT_ENCODING).is_some_and(|value| value != "identity");
    if coded {
        let problem = Problem::new(ProblemCode::UnsupportedMediaType, "The body must not be compressed.");
        // RFC 9110, 12.5.3: in a 415 the header says which codings are taken.
        return Err(problem.header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")));
    }
    let Some(text) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return refuse("The header Content-Type is missing; it must be application/json.");
    };
    let mut parts = text.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let json = kind.strip_prefix("application/").is_some_and(|sub| sub == "json" || sub.ends_with("+json"));
    if !json {
        return refuse("The header Content-Type must be application/json.");
    }
    match parts.filter_map(charset).find(|charset| !is_utf_8(charset)) {
        Some(charset) => refuse(&format!(
            "The header Content-Type names the charset {charset:?}; JSON is sent in UTF-8 (charset=utf-8, or none)."
        )),
        None => Ok(()),
    }
}

/// The value of a parameter of Content-Type that names a charset.
fn charset(parameter: &str) -> Option<&str> {
    let (name, value) = parameter.split_once('=')?;
    name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
}

/// Whether a charset is UTF-8 or a part of it. An empty name says nothing.
fn is_utf_8(charset: &str) -> bool {
    charset.is_empty() || CHARSETS.iter().any(|known| charset.eq_ignore_ascii_case(known))
}

/// A caller that sends its body very slowly must not hold a connection and a place among the requests.
async fn in_time(
    timeout: Duration,
    bytes: impl Future<Output = Result<Vec<u8>, Problem>>,
) -> Result<Vec<u8>, Problem> {
    tokio::time::timeout(timeout, bytes).await.unwrap_or_else(|_| {
        let detail = format!("The body was not complete after {} seconds.", timeout.as_secs());
        Err(Problem::new(ProblemCode::BodyTooSlow, detail))
    })
}

async fn bytes(headers: &HeaderMap, mut payload: Payload) -> Result<Vec<u8>, Problem> {
    let too_large = || {
        let detail = format!("The body is larger than {BODY_BYTES_MAX} bytes.");
        Problem::new(ProblemCode::BodyTooLarge, detail)
    };
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: u64| length > BODY_BYTES_MAX as u64) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let broken = |_| Problem::new(ProblemCode::InvalidRequest, "The body ended before it was complete.");
        let chunk = chunk.map_err(broken)?;
        if bytes.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Whether a text begins as one in UTF-16 or UTF-32 does: with its byte order mark, or with a NUL beside the first character,
/// which is ASCII in JSON.
fn is_utf_16(bytes: &[u8]) -> bool {
    matches!(bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, ..] | [_, 0, ..])
}

fn booking<T>(
    bytes: &[u8],
    channel_meetings: bool,
    parse: impl FnOnce(serde_json::Value) -> Result<T, Vec<MemberFault>>,
) -> Result<T, Problem> {
    let not_json = |detail: String| Problem::new(ProblemCode::InvalidRequest, detail);
    if is_utf_16(bytes) {
        return Err(not_json("The body is in UTF-16 or UTF-32; JSON is sent in UTF-8.".to_owned()));
    }
    // Editors write a byte order mark; a reader may ignore it (RFC 8259, 8.1).
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let (body, mut faults) =
        read_json(text).map_err(|error| not_json(format!("The body is not JSON: {error}.")))?;
    let in_a_channel = body.get("chatInfo").is_some_and(|value| !value.is_null());
    let parsed = parse(body).map_err(|more| faults.extend(more));
    if in_a_channel && !channel_meetings {
        let detail = "is not possible here: the cloud or version of Microsoft Graph that this service uses makes no \
                      meetings in a channel";
        faults.note(|| MemberFault::at("/chatInfo", detail));
    }
    match parsed {
        Ok(parsed) if faults.is_empty() => Ok(parsed),
        _ => Err(invalid(faults.into_vec(), bytes.len())),
    }
}

/// A booking that is not valid, with these faults of what was sent in so many bytes.
pub(super) fn invalid(faults: impl IntoIterator<Item = MemberFault>, sent_bytes: usize) -> Problem {
    let problem =
        Problem::new(ProblemCode::InvalidBooking, "The booking is not valid; `errors` names each member.");
    problem.errors(faults.into_iter().map(ErrorBody::from).collect(), sent_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        r#"{"bookingId": "BK-1001", "organizer": "a@contoso.com", "startDateTime": "2026-12-01T08:00:00Z"}"#;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    /// Each way to declare JSON in UTF-8 is accepted, and nothing else.
    #[test]
    fn only_json_is_accepted() {
        for (pairs, accepted) in [
            (&[("content-type", "application/json")][..], true),
            (&[("content-type", "Application/JSON; charset=UTF-8")], true),
            (&[("content-type", "application/json;charset=\"utf-8\"")], true),
            (&[("content-type", "application/vnd.contoso.booking+json")], true),
            (&[("content-type", "application/json"), ("content-encoding", "identity")], true),
            (&[("content-type", "application/json"), ("content-encoding", "gzip")], false),
            (&[("content-type", "application/json; charset=utf8")], true),
            (&[("content-type", "application/json; charset=UTF8; profile=x")], true),
            (&[("content-type", "application/json; Charset = \"Utf-8\"")], true),
            (&[("content-type", "application/json; charset=us-ascii")], true),
            (&[("content-type", "application/json; charset=")], true),
            (&[("content-type", "application/json; charset=\"\"")], true),
            (&[("content-type", "application/json;")], true),
            (&[("content-type", "application/json; charset=latin1")], false),
            (&[("content-type", "application/json; charset=iso-8859-1")], false),
            (&[("content-type", "application/json; charset=utf-16")], false),
            (&[("content-type", "application/json; charset=utf-8; charset=utf-16")], false),
            (&[("content-type", "application/json; charset=windows-1252")], false),
            (&[("content-type", "text/json")], false),
            (&[("content-type", "application/x-www-form-urlencoded")], false),
            (&[("content-type", "")], false),
            (&[], false),
        ] {
            assert_eq!(check_media_type(&headers(pairs)).is_ok(), accepted, "{pairs:?}");
        }
    }

    /// A compressed body is answered with the codings that are taken; what is wrong in another way is not.
    #[test]
    fn a_compressed_body_is_told_which_codings_are_taken() {
        for (coding, kind, expected) in [
            ("gzip", "application/json", Some("identity")),
            ("br", "text/plain", Some("identity")),
            ("identity", "text/plain", None),
        ] {
            let headers = headers(&[("content-type", kind), ("content-encoding", coding)]);
            let request = actix_web::test::TestRequest::default().to_http_request();
            let response = check_media_type(&headers).unwrap_err().answer(&request);
            assert_eq!(response.status(), 415);
            let told = response.headers().get(header::ACCEPT_ENCODING).map(|value| value.to_str().unwrap());
            assert_eq!(told, expected, "{coding} {kind}");
        }
    }

    /// A charset that is refused is named, with what would be right.
    #[test]
    fn an_unknown_charset_is_named() {
        let headers = headers(&[("content-type", "application/json; charset=latin1")]);
        let problem = check_media_type(&headers).unwrap_err();
        assert_eq!(problem.code(), ProblemCode::UnsupportedMediaType);
        let detail = problem.detail();
        assert!(detail.contains("\"latin1\"") && detail.contains("charset=utf-8"), "{detail}");
    }

    /// A byte order mark before the body is skipped, once and at the start only; UTF-16 is named as such.
    #[test]
    fn a_byte_order_mark_is_skipped() {
        let mark = "\u{feff}";
        assert!(booking(format!("{mark}{GOOD}").as_bytes(), true, parse_with_id).is_ok());
        for text in [
            format!("{mark}{mark}{GOOD}"),
            format!("{GOOD}{mark}"),
            format!(" {mark}{GOOD}"),
            mark.to_owned(),
        ] {
            let problem = booking(text.as_bytes(), true, parse_with_id).unwrap_err();
            assert_eq!(problem.code(), ProblemCode::InvalidRequest, "{text:?}");
        }
        let little: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked = [&[0xFE, 0xFF][..], &big].concat();
        for bytes in [little, big, marked] {
            let problem = booking(&bytes, true, parse_with_id).unwrap_err();
            assert_eq!(problem.code(), ProblemCode::InvalidRequest);
            assert!(problem.detail().contains("UTF-16"), "{}", problem.detail());
        }
    }

    /// A text that is not JSON is an invalid request; a booking that is not valid is reported member by member, all at once.
    #[test]
    fn all_faults_come_in_one_problem() {
        let with_chat = GOOD.replace('}', r#", "chatInfo": {"threadId": "19:x@thread.tacv2"}}"#);
        for (text, channel_meetings, expected) in [
            (GOOD, false, None),
            (with_chat.as_str(), true, None),
            (&with_chat, false, Some((ProblemCode::InvalidBooking, vec!["/chatInfo"]))),
            ("{", false, Some((ProblemCode::InvalidRequest, vec![]))),
            ("", false, Some((ProblemCode::InvalidRequest, vec![]))),
            ("[]", false, Some((ProblemCode::InvalidBooking, vec![""]))),
            (
                r#"{"organizer": "x", "organizer": "y", "endDatetime": 1, "chatInfo": {}}"#,
                false,
                Some((
                    ProblemCode::InvalidBooking,
                    vec![
                        "/organizer",
                        "/bookingId",
                        "/organizer",
                        "/startDateTime",
                        "/chatInfo/threadId",
                        "/endDatetime",
                        "/chatInfo",
                    ],
                )),
            ),
        ] {
            let problem = booking(text.as_bytes(), channel_meetings, parse_with_id).err();
            let found = problem.as_ref().map(|problem| (problem.code(), problem.places()));
            assert_eq!(found, expected, "{text}");
        }
    }

    /// A body is refused by its declared length, and by what arrives when that is missing or wrong.
    #[actix_web::test]
    async fn a_body_that_is_too_large_is_refused() {
        use actix_web::FromRequest;
        for (bytes, expected) in [(BODY_BYTES_MAX, true), (BODY_BYTES_MAX + 1, false)] {
            let request = actix_web::test::TestRequest::post().set_payload(vec![b' '; bytes]);
            let (request, mut stream) = request.to_http_parts();
            let payload = Payload::from_request(&request, &mut stream).await.unwrap();
            let declared = super::bytes(request.headers(), payload).await;
            assert_eq!(declared.is_ok(), expected, "declared {bytes}");
            let (request, mut stream) =
                actix_web::test::TestRequest::post().set_payload(vec![b' '; bytes]).to_http_parts();
            let payload = Payload::from_request(&request, &mut stream).await.unwrap();
            let undeclared = super::bytes(&HeaderMap::new(), payload).await;
            assert_eq!(undeclared.is_ok(), expected, "undeclared {bytes}");
        }
    }
}
