//! The settings of a meeting as Graph told them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::booking::{MeetingSettings, SettingValue};

/// What an answer said of the settings that a booking may ask for, by their paths. Some may be missing, and words may
/// be newer than ours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeenSettings(BTreeMap<String, SeenSetting>);

/// What one setting was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SeenSetting {
    /// On or off.
    Switch(bool),
    /// A word.
    Word(String),
}

impl SeenSettings {
    /// Whether no setting was told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes what was told of the setting at this path.
    pub fn note(&mut self, path: &str, seen: SeenSetting) {
        self.0.insert(path.to_owned(), seen);
    }

    /// Whether anything was told of the setting at this path.
    #[must_use]
    pub fn tells(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// The settings of `wanted` that the meeting has otherwise, or of which nothing was told.
    #[must_use]
    pub fn lacking(&self, wanted: &MeetingSettings) -> MeetingSettings {
        wanted.filtered(|path, value| !self.0.get(path).is_some_and(|seen| seen.means(value)))
    }
}

impl SeenSetting {
    fn means(&self, wanted: SettingValue) -> bool {
        match (self, wanted) {
            (Self::Switch(seen), SettingValue::Switch(wanted)) => *seen == wanted,
            (Self::Word(seen), SettingValue::Word(wanted)) => seen.eq_ignore_ascii_case(wanted),
            _ => false,
        }
    }
}
