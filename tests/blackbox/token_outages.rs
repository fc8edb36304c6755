//! An OpenID provider that changes its keys, goes away, or answers oddly.

use std::time::Duration;

use serde_json::Value;

use crate::support::process::program;
use crate::support::token_issuer::{Behaviour, TestKey, TokenIssuer};
use crate::support::{TestApp, Who, until};
use crate::tokens::{claims, me, trusting};

const KEYS: &str = "meeting_provisioner_issuer_keys{issuer=\"test\"}";

async fn readyz(app: &TestApp) -> String {
    reqwest::get(app.admin_url("/readyz")).await.unwrap().text().await.unwrap()
}

/// A key that was published a moment ago is known at once, and one that was taken back is refused from then on.
#[tokio::test]
async fn rotated_keys_are_noticed() {
    let (old, next) = (TestKey::rsa("old", 0), TestKey::ec("next"));
    let issuer = TokenIssuer::start(&[&old]).await;
    let app = trusting(&issuer).await;
    let claims = claims(&app, &issuer);
    me(&app, &old.token(&claims)).await.expect(200);
    issuer.publish(&[&next]);
    me(&app, &next.token(&claims)).await.expect(200);
    me(&app, &old.token(&claims)).await.problem(401, "unauthenticated");
    app.end().await;
}

/// However many tokens name keys that there are not, the provider is asked once in a while.
#[tokio::test]
async fn made_up_keys_make_few_requests_to_the_provider() {
    let key = TestKey::ec("known");
    let issuer = TokenIssuer::start(&[&key]).await;
    let app = trusting(&issuer).await;
    let claims = claims(&app, &issuer);
    for number in 0..30 {
        let made_up = TestKey::ec(&format!("made-up-{number}"));
        me(&app, &made_up.token(&claims)).await.problem(401, "unauthenticated");
    }
    // One at the start, one for the first of them; on a slow machine one more each 15 seconds.
    assert!((2..10).contains(&issuer.fetches()), "{}", issuer.fetches());
    me(&app, &key.token(&claims)).await.expect(200);
    app.end().await;
}

/// The service starts without its provider. Tokens get an answer that says to come again, keys are served, operators see
/// it; and when the provider is there, tokens are accepted by themselves.
#[tokio::test]
async fn a_provider_that_is_away_at_the_start_is_waited_for() {
    let key = TestKey::ec("k");
    let issuer = TokenIssuer::behaving(Behaviour::Closes, &[&key]).await;
    let app = trusting(&issuer).await;
    let token = key.token(&claims(&app, &issuer));
    let answer = me(&app, &token).await;
    assert_eq!(answer.header("retry-after"), Some("5"), "{}", answer.text);
    let problem = answer.problem(503, "issuer-unavailable");
    assert_eq!((&problem["retryable"], &problem["retryAfterSeconds"]), (&Value::from(true), &Value::from(5)));
    app.get(Who::Desk, "/v1/me").await.expect(200);
    assert_eq!((app.probe("/readyz").await, app.metric(KEYS).await), (200, 0.0));
    let ready = readyz(&app).await;
    assert!(ready.starts_with("ready, but degraded: tokens of test can't be checked"), "{ready}");
    assert!(ready.contains("can't be reached"), "{ready}");
    issuer.behave(Behaviour::Answers);
    until("the token is accepted", async || me(&app, &token).await.status == 200).await;
    assert_eq!((readyz(&app).await.as_str(), app.metric(KEYS).await), ("ready\n", 1.0));
    app.end().await;
}

/// Known keys outlive an outage of their provider, for a day; what they don't know is answered 503 meanwhile.
#[tokio::test]
async fn known_keys_outlive_an_outage() {
    let (known, fresh) = (TestKey::ec("known"), TestKey::ec("fresh"));
    let issuer = TokenIssuer::start(&[&known]).await;
    let app = trusting(&issuer).await;
    me(&app, &known.token(&claims(&app, &issuer))).await.expect(200);
    issuer.behave(Behaviour::Status(503));
    for (wait_hours, status) in [(0, 200), (23, 200), (1, 503)] {
        app.clock.advance(Duration::from_hours(wait_hours));
        let claims = claims(&app, &issuer);
        assert_eq!(me(&app, &known.token(&claims)).await.status, status, "after {wait_hours} hours more");
        assert_eq!(me(&app, &fresh.token(&claims)).await.status, 503);
    }
    app.end().await;
}

