//! Assertions are checked for real: with the registered keys, and for one use.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use meeting_provisioner::clock::{Clock, SystemClock};
use meeting_provisioner::msgraph_simulator::FederatedCredential;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::Duration;

use crate::certificates::TestCertificate;
use crate::fixture::{Fixture, read};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn certificate() -> TestCertificate {
    let now = SystemClock.now();
    TestCertificate::valid(now - Duration::DAY, now + Duration::DAY)
}

/// The header of an assertion that names this certificate.
fn header_of(certificate: &TestCertificate, algorithm: Algorithm) -> Header {
    let base64: String = certificate.certificate.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(base64.trim()).unwrap();
    let mut header = Header::new(algorithm);
    header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(Sha256::digest(der)));
    header
}

/// The claims of a good assertion, with some replaced; null takes one away.
fn claims(fixture: &Fixture, replaced: Value) -> Value {
    let (client_id, now) = (&fixture.simulator.settings().client_id, SystemClock.now().unix_timestamp());
    let token_url = format!(
        "{}/{}/oauth2/v2.0/token",
        fixture.simulator.login_url(),
        fixture.simulator.settings().tenant_id
    );
    let mut claims = json!({
        "aud": token_url, "iss": client_id, "sub": client_id, "jti": SystemClock.fresh_id(), "nbf": now, "iat": now,
        "exp": now + 600,
    });
    if let Value::Object(members) = replaced {
        for (name, value) in members {
            claims[name] = value;
        }
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

/// The AADSTS number with which an assertion is refused; none for one that gets a token.
async fn refused(fixture: &Fixture, assertion: &str) -> Option<u64> {
    let scope = format!("{}/.default", fixture.simulator.graph_root_url());
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &fixture.simulator.settings().client_id),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
        ("scope", &scope),
    ];
    let tenant = &fixture.simulator.settings().tenant_id;
    let url = format!("{}/{tenant}/oauth2/v2.0/token", fixture.simulator.login_url());
    let (status, body) = read(fixture.http.post(url).form(&form).send().await.unwrap()).await;
    let number = body["error_codes"][0].as_u64();
    assert_eq!(status == 200, number.is_none(), "{body}");
    number
}

/// A good assertion gets a token, once; every other is refused with Entra's number.
#[tokio::test]
async fn an_assertion_is_good_once_and_only_as_it_should_be() {
    let fixture = Fixture::start().await;
    let (ours, other) = (certificate(), certificate());
    let header = header_of(&ours, Algorithm::PS256);
    assert_eq!(refused(&fixture, &ours.sign(&header, &claims(&fixture, json!({})))).await, Some(700_027));
    let (status, _) = {
        let url = format!("{}/_simulator/credentials/certificates", fixture.simulator.graph_root_url());
        read(fixture.http.put(url).body(ours.certificate.clone()).send().await.unwrap()).await
    };
    assert_eq!(status, 204);
    let good = ours.sign(&header, &claims(&fixture, json!({})));
    assert_eq!(refused(&fixture, &good).await, None);
    assert_eq!(refused(&fixture, &good).await, Some(50_027), "its jti was used");
    let now = SystemClock.now().unix_timestamp();
    for (replaced, expected) in [
        (json!({"aud": "https://login.microsoftonline.com/x/oauth2/v2.0/token"}), Some(700_023)),
        (json!({"aud": null}), Some(700_023)),
        (json!({"iss": "another"}), Some(700_021)),
        (json!({"sub": null}), Some(700_021)),
        (json!({"exp": now - 400, "nbf": now - 800}), Some(700_024)),
        (json!({"nbf": now + 400}), Some(700_024)),
        (json!({"exp": now + 90_000}), Some(700_024)),
        (json!({"exp": null}), Some(700_024)),
        (json!({"jti": null}), Some(50_027)),
        (json!({}), None),
    ] {
        let assertion = ours.sign(&header, &claims(&fixture, replaced.clone()));
        assert_eq!(refused(&fixture, &assertion).await, expected, "{replaced}");
    }
    let forged = other.sign(&header, &claims(&fixture, json!({})));
    assert_eq!(refused(&fixture, &forged).await, Some(700_027), "another's signature");
    let unknown = other.sign(&header_of(&other, Algorithm::PS256), &claims(&fixture, json!({})));
    assert_eq!(refused(&fixture, &unknown).await, Some(700_027), "another's certificate");
    let rs256 = ours.sign(&header_of(&ours, Algorithm::RS256), &claims(&fixture, json!({})));
    assert_eq!(refused(&fixture, &rs256).await, None);
    let mut hs256 = header_of(&ours, Algorithm::HS256);
    let secret = EncodingKey::from_secret(ours.certificate.as_bytes());
    let forged = encode(&hs256, &claims(&fixture, json!({})), &secret).unwrap();
    assert_eq!(refused(&fixture, &forged).await, Some(700_027), "signed with the public certificate");
    hs256.x5t_s256 = None;
    for rubbish in ["", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        assert!(refused(&fixture, rubbish).await.is_some(), "{rubbish}");
    }
}

/// A certificate counts for as long as it is valid.
#[tokio::test]
async fn a_certificate_out_of_date_is_refused() {
    let fixture = Fixture::start().await;
    let now = SystemClock.now();
    for (from, until) in
        [(now - Duration::WEEK, now - Duration::DAY), (now + Duration::DAY, now + Duration::WEEK)]
    {
        let certificate = TestCertificate::valid(from, until);
        fixture.simulator.set_certificates(&certificate.certificate).unwrap();
        let header = header_of(&certificate, Algorithm::PS256);
        let assertion = certificate.sign(&header, &claims(&fixture, json!({})));
        assert_eq!(refused(&fixture, &assertion).await, Some(700_027));
    }
}

/// A token of another issuer is good for whom it was registered, as often as it is shown, for a day at most.
#[tokio::test]
async fn a_federated_token_must_match_what_is_registered() {
    let fixture = Fixture::start().await;
    let (issuer, other) = (certificate(), certificate());
    let credential = FederatedCredential {
        issuer: "https://cluster.example/".to_owned(),
        subject: "system:serviceaccount:a:b".to_owned(),
        audience: "api://AzureADTokenExchange".to_owned(),
        public_key: issuer.public_key.clone(),
    };
    fixture.simulator.set_federated_credentials(vec![credential]).unwrap();
    let now = SystemClock.now().unix_timestamp();
    let good = json!({
        "iss": "https://cluster.example/", "sub": "system:serviceaccount:a:b", "aud": ["api://AzureADTokenExchange"],
        "jti": null,
    });
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let header = Header::new(Algorithm::RS256);
    for (replaced, expected) in [
        (good.clone(), None),
        (good.clone(), None),
        (with("iss", json!("https://cluster.example")), Some(700_211)),
        (with("aud", json!("https://kubernetes.default.svc")), Some(700_212)),
        (with("sub", json!("system:serviceaccount:A:b")), Some(700_213)),
        (with("exp", json!(now - 400)), Some(700_024)),
        (with("exp", json!(now + 100_000)), Some(70_023)),
        (with("iat", Value::Null), Some(70_023)),
    ] {
        let token = issuer.sign(&header, &claims(&fixture, replaced.clone()));
        assert_eq!(refused(&fixture, &token).await, expected, "{replaced}");
    }
    let forged = other.sign(&header, &claims(&fixture, good.clone()));
    assert_eq!(refused(&fixture, &forged).await, Some(50_013));
}
