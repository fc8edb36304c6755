use std::sync::LazyLock;

use jsonwebtoken::{Validation, decode, decode_header};
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use proptest::prelude::*;
use serde_json::Value;

use super::super::sample_certificates::{SampleCertificate, VALID_FROM, VALID_UNTIL};
use super::*;

static ONE: LazyLock<SampleCertificate> = LazyLock::new(|| SampleCertificate::rsa("one"));
static OTHER: LazyLock<SampleCertificate> = LazyLock::new(|| SampleCertificate::rsa("other"));
const PASSWORD: &str = "p4ssword";

fn parse(text: &str) -> Result<ClientCertificate, String> {
    ClientCertificate::parse(text.as_bytes(), None)
}

fn pkcs12_file(sample: &SampleCertificate) -> Vec<u8> {
    let certificate = Certificate::from_der(&sample.der).unwrap();
    let key = PrivateKey::from_der(&sample.key_der).unwrap();
    let mut store = KeyStore::new();
    let chain = PrivateKeyChain::new("id", key, [certificate]);
    store.add_entry("one", KeyStoreEntry::PrivateKeyChain(chain));
    store.writer(PASSWORD).encryption_iterations(10).mac_iterations(10).write().unwrap()
}

/// In whatever order, with a chain, with the lines that openssl writes between the blocks, and in PKCS#12: the certificate
/// is that of the key.
#[test]
fn the_certificate_of_the_key_is_found() {
    let (one, other) = (&*ONE, &*OTHER);
    let attributes =
        format!("Bag Attributes\n    localKeyID: 01\n{}subject=CN = one\n{}", one.key, one.certificate);
    for text in [
        one.file(),
        format!("{}{}", one.certificate, one.key),
        format!("{}{}{}", other.certificate, one.key, one.certificate),
        format!("{}{}{}", one.certificate, one.key, SampleCertificate::ec("root").certificate),
        attributes,
        one.file().replace('\n', "\r\n"),
    ] {
        let facts = parse(&text).unwrap().facts;
        assert_eq!((facts.valid_from, facts.valid_until), (VALID_FROM, VALID_UNTIL), "{text}");
        assert!(facts.subject.contains("CN=one"), "{}", facts.subject);
        assert_eq!(facts.thumbprint.len(), 40);
    }
    let password = SecretString::from(PASSWORD);
    let found = ClientCertificate::parse(&pkcs12_file(one), Some(&password)).unwrap();
    assert!(found == parse(&one.file()).unwrap() && found != parse(&other.file()).unwrap());
}

/// What is wrong with a file is said, and what would be right.
#[test]
fn a_faulty_file_is_told_what_is_wrong_with_it() {
    let (one, ec) = (&*ONE, SampleCertificate::ec("ec"));
    let cut = &one.file()[..one.file().len() - 200];
    for (text, expected) in [
        (format!("{}{}", one.key, OTHER.certificate), "belongs to none of its certificates"),
        (one.certificate.clone(), "holds no private key"),
        (one.key.clone(), "holds no certificate"),
        (ec.file(), "Entra takes assertions of RSA keys alone"),
        (format!("{}{}", one.key, ec.certificate), "belongs to none of its certificates"),
        (format!("{}{}", OTHER.key, one.file()), "holds several private keys"),
        (one.file().replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), "encrypted private key in PEM"),
        (
            one.file().replace("-----\nM", "-----\nProc-Type: 4,ENCRYPTED\n\nM"),
            "encrypted private key in PEM",
        ),
        (one.file().replace("PRIVATE KEY", "EC PRIVATE KEY"), "Entra takes assertions of RSA keys alone"),
        (cut.to_owned(), "is it cut off"),
        (String::new(), "is neither PEM nor PKCS#12"),
        ("a secret".to_owned(), "is neither PEM nor PKCS#12"),
    ] {
        let detail = parse(&text).unwrap_err();
        assert!(detail.contains(expected), "{detail}\n  should say\n{expected}");
    }
    for password in [None, Some("wrong")] {
        let password = password.map(SecretString::from);
        let detail = ClientCertificate::parse(&pkcs12_file(one), password.as_ref()).unwrap_err();
        assert!(detail.contains("this password doesn't open"), "{detail}");
    }
}

/// An assertion is as Entra's page has it, and nothing prints the key.
#[test]
fn an_assertion_names_its_certificate() {
    let certificate = parse(&ONE.file()).unwrap();
    let claims = AssertionClaims {
        aud: "https://login.example/token",
        iss: "client",
        sub: "client",
        jti: "id-1".to_owned(),
        nbf: 1,
        iat: 1,
        exp: 4_000_000_000,
    };
    let assertion = certificate.sign(&claims).unwrap();
    let header = decode_header(assertion.expose_secret()).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::PS256, Some("JWT")));
    let expected = URL_SAFE_NO_PAD.encode(Sha256::digest(&ONE.der));
    assert_eq!(header.x5t_s256.as_deref(), Some(expected.as_str()));
    let (_, x509) = X509Certificate::from_der(&ONE.der).unwrap();
    let key = DecodingKey::from_rsa_der(&x509.public_key().subject_public_key.data);
    let mut validation = Validation::new(Algorithm::PS256);
    validation.set_audience(&[claims.aud]);
    let read = decode::<Value>(assertion.expose_secret(), &key, &validation).unwrap().claims;
    assert_eq!(
        (&read["iss"], &read["sub"], &read["jti"]),
        (&"client".into(), &"client".into(), &"id-1".into())
    );
    let shown = format!("{certificate:?}");
    assert!(!shown.contains("key") && !shown.contains(&ONE.key[40..80]), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Garbage is refused and never panics, and no fault quotes it.
    #[test]
    fn garbage_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(ClientCertificate::parse(&bytes, None).is_err());
    }

    /// A good file of which some bytes are others, or the end is missing, is read or refused, and never panics.
    #[test]
    fn a_damaged_file_is_read_or_refused(
        at in any::<proptest::sample::Index>(), byte in any::<u8>(), end in any::<proptest::sample::Index>(),
    ) {
        let password = SecretString::from(PASSWORD);
        for file in [ONE.file().into_bytes(), pkcs12_file(&ONE)] {
            let mut file = file;
            let place = at.index(file.len());
            file[place] = byte;
            if let Err(detail) = ClientCertificate::parse(&file, Some(&password)) {
                prop_assert!(!detail.contains(&ONE.key[100..140]));
            }
            let end = end.index(file.len());
            prop_assert!(ClientCertificate::parse(&file[..end], Some(&password)).is_err() || end + 2 > file.len());
        }
    }
}
