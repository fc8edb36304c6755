//! A token as it is sent: RFC 7515's compact form, taken apart and not yet believed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::signing_algorithm::SigningAlgorithm;
use super::strict_json::read_object;
use super::token_fault::{Shown, TokenFault};

/// Longest token that is looked at, in bytes. Entra's have one to four KiB.
const LENGTH_MAX: usize = 16 * 1024;

/// Parameters of a header by which a token would bring or name its own key, or would be read by other rules (RFC 7515,
/// 4.1; RFC 7516; RFC 7797). All others are ignored, as RFC 7515 demands.
const REFUSED_PARAMETERS: [&str; 9] = ["jku", "jwk", "x5u", "x5c", "crit", "b64", "enc", "zip", "p2c"];

/// Types of a token: RFC 7519 5.1 and RFC 9068 2.1, with and without `application/`.
const TYPES: [&str; 4] = ["jwt", "at+jwt", "application/jwt", "application/at+jwt"];

/// A token whose form is right. Nothing of it may be believed before its signature is verified.
#[derive(Debug)]
pub(super) struct UnverifiedToken<'a> {
    /// The algorithm that it names, one of the asymmetric ones.
    pub(super) algorithm: SigningAlgorithm,
    /// The key that it names.
    pub(super) key_id: String,
    /// What it claims.
    pub(super) claims: Map<String, Value>,
    /// What is signed: header and claims as they were sent.
    pub(super) signed: &'a [u8],
    /// The signature, base64url.
    pub(super) signature: &'a str,
}

