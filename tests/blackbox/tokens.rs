//! Callers with tokens of an OpenID provider: which are accepted, as whom, and which are refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use meeting_provisioner::clock::Clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::token_issuer::{APPLICATION, AUDIENCE, SUBJECT, TestKey, TokenIssuer};
use crate::support::{ApiResponse, TestApp, Who, booking};

/// Good claims of a token of this issuer, which may write.
pub fn claims(app: &TestApp, issuer: &TokenIssuer) -> Value {
    let now = app.clock.now().unix_timestamp();
    json!({
        "iss": issuer.url, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 3600, "azp": APPLICATION, "sub": SUBJECT,
        "roles": ["bookings.write"],
    })
}

/// The same with one of them changed; null takes it out.
fn claims_with(app: &TestApp, issuer: &TokenIssuer, name: &str, value: Value) -> Value {
    let mut claims = claims(app, issuer);
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

/// `GET /v1/me` with this token.
pub async fn me(app: &TestApp, token: &str) -> ApiResponse {
    let request = app.request(Who::Anonymous, Method::GET, "/v1/me").bearer_auth(token);
    ApiResponse::read(request.send().await.unwrap()).await
}

async fn post(app: &TestApp, token: &str, booking_id: &str) -> ApiResponse {
    let request = app.request(Who::Anonymous, Method::POST, "/v1/bookings").bearer_auth(token);
    ApiResponse::read(request.json(&booking(booking_id)).send().await.unwrap()).await
}

/// A service that accepts the tokens of this issuer.
pub async fn trusting(issuer: &TokenIssuer) -> TestApp {
    TestApp::builder().settings_file(&issuer.block("test")).start().await
}

/// RSA, elliptic curve and Ed25519: a token books as its source system, and the history names issuer, subject and
/// application.
#[tokio::test]
async fn a_token_books_for_its_source_system_and_is_named_in_the_history() {
    let keys = [TestKey::rsa("r", 0), TestKey::ec("e"), TestKey::ed("d")];
    let issuer = TokenIssuer::start(&keys.each_ref()).await;
    let app = trusting(&issuer).await;
    let name = format!("test:{SUBJECT}/{APPLICATION}");
    for key in &keys {
        let token = key.token(&claims(&app, &issuer));
        let expected = json!({
            "sourceSystem": "room-booking", "roles": ["bookings.write"],
            "credential": {"kind": "token", "name": name},
        });
        assert_eq!(me(&app, &token).await.expect(200).json(), expected, "{}", key.algorithm());
        let booking_id = format!("BK-{}", key.id);
        post(&app, &token, &booking_id).await.expect(201);
        // The same source system's key finds it.
        app.get(Who::Screen, &format!("/v1/bookings/{booking_id}")).await.expect(200);
        let events = app.history_items(&booking_id).await;
        assert_eq!(events[0]["actor"], format!("token:{name}"));
    }
    let rsa_pss =
        keys[0].token_of(&json!({"alg": "PS256", "kid": "r", "typ": "at+jwt"}), &claims(&app, &issuer));
    me(&app, &rsa_pss).await.expect(200);
    assert_eq!(issuer.fetches(), 1, "known keys are asked for once");
    app.end().await;
}

/// Roles of the token decide, as those of a key do; without any the caller learns who it is, and may do nothing.
#[tokio::test]
async fn the_roles_of_a_token_decide_what_its_caller_may_do() {
    let key = TestKey::ec("k");
    let issuer = TokenIssuer::start(&[&key]).await;
    let block = format!(
        "{}roles = {{ \"Write\" = [\"bookings.write\"], \"Look\" = \"audit.read\" }}\n",
        issuer.block("test")
    );
    let app = TestApp::builder().settings_file(&block).start().await;
    app.book(Who::OtherSystem, &booking("BK-crm")).await.expect(201);
    for (roles, status, seen) in
        [(json!(["Write"]), 201, 0), (json!("Look Else"), 403, 2), (json!(["Write", "Look"]), 200, 2)]
    {
        let token = key.token(&claims_with(&app, &issuer, "roles", roles.clone()));
        let request = app.request(Who::Anonymous, Method::GET, "/v1/bookings").bearer_auth(&token);
        let list = ApiResponse::read(request.send().await.unwrap()).await.expect(200).json();
        assert_eq!(list["items"].as_array().unwrap().len(), seen, "{roles}");
        assert_eq!(post(&app, &token, "BK-1").await.status, status, "{roles}");
    }
    for roles in [json!(["bookings.write"]), json!([]), Value::Null] {
        let token = key.token(&claims_with(&app, &issuer, "roles", roles));
        assert_eq!(me(&app, &token).await.expect(200).json()["roles"], json!([]));
        post(&app, &token, "BK-2").await.problem(403, "forbidden");
        let request = app.request(Who::Anonymous, Method::GET, "/v1/bookings").bearer_auth(&token);
        ApiResponse::read(request.send().await.unwrap()).await.problem(403, "forbidden");
    }
    app.end().await;
}

/// A hostile or wrong token, and the reason by which it is counted.
struct HostileToken {
    about: &'static str,
    token: String,
    reason: &'static str,
}

fn hostile(about: &'static str, token: String, reason: &'static str) -> HostileToken {
    HostileToken { about, token, reason }
}

/// Tokens with a header that no issuer of ours would write.
fn with_hostile_headers(key: &TestKey, good: &Value) -> Vec<HostileToken> {
    let header = |name: &str, value: Value| {
        let mut header = json!({"alg": "RS256", "kid": "k", "typ": "JWT"});
        header[name] = value;
        key.token_of(&header, good)
    };
    let without_kid = key.token_of(&json!({"alg": "RS256"}), good);
    let own_jwk = header("jwk", TestKey::rsa("k", 1).jwk());
    let nested = URL_SAFE_NO_PAD.encode(format!("{{\"a\":{}{}}}", "[".repeat(4_000), "]".repeat(4_000)));
    let text = |value: &str| URL_SAFE_NO_PAD.encode(value);
    let claims = URL_SAFE_NO_PAD.encode(good.to_string());
    let unsigned = format!("{}.{claims}.", text(r#"{"alg":"none"}"#));
    let twice = text(r#"{"alg":"RS256","alg":"RS256","kid":"k"}"#);
    vec![
        hostile("alg none", header("alg", json!("none")), "token-algorithm"),
        hostile("alg none without a signature", unsigned, "token-algorithm"),
        hostile("unknown alg", header("alg", json!("RS257")), "token-algorithm"),
        hostile("no kid", without_kid, "token-header"),
        hostile("kid of no key", header("kid", json!("other")), "token-key"),
        hostile("an id that looks like a path", header("kid", json!("../../etc/passwd")), "token-key"),
        hostile("another kind of key than the algorithm", header("alg", json!("ES256")), "token-key"),
        hostile("jku", header("jku", json!("https://evil.example/keys")), "token-header"),
        hostile("x5u", header("x5u", json!("https://evil.example/cert")), "token-header"),
        hostile("its own key", own_jwk, "token-header"),
        hostile("crit", header("crit", json!(["exp"])), "token-header"),
        hostile("another type", header("typ", json!("logout+jwt")), "token-type"),
        hostile("nested header", format!("{nested}.{claims}.AAAA"), "token-malformed"),
        hostile("a parameter twice", format!("{twice}.{claims}.AAAA"), "token-malformed"),
        hostile("too long", header("x", json!("a".repeat(16 * 1024))), "token-malformed"),
        hostile(
            "five parts, as an encrypted one has",
            format!("{claims}.{claims}.{claims}.{claims}.{claims}"),
            "token-malformed",
        ),
        hostile(
            "no signature",
            header("kid", json!("k")).rsplit_once('.').unwrap().0.to_owned() + ".",
            "token-malformed",
        ),
    ]
}

/// HS256 with the public key as the secret, the classic confusion of kinds; the symmetric signature is real.
fn signed_by_the_public_key(key: &TestKey, good: &Value) -> String {
    let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", text(&json!({"alg": "HS256", "kid": "k"})), text(good));
    let secret = key.jwk()["n"].as_str().unwrap().to_owned();
    let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    let signature = aws_lc_rs::hmac::sign(&secret, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Every hostile token gets the same answer; the log and the metrics tell why.
#[tokio::test]
async fn tokens_that_are_not_right_are_refused_alike() {
    let (key, foreign) = (TestKey::rsa("k", 0), TestKey::rsa("k", 1));
    let (issuer, other) = (TokenIssuer::start(&[&key]).await, TokenIssuer::start(&[&foreign]).await);
    let blocks = format!("{}{}", issuer.block("test"), other.block("other"));
    let app = TestApp::builder().settings_file(&blocks).start().await;
    let good = claims(&app, &issuer);
    let token = key.token(&good);
    me(&app, &token).await.expect(200);
    let with = |name: &str, value: Value| key.token(&claims_with(&app, &issuer, name, value));
    let now = app.clock.now().unix_timestamp();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other_claims = foreign.token(&claims_with(&app, &issuer, "sub", json!("someone-else")));
    let spliced = format!("{}.{signature}", other_claims.rsplit_once('.').unwrap().0);
    let mut tokens = with_hostile_headers(&key, &good);
    tokens.extend([
        hostile("HS256 with the public key", signed_by_the_public_key(&key, &good), "token-algorithm"),
        hostile("another issuer's key", foreign.token(&good), "token-signature"),
        hostile("another issuer's name", key.token(&claims(&app, &other)), "token-signature"),
        hostile("other claims under a good signature", spliced, "token-signature"),
        hostile(
            "a signature of zeros",
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 256])),
            "token-signature",
        ),
        hostile("a short signature", format!("{signed}.AAAA"), "token-signature"),
        hostile("an issuer of no block", with("iss", json!("https://evil.example")), "token-issuer"),
        hostile("an issuer but for a slash", with("iss", json!(format!("{}/", issuer.url))), "token-issuer"),
        hostile("no issuer", with("iss", Value::Null), "token-issuer"),
        hostile("a list of issuers", with("iss", json!([issuer.url])), "token-issuer"),
        hostile("another audience", with("aud", json!("api://other")), "token-audience"),
        hostile("no audience", with("aud", Value::Null), "token-audience"),
        hostile("expired", with("exp", json!(now - 61)), "token-time"),
        hostile("no expiry", with("exp", Value::Null), "token-time"),
        hostile("an expiry in text", with("exp", json!("tomorrow")), "token-time"),
        hostile("not yet", with("nbf", json!(now + 120)), "token-time"),
        hostile("an ID token", with("nonce", json!("n")), "token-type"),
        hostile("an application of no block", with("azp", json!("another")), "token-source-system"),
        hostile("no application", with("azp", Value::Null), "token-source-system"),
        hostile("a subject of two lines", with("sub", json!("a\nb")), "token-subject"),
    ]);
    for HostileToken { about, token, reason } in tokens {
        let metric = format!("meeting_provisioner_authentication_refused_total{{reason=\"{reason}\"}}");
        let counted = async || format!("{}", app.metric(&metric).await);
        let before = app.metric(&metric).await;
        let answer = me(&app, &token).await;
        assert_eq!(answer.status, 401, "{about}: {}", answer.text);
        let answer = answer.problem(401, "unauthenticated");
        assert_eq!(answer["detail"], "This call needs a valid credential.", "{about}");
        assert_eq!(counted().await, format!("{}", before + 1.0), "{about} is counted as {reason}");
    }
    let answer = me(&app, &foreign.token(&good)).await;
    let challenge = answer.header("www-authenticate").unwrap();
    assert_eq!(challenge, "Bearer realm=\"meeting-provisioner\", error=\"invalid_token\"");
    let answer = app.get(Who::Anonymous, "/v1/me").await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"meeting-provisioner\""));
    me(&app, &token).await.expect(200);
    app.end().await;
}

/// A token's time ends with the test's clock, a minute of leeway included, and a fresh one is accepted.
#[tokio::test]
async fn a_token_ends() {
    let key = TestKey::ed("k");
    let issuer = TokenIssuer::start(&[&key]).await;
    let app = trusting(&issuer).await;
    let token = key.token(&claims(&app, &issuer));
    for (wait_seconds, status) in [(0, 200), (3_600, 200), (59, 200), (1, 401), (3_600, 401)] {
        app.clock.advance(std::time::Duration::from_secs(wait_seconds));
        assert_eq!(me(&app, &token).await.status, status, "after {wait_seconds} s more");
    }
    me(&app, &key.token(&claims(&app, &issuer))).await.expect(200);
    app.end().await;
}

/// What an issuer publishes beside good keys is left alone: keys for other things, of other kinds, too short.
#[tokio::test]
async fn keys_that_are_not_for_signatures_verify_nothing() {
    let (good, for_encryption, nameless) =
        (TestKey::ec("good"), TestKey::rsa("enc", 0), TestKey::rsa("none", 1));
    let issuer = TokenIssuer::start(&[&good]).await;
    let [mut encryption, mut without_id] = [for_encryption.jwk(), nameless.jwk()];
    encryption["use"] = json!("enc");
    without_id.as_object_mut().unwrap().remove("kid");
    let secret = json!({"kty": "oct", "kid": "secret", "k": "c2VjcmV0", "alg": "HS256"});
    issuer.publish_jwks(vec![encryption, without_id, secret, json!("odd"), good.jwk()]);
    let app = trusting(&issuer).await;
    let claims = claims(&app, &issuer);
    me(&app, &good.token(&claims)).await.expect(200);
    for key in [&for_encryption, &nameless] {
        me(&app, &key.token(&claims)).await.problem(401, "unauthenticated");
    }
    app.end().await;
}

/// What begins as an API key is one, also where tokens are accepted; and a key is no token.
#[tokio::test]
async fn keys_and_tokens_are_told_apart_by_how_they_begin() {
    let key = TestKey::ec("k");
    let issuer = TokenIssuer::start(&[&key]).await;
    let app = trusting(&issuer).await;
    app.get(Who::Desk, "/v1/me").await.expect(200);
    let token = key.token(&claims(&app, &issuer));
    for credential in
        [format!("mpk_{token}"), format!("{token}x"), token.replace('.', ""), format!("{token} {token}")]
    {
        me(&app, &credential).await.problem(401, "unauthenticated");
    }
    for scheme in ["bearer", "BEARER "] {
        let request = app.request(Who::Anonymous, Method::GET, "/v1/me");
        let request = request.header("Authorization", format!("{scheme} {token}"));
        ApiResponse::read(request.send().await.unwrap()).await.expect(200);
    }
    app.end().await;
}
