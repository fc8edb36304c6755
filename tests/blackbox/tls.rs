//! The public port under TLS.

use std::path::Path;
use std::time::Duration;

use meeting_provisioner::clock::{Clock as _, SystemClock, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::Certificate;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::process::{Process, program};
use crate::support::{TestApp, Who, booking, until_within};

/// A certificate authority of a test's own.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its own certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate of these names, good until then, and its key.
    pub fn sign(&self, names: &[&str], until: Timestamp) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_after = until;
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }

    /// Writes a certificate for loopback, and its key.
    fn write(&self, certificate: &Path, private_key: &Path) {
        let until = SystemClock.now() + Duration::from_hours(24);
        let (made, key) = self.sign(&["127.0.0.1", "localhost"], until);
        std::fs::write(private_key, key).unwrap();
        std::fs::write(certificate, made).unwrap();
    }

    /// A client that trusts this authority alone.
    fn client(&self) -> reqwest::Client {
        self.client_with(None)
    }

    /// The same, which shows this certificate, with its key.
    #[expect(clippy::disallowed_methods, reason = "the tests are the caller, not the service")]
    pub fn client_with(&self, shown: Option<&(String, String)>) -> reqwest::Client {
        let root = Certificate::from_pem(self.0.pem().as_bytes()).unwrap();
        let builder = reqwest::Client::builder().no_proxy().tls_certs_only([root]);
        let identity = shown.map(|(certificate, key)| format!("{certificate}{key}"));
        let identity = identity.map(|pem| reqwest::Identity::from_pem(pem.as_bytes()).unwrap());
        identity.into_iter().fold(builder, reqwest::ClientBuilder::identity).build().unwrap()
    }
}

/// The files of a certificate, in a folder of their own.
pub struct Files(TempDir);

impl Files {
    pub fn of(authority: &Authority) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        authority.write(&files.certificate(), &files.private_key());
        files
    }

    pub fn certificate(&self) -> std::path::PathBuf {
        self.0.path().join("tls.crt")
    }

    pub fn private_key(&self) -> std::path::PathBuf {
        self.0.path().join("tls.key")
    }

    fn settings(&self) -> [(String, String); 2] {
        let text = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
        [("CERTIFICATE", text(self.certificate())), ("PRIVATE_KEY", text(self.private_key()))]
            .map(|(name, path)| (format!("MEETING_PROVISIONER__HTTP__TLS_{name}_FILE"), path))
    }

    async fn app(&self) -> TestApp {
        let (certificate, private_key) = (self.certificate(), self.private_key());
        TestApp::builder()
            .setting("HTTP__TLS_CERTIFICATE_FILE", certificate.to_str().unwrap())
            .setting("HTTP__TLS_PRIVATE_KEY_FILE", private_key.to_str().unwrap())
            .setting("HTTP__READ_TIMEOUT_SECONDS", "1")
            .start()
            .await
    }
}

/// The URL of a path on the public port.
pub fn encrypted(app: &TestApp, path: &str) -> String {
    app.url(path).replace("http://", "https://")
}

const REFUSED: &str = "meeting_provisioner_connections_closed_total{port=\"public\",reason=\"tls-refused\"}";
const SLOW: &str = "meeting_provisioner_connections_closed_total{port=\"public\",reason=\"slow-head\"}";

/// Callers that trust the certificate book over TLS, in HTTP/1.1; those that don't, and those without TLS, get nothing and
/// are counted. The admin port stays as it is.
#[tokio::test]
async fn callers_book_over_tls() {
    let authority = Authority::new();
    let app = Files::of(&authority).app().await;
    let request = authority.client().post(encrypted(&app, "/v1/bookings")).json(&booking("BK-1"));
    let answer = request.bearer_auth(Who::Desk.key().unwrap()).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (201, reqwest::Version::HTTP_11));
    assert_eq!(answer.json::<Value>().await.unwrap()["status"], "provisioned");
    assert_eq!(app.probe("/readyz").await, 200);

    let stranger = Authority::new().client().get(encrypted(&app, "/openapi.json")).send().await;
    assert!(stranger.unwrap_err().is_connect());
    let mut plain = TcpStream::connect(app.url("").replace("http://", "")).await.unwrap();
    plain.write_all(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    // A reset says as well as an end that there is no more.
    let _end = plain.read_to_end(&mut said).await;
    assert!(!said.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&said));
    app.until_metric(REFUSED, |count| (count - 2.0).abs() < 0.5).await;
    app.end().await;
}

