//! The file of API keys: which keys are in force, which are dead, and what is wrong with it.

use std::collections::BTreeSet;
use std::path::Path;

use subtle::{ConditionallySelectable, ConstantTimeEq};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use toml::{Table, Value};

use super::api_key::{ApiKey, KeyHash, PublishedKey, hash, is_published, parse_hash};
use super::api_keys_fault::ApiKeyFaults;
use super::caller::{Caller, CallerName};
use super::role::Role;
use crate::booking::SourceSystem;
use crate::clock::Timestamp;
use crate::setting::{
    FaultNoted, FileFaults, SettingRule, TableReader, ValueOrigin, one_of, parse_table, parse_what_is_toml,
    read_guarded_text,
};

const MEMBERS: [&str; 6] = ["name", "source_system", "sha256", "roles", "not_after", "revoked"];

/// The keys of a file; there may be none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiKeys {
    in_force: Vec<ApiKey>,
    revoked: Vec<RevokedKey>,
}

/// A key that is dead, by its hash and its name; what of them could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RevokedKey {
    hash: Option<KeyHash>,
    name: Option<CallerName>,
}

impl RevokedKey {
    fn is(&self, key: &ApiKey) -> bool {
        self.hash == Some(key.hash) || self.name.as_ref() == Some(&key.caller.name)
    }
}

/// What was read of a file of API keys.
#[derive(Debug)]
pub struct ReadKeys {
    /// The keys that the file gives; `None` where it can't be read, or is no TOML.
    pub keys: Option<ApiKeys>,
    /// The keys that it revokes, as far as it could be understood.
    revoked: Vec<RevokedKey>,
    /// What is wrong with it. A block with a fault gives no key.
    pub faults: ApiKeyFaults,
    /// Whether any user of the machine may read it.
    pub is_world_readable: bool,
}

/// A key that was shown, and what it is.
pub(super) enum ShownKey<'a> {
    /// It is in force, if it has not ended.
    InForce(&'a ApiKey),
    /// It was revoked.
    Revoked,
}

impl ApiKeys {
    /// Reads the file (1 MiB at most): `[[api_key]]` blocks. Blocks for as long as the file system takes.
    #[must_use]
    pub fn read(path: &Path, published_key: PublishedKey) -> ReadKeys {
        let origin = Some(ValueOrigin::File(path.to_owned()));
        match read_guarded_text(path) {
            Ok(file) => ReadKeys {
                is_world_readable: file.is_world_readable,
                ..Self::of_text(&file.text, origin, published_key)
            },
            Err(detail) => {
                let mut faults = FileFaults::of(origin);
                faults.note("", detail);
                ReadKeys { keys: None, revoked: Vec::new(), faults: faults.into(), is_world_readable: false }
            }
        }
    }

    /// Reads a file's text, in which nothing may be wrong.
    #[cfg(test)]
    pub fn parse(text: &str) -> Result<Self, ApiKeyFaults> {
        let read = Self::of_text(text, None, PublishedKey::Refused);
        read.keys.filter(|_| read.faults.0.is_empty()).ok_or(read.faults)
    }

    /// Of a text that is no TOML as a whole, what is TOML still revokes.
    pub(super) fn of_text(text: &str, origin: Option<ValueOrigin>, published_key: PublishedKey) -> ReadKeys {
        let mut faults = FileFaults::of(origin);
        let (keys, revoked) = match parse_table(text) {
            Ok(file) => {
                let mut keys = read_blocks(&file, &mut faults);
                keys.leave_out_dead(&mut faults);
                keys.leave_out_twins(&mut faults);
                if published_key == PublishedKey::Refused {
                    keys.leave_out_published(&mut faults);
                }
                let revoked = keys.revoked.clone();
                (Some(keys), revoked)
            }
            Err(detail) => {
                faults.note("", detail);
                let (what_is_toml, _) = parse_what_is_toml(text);
                (None, read_blocks(&what_is_toml, &mut FileFaults::of(None)).revoked)
            }
        };
        ReadKeys { keys, revoked, faults: faults.into(), is_world_readable: false }
    }

