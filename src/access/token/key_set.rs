//! The keys of an issuer (RFC 7517): which of them can verify tokens, and why the others can't.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::Value;

use super::compact::UnverifiedToken;
use super::signing_algorithm::{KeyShape, SigningAlgorithm};

/// The bits that an RSA key must have at least (RFC 7518, 3.3) and may have at most.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;
/// Most keys of one set that are looked at; providers have two to ten.
const KEYS_MAX: usize = 100;

/// One key that can verify tokens.
#[derive(Clone)]
pub(super) struct SigningKey {
    id: String,
    shape: KeyShape,
    /// The only algorithm that it is for, if it says so.
    only: Option<SigningAlgorithm>,
    key: DecodingKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?}, {:?})", self.id, self.shape)
    }
}

impl SigningKey {
    fn verifies_by(&self, algorithm: SigningAlgorithm) -> bool {
        self.shape == algorithm.key_shape() && self.only.is_none_or(|only| only == algorithm)
    }

    /// Whether the token was signed by this key.
    pub(super) fn has_signed(&self, token: &UnverifiedToken<'_>) -> bool {
        let algorithm = token.algorithm.for_verification();
        jsonwebtoken::crypto::verify(token.signature, token.signed, &self.key, algorithm).unwrap_or(false)
    }
}

/// The keys of an issuer that can verify tokens.
#[derive(Debug, Clone)]
pub(super) struct KeySet {
    keys: Vec<SigningKey>,
    /// Why each of the others can't, for the operator.
    pub(super) unusable: Vec<String>,
}

impl KeySet {
    /// Reads a JSON Web Key Set. Keys that can't be used are left out, as RFC 7517 demands (5); with none left, or
    /// something else than a key set, the error says what is wrong.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let set: Value = serde_json::from_slice(bytes).map_err(|_| "it is not JSON".to_owned())?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or("it has no list of keys")?;
        if keys.len() > KEYS_MAX {
            return Err(format!("it has more than {KEYS_MAX} keys"));
        }
        let mut read = Self { keys: Vec::new(), unusable: Vec::new() };
        for (number, jwk) in keys.iter().enumerate() {
            match signing_key(jwk) {
                Ok(key) => read.keys.push(key),
                Err(why) => read.unusable.push(format!("{}: {why}", shown_id(jwk, number + 1))),
            }
        }
        if read.keys.is_empty() {
            let why =
                if read.unusable.is_empty() { "it is empty".to_owned() } else { read.unusable.join("; ") };
            return Err(format!("none of its keys can verify tokens: {why}"));
        }
        Ok(read)
    }

    /// The key of this id that fits the algorithm.
    pub(super) fn find(&self, id: &str, algorithm: SigningAlgorithm) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.id == id && key.verifies_by(algorithm))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.keys.len()
    }

    /// The algorithms that they can verify, of those that are listed.
    pub(super) fn algorithms(&self, listed: &[SigningAlgorithm]) -> Vec<SigningAlgorithm> {
        let can = |algorithm: &SigningAlgorithm| self.keys.iter().any(|key| key.verifies_by(*algorithm));
        listed.iter().copied().filter(can).collect()
    }

    /// Whether both have the same keys by name.
    pub(super) fn has_same_ids(&self, other: &Self) -> bool {
        let ids =
            |set: &Self| set.keys.iter().map(|key| key.id.clone()).collect::<std::collections::BTreeSet<_>>();
        ids(self) == ids(other)
    }
}

/// A key's id as the log may show it.
fn shown_id(jwk: &Value, number: usize) -> String {
    let id = jwk.get("kid").and_then(Value::as_str).map(|id| id.chars().take(40).collect::<String>());
    id.map_or_else(|| format!("key {number}"), |id| format!("key {number} ({id:?})"))
}

