//! Looks into a JWT without checking it: for a diagnosis only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// A token longer than this is not looked into, in bytes.
const TOKEN_BYTES_MAX: usize = 64 << 10;

/// The claims of a signed JWT (RFC 7519); none for what is no such thing.
pub(super) fn claims(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    match serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()? {
        Value::Object(claims) => Some(claims),
        _ => None,
    }
}