    /// The key that this is. Takes the same time whichever key it is, and whether or not it is one: every hash is compared,
    /// each as a whole.
    #[must_use]
    pub(super) fn find(&self, text: &str) -> Option<ShownKey<'_>> {
        let shown = hash(text);
        let mut found = u32::MAX;
        for (index, key) in (0_u32..).zip(&self.in_force) {
            found.conditional_assign(&index, shown.ct_eq(&key.hash));
        }
        let mut is_revoked = subtle::Choice::from(0);
        for hash in self.revoked.iter().filter_map(|key| key.hash) {
            is_revoked |= shown.ct_eq(&hash);
        }
        if is_revoked.into() {
            return Some(ShownKey::Revoked);
        }
        self.in_force.get(usize::try_from(found).ok()?).map(ShownKey::InForce)
    }

    /// The keys in force, those that have ended included.
    pub fn each(&self) -> impl Iterator<Item = &ApiKey> {
        self.in_force.iter()
    }

    /// The source systems that have a key, each once for each key.
    pub fn source_systems(&self) -> impl Iterator<Item = &SourceSystem> {
        self.in_force.iter().map(|key| &key.caller.source_system)
    }

    /// The caller of each key in force.
    pub fn callers(&self) -> impl Iterator<Item = &Caller> {
        self.in_force.iter().map(|key| &key.caller)
    }

    /// How many keys are in force.
    #[must_use]
    pub fn count(&self) -> usize {
        self.in_force.len()
    }

    /// These keys without those that a file revokes which gives none itself.
    pub(super) fn without_revoked(&self, read: &ReadKeys) -> Self {
        let mut left = self.clone();
        left.revoked.extend(read.revoked.iter().filter(|key| !self.revoked.contains(key)).cloned());
        left.take_out_dead();
        left
    }

    /// A key that any block revokes is dead, whatever other blocks say of it.
    fn leave_out_dead(&mut self, faults: &mut FileFaults) {
        for key in self.take_out_dead() {
            let place = format!("api_key {:?}", key.caller.name.as_str());
            faults.note(place, "another block revokes it, or a key of this name");
        }
    }

    /// Takes out the keys in force that are revoked. One that was known by its name is known by its hash from then on.
    fn take_out_dead(&mut self) -> Vec<ApiKey> {
        let Self { in_force, revoked } = self;
        let (dead, alive): (Vec<_>, Vec<_>) =
            in_force.drain(..).partition(|key| revoked.iter().any(|dead| dead.is(key)));
        *in_force = alive;
        for key in &dead {
            if !revoked.iter().any(|known| known.hash == Some(key.hash)) {
                revoked.push(RevokedKey { hash: Some(key.hash), name: Some(key.caller.name.clone()) });
            }
        }
        dead
    }

    /// Two keys may not share a name, or the history could not distinguish them, nor a hash, or one would never be found.
    /// The first of them stands.
    fn leave_out_twins(&mut self, faults: &mut FileFaults) {
        let mut names = BTreeSet::new();
        let mut hashes: BTreeSet<KeyHash> = BTreeSet::new();
        self.in_force.retain(|key| {
            let place = format!("api_key {:?}", key.caller.name.as_str());
            let has_own_name = names.insert(key.caller.name.clone());
            if !has_own_name {
                faults
                    .note(format!("{place}.name"), "another key has the same name; the first of them stands");
            }
            let has_own_hash = hashes.insert(key.hash);
            if !has_own_hash {
                faults.note(
                    format!("{place}.sha256"),
                    "it is the same key as another; the first of them stands",
                );
            }
            has_own_name && has_own_hash
        });
    }

    /// With a public key, any caller could make meetings.
    fn leave_out_published(&mut self, faults: &mut FileFaults) {
        self.in_force.retain(|key| {
            let is_published = is_published(&key.hash);
            if is_published {
                let detail = "it is the key that this project publishes for trying, and Graph is not simulated on this \
                              machine; `meeting-provisioner api-key` makes one that is yours";
                faults.note(format!("api_key {:?}.sha256", key.caller.name.as_str()), detail);
            }
            !is_published
        });
    }
}

