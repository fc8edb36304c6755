//! The settings of a meeting as Graph told them.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};

use crate::booking::{MeetingSettings, SettingValue};

/// What an answer said of the settings that a booking may ask for, by their paths. Some may be missing, and values may
/// be newer than ours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeenSettings(BTreeMap<String, SeenSetting>);

/// What one setting was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SeenSetting {
    /// On or off.
    Switch(bool),
    /// A value of an enumeration, or a newer one.
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

    /// Takes over what `told` says of those of the `named` settings that are not here yet.
    pub(super) fn note_first(&mut self, named: &MeetingSettings, told: &Self) {
        for (path, _) in named.iter() {
            if let Some(seen) = told.get(path) {
                self.0.entry(path.to_owned()).or_insert_with(|| seen.clone());
            }
        }
    }

    /// What was told of the setting at this path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&SeenSetting> {
        self.0.get(path)
    }

    /// The settings of `wanted` that the meeting has otherwise, or of which nothing was told.
    #[must_use]
    pub fn lacking(&self, wanted: &MeetingSettings) -> MeetingSettings {
        wanted.filtered(|path, value| !self.0.get(path).is_some_and(|seen| seen.means(value)))
    }
}

/// By hand, because every read of a booking reads a dozen of them, and serde's way for untagged values keeps a copy of
/// each before it tries.
impl<'de> Deserialize<'de> for SeenSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SwitchOrWord)
    }
}

struct SwitchOrWord;

impl Visitor<'_> for SwitchOrWord {
    type Value = SeenSetting;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a boolean or a string")
    }

    fn visit_bool<E>(self, on: bool) -> Result<SeenSetting, E> {
        Ok(SeenSetting::Switch(on))
    }

    fn visit_str<E>(self, word: &str) -> Result<SeenSetting, E> {
        Ok(SeenSetting::Word(word.to_owned()))
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
