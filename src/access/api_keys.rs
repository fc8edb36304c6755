//! The file of API keys.

use std::collections::BTreeSet;
use std::path::Path;

use subtle::{ConditionallySelectable, ConstantTimeEq};
use toml::{Table, Value};

use super::api_key::{ApiKey, KeyHash, PublishedKey, hash, is_published, parse_hash};
use super::api_keys_fault::ApiKeyFaults;
use super::caller::{Caller, CallerName};
use super::role::Role;
use crate::booking::SourceSystem;
use crate::setting::{FileFaults, SettingRule, TableReader, ValueOrigin, one_of, read_table};

const MEMBERS: [&str; 4] = ["name", "source_system", "sha256", "roles"];

/// All API keys; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeys(Vec<ApiKey>);

impl ApiKeys {
    /// Reads the file (1 MiB at most), or returns all that is wrong with it.
    pub fn read(path: &Path, published_key: PublishedKey) -> Result<Self, ApiKeyFaults> {
        Self::of(read_table(path), Some(ValueOrigin::File(path.to_owned())), published_key)
    }

    /// Reads a file's text: `[[api_key]]` blocks with `name`, `source_system`, `sha256` and `roles`.
    #[cfg(test)]
    pub fn parse(text: &str) -> Result<Self, ApiKeyFaults> {
        Self::of(crate::setting::parse_table(text), None, PublishedKey::Refused)
    }

    fn of(
        file: Result<Table, String>,
        origin: Option<ValueOrigin>,
        published_key: PublishedKey,
    ) -> Result<Self, ApiKeyFaults> {
        let mut faults = FileFaults::of(origin);
        let mut keys = Vec::new();
        match file {
            Ok(file) => read_blocks(&file, &mut keys, &mut faults),
            Err(detail) => faults.note("", detail),
        }
        find_twins(&keys, &mut faults);
        if published_key == PublishedKey::Refused {
            find_published(&keys, &mut faults);
        }
        if keys.is_empty() && faults.is_empty() {
            faults.note("", "holds no [[api_key]], so that no caller could authenticate");
        }
        if faults.is_empty() { Ok(Self(keys)) } else { Err(ApiKeyFaults(faults.into_found())) }
    }

    /// The caller whose key this is. Takes the same time whichever key it is, and whether or not it is one: every hash
    /// is compared, each as a whole.
    #[must_use]
    pub(super) fn find(&self, text: &str) -> Option<&Caller> {
        let shown = hash(text);
        let mut found = u32::MAX;
        for (index, key) in (0_u32..).zip(&self.0) {
            found.conditional_assign(&index, shown.ct_eq(&key.hash));
        }
        self.0.get(usize::try_from(found).ok()?).map(|key| &key.caller)
    }

    /// The source systems that have a key, each once for each key.
    pub fn source_systems(&self) -> impl Iterator<Item = &SourceSystem> {
        self.0.iter().map(|key| &key.caller.source_system)
    }

    /// The caller of each key.
    pub fn callers(&self) -> impl Iterator<Item = &Caller> {
        self.0.iter().map(|key| &key.caller)
    }