fn signing_key(jwk: &Value) -> Result<SigningKey, &'static str> {
    let text = |member: &str| jwk.get(member).and_then(Value::as_str);
    let id = text("kid").filter(|id| !id.is_empty()).ok_or("it has no kid")?.to_owned();
    if jwk.get("use").is_some() && text("use") != Some("sig") {
        return Err("its use is not \"sig\"");
    }
    if let Some(operations) = jwk.get("key_ops") {
        let verifies = |list: &Vec<Value>| list.iter().any(|operation| operation == "verify");
        operations.as_array().filter(|list| verifies(list)).ok_or("its key_ops lack \"verify\"")?;
    }
    let only = match jwk.get("alg") {
        None => None,
        Some(Value::String(name)) => Some(
            SigningAlgorithm::parse(name).ok_or("its alg is no signature algorithm that is accepted here")?,
        ),
        Some(_) => return Err("its alg is no text"),
    };
    let bytes = |member: &str| text(member).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let (shape, key) = match (text("kty"), text("crv")) {
        (Some("RSA"), _) => {
            let (modulus, exponent) =
                bytes("n").zip(bytes("e")).ok_or("its modulus or exponent is missing")?;
            if !RSA_BITS.contains(&bits(&modulus)) {
                return Err("its RSA modulus has less than 2048 bits, or more than 8192");
            }
            (KeyShape::Rsa, DecodingKey::from_rsa_raw_components(&modulus, &exponent))
        }
        (Some("EC"), Some(curve)) => elliptic(curve, text("x"), text("y"))?,
        (Some("OKP"), Some("Ed25519")) => {
            let point = text("x").filter(|_| bytes("x").is_some_and(|point| point.len() == 32));
            let key = point.and_then(|point| DecodingKey::from_ed_components(point).ok());
            (KeyShape::Ed25519, key.ok_or("its point is missing or no point")?)
        }
        _ => return Err("its kind (kty, crv) is not RSA, P-256, P-384 or Ed25519"),
    };
    if only.is_some_and(|only| only.key_shape() != shape) {
        return Err("its alg does not fit its kind (kty, crv)");
    }
    Ok(SigningKey { id, shape, only, key })
}

fn elliptic(curve: &str, x: Option<&str>, y: Option<&str>) -> Result<(KeyShape, DecodingKey), &'static str> {
    let shapes = [SigningAlgorithm::Es256, SigningAlgorithm::Es384].map(SigningAlgorithm::key_shape);
    let fits = |shape: &KeyShape| matches!(shape, KeyShape::Ec { curve: known, .. } if *known == curve);
    let shape = shapes.into_iter().find(fits).ok_or("its curve is not P-256 or P-384")?;
    let KeyShape::Ec { bytes, .. } = shape else { return Err("its curve is not P-256 or P-384") };
    let is_coordinate =
        |part: &&str| URL_SAFE_NO_PAD.decode(part).is_ok_and(|decoded| decoded.len() == bytes);
    let coordinates = x.filter(is_coordinate).zip(y.filter(is_coordinate));
    let key = coordinates.and_then(|(x, y)| DecodingKey::from_ec_components(x, y).ok());
    Ok((shape, key.ok_or("its point is missing or no point")?))
}

