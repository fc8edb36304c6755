//! Settings as an operator sets them: a file, an environment, and the values or faults that follow.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::*;

/// The least that `serve` needs, as the example shows it.
const REQUIRED: [(&str, &str); 5] = [
    ("DATABASE_URL", "postgres://meeting_provisioner:password@127.0.0.1:5432/meeting_provisioner"),
    ("AZURE_TENANT_ID", "9188040d-6c67-4c5b-b112-36a304b66dad"),
    ("AZURE_CLIENT_ID", "00000000-0000-0000-0000-000000000001"),
    ("AZURE_CLIENT_SECRET", "the-value-of-the-client-secret"),
    ("MEETING_PROVISIONER__ACCESS__API_KEYS_FILE", "/etc/meeting-provisioner/api-keys.toml"),
];

/// A folder with one settings file in it.
struct ConfigFile {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn file(text: &str) -> ConfigFile {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    ConfigFile { _folder: folder, path }
}

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn with_required(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut all = environment(&REQUIRED);
    all.retain(|(name, _)| !pairs.iter().any(|(other, _)| other == name));
    all.extend(environment(pairs));
    all
}

pub(super) fn load(text: &str, pairs: &[(&str, &str)]) -> Result<Settings, ConfigFaults> {
    Settings::load(Some(&file(text).path), with_required(pairs))
}

/// The faults as lines, without the path of the temporary file.
pub(super) fn faults(text: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    let file = file(text);
    let faults = Settings::load(Some(&file.path), with_required(pairs)).unwrap_err();
    let path = file.path.display().to_string();
    faults.0.iter().map(|fault| fault.to_string().replace(&path, "FILE")).collect()
}

/// All lines of the example that are settings, with the `#` taken away.
fn example_uncommented() -> String {
    let lines = EXAMPLE.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if setting.starts_with(|c: char| c.is_ascii_lowercase()) => setting,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The client secret, where it is written.
fn secret_of(settings: &Settings) -> String {
    match &settings.graph.credential.credential {
        CredentialSetting::Secret { secret: SecretSetting::Written(secret), .. } => {
            secret.expose_secret().to_owned()
        }
        other => panic!("{other:?}"),
    }
}

/// Every setting but the origins, as text; secrets are compared apart.
fn shown(settings: &Settings) -> String {
    let mut settings = Settings { origins: BTreeMap::new(), unused_names: Vec::new(), ..settings.clone() };
    settings.graph.credential.origin = ValueOrigin::Default;
    format!("{settings:?}")
}

#[test]
fn the_example_file_is_the_defaults() {
    let defaults = Settings::load(None, environment(&REQUIRED)).unwrap();
    let example = Settings::load(Some(&file(&example_uncommented()).path), []).unwrap();
    assert_eq!(shown(&example), shown(&defaults));
    assert_eq!(example.database.url.expose_secret(), defaults.database.url.expose_secret());
    assert_eq!(secret_of(&example), secret_of(&defaults));
    assert_eq!(defaults.http.address.to_string(), "127.0.0.1:8080");
    assert_eq!(defaults.worker.lease, Duration::from_mins(1));
    // As it is delivered, it sets nothing.
    let untouched = load(EXAMPLE, &[]).unwrap();
    assert!(untouched.origins.values().all(|origin| !matches!(origin, ValueOrigin::File(_))));
}

#[test]
fn the_example_file_names_every_setting() {
    let settings = Settings::load(Some(&file(&example_uncommented()).path), []).unwrap();
    let unnamed: Vec<_> = settings
        .origins
        .iter()
        .filter(|(_, origin)| **origin == ValueOrigin::Default)
        .map(|(key, _)| *key)
        .collect();
    let other_ways = "client_certificate_file client_certificate_password client_certificate_password_file \
                      client_secret_expires_on client_secret_file credential federated_token_file identity_endpoint \
                      identity_header";
    let keys: Vec<String> = other_ways.split(' ').map(|key| format!("graph.{key}")).collect();
    let certificate = ["certificate", "client_ca", "private_key"].map(|file| format!("http.tls_{file}_file"));
    let callers = ["client_certificate", "issuer"].map(|block| format!("access.{block}"));
    let keys = [callers.into(), keys, certificate.into()].concat();
    assert_eq!(unnamed, keys, "the other ways to sign in and to give a credential");
    assert!(
        EXAMPLE.contains("# [[access.issuer]]")
            && EXAMPLE.contains("# [[access.client_certificate]]")
            && EXAMPLE.contains("# tls_certificate_file =")
    );
    for key in other_ways.split(' ') {
        assert!(EXAMPLE.contains(&format!("# {key} =")), "{key}");
    }
}

/// Default, standard name, file, own variable: each beats the one before.
#[test]
fn the_more_particular_source_wins() {
    const FILE: &str = "[telemetry]\nlog_filter = \"warn\"\n";
    let own = ("MEETING_PROVISIONER__TELEMETRY__LOG_FILTER", "debug");
    let standard = ("RUST_LOG", "trace");
    let found = |text: &str, pairs: &[(&str, &str)]| {
        let settings = load(text, pairs).unwrap();
        settings.telemetry.log_filter.as_str().to_owned()
    };
    assert_eq!(found("", &[]), "info");
    assert_eq!(found("", &[standard]), "trace");
    assert_eq!(found(FILE, &[standard]), "warn");
    assert_eq!(found(FILE, &[standard, own]), "debug");
    assert_eq!(found("", &[standard, own]), "debug");
    let empty = ("MEETING_PROVISIONER__TELEMETRY__LOG_FILTER", "");
    assert_eq!(found(FILE, &[empty]), "warn", "an empty variable counts as not set");
    assert_eq!(found("", &[empty, standard]), "trace");
    assert_eq!(found("", &[("RUST_LOG", "")]), "info");
}

#[test]
fn origins_say_where_a_value_came_from_and_which_standard_name_was_overruled() {
    let tenant = "1f35f2e6-9cab-44ad-8d5a-b74c14720000";
    let file = file(&format!("[graph]\ntenant_id = \"{tenant}\"\n"));
    let settings = Settings::load(Some(&file.path), environment(&REQUIRED)).unwrap();
    assert_eq!(settings.graph.tenant_id.to_string(), tenant);
    assert_eq!(settings.origins["graph.tenant_id"], ValueOrigin::File(file.path.clone()));
    assert_eq!(settings.origins["graph.client_id"], ValueOrigin::StandardName("AZURE_CLIENT_ID"));
    assert_eq!(settings.origins["graph.cloud"], ValueOrigin::Default);
    let own = "MEETING_PROVISIONER__ACCESS__API_KEYS_FILE";
    assert_eq!(settings.origins["access.api_keys_file"], ValueOrigin::Variable(own.to_owned()));
    let expected = UnusedName {
        name: "AZURE_TENANT_ID",
        key: "graph.tenant_id",
        origin: ValueOrigin::File(file.path.clone()),
    };
    let shown = "AZURE_TENANT_ID is set and not used: graph.tenant_id has another value, from file ";
    assert!(expected.to_string().starts_with(shown), "{expected}");
    assert_eq!(settings.unused_names, [expected]);
}

#[test]
fn every_standard_name_fills_in_its_setting() {
    let settings = Settings::load(
        None,
        with_required(&[
            ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us/"),
            ("AZURE_CLIENT_CERTIFICATE_PATH", "/certificate.pem"),
            ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "s3cret"),
            ("AZURE_FEDERATED_TOKEN_FILE", "/token"),
            ("IDENTITY_ENDPOINT", "http://localhost:42356/msi/token"),
            ("IDENTITY_HEADER", "s3cret"),
            ("MEETING_PROVISIONER__GRAPH__CREDENTIAL", "secret"),
            ("RUST_LOG", "warn"),
        ]),
    )
    .unwrap();
    for (name, key) in STANDARD_NAMES {
        assert_eq!(settings.origins[key], ValueOrigin::StandardName(name));
    }
    assert_eq!(settings.graph.login_url.as_str(), "https://login.microsoftonline.us/");
    assert!(!format!("{settings:?}").contains("s3cret"));
}

#[test]
fn all_faults_are_reported_at_once_with_their_origin_and_what_would_be_right() {
    let text = "colour = 1\n[graph]\ncloud = \"china\"\ntenent_id = \"x\"\nversion = 1.0\ntimeout_seconds = 0\n\
                [databse]\nurl = \"x\"\n[http]\naddress = \"localhost:8080\"\nport = 80\n[worker]\n\
                claim_max = \"32\"\n";
    let found = faults(
        text,
        &[
            ("AZURE_TENANT_ID", "contoso.onmicrosoft.com"),
            ("MEETING_PROVISIONER__DATABASE__MIGRATE", "yes"),
            ("MEETING_PROVISIONER__GRAPH__CLIENTID", "x"),
            ("MEETING_PROVISIONER_GRAPH_CLOUD", "global"),
            ("MEETING_PROVISIONER__ACCESS__API_KEYS_FILE", ""),
            ("RUST_LOG", "a=b=c"),
        ],
    );
    let expected = [
        "environment variable MEETING_PROVISIONER_GRAPH_CLOUD: MEETING_PROVISIONER_GRAPH_CLOUD sets nothing; did you \
         mean MEETING_PROVISIONER__GRAPH__CLOUD?",
        "access.api_keys_file: is not set; it is the file of API keys",
        "colour (file FILE): there is no such setting",
        "database.migrate (environment variable MEETING_PROVISIONER__DATABASE__MIGRATE): is \"yes\"; must be true or \
         false",
        "databse (file FILE): there is no section [databse]; did you mean database?",
        "graph.clientid (environment variable MEETING_PROVISIONER__GRAPH__CLIENTID): there is no such setting; did you \
         mean MEETING_PROVISIONER__GRAPH__CLIENT_ID?",
        "graph.cloud (file FILE): is \"china\"; must be \"global\", \"us-gov-l4\" or \"us-gov-l5\": Microsoft Graph in \
         China (21Vianet) does not offer onlineMeetings/createOrGet",
        "graph.tenant_id (environment variable AZURE_TENANT_ID): is \"contoso.onmicrosoft.com\"; must be the tenant's \
         GUID",
        "graph.tenent_id (file FILE): there is no such setting; did you mean graph.tenant_id?",
        "graph.timeout_seconds (file FILE): is \"0\"; must be a number of seconds from 0.1 to 300",
        "graph.version (file FILE): is of type float; must be text in quotes",
        "http.address (file FILE): is \"localhost:8080\"; must be an IP address and a port",
        "http.port (file FILE): there is no such setting",
        "telemetry.log_filter (environment variable RUST_LOG): is \"a=b=c\"; must be a filter such as \"info\"",
        "worker.claim_max (file FILE): is of type string; must be a number, without quotes",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n  should begin with\n{expected}");
    }
}

#[test]
fn what_is_missing_is_named_with_every_way_to_set_it() {
    let faults = Settings::load(None, []).unwrap_err();
    let keys: Vec<&str> = faults.0.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(
        keys,
        ["access.api_keys_file", "database.url", "graph.client_id", "graph.client_secret", "graph.tenant_id"]
    );
    let shown = faults.to_string();
    assert!(shown.starts_with("5 settings are wrong:\n  access.api_keys_file: is not set"), "{shown}");
    assert!(shown.contains("as MEETING_PROVISIONER__GRAPH__TENANT_ID or AZURE_TENANT_ID"), "{shown}");
}

#[test]
fn settings_that_do_not_fit_together_are_faults() {
    for (text, expected) in [
        (
            "[http]\nshutdown_seconds = 5\n",
            "http.drain_seconds (default): is 5; must be below http.shutdown_seconds, which is 5",
        ),
        (
            "[http]\nwait_default_seconds = 31\n",
            "http.wait_default_seconds (file FILE): is 31; must be at most",
        ),
        (
            "[http]\nadmin_address = \"127.0.0.1:8080\"\n",
            "http.admin_address (file FILE): is 127.0.0.1:8080, as",
        ),
        (
            "[graph]\nversion = \"beta\"\ncloud = \"us-gov-l5\"\n",
            "graph.version (file FILE): is \"beta\"; must",
        ),
        ("[graph]\ntimeout_seconds = 45.5\n", "worker.lease_seconds (default): is 60; must be at least 61"),
        ("[worker]\nlease_seconds = 44\n", "worker.lease_seconds (file FILE): is 44; must be at least 45"),
    ] {
        let found = faults(text, &[]);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{found:?}\n  should be\n{expected}");
    }
    assert!(load("[http]\naddress = \"127.0.0.1:0\"\nadmin_address = \"127.0.0.1:0\"\n", &[]).is_ok());
    assert!(load("[worker]\nlease_seconds = 45\n", &[]).is_ok());
}

#[test]
fn names_that_kubernetes_sets_for_a_service_of_this_name_are_not_ours() {
    let settings = load(
        "",
        &[
            ("MEETING_PROVISIONER_PORT", "tcp://10.0.0.1:8080"),
            ("MEETING_PROVISIONER_SERVICE_HOST", "10.0.0.1"),
            ("MEETING_PROVISIONER_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ],
    );
    assert!(settings.is_ok(), "{}", settings.unwrap_err());
}

#[test]
fn secrets_are_shown_nowhere() {
    let secrets = [("DATABASE_URL", "postgres://u:s3cret-pw@h/d"), ("AZURE_CLIENT_SECRET", "s3cret-value")];
    let shown = format!("{:?}", Settings::load(None, with_required(&secrets)).unwrap());
    assert!(!shown.contains("s3cret"), "{shown}");
    for (text, pairs) in [
        ("", [("DATABASE_URL", "s3cret"), ("RUST_LOG", "info")]),
        ("", [("DATABASE_URL", "mysql://u:s3cret@h"), ("AZURE_CLIENT_SECRET", "s3cret")]),
        ("[graph]\nclient_secret = \"s3cret\"\nclient_secret_file = \"x\"\n", [("a", "b"), ("c", "d")]),
        ("[graph]\nclient_secret = \"s3cret\n", [("a", "b"), ("c", "d")]),
        ("[graph]\nclient_secret = 's3cret' x\n", [("a", "b"), ("c", "d")]),
    ] {
        let shown = faults(text, &pairs).join("\n");
        assert!(!shown.contains("s3cret") && !shown.is_empty(), "{shown}");
    }
}

#[test]
fn a_file_that_is_absent_or_not_toml_is_one_fault_beside_the_others() {
    let faults_of = |path: &std::path::Path| Settings::load(Some(path), []).unwrap_err().to_string();
    let absent = faults_of(std::path::Path::new("/absent/config.toml"));
    assert!(absent.contains("file /absent/config.toml: can't be read"), "{absent}");
    // What stands in a file that isn't read is not known.
    assert!(!absent.contains("is not set"), "{absent}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "[graph]\nclient_id = x\n").unwrap();
    let told = faults_of(&path);
    assert!(
        told.contains("graph.tenant_id: is not set") && !told.contains("client_id: is not set"),
        "{told}"
    );
    let broken = faults("[http]\n\naddress = \n", &[]);
    assert!(broken[0].starts_with("file FILE: line 3 is not TOML: "), "{broken:?}");
}

/// Beside a line that is no TOML and a value of the wrong type everything else is told, and nothing that isn't so.
#[test]
fn all_faults_are_told_beside_a_broken_line_and_none_that_is_untrue() {
    let text = "[graph]\ntenant_id = contoso\nclient_id = \"x\"\n[worker]\npoll_seconds = \"fast\"\nlease_seconds = 20\n\
                [http\nadress = \"1.2.3.4:5\"\n[database]\nurl = \"nonsense\"\n";
    let told = faults(text, &[]).join("\n");
    for expected in [
        "line 2 is not TOML",
        "line 7 is not TOML",
        "graph.client_id (file FILE)",
        "worker.poll_seconds (file FILE)",
        "worker.lease_seconds (file FILE): is 20; must be at least 45",
        "database.url (file FILE)",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    for untrue in ["tenant_id: is not set", "adress", "contoso", "1.2.3.4"] {
        assert!(!told.contains(untrue), "{untrue}: {told}");
    }
    assert_eq!(told.matches("lease_seconds").count(), 1, "{told}");
}

#[test]
fn a_command_asks_for_what_it_needs_and_still_refuses_what_is_wrong() {
    let tenant = ("AZURE_TENANT_ID", "9188040d-6c67-4c5b-b112-36a304b66dad");
    let derivation = DerivationSettings::load(None, environment(&[tenant])).unwrap();
    assert_eq!(derivation.tenant_id.to_string(), tenant.1);
    assert_eq!(derivation.namespace, crate::booking::DEFAULT_NAMESPACE);
    assert_eq!(DerivationSettings::load(None, []).unwrap_err().0.len(), 1);
    let database = ("DATABASE_URL", "postgresql://localhost/x");
    assert!(MigrationSettings::load(None, environment(&[database])).is_ok());
    let wrong = MigrationSettings::load(None, environment(&[database, ("AZURE_TENANT_ID", "contoso.com")]));
    assert_eq!(wrong.unwrap_err().0[0].key, "graph.tenant_id");
}