    /// How many keys there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

fn read_blocks(file: &Table, keys: &mut Vec<ApiKey>, faults: &mut FileFaults) {
    for (member, value) in file {
        match value {
            Value::Array(blocks) if member == "api_key" => {
                for (index, block) in blocks.iter().enumerate() {
                    keys.extend(read_block(index + 1, block, faults));
                }
            }
            _ => faults.note(member, "is not known here; a file of API keys holds [[api_key]] blocks only"),
        }
    }
}

fn read_block(number: usize, block: &Value, faults: &mut FileFaults) -> Option<ApiKey> {
    let name = block.get("name").and_then(Value::as_str);
    let place = match name {
        Some(name) => format!("api_key {number} ({name:?})"),
        None => format!("api_key {number}"),
    };
    let Value::Table(members) = block else {
        faults.note(place, "must be a block [[api_key]]");
        return None;
    };
    let mut block = TableReader::new(place, members, &MEMBERS, faults);
    let name_rule = SettingRule::text(|text| CallerName::parse(text).map_err(|fault| fault.to_string()));
    let name = block.required("name", "the name of the key in history and log", &name_rule);
    let source_rule = SettingRule::text(|text| SourceSystem::parse(text).map_err(|fault| fault.to_string()));
    let source_system = block.required("source_system", "the caller's source system", &source_rule);
    // A wrong value is not shown: it may be the key itself.
    let hash_rule = SettingRule::unshown_text(|text| {
        let wrong = "must be the SHA-256 of the whole key, as 64 hexadecimal digits; never the key itself";
        parse_hash(text).ok_or_else(|| wrong.to_owned())
    });
    let hash = block.required("sha256", "the SHA-256 of the whole key", &hash_rule);
    let role_rule = one_of(Role::ALL.map(|role| (role.as_str(), role)));
    let roles = block.list("roles", "a list of one or more roles", &role_rule);
    let caller = Caller { name: name?, source_system: source_system?, roles: roles?.into_iter().collect() };
    Some(ApiKey { hash: hash?, caller })
}

/// Two keys may not share a name, or the history could not distinguish them, nor a hash, or one would never be found.
fn find_twins(keys: &[ApiKey], faults: &mut FileFaults) {
    let mut names = BTreeSet::new();
    let mut hashes: BTreeSet<KeyHash> = BTreeSet::new();
    for key in keys {
        let place = format!("api_key {:?}", key.caller.name.as_str());
        if !names.insert(key.caller.name.clone()) {
            faults.note(format!("{place}.name"), "another key has the same name");
        }
        if !hashes.insert(key.hash) {
            faults.note(format!("{place}.sha256"), "it is the same key as another");
        }
    }
}

/// With a public key, any caller could make meetings.
fn find_published(keys: &[ApiKey], faults: &mut FileFaults) {
    for key in keys.iter().filter(|key| is_published(&key.hash)) {
        let detail = "it is the key that this project publishes for trying, and Graph is not simulated on this machine; \
                      `meeting-provisioner api-key` makes one that is yours";
        faults.note(format!("api_key {:?}.sha256", key.caller.name.as_str()), detail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of the file for trying is the one that its own comment shows. It is refused unless Graph is simulated here,
    /// also beside good keys and under another name.
    #[test]
    fn the_published_key_is_accepted_for_trying_alone() {
        let trying = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/try-api-keys.toml");
        let text = std::fs::read_to_string(&trying).unwrap();
        let shown = text.split(char::is_whitespace).find(|word| word.starts_with("mpk_for")).unwrap();
        let keys = ApiKeys::read(&trying, PublishedKey::Accepted).unwrap();
        assert_eq!(keys.find(shown).unwrap().source_system.as_str(), "room-booking");
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
        let faults = ApiKeys::parse(example).unwrap_err().to_string();
        assert!(faults.contains("holds no [[api_key]]"), "{faults}");
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
            format!(
                "[[api_key]]\nname='k{number}'\nsource_system='crm'\nsha256='{hash}'\nroles=['operator']\n"
            )
        });
        let keys = ApiKeys::parse(&blocks.collect::<String>()).unwrap();
        for (number, text) in texts.iter().enumerate() {
            assert_eq!(keys.find(text).unwrap().name.as_str(), format!("k{number}"));
        }
        for text in ["", "mpk_", &texts[0][..46], &format!("{}0", texts[0])] {
            assert_eq!(keys.find(text), None, "{text}");
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
    fn a_file_without_keys_or_that_is_no_toml_is_a_fault() {
        for (text, expected) in [
            ("", "holds no [[api_key]]"),
            ("api_key = []", "holds no [[api_key]]"),
            ("[api_key]\nname='x'", "is not known here"),
            ("api_key = [1]", "must be a block [[api_key]]"),
            ("\nmpk_secret", "line 2 is not TOML"),
            ("[[api_key]]\nsha256='mpk_secret'", "sha256: is not shown here"),
        ] {
            let shown = ApiKeys::parse(text).unwrap_err().to_string();
            assert!(shown.contains(expected) && !shown.contains("mpk_secret"), "{shown}");
        }
        let absent =
            ApiKeys::read(Path::new("/absent/keys.toml"), PublishedKey::Refused).unwrap_err().to_string();
        assert!(absent.contains("file /absent/keys.toml: can't be read"), "{absent}");
    }
}