/// Whatever a provider answers, no key is taken from it but its own over the way that it should be, within time and size.
#[tokio::test]
async fn odd_answers_of_a_provider_give_no_keys() {
    let key = TestKey::ec("k");
    let elsewhere = TokenIssuer::start(&[&key]).await;
    let keys_elsewhere = format!("{}/keys", elsewhere.url);
    for (behaviour, told) in [
        (Behaviour::Status(500), "answers 500"),
        (Behaviour::Status(404), "answers 404"),
        (Behaviour::Redirects(keys_elsewhere.clone()), "redirects are not followed"),
        (Behaviour::Floods, "answers with more than 262144 bytes"),
        (Behaviour::Says("<html>Sign in</html>".to_owned()), "no discovery document"),
        (Behaviour::Says("{}".to_owned()), "no discovery document"),
        (Behaviour::IsAnother, "is of the issuer \"https://another.example\""),
        (Behaviour::KeysAt("http://keys.example/keys".to_owned()), "jwks_uri that is not https"),
        (Behaviour::KeysAt("file:///etc/passwd".to_owned()), "jwks_uri that is not https"),
        (Behaviour::KeysAt("http://169.254.169.254/metadata".to_owned()), "jwks_uri that is not https"),
    ] {
        let issuer = TokenIssuer::behaving(behaviour.clone(), &[&key]).await;
        let app = trusting(&issuer).await;
        let token = key.token(&claims(&app, &issuer));
        me(&app, &token).await.problem(503, "issuer-unavailable");
        let ready = readyz(&app).await;
        assert!(ready.contains(told), "{behaviour:?}: {ready}");
        app.end().await;
    }
    assert_eq!(elsewhere.requests(), 0, "nothing was asked where a redirect led");
}

/// A provider that takes its time holds up its own tokens for some seconds, and no other caller.
#[tokio::test]
async fn a_provider_that_hangs_holds_up_no_other_caller() {
    let key = TestKey::ec("k");
    let issuer = TokenIssuer::behaving(Behaviour::Hangs, &[&key]).await;
    let app = trusting(&issuer).await;
    let token = key.token(&claims(&app, &issuer));
    let waiting = me(&app, &token);
    let (answer, own) = tokio::join!(waiting, async {
        app.get(Who::Desk, "/v1/me").await.expect(200);
        app.get(Who::Anonymous, "/v1/me").await.problem(401, "unauthenticated")
    });
    answer.problem(503, "issuer-unavailable");
    assert_eq!(own["code"], "unauthenticated");
    app.end().await;
}

/// The doctor names each issuer: how many keys it has, and by which algorithms; or what is wrong.
#[tokio::test]
async fn the_doctor_asks_each_issuer() {
    let keys = [TestKey::rsa("r", 0), TestKey::ed("d")];
    let issuer = TokenIssuer::start(&keys.each_ref()).await;
    let away = TokenIssuer::behaving(Behaviour::Status(502), &[]).await;
    let app = TestApp::builder()
        .settings_file(&format!("{}{}", issuer.block("test"), away.block("away")))
        .start()
        .await;
    let output = program(&["doctor"], app.environment()).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        &format!(
            "ok tokens test tells of 2 keys at {} (RS256, RS384, RS512, PS256, PS384, PS512, EdDSA)",
            issuer.url
        ),
        &format!("WRONG tokens away: {}/.well-known/openid-configuration answers 502", away.url),
        "do Check access.issuer in the settings",
    ] {
        assert!(text.contains(expected), "{expected} is missing in\n{text}");
    }
    assert_eq!(output.status.code(), Some(1));
    app.end().await;
}
