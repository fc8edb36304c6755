//! Files of API keys: what is in force, and what is wrong with each.

use super::*;

/// The key of the file for trying is the one that its own comment shows. It is refused unless Graph is simulated here,
/// also beside good keys and under another name.
#[test]
fn the_published_key_is_accepted_for_trying_alone() {
    let trying = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/try-api-keys.toml");
    let text = std::fs::read_to_string(&trying).unwrap();
    let shown = text.split(char::is_whitespace).find(|word| word.starts_with("mpk_for")).unwrap();
    let keys = ApiKeys::read(&trying, PublishedKey::Accepted).keys.unwrap();
    let Some(ShownKey::InForce(key)) = keys.find(shown) else { panic!("{keys:?}") };
    assert_eq!(key.caller.source_system.as_str(), "room-booking");
    assert!(super::super::api_key::has_form(shown));
    let good = block("good", "mpk_0000000000000000000000000000000000000000000");
    for text in [text.clone(), format!("{good}{}", text.replace("for trying only", "production"))] {
        let faults = ApiKeys::parse(&text).unwrap_err().to_string();
        assert!(faults.contains("sha256") && faults.contains("publishes for trying"), "{faults}");
    }
    assert_eq!(ApiKeys::parse(&good).unwrap().count(), 1);
}

/// The example shows a block, and no key of it opens anything.
#[test]
fn the_example_holds_no_key() {
    let example = include_str!("../../deploy/api-keys.example.toml");
    assert_eq!(ApiKeys::parse(example).unwrap().count(), 0);
    let lines: Vec<&str> = example.lines().filter_map(|line| line.strip_prefix("#:")).collect();
    let block = lines.join("\n");
    assert_eq!(ApiKeys::parse(&block.replace("…", &"0".repeat(64))).unwrap().count(), 1, "{block}");
}

fn block(name: &str, key: &str) -> String {
    let hash = hash(key).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    format!(
        "[[api_key]]\nname = {name:?}\nsource_system = \"crm\"\nsha256 = \"{hash}\"\nroles = [\"bookings.write\"]\n"
    )
}

#[test]
fn each_key_finds_its_own_caller_and_any_other_text_none() {
    let texts: Vec<String> = (0..5).map(|number| format!("mpk_{number:043}")).collect();
    let hashes = texts
        .iter()
        .map(|text| hash(text).iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02X}")));
    let blocks = hashes.enumerate().map(|(number, hash)| {
        format!("[[api_key]]\nname='k{number}'\nsource_system='crm'\nsha256='{hash}'\nroles=['operator']\n")
    });
    let keys = ApiKeys::parse(&blocks.collect::<String>()).unwrap();
    for (number, text) in texts.iter().enumerate() {
        let Some(ShownKey::InForce(key)) = keys.find(text) else { panic!("{keys:?}") };
        assert_eq!(key.caller.name.as_str(), format!("k{number}"));
    }
    for text in ["", "mpk_", &texts[0][..46], &format!("{}0", texts[0])] {
        assert!(keys.find(text).is_none(), "{text}");
    }
    assert_eq!(keys.count(), 5);
}

#[test]
fn all_faults_of_a_file_are_reported_at_once() {
    let hash = "ab".repeat(32);
    let text = format!(
        "colour = 1\n\
         [[api_key]]\nname='one'\nsource_system='Room'\nsha256='xy'\nroles=['bookings.write','admin', 3]\nrole='x'\n\
         [[api_key]]\nsource_system=1\nroles=[]\n\
         [[api_key]]\nname='twin'\nsource_system='crm'\nsha256='{hash}'\nroles=['operator']\n\
         [[api_key]]\nname='twin'\nsource_system='crm'\nsha256='{hash}'\nroles=['operator']\n"
    );
    let faults = ApiKeys::parse(&text).unwrap_err();
    let found: Vec<String> = faults.0.iter().map(ToString::to_string).collect();
    let expected = [
        "api_key 1 (\"one\").role: there is no such setting; did you mean roles?",
        "api_key 1 (\"one\").source_system: is \"Room\"; must be 1 to 64 characters of a-z",
        "api_key 1 (\"one\").sha256: is not shown here; must be the SHA-256 of the whole key, as 64 hexadecimal digits",
        "api_key 1 (\"one\").roles: is \"admin\"; must be \"bookings.write\", \"bookings.read\"",
        "api_key 1 (\"one\").roles: is of type integer; must be text in quotes",
        "api_key 2.name: is not set; it is the name of the key",
        "api_key 2.source_system: is of type integer; must be text in quotes",
        "api_key 2.sha256: is not set; it is the SHA-256 of the whole key",
        "api_key 2.roles: is empty; it is a list of one or more roles",
        "colour: is not known here",
        "api_key \"twin\".name: another key has the same name",
        "api_key \"twin\".sha256: it is the same key as another",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n  should begin with\n{expected}");
    }
}

