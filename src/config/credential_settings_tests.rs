use std::collections::BTreeMap;

use secrecy::ExposeSecret;

use super::super::settings::Settings;
use super::*;

const OWN: &str = "MEETING_PROVISIONER__GRAPH__";
const SECRET: (&str, &str) = ("AZURE_CLIENT_SECRET", "standard");
const CERTIFICATE: (&str, &str) = ("AZURE_CLIENT_CERTIFICATE_PATH", "/certificate.pem");
const FEDERATED: (&str, &str) = ("AZURE_FEDERATED_TOKEN_FILE", "/token");

/// The credential that follows from this file and these variables; a name in lower case is one of `[graph]`.
fn read(text: &str, pairs: &[(&str, &str)]) -> Result<CredentialSettings, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, format!("[graph]\n{text}\n")).unwrap();
    let mut environment: BTreeMap<String, String> = [
        ("DATABASE_URL", "postgres://u:p@127.0.0.1/d"),
        ("AZURE_TENANT_ID", "9188040d-6c67-4c5b-b112-36a304b66dad"),
        ("AZURE_CLIENT_ID", "00000000-0000-0000-0000-000000000001"),
        ("MEETING_PROVISIONER__ACCESS__API_KEYS_FILE", "/keys.toml"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    environment.extend(pairs.iter().map(|(name, value)| {
        let is_own = name.starts_with(|c: char| c.is_ascii_lowercase());
        let name = if is_own { format!("{OWN}{}", name.to_uppercase()) } else { (*name).to_owned() };
        (name, (*value).to_owned())
    }));
    match Settings::load(Some(&path), environment) {
        Ok(settings) => Ok(settings.graph.credential),
        Err(faults) => Err(faults.0.iter().map(ToString::to_string).collect()),
    }
}

/// In short what credential it is, and the setting that named it.
fn told(text: &str, pairs: &[(&str, &str)]) -> String {
    let found = read(text, pairs).unwrap_or_else(|faults| panic!("{text} {pairs:?}: {faults:?}"));
    let secret = |secret: &SecretSetting| match secret {
        SecretSetting::Written(secret) => secret.expose_secret().to_owned(),
        SecretSetting::File(path) => path.display().to_string(),
    };
    let what = match &found.credential {
        CredentialSetting::Secret { secret: one, .. } => secret(one),
        CredentialSetting::Certificate { file, password } => {
            format!("{} {}", file.display(), password.as_ref().map_or_else(String::new, secret))
        }
        CredentialSetting::Federated { file } => file.display().to_string(),
        CredentialSetting::ManagedIdentity { is_system_assigned, endpoint } => match endpoint {
            IdentityEndpointSetting::Metadata(url) => format!("{url} {is_system_assigned}"),
            IdentityEndpointSetting::AppService { url, .. } => format!("app {url} {is_system_assigned}"),
        },
    };
    format!("{what} by {}", found.key)
}

/// What is set says which credential counts; the stronger origin wins, and `credential` over all.
#[test]
fn one_credential_counts() {
    let file = "client_secret_file = \"/secret\"";
    for (text, pairs, expected) in [
        ("", &[SECRET][..], "standard by graph.client_secret"),
        ("", &[CERTIFICATE], "/certificate.pem  by graph.client_certificate_file"),
        ("", &[FEDERATED], "/token by graph.federated_token_file"),
        (file, &[SECRET], "/secret by graph.client_secret_file"),
        (file, &[SECRET, ("client_secret", "own")], "own by graph.client_secret"),
        (
            "client_secret = \"written\"",
            &[("client_secret_file", "/own")],
            "/own by graph.client_secret_file",
        ),
        (file, &[SECRET, FEDERATED, CERTIFICATE], "/secret by graph.client_secret_file"),
        (file, &[("client_certificate_file", "/own")], "/own  by graph.client_certificate_file"),
        ("credential = \"federated\"", &[SECRET, FEDERATED], "/token by graph.federated_token_file"),
        (
            "credential = \"certificate\"",
            &[SECRET, CERTIFICATE, ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "pw")],
            "/certificate.pem pw by graph.client_certificate_file",
        ),
        ("credential = \"managed-identity\"", &[SECRET], "http://169.254.169.254/ false by graph.credential"),
        (
            "credential = \"managed-identity\"\nmanaged_identity = \"system-assigned\"\n\
             metadata_url = \"http://127.0.0.1:9\"",
            &[],
            "http://127.0.0.1:9/ true by graph.credential",
        ),
        (
            "credential = \"managed-identity\"",
            &[("IDENTITY_ENDPOINT", "http://localhost:42356/msi/token"), ("IDENTITY_HEADER", "x")],
            "app http://localhost:42356/msi/token false by graph.credential",
        ),
        ("", &[SECRET, ("IDENTITY_ENDPOINT", "http://localhost:1/")], "standard by graph.client_secret"),
    ] {
        assert_eq!(told(text, pairs), expected, "{text} {pairs:?}");
    }
    let dated = read("client_secret_expires_on = \"2027-05-31\"", &[SECRET]).unwrap();
    assert!(matches!(dated.credential, CredentialSetting::Secret { expires_on: Some(_), .. }), "{dated:?}");
}

/// Two credentials in one place, a kind that lacks its file, and addresses that are far are faults, each with the setting.
#[test]
fn what_does_not_fit_is_a_fault() {
    for (text, pairs, expected) in [
        ("", &[][..], "graph.client_secret: is not set; it is the value of the app registration"),
        (
            "",
            &[SECRET, FEDERATED],
            "AZURE_FEDERATED_TOKEN_FILE): graph.client_secret is set as well; set one of the two, or say in graph.credential which counts",
        ),
        (
            "client_secret = \"a\"\nclient_secret_file = \"/b\"",
            &[],
            "graph.client_secret is set as well; set one of the two",
        ),
        (
            "credential = \"certificate\"",
            &[SECRET],
            "graph.client_certificate_file: is not set; it is the file of the certificate",
        ),
        ("credential = \"federated\"", &[SECRET], "graph.federated_token_file: is not set"),
        ("credential = \"secret\"", &[FEDERATED], "graph.client_secret: is not set"),
        (
            "credential = \"password\"",
            &[SECRET],
            "must be \"secret\", \"certificate\", \"federated\" or \"managed-identity\"",
        ),
        ("metadata_url = \"http://metadata.example/\"", &[SECRET], "is loopback or link-local"),
        (
            "metadata_url = \"https://169.254.169.254/\"",
            &[SECRET],
            "must be an address that begins with http://",
        ),
        ("client_secret_expires_on = \"31.5.2027\"", &[SECRET], "must be a day such as"),
        (
            "credential = \"managed-identity\"",
            &[("IDENTITY_ENDPOINT", "http://localhost:40342/token")],
            "graph.identity_header is not set",
        ),
    ] {
        let faults = read(text, pairs).unwrap_err();
        assert!(
            faults.len() == 1 && faults[0].contains(expected),
            "{text}: {faults:?}\n  should say\n{expected}"
        );
    }
}
