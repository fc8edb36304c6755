//! Looks into a token for the application permissions that stand in it.
//!
//! A token is Graph's to read, and its form may change at any time (Microsoft's page "Access tokens" says so). What is
//! read here serves a diagnosis only: nothing is decided by it, and what can't be read is simply not known.

use reqwest::header::HeaderValue;
use serde_json::Value;

use super::jwt_claims::claims;

/// The claim `roles` of the token in an `Authorization` header, empty where it is a readable token without that claim;
/// none for a token that is not a signed JWT (RFC 7519) with a JSON object in it.
pub(super) fn roles(authorization: &HeaderValue) -> Option<Vec<String>> {
    let claims = claims(authorization.to_str().ok()?.strip_prefix("Bearer ")?)?;
    let roles = claims.get("roles").and_then(Value::as_array);
    let texts = roles.into_iter().flatten().filter_map(Value::as_str);
    Some(texts.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

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
            (jwt(&format!(r#"{{"x": "{}"}}"#, "y".repeat(64 << 10))), None),
        ] {
            assert_eq!(roles_in(&token), expected, "{}", &token[..token.len().min(80)]);
        }
    }
}
