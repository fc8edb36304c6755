//! The file of API keys.

use std::collections::BTreeSet;
use std::path::Path;

use subtle::{ConditionallySelectable, ConstantTimeEq};
use toml::{Table, Value};

use super::api_key::{ApiKey, KeyHash, hash, parse_hash};
use super::api_keys_fault::{ApiKeyFault, ApiKeyFaults};
use super::caller::{Caller, CallerName};
use super::role::{Role, Roles};
use crate::booking::SourceSystem;

/// The longest file that is read, in bytes; some 4,000 keys.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

const MEMBERS: [&str; 4] = ["name", "source_system", "sha256", "roles"];

/// All API keys; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeys(Vec<ApiKey>);

impl ApiKeys {
    /// Reads the file, or says all that is wrong with it.
    pub fn read(path: &Path) -> Result<Self, ApiKeyFaults> {
        let unreadable = |detail: String| ApiKeyFaults::of_file(format!("{} {detail}", path.display()));
        let length =
            std::fs::metadata(path).map_err(|error| unreadable(format!("can't be read: {error}")))?.len();
        if length > FILE_BYTES_MAX {
            return Err(unreadable(format!("has {length} bytes; at most {FILE_BYTES_MAX} are read")));
        }
        let text =
            std::fs::read_to_string(path).map_err(|error| unreadable(format!("can't be read: {error}")))?;
        Self::parse(&text)
    }

    /// Reads the file's text: `[[api_key]]` blocks with `name`, `source_system`, `sha256` and `roles`.
    pub fn parse(text: &str) -> Result<Self, ApiKeyFaults> {
        let file: Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
            ApiKeyFaults::of_file(format!("line {line} is not TOML: {}", error.message()))
        })?;
        let mut faults = Vec::new();
        let mut keys = Vec::new();
        for (member, value) in &file {
            match value {
                Value::Array(blocks) if member == "api_key" => {
                    for (index, block) in blocks.iter().enumerate() {
                        keys.extend(Block::new(index, block, &mut faults).read());
                    }
                }
                _ => faults.push(ApiKeyFault {
                    place: member.clone(),
                    detail: "is not known here; a file of API keys holds [[api_key]] blocks only".to_owned(),
                }),
            }
        }
        find_twins(&keys, &mut faults);
        if keys.is_empty() && faults.is_empty() {
            return Err(ApiKeyFaults::of_file("holds no [[api_key]], so that nobody could call".to_owned()));
        }
        if faults.is_empty() { Ok(Self(keys)) } else { Err(ApiKeyFaults(faults)) }
    }

    /// Whose key this is. Takes the same time whichever key it is, and whether or not it is one: every hash is
    /// compared, each as a whole.
    #[must_use]
    pub(super) fn find(&self, text: &str) -> Option<&Caller> {
        let shown = hash(text);
        let mut found = u32::MAX;
        for (index, key) in (0_u32..).zip(&self.0) {
            found.conditional_assign(&index, shown.ct_eq(&key.hash));
        }
        self.0.get(usize::try_from(found).ok()?).map(|key| &key.caller)
    }

    /// How many keys there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Two keys may not share a name, or history could not tell them apart, nor a hash, or one would never be found.
fn find_twins(keys: &[ApiKey], faults: &mut Vec<ApiKeyFault>) {
    let mut names = BTreeSet::new();
    let mut hashes: BTreeSet<KeyHash> = BTreeSet::new();
    for key in keys {
        let place = |member: &str| format!("api_key {:?}: {member}", key.caller.name.as_str());
        if !names.insert(key.caller.name.clone()) {
            faults.push(ApiKeyFault {
                place: place("name"),
                detail: "another key has the same name".to_owned(),
            });
        }
        if !hashes.insert(key.hash) {
            faults.push(ApiKeyFault {
                place: place("sha256"),
                detail: "it is the same key as another".to_owned(),
            });
        }
    }
}

/// One `[[api_key]]`, being read.
struct Block<'a> {
    /// Its number from 1, and its name if it has one.
    place: String,
    members: Option<&'a Table>,
    faults: &'a mut Vec<ApiKeyFault>,
}