impl<'a> UnverifiedToken<'a> {
    /// Takes a token apart.
    pub(super) fn parse(token: &'a str) -> Result<Self, TokenFault> {
        if token.len() > LENGTH_MAX {
            return Err(TokenFault::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenFault::Malformed)?;
        let header = object(header)?;
        let (algorithm, key_id) = read_header(&header)?;
        decoded(signature)?;
        Ok(Self { algorithm, key_id, claims: object(claims)?, signed: signed.as_bytes(), signature })
    }
}

/// Algorithm and key id of a header.
fn read_header(header: &Map<String, Value>) -> Result<(SigningAlgorithm, String), TokenFault> {
    if let Some(refused) = REFUSED_PARAMETERS.into_iter().find(|name| header.contains_key(*name)) {
        return Err(TokenFault::HeaderRefused(refused));
    }
    match header.get("typ") {
        None => {}
        Some(Value::String(name)) if TYPES.contains(&name.to_ascii_lowercase().as_str()) => {}
        Some(other) => return Err(TokenFault::WrongType(Shown::of(other.as_str().unwrap_or("?")))),
    }
    let name = header.get("alg").and_then(Value::as_str).ok_or(TokenFault::Malformed)?;
    let algorithm =
        SigningAlgorithm::parse(name).ok_or_else(|| TokenFault::AlgorithmRefused(Shown::of(name)))?;
    let key_id = header.get("kid").and_then(Value::as_str).filter(|id| !id.is_empty());
    Ok((algorithm, key_id.ok_or(TokenFault::NoKeyId)?.to_owned()))
}

fn object(part: &str) -> Result<Map<String, Value>, TokenFault> {
    read_object(&decoded(part)?).ok_or(TokenFault::Malformed)
}

/// base64url without padding (RFC 7515, 2). Bits left over must be zero, or one token could be written in several ways.
fn decoded(part: &str) -> Result<Vec<u8>, TokenFault> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenFault::Malformed)?;
    if bytes.is_empty() { Err(TokenFault::Malformed) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn token(header: &str, claims: &str, signature: &[u8]) -> String {
        let parts =
            [header.as_bytes(), claims.as_bytes(), signature].map(|part| URL_SAFE_NO_PAD.encode(part));
        parts.join(".")
    }

    fn fault(token: &str) -> Option<TokenFault> {
        UnverifiedToken::parse(token).err()
    }

    /// The table of headers: what is accepted, and the fault of each that is not.
    #[test]
    fn only_headers_with_an_asymmetric_algorithm_and_a_key_id_are_read() {
        use TokenFault::{AlgorithmRefused, HeaderRefused, Malformed, NoKeyId, WrongType};
        let refused = |name| Some(AlgorithmRefused(Shown::of(name)));
        let odd_type = |name| Some(WrongType(Shown::of(name)));
        let table = [
            (json!({"alg": "RS256", "kid": "k"}), None),
            (json!({"alg": "ES256", "kid": "k", "typ": "JWT", "x5t": "abc", "nonce": "n"}), None),
            (json!({"alg": "EdDSA", "kid": "k", "typ": "at+jwt"}), None),
            (json!({"alg": "PS256", "kid": "k", "typ": "application/at+JWT"}), None),
            (json!({"alg": "none", "kid": "k"}), refused("none")),
            (json!({"alg": "NONE", "kid": "k"}), refused("NONE")),
            (json!({"alg": "", "kid": "k"}), refused("")),
            (json!({"alg": "rs256", "kid": "k"}), refused("rs256")),
            (json!({"alg": "HS256", "kid": "k"}), refused("HS256")),
            (json!({"alg": "ES256K", "kid": "k"}), refused("ES256K")),
            (json!({"alg": "dir", "enc": "A256GCM", "kid": "k"}), Some(HeaderRefused("enc"))),
            (json!({"alg": ["RS256"], "kid": "k"}), Some(Malformed)),
            (json!({"kid": "k"}), Some(Malformed)),
            (json!({"alg": "RS256"}), Some(NoKeyId)),
            (json!({"alg": "RS256", "kid": ""}), Some(NoKeyId)),
            (json!({"alg": "RS256", "kid": 1}), Some(NoKeyId)),
            (json!({"alg": "RS256", "kid": "k", "typ": "dpop+jwt"}), odd_type("dpop+jwt")),
            (json!({"alg": "RS256", "kid": "k", "typ": "logout+jwt"}), odd_type("logout+jwt")),
            (json!({"alg": "RS256", "kid": "k", "typ": null}), odd_type("?")),
            (json!({"alg": "RS256", "kid": "k", "jku": "https://evil.example"}), Some(HeaderRefused("jku"))),
            (json!({"alg": "RS256", "kid": "k", "jwk": {}}), Some(HeaderRefused("jwk"))),
            (json!({"alg": "RS256", "kid": "k", "x5u": ""}), Some(HeaderRefused("x5u"))),
            (json!({"alg": "RS256", "kid": "k", "x5c": []}), Some(HeaderRefused("x5c"))),
            (json!({"alg": "RS256", "kid": "k", "crit": ["exp"]}), Some(HeaderRefused("crit"))),
            (json!({"alg": "RS256", "kid": "k", "b64": false}), Some(HeaderRefused("b64"))),
        ];
        for (header, expected) in table {
            assert_eq!(fault(&token(&header.to_string(), "{}", b"s")), expected, "{header}");
        }
    }

    #[test]
    fn only_the_compact_form_is_read() {
        let header = r#"{"alg":"RS256","kid":"k"}"#;
        let good = token(header, "{}", b"signature!");
        assert_eq!(fault(&good), None);
        let [head, claims, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
        for text in [
            String::new(),
            "..".to_owned(),
            format!("{head}.{claims}"),
            format!("{head}.{claims}."),
            format!("{head}..{signature}"),
            format!(".{claims}.{signature}"),
            format!("{good}."),
            format!("{good}.{signature}.{signature}"),
            format!("{head}=.{claims}.{signature}"),
            format!("{head}.{claims}.{signature}="),
            format!("{head}.{claims}.a+b/"),
            // The last character has bits left over that are not zero.
            format!("{head}.{claims}.AB"),
            format!("{head} .{claims}.{signature}"),
            token(header, "[]", b"s"),
            token(header, "{\"a\":1,\"a\":2}", b"s"),
            token(header, &format!("{{\"a\":{}{}}}", "[".repeat(50), "]".repeat(50)), b"s"),
            token(r#"{"alg":"none","alg":"RS256","kid":"k"}"#, "{}", b"s"),
        ] {
            assert_eq!(fault(&text), Some(TokenFault::Malformed), "{text}");
        }
        assert_eq!(fault(&"a".repeat(LENGTH_MAX + 1)), Some(TokenFault::TooLong));
    }

    proptest! {
        /// Whatever text is sent, the parser ends with a token or a fault, and a token that is taken apart is what was sent.
        #[test]
        fn every_text_is_a_token_or_a_fault(text in "[a-zA-Z0-9_.=+/ -]{0,200}") {
            if let Ok(read) = UnverifiedToken::parse(&text) {
                let signed = std::str::from_utf8(read.signed).unwrap();
                prop_assert_eq!(format!("{signed}.{}", read.signature), text);
            }
        }

        /// A good token with one character changed is never read as having another algorithm than one that is listed.
        #[test]
        fn a_changed_token_is_no_other_kind(at in 0_usize..60, character in "[a-zA-Z0-9_.-]") {
            let mut text = token(r#"{"alg":"RS256","kid":"k","typ":"JWT"}"#, r#"{"iss":"i"}"#, b"signature");
            let at = at.min(text.len() - 1);
            text.replace_range(at..=at, &character);
            if let Ok(read) = UnverifiedToken::parse(&text) {
                prop_assert!(SigningAlgorithm::ALL.contains(&read.algorithm) && !read.key_id.is_empty());
            }
        }
    }
}
