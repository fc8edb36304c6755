//! An OpenID provider of a test's own, over HTTP: it tells of itself and of its keys, and signs whatever the test wants.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The audience of the tests' tokens.
pub const AUDIENCE: &str = "api://meetings";
/// The application to which the tests' tokens were issued, which is `room-booking`.
pub const APPLICATION: &str = "7a0c2e1f-0000-4000-8000-000000000001";
/// The subject of the tests' tokens.
pub const SUBJECT: &str = "5bd1c9f2-0000-4000-8000-000000000002";

/// How a provider behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// As it should.
    Answers,
    /// It closes every connection.
    Closes,
    /// It takes the request and says nothing.
    Hangs,
    /// It answers with this status.
    Status(u16),
    /// It sends the client elsewhere.
    Redirects(String),
    /// It sends without an end.
    Floods,
    /// It sends this text.
    Says(String),
    /// It says that it is another issuer.
    IsAnother,
    /// It says that its keys are there.
    KeysAt(String),
}

/// A key of a provider.
#[derive(Clone)]
pub struct TestKey {
    /// Its id.
    pub id: String,
    pair: Arc<Pair>,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// To make an RSA key takes its time, so the tests share a few.
fn rsa(number: usize) -> Arc<Pair> {
    static PAIRS: [OnceLock<Arc<Pair>>; 2] = [const { OnceLock::new() }; 2];
    let pair = || Arc::new(Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()));
    Arc::clone(PAIRS[number].get_or_init(pair))
}

impl TestKey {
    /// One of two RSA keys.
    pub fn rsa(id: &str, number: usize) -> Self {
        Self { id: id.to_owned(), pair: rsa(number) }
    }

    /// A fresh key on P-256.
    pub fn ec(id: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { id: id.to_owned(), pair: Arc::new(Pair::Ec(pair)) }
    }

    /// A fresh Ed25519 key.
    pub fn ed(id: &str) -> Self {
        Self { id: id.to_owned(), pair: Arc::new(Pair::Ed(Ed25519KeyPair::generate().unwrap())) }
    }

    /// The algorithm that it signs by.
    pub fn algorithm(&self) -> &'static str {
        match &*self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::Ec(_) => "ES256",
            Pair::Ed(_) => "EdDSA",
        }
    }

    /// Its public half, as a provider publishes it.
    pub fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &*self.pair {
            Pair::Rsa(pair) => {
                let key = pair.public_key();
                let (modulus, exponent) = (key.modulus(), key.exponent());
                json!({
                    "kty": "RSA", "n": text(modulus.big_endian_without_leading_zero()),
                    "e": text(exponent.big_endian_without_leading_zero()),
                })
            }
            Pair::Ec(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                json!({"kty": "EC", "crv": "P-256", "x": text(&point[..32]), "y": text(&point[32..])})
            }
            Pair::Ed(pair) => json!({"kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref())}),
        };
        jwk["kid"] = json!(self.id);
        jwk["use"] = json!("sig");
        jwk
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &*self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let encoding: &'static dyn aws_lc_rs::signature::RsaEncoding =
                    if algorithm == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                pair.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
            Pair::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A token with this header and these claims, signed by this key, whatever the header says.
    pub fn token_of(&self, header: &Value, claims: &Value) -> String {
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", text(header), text(claims));
        let algorithm = header["alg"].as_str().unwrap_or_default();
        let signature = self.sign(algorithm, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A good token with these claims.
    pub fn token(&self, claims: &Value) -> String {
        self.token_of(&json!({"alg": self.algorithm(), "kid": self.id, "typ": "JWT"}), claims)
    }
}

struct State {
    keys: Vec<Value>,
    behaviour: Behaviour,
    requests: Vec<String>,
}

/// A provider.
pub struct TokenIssuer {
    /// Its address, which is the claim `iss` of its tokens.
    pub url: String,
    state: Arc<Mutex<State>>,
    serving: JoinHandle<()>,
}

impl TokenIssuer {
    /// Starts one with these keys.
    pub async fn start(keys: &[&TestKey]) -> Self {
        Self::behaving(Behaviour::Answers, keys).await
    }

    /// Starts one that behaves so.
    pub async fn behaving(behaviour: Behaviour, keys: &[&TestKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let keys = keys.iter().map(|key| key.jwk()).collect();
        let state = Arc::new(Mutex::new(State { keys, behaviour, requests: Vec::new() }));
        let (shared, own_url) = (Arc::clone(&state), url.clone());
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&shared), own_url.clone()));
            }
        });
        Self { url, state, serving }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes other keys.
    pub fn publish(&self, keys: &[&TestKey]) {
        self.publish_jwks(keys.iter().map(|key| key.jwk()).collect());
    }

    /// Publishes keys as they are written.
    pub fn publish_jwks(&self, keys: Vec<Value>) {
        self.state().keys = keys;
    }

    /// Behaves otherwise from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.state().behaviour = behaviour;
    }

    /// How often its keys were asked for.
    pub fn fetches(&self) -> usize {
        self.state().requests.iter().filter(|path| *path == "/keys").count()
    }

    /// How often it was asked for anything.
    pub fn requests(&self) -> usize {
        self.state().requests.len()
    }

    /// Its block of the settings file: tokens of [`APPLICATION`] are `room-booking`'s.
    pub fn block(&self, name: &str) -> String {
        format!(
            "[[access.issuer]]\nname = \"{name}\"\nissuer = \"{}\"\naudiences = [\"{AUDIENCE}\"]\n\
             source_system_claim = \"azp\"\nsource_systems = {{ \"{APPLICATION}\" = \"room-booking\" }}\n\
             roles_claim = \"roles\"\n",
            self.url
        )
    }
}

impl Drop for TokenIssuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>, url: String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await.unwrap_or(0) == 0 {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let (behaviour, keys) = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.requests.push(path.clone());
        (state.behaviour.clone(), state.keys.clone())
    };
    let discovery = |issuer: &str, keys: &str| json!({"issuer": issuer, "jwks_uri": keys}).to_string();
    let body = match (behaviour, path.as_str()) {
        (Behaviour::Closes, _) => return,
        (Behaviour::Hangs, _) => return std::future::pending().await,
        (Behaviour::Status(status), _) => return respond(stream, &format!("{status} Odd"), "", "{}").await,
        (Behaviour::Redirects(to), _) => {
            return respond(stream, "302 Found", &format!("Location: {to}\r\n"), "").await;
        }
        (Behaviour::Floods, _) => {
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{\"a\":\"";
            let mut sent = stream.write_all(head.as_bytes()).await;
            while sent.is_ok() {
                sent = stream.write_all(&[b'a'; 8 * 1024]).await;
            }
            return;
        }
        (Behaviour::Says(text), _) => text,
        (Behaviour::IsAnother, _) => discovery("https://another.example", &format!("{url}/keys")),
        (Behaviour::KeysAt(keys), "/.well-known/openid-configuration") => discovery(&url, &keys),
        (_, "/.well-known/openid-configuration") => discovery(&url, &format!("{url}/keys")),
        (_, "/keys") => json!({"keys": keys}).to_string(),
        _ => return respond(stream, "404 Not Found", "", "").await,
    };
    respond(stream, "200 OK", "Content-Type: application/json\r\n", &body).await;
}

async fn respond(mut stream: TcpStream, status: &str, headers: &str, body: &str) {
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    // A client that has gone away hears nothing.
    let _sent = stream.write_all(answer.as_bytes()).await;
    let _closed = stream.shutdown().await;
}