impl<'a> Block<'a> {
    fn new(index: usize, block: &'a Value, faults: &'a mut Vec<ApiKeyFault>) -> Self {
        let members = block.as_table();
        let name = members.and_then(|members| members.get("name")).and_then(Value::as_str);
        let place = match name {
            Some(name) => format!("api_key {} ({name:?})", index + 1),
            None => format!("api_key {}", index + 1),
        };
        Self { place, members, faults }
    }

    fn read(mut self) -> Option<ApiKey> {
        let Some(members) = self.members else {
            let detail = "must be a block [[api_key]]".to_owned();
            self.faults.push(ApiKeyFault { place: self.place, detail });
            return None;
        };
        for member in members.keys().filter(|member| !MEMBERS.contains(&member.as_str())) {
            self.fault(member, format!("is not known; a key has {}", MEMBERS.join(", ")));
        }
        let name = self.text("name", |text| CallerName::parse(text).map_err(|fault| fault.to_string()));
        let source_system =
            self.text("source_system", |text| SourceSystem::parse(text).map_err(|fault| fault.to_string()));
        let hash = self.text("sha256", |text| {
            let wrong =
                "must be the SHA-256 of the whole key, as 64 hexadecimal digits; never the key itself";
            parse_hash(text).ok_or_else(|| wrong.to_owned())
        });
        let roles = self.roles();
        let caller = Caller { name: name?, source_system: source_system?, roles: roles? };
        Some(ApiKey { hash: hash?, caller })
    }

    fn text<T>(&mut self, member: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let value = match self.members.and_then(|members| members.get(member)) {
            None => Err("is missing".to_owned()),
            Some(Value::String(text)) => read(text),
            Some(_) => Err("must be text in quotes".to_owned()),
        };
        value.map_err(|detail| self.fault(member, detail)).ok()
    }

    fn roles(&mut self) -> Option<Roles> {
        let listed = self.members.and_then(|members| members.get("roles")).and_then(Value::as_array);
        let Some(listed) = listed.filter(|listed| !listed.is_empty()) else {
            let names: Vec<&str> = Role::ALL.into_iter().map(Role::as_str).collect();
            self.fault("roles", format!("must be a list of at least one of {}", names.join(", ")));
            return None;
        };
        let mut roles = Vec::new();
        for role in listed {
            let role = role.as_str().ok_or_else(|| "must be a list of texts in quotes".to_owned());
            match role.and_then(str::parse::<Role>) {
                Ok(role) => roles.push(role),
                Err(detail) => self.fault("roles", detail),
            }
        }
        (roles.len() == listed.len()).then(|| roles.into_iter().collect())
    }

    fn fault(&mut self, member: &str, detail: String) {
        self.faults.push(ApiKeyFault { place: format!("{}: {member}", self.place), detail });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../deploy/api-keys.example.toml");

    /// The key is the one that the file's own comment shows.
    #[test]
    fn the_example_file_knows_the_key_it_shows() {
        let keys = ApiKeys::parse(EXAMPLE).unwrap();
        let shown = EXAMPLE.split(char::is_whitespace).find(|word| word.starts_with("mpk_for")).unwrap();
        let caller = keys.find(shown).unwrap();
        assert_eq!(caller.source_system.as_str(), "room-booking");
        assert!(super::super::api_key::has_form(shown));
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
            "api_key 1 (\"one\"): role: is not known; a key has name, source_system, sha256, roles",
            "api_key 1 (\"one\"): source_system: must be 1 to 64 characters of a-z",
            "api_key 1 (\"one\"): sha256: must be the SHA-256 of the whole key, as 64 hexadecimal digits",
            "api_key 1 (\"one\"): roles: \"admin\" is no role; roles are bookings.write",
            "api_key 1 (\"one\"): roles: must be a list of texts in quotes",
            "api_key 2: name: is missing",
            "api_key 2: source_system: must be text in quotes",
            "api_key 2: sha256: is missing",
            "api_key 2: roles: must be a list of at least one of bookings.write",
            "colour: is not known here",
            "api_key \"twin\": name: another key has the same name",
            "api_key \"twin\": sha256: it is the same key as another",
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
        ] {
            let shown = ApiKeys::parse(text).unwrap_err().to_string();
            assert!(shown.contains(expected) && !shown.contains("mpk_secret"), "{shown}");
        }
        let absent = ApiKeys::read(Path::new("/absent/keys.toml")).unwrap_err().to_string();
        assert!(absent.contains("/absent/keys.toml can't be read"), "{absent}");
    }
}
