//! What the settings file and the environment hold, not yet interpreted: every `section.key` with its strongest value.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use crate::setting::{SettingFault, ValueOrigin, parse_what_is_toml, read_table_text};

/// How this service's own environment variables begin: `MEETING_PROVISIONER__SECTION__KEY`.
pub const PREFIX: &str = "MEETING_PROVISIONER__";

/// Environment variables that other programs read as well, and the setting each fills in where it is not set by name.
pub const STANDARD_NAMES: [(&str, &str); 11] = [
    ("DATABASE_URL", "database.url"),
    ("AZURE_TENANT_ID", "graph.tenant_id"),
    ("AZURE_CLIENT_ID", "graph.client_id"),
    ("AZURE_CLIENT_SECRET", "graph.client_secret"),
    ("AZURE_CLIENT_CERTIFICATE_PATH", "graph.client_certificate_file"),
    ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "graph.client_certificate_password"),
    ("AZURE_FEDERATED_TOKEN_FILE", "graph.federated_token_file"),
    ("AZURE_AUTHORITY_HOST", "graph.login_url"),
    ("IDENTITY_ENDPOINT", "graph.identity_endpoint"),
    ("IDENTITY_HEADER", "graph.identity_header"),
    ("RUST_LOG", "telemetry.log_filter"),
];

/// A standard name that is set to one value while the setting has another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusedName {
    /// The environment variable, such as `AZURE_TENANT_ID`.
    pub name: &'static str,
    /// The setting it would have filled in.
    pub key: &'static str,
    /// Where the setting's value came from instead.
    pub origin: ValueOrigin,
}

impl fmt::Display for UnusedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, key, origin } = self;
        write!(f, "{name} is set and not used: {key} has another value, from {origin}")
    }
}

/// A value and where it came from. Has no `Debug`: it may be a secret.
pub(super) struct SourcedValue {
    pub(super) value: Value,
    pub(super) origin: ValueOrigin,
}

/// A value as it was written.
pub(super) enum Value {
    /// In the file.
    Toml(toml::Value),
    /// In the environment.
    Text(String),
}

/// Everything that the file and the environment hold.
#[derive(Default)]
pub(super) struct Sources {
    /// By `section.key`.
    pub(super) given: BTreeMap<String, SourcedValue>,
    /// The file, if there is one.
    pub(super) file: Option<ValueOrigin>,
    /// The sections of the file, empty ones too.
    pub(super) sections: BTreeSet<String>,
    /// Standard names that were overridden.
    pub(super) unused: Vec<UnusedName>,
    /// A file that can't be read, or is not TOML.
    pub(super) faults: Vec<SettingFault>,
    /// The text of a file of which lines were not understood; empty where there is no text.
    broken: Option<String>,
}

impl Sources {
    /// Gathers the file and the environment. A variable that is set to nothing counts as not set, because that
    /// is what compose files make of `${ABSENT:-}`.
    pub(super) fn gather(
        config_file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut sources = Self::default();
        if let Some(path) = config_file {
            sources.take_file(path);
        }
        let mut standard = BTreeMap::new();
        for (name, value) in environment {
            if let Some(rest) = name.strip_prefix(PREFIX) {
                let key = rest.to_ascii_lowercase().replacen("__", ".", 1);
                sources.put(key, Value::Text(value), ValueOrigin::Variable(name));
            } else if STANDARD_NAMES.iter().any(|(standard_name, _)| *standard_name == name) {
                standard.insert(name, value);
            } else if name.starts_with(PREFIX.trim_end_matches('_')) {
                sources.put_single_underscored(name);
            }
        }
        for (name, key) in STANDARD_NAMES {
            if let Some(value) = standard.remove(name) {
                sources.fill_in(name, key, value);
            }
        }
        sources
    }

    fn take_file(&mut self, path: &Path) {
        let origin = ValueOrigin::File(path.to_owned());
        self.file = Some(origin.clone());
        let text = match read_table_text(path) {
            Ok(text) => text,
            Err(detail) => {
                self.broken = Some(String::new());
                return self.faults.push(SettingFault::new("", Some(origin), detail));
            }
        };
        let (table, faults) = parse_what_is_toml(&text);
        if !faults.is_empty() {
            self.broken = Some(text);
        }
        self.faults
            .extend(faults.into_iter().map(|detail| SettingFault::new("", Some(origin.clone()), detail)));
        for (section, value) in table {
            match value {
                toml::Value::Table(keys) => {
                    self.sections.insert(section.clone());
                    for (key, value) in keys {
                        self.put(format!("{section}.{key}"), Value::Toml(value), origin.clone());
                    }
                }
                value => self.put(section, Value::Toml(value), origin.clone()),
            }
        }
    }

    /// Whether a setting may stand in a part of the file that was not understood: then it is not known to be missing.
    pub(super) fn may_hold_unread(&self, key: &str) -> bool {
        let name = key.rsplit('.').next().unwrap_or(key);
        self.broken.as_ref().is_some_and(|text| text.is_empty() || text.contains(name))
    }

    fn put(&mut self, key: String, value: Value, origin: ValueOrigin) {
        // An empty variable of a known key counts as not set; of an unknown key it is still a misspelling, which the
        // reader finds, so it is kept unless the key has a value already.
        let is_empty = matches!(&value, Value::Text(text) if text.is_empty());
        if !(is_empty && self.given.contains_key(&key)) {
            self.given.insert(key, SourcedValue { value, origin });
        }
    }

    fn fill_in(&mut self, name: &'static str, key: &'static str, value: String) {
        if value.is_empty() {
            return;
        }
        match self.given.get(key) {
            Some(given) if !given.is_empty() => {
                let same = matches!(&given.value, Value::Text(text) if *text == value)
                    || matches!(&given.value, Value::Toml(toml::Value::String(text)) if *text == value);
                if !same {
                    self.unused.push(UnusedName { name, key, origin: given.origin.clone() });
                }
            }
            _ => {
                let given =
                    SourcedValue { value: Value::Text(value), origin: ValueOrigin::StandardName(name) };
                self.given.insert(key.to_owned(), given);
            }
        }
    }

    /// `MEETING_PROVISIONER_GRAPH_TENANT_ID` looks like a setting and is none. Only names that are a setting's but for
    /// the underscores are meant: Kubernetes sets `MEETING_PROVISIONER_PORT` and more for a service of this name.
    fn put_single_underscored(&mut self, name: String) {
        let key = format!("?{}", normalized(&name));
        self.given.insert(
            key,
            SourcedValue { value: Value::Text(String::new()), origin: ValueOrigin::Variable(name) },
        );
    }
}

impl SourcedValue {
    pub(super) fn is_empty(&self) -> bool {
        matches!(&self.value, Value::Text(text) if text.is_empty())
    }
}

/// The environment variable of a setting.
pub(super) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"))
}

/// A variable's name with every run of underscores made one.
pub(super) fn normalized(name: &str) -> String {
    let parts: Vec<&str> = name.split('_').filter(|part| !part.is_empty()).collect();
    parts.join("_").to_ascii_uppercase()
}
