//! What is wrong with a setting.

use std::fmt;

use super::value_origin::ValueOrigin;

/// One fault of the settings or of the file of API keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingFault {
    /// The setting, `section.key` or `api_key 2 ("crm").sha256`; a section, or empty when the file as a whole is meant.
    pub key: String,
    /// Where its value came from; `None` when it was not set, or was not read from a file.
    pub origin: Option<ValueOrigin>,
    /// What is wrong and what would be right. Never holds a secret.
    pub detail: String,
}

impl SettingFault {
    /// One fault; the key is empty when the file as a whole is meant.
    pub fn new(key: impl Into<String>, origin: Option<ValueOrigin>, detail: impl Into<String>) -> Self {
        Self { key: key.into(), origin, detail: detail.into() }
    }
}

impl fmt::Display for SettingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.key.as_str(), &self.origin) {
            ("", Some(origin)) => write!(f, "{origin}: {}", self.detail),
            ("", None) => f.write_str(&self.detail),
            (key, Some(origin)) => write!(f, "{key} ({origin}): {}", self.detail),
            (key, None) => write!(f, "{key}: {}", self.detail),
        }
    }
}

/// The faults found so far in one file, in the order in which they were found.
#[derive(Debug)]
pub struct FileFaults {
    origin: Option<ValueOrigin>,
    found: Vec<SettingFault>,
}

impl FileFaults {
    /// No faults yet in this file; `None` for a text that was not read from a file.
    #[must_use]
    pub fn of(origin: Option<ValueOrigin>) -> Self {
        Self { origin, found: Vec::new() }
    }

    /// Notes a fault. The key is empty when the file as a whole is meant.
    pub fn note(&mut self, key: impl Into<String>, detail: impl Into<String>) {
        self.found.push(SettingFault::new(key, self.origin.clone(), detail));
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// The faults.
    #[must_use]
    pub fn into_found(self) -> Vec<SettingFault> {
        self.found
    }
}
