//! Blocks of issuers as an operator writes them.

use super::*;
use crate::config::Settings;

#[test]
fn an_issuer_is_the_address_of_one_tenant() {
    for (text, wrong) in [
        ("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", None),
        ("https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/", None),
        ("https://keycloak.example/realms/bookings", None),
        ("https://accounts.google.com", None),
        ("http://127.0.0.1:9000", None),
        ("http://[::1]:9000/realm", None),
        ("https://login.microsoftonline.com/{tenantid}/v2.0", Some("in place of {tenantid}")),
        ("https://login.microsoftonline.com/common/v2.0", Some("must name one tenant")),
        ("https://login.microsoftonline.com/organizations/v2.0", Some("must name one tenant")),
        ("http://login.example", Some("must begin with https://")),
        ("http://localhost.example", Some("must begin with https://")),
        ("file:///etc/keys", Some("must begin with https://")),
        ("https://user@login.example", Some("must not have a user name")),
        ("https://login.example/?a=b", Some("must not have a user name")),
        ("https://login.example/#a", Some("must not have a user name")),
        ("login.example", Some("must be an address")),
        ("", Some("must be an address")),
    ] {
        match (issuer(text), wrong) {
            (Ok(read), None) => assert_eq!(read, text),
            (Err(detail), Some(wrong)) => assert!(detail.contains(wrong), "{text}: {detail}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }
}

const REQUIRED: [(&str, &str); 4] = [
    ("DATABASE_URL", "postgres://meeting_provisioner:password@127.0.0.1:5432/meeting_provisioner"),
    ("AZURE_TENANT_ID", "9188040d-6c67-4c5b-b112-36a304b66dad"),
    ("AZURE_CLIENT_ID", "00000000-0000-0000-0000-000000000001"),
    ("AZURE_CLIENT_SECRET", "the-value-of-the-client-secret"),
];

fn load(text: &str, variables: &[(&str, &str)]) -> Result<Vec<IssuerRules>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    let environment =
        REQUIRED.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let settings = Settings::load(Some(&path), environment);
    settings.map(|settings| settings.access.issuers).map_err(|faults| faults.to_string())
}

const BLOCK: &str = "[[access.issuer]]\nname = \"entra\"\nissuer = \"https://login.example/v2.0\"\naudiences = [\"a\"]\n\
                     source_system_claim = \"azp\"\nsource_systems = { \"7a0c2e1f\" = \"room-booking\" }\nroles_claim = \"roles\"\n";

/// With an issuer no file of API keys is needed; what a block leaves out has a default.
#[test]
fn a_block_is_enough_to_start_with() {
    let read = load(BLOCK, &[]).unwrap();
    assert_eq!((read.len(), read[0].algorithms.len()), (1, SigningAlgorithm::ALL.len()));
    let granted: Vec<_> =
        read[0].roles.iter().map(|(value, roles)| (value.as_str(), roles[0].as_str())).collect();
    assert!(
        granted.iter().all(|(value, role)| value == role) && granted.len() == Role::ALL.len(),
        "{granted:?}"
    );
    let more = format!(
        "{BLOCK}algorithms = [\"ES256\"]\nroles = {{ \"Write\" = [\"bookings.write\"], \"Look\" = \"audit.read\" }}\n"
    );
    let read = load(&more, &[]).unwrap();
    assert_eq!((read[0].algorithms.as_slice(), read[0].roles.len()), (&[SigningAlgorithm::Es256][..], 2));
    let as_claimed = BLOCK.replace("{ \"7a0c2e1f\" = \"room-booking\" }", "\"as-claimed\"");
    assert_eq!(load(&as_claimed, &[]).unwrap()[0].source_systems, SourceSystems::AsClaimed);
    assert!(load("", &[]).unwrap_err().contains("access.api_keys_file: is not set"));
}

#[test]
fn every_fault_of_a_block_is_named() {
    let without =
        |member: &str| BLOCK.lines().filter(|line| !line.starts_with(member)).collect::<Vec<_>>().join("\n");
    for (text, expected) in [
        (without("name"), "access.issuer 1.name"),
        (without("issuer"), ".issuer (file"),
        (without("audiences"), ".audiences (file"),
        (without("source_system_claim"), ".source_system_claim (file"),
        (without("source_systems"), "is not set; it is a table"),
        (without("roles_claim"), ".roles_claim (file"),
        (BLOCK.replace("[\"a\"]", "[]"), "is empty; it is a list"),
        (BLOCK.replace("[\"a\"]", "[\"\"]"), "must be the audience"),
        (BLOCK.replace("\"entra\"", "\"En tra\""), "must be 1 to 32 characters"),
        (BLOCK.replace("\"azp\"", "\"\""), "must be a claim's name"),
        (BLOCK.replace("{ \"7a0c2e1f\" = \"room-booking\" }", "\"*\""), "must be a table"),
        (BLOCK.replace("{ \"7a0c2e1f\" = \"room-booking\" }", "{}"), "must be a table"),
        (BLOCK.replace("room-booking", "Room Booking"), "is no source system's name"),
        (format!("{BLOCK}algorithms = [\"HS256\"]\n"), "is \"HS256\"; must be \"RS256\""),
        (format!("{BLOCK}algorithms = [\"none\"]\n"), "is \"none\"; must be"),
        (format!("{BLOCK}algorithms = []\n"), "is empty"),
        (format!("{BLOCK}roles = {{ \"Write\" = [\"admin\"] }}\n"), "\"admin\" is no role"),
        (format!("{BLOCK}roles = {{ \"Write\" = [] }}\n"), "names no role"),
        (format!("{BLOCK}roles = [\"operator\"]\n"), "must be a table"),
        (format!("{BLOCK}audience = \"b\"\n"), "did you mean audiences?"),
        (format!("{BLOCK}{BLOCK}"), "another issuer has the same name"),
        (format!("{BLOCK}{BLOCK}"), "another block has the same issuer"),
        ("[access]\nissuer = \"https://login.example\"\n".to_owned(), "must be blocks [[access.issuer]]"),
        ("[access]\nissuer = [1]\n".to_owned(), "must be a block [[access.issuer]]"),
    ] {
        let found = load(&text, &[]).unwrap_err();
        assert!(found.contains(expected), "{text}\n{found}\n  should hold {expected}");
        assert!(!found.contains("api_keys_file"), "{found}");
    }
    let variable =
        load(BLOCK, &[("MEETING_PROVISIONER__ACCESS__ISSUER", "https://login.example")]).unwrap_err();
    assert!(variable.contains("can be set in the file of --config alone"), "{variable}");
}
