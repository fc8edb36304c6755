//! Looks into a token for the application permissions that stand in it.
//!
//! A token is Graph's to read, and its form may change at any time (Microsoft's page "Access tokens" says so). What is
//! read here serves a diagnosis only: nothing is decided by it, and what can't be read is simply not known.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::HeaderValue;
use serde_json::Value;

/// A token longer than this is not looked into, in bytes.
const TOKEN_BYTES_MAX: usize = 64 << 10;

/// The claim `roles` of the token in an `Authorization` header, empty where it is a readable token without that claim;
/// none for a token that is not a signed JWT (RFC 7519) with a JSON object in it.
pub(super) fn roles(authorization: &HeaderValue) -> Option<Vec<String>> {
    let token = authorization.to_str().ok()?.strip_prefix("Bearer ")?;
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let roles = claims.as_object()?.get("roles").and_then(Value::as_array);
    let texts = roles.into_iter().flatten().filter_map(Value::as_str);
    Some(texts.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles_in(token: &str) -> Option<Vec<String>> {
        roles(&HeaderValue::from_str(&format!("Bearer {token}")).unwrap())
    }

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2lnbmVk", URL_SAFE_NO_PAD.encode(claims))
    }

    /// What is a JWT is read, however little is in it; what is none is not known.
    #[test]
    fn roles_are_read_where_they_can_be_read() {
        let found = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        for (token, expected) in [
            (jwt(r#"{"roles": ["A", "B"], "aud": "x"}"#), found(&["A", "B"])),
            (jwt(r#"{"roles": []}"#), found(&[])),
            (jwt("{}"), found(&[])),
            (jwt(r#"{"roles": "A"}"#), found(&[])),
            (jwt(r#"{"roles": [1, "A", null]}"#), found(&["A"])),
            (jwt("[]"), None),
            (jwt("no JSON"), None),
            ("opaque".to_owned(), None),
            ("a.b".to_owned(), None),
            ("e30.???.c2ln".to_owned(), None),
            ("e30.e30.c2ln.e30.e30".to_owned(), None),
            (jwt(&format!(r#"{{"x": "{}"}}"#, "y".repeat(TOKEN_BYTES_MAX))), None),
        ] {
            assert_eq!(roles_in(&token), expected, "{}", &token[..token.len().min(80)]);
        }
    }
}
