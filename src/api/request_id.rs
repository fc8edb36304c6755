//! Where a request comes from: its id, its trace, and who sent it.

use actix_web::{HttpMessage, HttpRequest};
use tracing_actix_web::RequestId;
use uuid::Uuid;

use crate::access::Caller;
use crate::audit::{Actor, Origin};

/// The request's id, as the log line and every problem carry it. The request's span gives it; only a request
/// without one, in this room's own tests, has the nil id.
pub(super) fn request_id(request: &HttpRequest) -> Uuid {
    request.extensions().get::<RequestId>().map_or(Uuid::nil(), |id| **id)
}

/// Who acts, by which request, in which trace.
pub(super) fn origin(request: &HttpRequest, caller: &Caller) -> Origin {
    let traceparent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    Origin {
        actor: Actor::ApiKey(caller.name.to_string()),
        request_id: Some(request_id(request).to_string()),
        traceparent: traceparent.filter(|text| is_traceparent(text)).map(ToOwned::to_owned),
    }
}

/// Whether this is a `traceparent` of version 00 (W3C Trace Context, 3.2): anything else is not passed on.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let not_zero = |part: &str| part.bytes().any(|b| b != b'0');
    match parts.as_slice() {
        ["00", trace, parent, flags] => {
            hex(trace, 32) && hex(parent, 16) && hex(flags, 2) && not_zero(trace) && not_zero(parent)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_traceparent;

    /// Only what the standard allows is passed on to Graph.
    #[test]
    fn only_a_whole_traceparent_is_taken() {
        for (text, expected) in [
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true),
            ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false),
            ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
            ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false),
            ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", false),
            ("00-0af7-b7ad6b7169203331-01", false),
            ("", false),
        ] {
            assert_eq!(is_traceparent(text), expected, "{text}");
        }
    }
}
