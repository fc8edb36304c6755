//! Takes the secrets that a request carried out of its answer: a proxy's debug page, or an endpoint that is out of order,
//! may send back what it was sent, and texts from outside are logged, answered and kept for ever.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::Value;
use url::form_urlencoded;

use super::identity_request::IDENTITY_HEADER;

/// What stands in the place of a secret.
const SCRUBBED: &str = "(secret)";
/// What is shorter is no credential, and would be found in innocent words.
const SECRET_BYTES_MIN: usize = 8;
/// All but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The secrets of one request.
pub(super) struct SentSecrets(Vec<SentSecret>);

/// One secret that was sent.
struct SentSecret {
    text: String,
    /// Its longest part that is spelled alike everywhere: letters and digits are never encoded. An answer without it holds no
    /// spelling of the secret, and nearly all are without it.
    probe: String,
}

impl SentSecrets {
    /// What the request carries: the credential in `Authorization` or `X-IDENTITY-HEADER`, and `client_secret` and
    /// `client_assertion` of a form.
    pub(super) fn of(request: &reqwest::Request) -> Self {
        let headers = [AUTHORIZATION, IDENTITY_HEADER].map(|name| request.headers().get(name));
        let texts = headers.into_iter().flatten().filter_map(|value| value.to_str().ok());
        let shown = texts.map(|value| value.rsplit(' ').next().unwrap_or(value).to_owned());
        let form = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let sent = form_urlencoded::parse(form)
            .filter(|(name, _)| matches!(name.as_ref(), "client_secret" | "client_assertion"));
        let secrets = shown.chain(sent.map(|(_, secret)| secret.into_owned()));
        Self(secrets.filter(|secret| secret.len() >= SECRET_BYTES_MIN).map(SentSecret::of).collect())
    }

