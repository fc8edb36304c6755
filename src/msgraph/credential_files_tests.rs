use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use time::macros::{date, datetime};

use super::super::sample_certificates::{SampleCertificate, VALID_UNTIL};
use super::*;

struct SampleFile {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn file(content: impl AsRef<[u8]>) -> SampleFile {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credential");
    std::fs::write(&path, content).unwrap();
    SampleFile { _folder: folder, path }
}

fn secret_of(content: &str) -> Result<String, String> {
    let file = file(content);
    let secret = SecretSource::File(file.path.clone());
    let read = read(&Credential::Secret { secret, expires_on: None })?;
    match read.proof {
        Proof::Secret(secret) => Ok(secret.expose_secret().to_owned()),
        other => panic!("{other:?}"),
    }
}

fn token(claims: &str) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

/// Line ends are what editors and `echo` leave; anything else in the file is a mistake.
#[test]
fn one_line_end_is_taken_off_and_odd_secrets_are_refused() {
    let long = "x".repeat(5_000);
    for (content, expected) in [
        ("s3cret", Ok("s3cret")),
        ("s3cret\n", Ok("s3cret")),
        ("s3cret\r\n", Ok("s3cret")),
        (" s3cret ", Ok(" s3cret ")),
        ("", Err("is empty")),
        ("\n", Err("is empty")),
        ("one\ntwo\n", Err("more than one line")),
        (long.as_str(), Err("longer than 4096 bytes")),
        ("9188040d-6c67-4c5b-b112-36a304b66dad\n", Err("probably the secret's id")),
    ] {
        match (secret_of(content), expected) {
            (Ok(secret), Ok(expected)) => assert_eq!(secret, expected),
            (Err(detail), Err(expected)) => assert!(detail.contains(expected), "{detail}"),
            (found, expected) => panic!("{content:?}: {:?} {expected:?}", found.map(|_| "a secret")),
        }
    }
    let absent = Credential::Secret { secret: SecretSource::File("/absent".into()), expires_on: None };
    assert!(read(&absent).unwrap_err().starts_with("/absent can't be read"));
}

/// A secret's day is the operator's word; a certificate and a token tell theirs.
#[test]
fn what_a_credential_tells_of_itself_is_kept() {
    let secret = SecretSource::Written(SecretString::from("s3cret"));
    let known = read(&Credential::Secret { secret, expires_on: Some(date!(2027 - 05 - 31)) }).unwrap();
    assert_eq!(known.facts.valid_until, Some(datetime!(2027-05-31 00:00 UTC)));

    let sample = file(SampleCertificate::rsa("meetings").file());
    let certificate = Credential::Certificate { file: sample.path.clone(), password: None };
    let known = read(&certificate).unwrap();
    assert_eq!(known.facts.valid_until, Some(VALID_UNTIL));
    assert!(known.facts.description.unwrap().starts_with("CN=meetings, thumbprint "));

    let claims = r#"{"iss": "https://issuer/", "sub": "system:x", "aud": ["api://A"], "exp": 1795000000}"#;
    let sample = file(format!("{}\n", token(claims)));
    let known = read(&Credential::FederatedToken { file: sample.path.clone() }).unwrap();
    let told = known.facts.description.unwrap();
    assert_eq!(told, r#"issuer https://issuer/, subject system:x, audience ["api://A"]"#);
    assert_eq!(known.facts.valid_until.unwrap().unix_timestamp(), 1_795_000_000);
    for content in ["", "secret", "a.b", "a.b.c", &token("[]")] {
        let sample = file(content);
        let detail = read(&Credential::FederatedToken { file: sample.path.clone() }).unwrap_err();
        assert!(detail.contains("holds no token") && !detail.contains("secret "), "{detail}");
    }
}

/// A secret that every account may read is told by its mode.
#[test]
fn a_file_that_all_may_read_is_noted() {
    for (mode, expected) in [(0o600, None), (0o640, None), (0o644, Some(0o644)), (0o602, Some(0o602))] {
        let sample = file("s3cret");
        std::fs::set_permissions(&sample.path, std::fs::Permissions::from_mode(mode)).unwrap();
        let secret = SecretSource::File(sample.path.clone());
        let known = read(&Credential::Secret { secret, expires_on: None }).unwrap();
        assert_eq!(known.facts.open_mode, expected, "{mode:o}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands in a file, each kind of credential is read or refused.
    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..500), claims in ".{0,200}") {
        for content in [bytes, token(&claims).into_bytes()] {
            let sample = file(&content);
            let path = || sample.path.clone();
            for credential in [
                Credential::Secret { secret: SecretSource::File(path()), expires_on: None },
                Credential::Certificate { file: path(), password: Some(SecretSource::File(path())) },
                Credential::FederatedToken { file: path() },
            ] {
                let _read_or_refused = read(&credential);
            }
        }
    }
}
