//! What is wrong with the settings.

use std::fmt;

use super::value_origin::ValueOrigin;

/// One fault of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// The setting, `section.key`; a section, or empty when the file as a whole is meant.
    pub key: String,
    /// Where its value came from; `None` when nobody set it.
    pub origin: Option<ValueOrigin>,
    /// What is wrong and what would be right. Never holds a secret.
    pub detail: String,
}

impl ConfigFault {
    pub(super) fn new(key: &str, origin: Option<ValueOrigin>, detail: impl Into<String>) -> Self {
        Self { key: key.to_owned(), origin, detail: detail.into() }
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.key.as_str(), &self.origin) {
            ("", Some(origin)) => write!(f, "{origin}: {}", self.detail),
            (key, Some(origin)) => write!(f, "{key} ({origin}): {}", self.detail),
            (key, None) => write!(f, "{key}: {}", self.detail),
        }
    }
}

/// All faults of the settings, in the order of their keys. Shown with one fault a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFaults(pub Vec<ConfigFault>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("one setting is wrong:")?,
            count => write!(f, "{count} settings are wrong:")?,
        }
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for ConfigFaults {}