fn read_blocks(file: &Table, faults: &mut FileFaults) -> ApiKeys {
    let mut keys = ApiKeys::default();
    for (member, value) in file {
        match value {
            Value::Array(blocks) if member == "api_key" => {
                for (index, block) in blocks.iter().enumerate() {
                    read_block(index + 1, block, &mut keys, faults);
                }
            }
            _ => faults.note(member, "is not known here; a file of API keys holds [[api_key]] blocks only"),
        }
    }
    keys
}

/// Reads one block. With any fault in it, it gives no key: a misspelt `not_after` must not make a key without end.
fn read_block(number: usize, block: &Value, keys: &mut ApiKeys, faults: &mut FileFaults) {
    let place = match block.get("name").and_then(Value::as_str) {
        Some(name) => format!("api_key {number} ({name:?})"),
        None => format!("api_key {number}"),
    };
    let Value::Table(members) = block else {
        return faults.note(place, "must be a block [[api_key]]");
    };
    let faults_before = faults.count();
    let mut block = TableReader::new(place, members, &MEMBERS, faults);
    if !matches!(members.get("revoked"), None | Some(Value::Boolean(false))) {
        return keys.revoked.push(read_revoked(&mut block));
    }
    let key = read_key(&mut block);
    if faults.count() == faults_before {
        keys.in_force.extend(key);
    }
}

/// Of a revoked key hash or name is enough, whatever else is wrong with its block.
fn read_revoked(block: &mut TableReader<'_>) -> RevokedKey {
    if !matches!(block.value("revoked"), Some(Value::Boolean(_))) {
        block.note("revoked", "must be true or false, without quotes; the key is revoked, to be safe");
    }
    let hash = block.optional("sha256", &hash_rule()).ok().flatten();
    let name = block.optional("name", &name_rule()).ok().flatten();
    if hash.is_none() && name.is_none() {
        block.note("revoked", "revokes nothing: the block has neither sha256 nor name of a key");
    }
    RevokedKey { hash, name }
}

fn read_key(block: &mut TableReader<'_>) -> Option<ApiKey> {
    let name = block.required("name", "the name of the key in history and log", &name_rule());
    let source_rule = SettingRule::text(|text| SourceSystem::parse(text).map_err(|fault| fault.to_string()));
    let source_system = block.required("source_system", "the caller's source system", &source_rule);
    let hash = block.required("sha256", "the SHA-256 of the whole key", &hash_rule());
    let role_rule = one_of(Role::ALL.map(|role| (role.as_str(), role)));
    let roles = block.list("roles", "a list of one or more roles", &role_rule);
    let not_after = read_end(block).ok();
    let caller = Caller { name: name?, source_system: source_system?, roles: roles?.into_iter().collect() };
    Some(ApiKey { hash: hash?, caller, not_after: not_after? })
}

/// When the key ends, if it does: RFC 3339, in quotes or as TOML's own date and time.
fn read_end(block: &mut TableReader<'_>) -> Result<Option<Timestamp>, FaultNoted> {
    let written = match block.value("not_after") {
        None => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Datetime(time)) => time.to_string(),
        Some(_) => String::new(),
    };
    OffsetDateTime::parse(&written, &Rfc3339).map(Some).map_err(|_| {
        let right = "must be a date and time with its offset, such as \"2027-01-31T00:00:00Z\" (RFC 3339)";
        block.note("not_after", right);
        FaultNoted
    })
}

fn name_rule() -> SettingRule<CallerName> {
    SettingRule::text(|text| CallerName::parse(text).map_err(|fault| fault.to_string()))
}

/// A wrong value is not shown: it may be the key itself.
fn hash_rule() -> SettingRule<KeyHash> {
    SettingRule::unshown_text(|text| {
        let wrong = "must be the SHA-256 of the whole key, as 64 hexadecimal digits; never the key itself";
        parse_hash(text).ok_or_else(|| wrong.to_owned())
    })
}

#[cfg(test)]
#[path = "api_keys_tests.rs"]
mod tests;