#[test]
fn a_file_that_is_no_toml_or_holds_something_else_is_a_fault() {
    for (text, expected) in [
        ("[api_key]\nname='x'", "is not known here"),
        ("api_key = [1]", "must be a block [[api_key]]"),
        ("\nmpk_secret", "line 2 is not TOML"),
        ("[[api_key]]\nsha256='mpk_secret'", "sha256: is not shown here"),
    ] {
        let shown = ApiKeys::parse(text).unwrap_err().to_string();
        assert!(shown.contains(expected) && !shown.contains("mpk_secret"), "{shown}");
    }
    assert_eq!(ApiKeys::parse("api_key = []").unwrap().count(), 0);
    let absent = ApiKeys::read(Path::new("/absent/keys.toml"), PublishedKey::Refused).faults.to_string();
    assert!(absent.contains("file /absent/keys.toml: can't be read"), "{absent}");
}

/// What a block may say of a key's end and revocation, and what becomes of the key. A word that is misspelt gives no key.
#[test]
fn a_block_with_a_fault_gives_no_key_and_takes_no_other_with_it() {
    let good = block("good", "mpk_0000000000000000000000000000000000000000000");
    let other = block("other", "mpk_1111111111111111111111111111111111111111111");
    for (line, in_force, fault) in [
        ("", true, None),
        ("revoked = false", true, None),
        ("not_after = \"2027-01-31T00:00:00Z\"", true, None),
        ("not_after = 2027-01-31T00:00:00+01:00", true, None),
        ("revoked = true", false, None),
        ("revoked = \"false\"", false, Some("revoked: must be true or false")),
        ("revoked = 0", false, Some("revoked: must be true or false")),
        ("revokd = true", false, Some("revokd: there is no such setting; did you mean revoked?")),
        ("not_afer = \"2027-01-31T00:00:00Z\"", false, Some("did you mean not_after?")),
        ("not_after = \"2027-01-31\"", false, Some("not_after: must be a date and time with its offset")),
        ("not_after = 2027-01-31", false, Some("not_after: must be")),
        ("not_after = 2027-01-31T00:00:00", false, Some("not_after: must be")),
        ("not_after = \"never\"", false, Some("not_after: must be")),
        ("not_after = 1", false, Some("not_after: must be")),
    ] {
        let read = ApiKeys::of_text(&format!("{other}{good}{line}\n"), None, PublishedKey::Refused);
        let names: Vec<_> = read.keys.unwrap().each().map(|key| key.caller.name.to_string()).collect();
        let expected = if in_force { vec!["other", "good"] } else { vec!["other"] };
        assert_eq!(names, expected, "{line}");
        let faults: Vec<_> = read.faults.0.iter().map(ToString::to_string).collect();
        match fault {
            None => assert_eq!(faults, Vec::<String>::new(), "{line}"),
            Some(fault) => assert!(faults.len() == 1 && faults[0].contains(fault), "{faults:?}"),
        }
    }
    let nothing = ApiKeys::parse("[[api_key]]\nrevoked = true\n").unwrap_err().to_string();
    assert!(nothing.contains("revokes nothing"), "{nothing}");
}