/// The bits of a number, leading zeros not counted.
fn bits(number: &[u8]) -> usize {
    let digits = number.iter().skip_while(|byte| **byte == 0);
    let first = digits.clone().next().map_or(0, |byte| byte.leading_zeros() as usize);
    digits.count() * 8 - first
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rsa(bits: usize) -> String {
        URL_SAFE_NO_PAD.encode(vec![0xff; bits / 8])
    }

    fn point(bytes: usize) -> String {
        URL_SAFE_NO_PAD.encode(vec![1; bytes])
    }

    fn good() -> Value {
        json!({"kty": "RSA", "kid": "k", "n": rsa(2048), "e": "AQAB"})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut jwk = good();
        jwk[name] = value;
        jwk
    }

    /// The table of keys: which can verify what, and why the others can't.
    #[test]
    fn only_public_keys_that_fit_an_algorithm_are_used() {
        use SigningAlgorithm::{EdDsa, Es256, Es384, Ps256, Rs256};
        let ec = |curve: &str, x: usize, y: usize| json!({"kty": "EC", "crv": curve, "kid": "k", "x": point(x), "y": point(y)});
        let ed = |bytes: usize| json!({"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": point(bytes)});
        let table: Vec<(Value, Result<&[SigningAlgorithm], &str>)> = vec![
            (good(), Ok(&[Rs256, Ps256])),
            (with("alg", json!("RS256")), Ok(&[Rs256])),
            (with("use", json!("sig")), Ok(&[Rs256, Ps256])),
            (with("key_ops", json!(["verify"])), Ok(&[Rs256, Ps256])),
            (with("x5c", json!(["…"])), Ok(&[Rs256, Ps256])),
            (ec("P-256", 32, 32), Ok(&[Es256])),
            (ec("P-384", 48, 48), Ok(&[Es384])),
            (ed(32), Ok(&[EdDsa])),
            (with("kid", Value::Null), Err("it has no kid")),
            (with("kid", json!("")), Err("it has no kid")),
            (with("use", json!("enc")), Err("its use is not \"sig\"")),
            (with("use", json!(1)), Err("its use is not \"sig\"")),
            (with("key_ops", json!(["sign"])), Err("its key_ops lack")),
            (with("alg", json!("HS256")), Err("its alg is no signature")),
            (with("alg", json!("RSA-OAEP")), Err("its alg is no signature")),
            (with("alg", json!("ES256")), Err("its alg does not fit")),
            (with("n", json!(rsa(1024))), Err("its RSA modulus")),
            (
                with("n", json!(URL_SAFE_NO_PAD.encode([vec![0; 128], vec![0xff; 128]].concat()))),
                Err("its RSA modulus"),
            ),
            (with("n", json!(rsa(16_384))), Err("its RSA modulus")),
            (with("n", json!("!")), Err("its modulus or exponent")),
            (with("e", Value::Null), Err("its modulus or exponent")),
            (ec("P-256", 31, 32), Err("its point is missing")),
            (ec("P-256", 48, 48), Err("its point is missing")),
            (ec("secp256k1", 32, 32), Err("its curve is not")),
            (ec("P-521", 66, 66), Err("its curve is not")),
            (ed(31), Err("its point is missing")),
            (json!({"kty": "OKP", "crv": "X25519", "kid": "k", "x": point(32)}), Err("its kind")),
            (json!({"kty": "oct", "kid": "k", "k": "c2VjcmV0"}), Err("its kind")),
            (json!("text"), Err("it has no kid")),
        ];
        for (jwk, expected) in table {
            let read = KeySet::parse(json!({"keys": [jwk]}).to_string().as_bytes());
            match (read, expected) {
                (Ok(set), Ok(expected)) => {
                    assert_eq!(set.algorithms(&[Rs256, Ps256, Es256, Es384, EdDsa]), expected, "{jwk}");
                    assert!(expected.iter().all(|algorithm| set.find("k", *algorithm).is_some()));
                    assert!(set.find("other", expected[0]).is_none());
                }
                (Err(why), Err(expected)) => assert!(why.contains(expected), "{jwk}: {why}"),
                (read, expected) => panic!("{jwk}: {read:?} {expected:?}"),
            }
        }
    }

    /// A key that can't be used takes no other one with it, and an answer that is no key set is said to be none.
    #[test]
    fn a_set_is_what_is_usable_of_it() {
        let set = json!({"keys": [with("use", json!("enc")), with("kid", json!("other")), good()]});
        let set = KeySet::parse(set.to_string().as_bytes()).unwrap();
        assert_eq!((set.count(), set.unusable.len()), (2, 1));
        assert!(set.unusable[0].starts_with("key 1 (\"k\"): its use"), "{:?}", set.unusable);
        let many = json!({"keys": vec![good(); KEYS_MAX + 1]}).to_string();
        for (text, expected) in [
            ("", "not JSON"),
            ("<html>", "not JSON"),
            ("[]", "no list of keys"),
            ("{\"keys\":{}}", "no list of keys"),
            ("{\"keys\":[]}", "it is empty"),
            (&many, "more than 100 keys"),
        ] {
            let why = KeySet::parse(text.as_bytes()).unwrap_err();
            assert!(why.contains(expected), "{why}");
        }
    }
}
