//! Checks the assertions with which the application proves itself, as Entra does: with real keys.

use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;

use super::app_credentials::{AppCredentials, FederatedCredential};
use super::entra_refusal::Refused;
use crate::clock::Timestamp;

/// The longest life of an assertion that the application signs, in seconds.
const LIFETIME_MAX: i64 = 24 * 3_600;
/// The longest life of another issuer's token, in seconds: 25 hours, as Entra's message has it (`1.01:00:00`).
const FEDERATED_LIFETIME_MAX: i64 = 25 * 3_600;
/// How far clocks may differ, in seconds.
const LEEWAY: i64 = 300;

/// The claims that are checked. Each may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Value,
    jti: Option<String>,
    exp: i64,
    nbf: i64,
    iat: i64,
}

/// What an assertion is checked against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) client_id: &'a str,
    /// The token endpoint, under which name the assertion must be for it.
    pub(super) token_url: &'a str,
    pub(super) now: Timestamp,
}

/// Checks an assertion. Whether it names a certificate says of which kind it is.
pub(super) fn check(
    credentials: &mut AppCredentials,
    assertion: &str,
    expected: Expected<'_>,
) -> Result<(), Refused> {
    let header = decode_header(assertion)
        .map_err(|error| Refused::new(50_027, format!("the header can't be read ({error})")))?;
    match header.x5t_s256.clone() {
        Some(thumbprint) => own(credentials, assertion, &header, &thumbprint, expected),
        None => federated(credentials.federated(), assertion, &header, expected.now),
    }
}

fn own(
    credentials: &mut AppCredentials,
    assertion: &str,
    header: &Header,
    thumbprint: &str,
    expected: Expected<'_>,
) -> Result<(), Refused> {
    let Some(certificate) = credentials.certificate(thumbprint) else {
        let reason = format!("The key was not found., Thumbprint of key used by client: '{thumbprint}'");
        return Err(Refused::new(700_027, reason));
    };
    let claims =
        signed(assertion, header, &certificate.key).map_err(|reason| Refused::new(700_027, reason))?;
    if expected.now < certificate.valid_from || expected.now >= certificate.valid_until {
        return Err(Refused::new(700_027, "The key used is expired."));
    }
    let is_ours = |claim: &Option<String>| claim.as_deref() == Some(expected.client_id);
    if !is_ours(&claims.iss) || !is_ours(&claims.sub) {
        return Err(Refused::new(700_021, ""));
    }
    if !is_for(&claims.aud, expected.token_url) {
        return Err(Refused::new(700_023, ""));
    }
    check_time(&claims, expected.now)?;
    if claims.exp - claims.nbf.max(claims.iat) > LIFETIME_MAX {
        return Err(Refused::new(700_024, "its lifetime is more than a day"));
    }
    match &claims.jti {
        None => Err(Refused::new(50_027, "it has no jti")),
        Some(id) if !credentials.use_once(id, claims.exp + LEEWAY, expected.now) => {
            Err(Refused::new(50_027, "its jti was used before"))
        }
        Some(_) => Ok(()),
    }
}

fn federated(
    credentials: &[FederatedCredential],
    assertion: &str,
    header: &Header,
    now: Timestamp,
) -> Result<(), Refused> {
    let claims: Claims = jsonwebtoken::dangerous::insecure_decode(assertion)
        .map_err(|error| Refused::new(50_027, error.to_string()))?
        .claims;
    let (issuer, subject) = (claims.iss.unwrap_or_default(), claims.sub.unwrap_or_default());
    let of_issuer: Vec<_> = credentials.iter().filter(|one| one.issuer == issuer).collect();
    if of_issuer.is_empty() {
        return Err(Refused::new(700_211, issuer));
    }
    if !of_issuer.iter().any(|one| is_for(&claims.aud, &one.audience)) {
        return Err(Refused::new(700_212, claims.aud.to_string()));
    }
    let matching = |one: &&&FederatedCredential| one.subject == subject && is_for(&claims.aud, &one.audience);
    let Some(credential) = of_issuer.iter().find(matching) else {
        return Err(Refused::new(700_213, subject));
    };
    let key = DecodingKey::from_rsa_pem(credential.public_key.as_bytes())
        .map_err(|error| Refused::new(50_013, error.to_string()))?;
    let claims = signed(assertion, header, &key).map_err(|reason| Refused::new(50_013, reason))?;
    check_time(&claims, now)?;
    if claims.iat == 0 || claims.exp - claims.iat > FEDERATED_LIFETIME_MAX {
        return Err(Refused::new(70_023, format!("{}, {}", claims.iat, claims.exp)));
    }
    Ok(())
}

/// The claims, if this key signed them with an algorithm that is allowed.
fn signed(assertion: &str, header: &Header, key: &DecodingKey) -> Result<Claims, String> {
    if !matches!(header.alg, Algorithm::PS256 | Algorithm::RS256) {
        return Err(format!("The algorithm {:?} is not allowed.", header.alg));
    }
    let mut validation = Validation::new(header.alg);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    decode::<Claims>(assertion, key, &validation)
        .map(|token| token.claims)
        .map_err(|_| "The provided signature value did not match the expected signature value.".to_owned())
}

fn is_for(aud: &Value, expected: &str) -> bool {
    match aud {
        Value::String(aud) => aud == expected,
        Value::Array(several) => several.iter().any(|aud| aud == expected),
        _ => false,
    }
}

fn check_time(claims: &Claims, now: Timestamp) -> Result<(), Refused> {
    let now = now.unix_timestamp();
    if now > claims.exp + LEEWAY || now < claims.nbf - LEEWAY {
        let told = format!("now {now}, valid from {} until {}", claims.nbf, claims.exp);
        return Err(Refused::new(700_024, told));
    }
    Ok(())
}
