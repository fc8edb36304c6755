//! Some settings of a meeting, each with the value that it is to have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::meeting_setting::{ALLOWED_PRESENTERS, LOBBY, MEETING_SETTINGS, ROLE_IS_PRESENTER, SettingValue};
use super::member_fault::{FaultList, MemberFault};
use super::members::Members;

/// Some of [`MEETING_SETTINGS`] with their values; what is not named is left as it is. Serialized as Graph writes it:
/// `{"allowedPresenters": "organizer", "lobbyBypassSettings": {"scope": "invited"}}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct MeetingSettings(BTreeMap<&'static str, SettingValue>);

impl MeetingSettings {
    /// Reads settings from a JSON object; `null` counts as absent.
    ///
    /// # Errors
    /// All faults at once, each with its JSON Pointer below `pointer`.
    pub fn parse(value: Value, pointer: &str) -> Result<Self, Vec<MemberFault>> {
        let mut faults = FaultList::default();
        let settings = Members::open(value, pointer.to_owned(), &mut faults).map(Self::read);
        settings.filter(|_| faults.is_empty()).ok_or_else(|| faults.into_vec())
    }

    /// Takes the settings out of an object and closes it.
    pub(super) fn read(mut members: Members<'_>) -> Self {
        let mut settings = Self::default();
        settings.take(&mut members, None);
        if let Some(mut lobby) = members.object(LOBBY) {
            settings.take(&mut lobby, Some(LOBBY));
            lobby.close();
        }
        members.close();
        settings
    }

    fn take(&mut self, members: &mut Members<'_>, holder: Option<&str>) {
        for setting in &MEETING_SETTINGS {
            let (held_by, name) = setting.place();
            if held_by != holder {
                continue;
            }
            if let Some(value) = members.take(name) {
                match setting.read(&value) {
                    Ok(value) => drop(self.0.insert(setting.path, value)),
                    Err(detail) => members.fault(name, detail),
                }
            }
        }
    }

    /// Whether none is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that are named, in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, SettingValue)> + '_ {
        self.0.iter().map(|(path, value)| (*path, *value))
    }

    /// Keeps those of which `keep` says so, by path and value.
    #[must_use]
    pub fn filtered(&self, mut keep: impl FnMut(&'static str, SettingValue) -> bool) -> Self {
        Self(self.iter().filter(|(path, value)| keep(path, *value)).collect())
    }

    /// These, and of `others` those that are not named here.
    #[must_use]
    pub fn or(&self, others: &Self) -> Self {
        let mut all = others.0.clone();
        all.extend(&self.0);
        Self(all)
    }

    /// Whether the setting at this path is named.
    #[must_use]
    pub fn names(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// These with the setting at this path set to `value`; nothing where there is no such setting, or no such value of it.
    #[must_use]
    pub fn with(&self, path: &str, value: &Value) -> Option<Self> {
        let setting = MEETING_SETTINGS.iter().find(|setting| setting.path == path)?;
        let mut all = self.0.clone();
        all.insert(setting.path, setting.read(value).ok()?);
        Some(Self(all))
    }

    /// Only attendees with a presenting role may present: what gives effect to roles.
    #[must_use]
    pub fn presenters_by_role() -> Self {
        Self(BTreeMap::from([(ALLOWED_PRESENTERS, SettingValue::Word(ROLE_IS_PRESENTER))]))
    }

    /// Whether only attendees with a presenting role may present.
    #[must_use]
    pub fn has_presenters_by_role(&self) -> bool {
        self.0.get(ALLOWED_PRESENTERS) == Some(&SettingValue::Word(ROLE_IS_PRESENTER))
    }
}

impl From<MeetingSettings> for Value {
    fn from(settings: MeetingSettings) -> Self {
        let mut object = Map::new();
        for setting in &MEETING_SETTINGS {
            let Some(value) = settings.0.get(setting.path) else { continue };
            match setting.place() {
                (None, name) => drop(object.insert(name.to_owned(), (*value).into())),
                (Some(holder), name) => {
                    let held = object.entry(holder).or_insert_with(|| Self::Object(Map::new()));
                    held[name] = (*value).into();
                }
            }
        }
        Self::Object(object)
    }
}

impl TryFrom<Value> for MeetingSettings {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let described = |fault: MemberFault| format!("{} {}", fault.pointer, fault.detail);
        Self::parse(value, "")
            .map_err(|faults| faults.into_iter().map(described).collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
#[path = "meeting_settings_tests.rs"]
mod tests;