/// Who begins TLS and does not end it, or says nothing at all, has the time of a head; others are answered meanwhile.
#[tokio::test]
async fn agreeing_on_tls_has_a_time_limit() {
    let authority = Authority::new();
    let app = Files::of(&authority).app().await;
    let address = app.url("").replace("http://", "");
    let mut silent = TcpStream::connect(&address).await.unwrap();
    let mut half = TcpStream::connect(&address).await.unwrap();
    // The head of a TLS record that is said to hold 512 bytes, and the first of them.
    half.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
    let answer = authority.client().get(encrypted(&app, "/openapi.json")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    for stream in [&mut silent, &mut half] {
        let mut said = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut said)).await;
        let _end = ended.expect("it is closed");
        assert_eq!(said, b"");
    }
    app.until_metric(SLOW, |count| (count - 2.0).abs() < 0.5).await;
    app.end().await;
}

/// A running process shows a renewed certificate to those that connect from then on, and keeps the one before while the new
/// one can't be used.
#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let (first, second) = (Authority::new(), Authority::new());
    let app = TestApp::start().await;
    let files = Files::of(&first);
    let mut environment = app.environment().to_vec();
    environment.extend(files.settings());
    let mut process = Process::serve(&environment).await;
    let url = format!("https://{}/openapi.json", process.address);
    let status_by = async |client: &reqwest::Client| {
        client.get(&url).send().await.ok().map(|answer| answer.status().as_u16())
    };
    let kept = first.client();
    assert_eq!(status_by(&kept).await, Some(200));
    assert_eq!(status_by(&second.client()).await, None);

    second.write(&files.certificate(), &files.private_key());
    until_within(Duration::from_mins(1), "the renewed certificate is shown", async || {
        status_by(&second.client()).await == Some(200)
    })
    .await;
    assert_eq!(status_by(&first.client()).await, None);

    std::fs::write(files.private_key(), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    process.until_logged("the certificate can't be replaced; the one before stays in use").await;
    assert_eq!(status_by(&second.client()).await, Some(200));
    process.kill().await;
    app.end().await;
}

/// A start that can't speak TLS though it should is refused, with the file and what is wrong with it.
#[tokio::test]
async fn what_can_not_be_used_stops_the_start() {
    let authority = Authority::new();
    let app = TestApp::start().await;
    let other_key = KeyPair::generate().unwrap().serialize_pem();
    for (file, content, said) in [
        ("tls.crt", None, "can't be read"),
        ("tls.crt", Some("no certificate"), "holds no certificate"),
        ("tls.crt", Some(""), "holds no certificate"),
        ("tls.key", Some("-----BEGIN PRIVATE KEY-----"), "holds no private key that can be used"),
        ("tls.key", Some(other_key.as_str()), "can't be used together"),
    ] {
        let files = Files::of(&authority);
        let path = files.0.path().join(file);
        match content {
            Some(content) => std::fs::write(&path, content).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let mut environment = app.environment().to_vec();
        environment.extend(files.settings());
        let ended = program(&["serve"], &environment).output().await.unwrap();
        let told = String::from_utf8_lossy(&ended.stderr).replace('\n', " ");
        assert!(!ended.status.success() && told.contains(said) && told.contains(file), "{said}: {told}");
        assert!(!told.contains(other_key.lines().nth(1).unwrap()), "{told}");
    }
    app.end().await;
}