    /// The spellings of those that a text may hold.
    fn spellings_in<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = String> + 'a {
        let may_hold = |secret: &&SentSecret| find(text, secret.probe.as_bytes()).is_some();
        self.0.iter().filter(may_hold).flat_map(|secret| spellings(&secret.text))
    }

    /// The bytes of an answer without them.
    pub(super) fn scrub_bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        let found: Vec<String> = self.spellings_in(&bytes).collect();
        found.iter().fold(bytes, |bytes, secret| replaced(bytes, secret.as_bytes()))
    }

    /// The headers of an answer without them.
    pub(super) fn scrub_headers(&self, mut headers: HeaderMap) -> HeaderMap {
        for value in headers.values_mut() {
            let scrubbed = self.scrub_bytes(value.as_bytes().to_vec());
            if scrubbed != value.as_bytes() {
                *value = HeaderValue::from_bytes(&scrubbed).unwrap_or(HeaderValue::from_static(SCRUBBED));
            }
        }
        headers
    }

    /// The texts of a JSON answer without them, however they were escaped in it.
    pub(super) fn scrub_json(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                let found: Vec<String> = self.spellings_in(text.as_bytes()).collect();
                for secret in found {
                    *text = text.replace(&secret, SCRUBBED);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.scrub_json(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.scrub_json(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

impl SentSecret {
    fn of(text: String) -> Self {
        let parts = text.split(|c: char| !c.is_ascii_alphanumeric());
        let probe = parts.max_by_key(|part| part.len()).unwrap_or_default().to_owned();
        Self { text, probe }
    }
}

/// A secret as it is, percent-encoded, as a form, as JSON and as HTML have it; the longest first, as one may hold another.
fn spellings(secret: &str) -> Vec<String> {
    let encoded = [NON_ALPHANUMERIC, RESERVED].map(|set| utf8_percent_encode(secret, set).to_string());
    let form = form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();
    let lower = |text: &String| lower_hex(text);
    let json = Value::from(secret).to_string().trim_matches('"').to_owned();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut spellings: Vec<String> = encoded.iter().chain([&form]).map(lower).collect();
    spellings.extend(encoded);
    spellings.extend([form, json.replace('/', "\\/"), json, html, secret.to_owned()]);
    spellings.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    spellings.dedup();
    spellings
}

/// `%2F` as `%2f`.
fn lower_hex(text: &str) -> String {
    let mut left = 0_u32;
    text.chars()
        .map(|c| {
            let in_escape = left > 0;
            left = if c == '%' { 2 } else { left.saturating_sub(1) };
            if in_escape { c.to_ascii_lowercase() } else { c }
        })
        .collect()
}

fn replaced(bytes: Vec<u8>, secret: &[u8]) -> Vec<u8> {
    let Some(mut at) = find(&bytes, secret) else { return bytes };
    let (mut scrubbed, mut left) = (Vec::with_capacity(bytes.len()), bytes.as_slice());
    loop {
        scrubbed.extend_from_slice(&left[..at]);
        scrubbed.extend_from_slice(SCRUBBED.as_bytes());
        left = &left[at + secret.len()..];
        match find(left, secret) {
            Some(next) => at = next,
            None => break,
        }
    }
    scrubbed.extend_from_slice(left);
    scrubbed
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use reqwest::Method;

    use super::*;

    const CLIENT_SECRET: &str = "aB~c8Q/d+e=f&g\"h<i>.j-k_l";

    fn sent() -> SentSecrets {
        let url = "https://login.example/token".parse().unwrap();
        let mut request = reqwest::Request::new(Method::POST, url);
        let mut form = form_urlencoded::Serializer::new(String::new());
        let form =
            form.append_pair("client_id", "an-application").append_pair("client_secret", CLIENT_SECRET);
        *request.body_mut() = Some(form.finish().into());
        request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static("Bearer eyJ0.eyJh.c2ln"));
        SentSecrets::of(&request)
    }

    /// Whatever spells a secret is taken out, and nothing else.
    #[test]
    fn every_spelling_of_a_secret_is_taken_out() {
        let sent = sent();
        for secret in [
            CLIENT_SECRET,
            "aB~c8Q%2Fd%2Be%3Df%26g%22h%3Ci%3E.j-k_l",
            "aB~c8Q%2fd%2be%3df%26g%22h%3ci%3e.j-k_l",
            "aB%7Ec8Q%2Fd%2Be%3Df%26g%22h%3Ci%3E.j-k_l",
            "aB%7Ec8Q%2Fd%2Be%3Df%26g%22h%3Ci%3E%2Ej%2Dk%5Fl",
            r#"aB~c8Q/d+e=f&g\"h<i>.j-k_l"#,
            r#"aB~c8Q\/d+e=f&g\"h<i>.j-k_l"#,
            "aB~c8Q/d+e=f&amp;g\"h&lt;i&gt;.j-k_l",
            "eyJ0.eyJh.c2ln",
        ] {
            let page = format!("client_id=an-application&client_secret={secret}&again={secret}é");
            let scrubbed = sent.scrub_bytes(page.into_bytes());
            let expected = "client_id=an-application&client_secret=(secret)&again=(secret)é";
            assert_eq!(String::from_utf8(scrubbed).unwrap(), expected, "{secret}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("x-debug", HeaderValue::from_static("was Bearer eyJ0.eyJh.c2ln"));
        headers.insert("date", HeaderValue::from_static("now"));
        let headers = sent.scrub_headers(headers);
        assert_eq!(
            (&headers["x-debug"], &headers["date"]),
            (&"was Bearer (secret)".parse().unwrap(), &"now".parse().unwrap())
        );
        let mut json = serde_json::json!({"a": [{"b": format!("x {CLIENT_SECRET} y")}], "c": 1});
        sent.scrub_json(&mut json);
        assert_eq!(json, serde_json::json!({"a": [{"b": "x (secret) y"}], "c": 1}));
    }

    /// What is too short to be a credential is left, and a request may carry none.
    #[test]
    fn innocent_words_are_left() {
        let url = || "https://graph.example/".parse().unwrap();
        let mut short = reqwest::Request::new(Method::GET, url());
        short.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static("Bearer secret"));
        assert_eq!(SentSecrets::of(&short).scrub_bytes(b"a secret".to_vec()), b"a secret");
        let request = reqwest::Request::new(Method::GET, url());
        assert_eq!(SentSecrets::of(&request).scrub_bytes(b"Bearer".to_vec()), b"Bearer");
    }
}
