//! The settings in a meeting that Graph sends.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::text::cleaned;
use crate::booking::{MEETING_SETTINGS, MeetingSetting};
use crate::meeting::{SeenSetting, SeenSettings};

/// Reads the settings of an `onlineMeeting`: what is missing, null or of an unknown kind counts as not sent.
pub(super) fn read(text: &str) -> SeenSettings {
    serde_json::from_str(text).map(|SettingsWire(seen)| seen).unwrap_or_default()
}

/// Every other member is passed over, so that a list of a thousand attendees costs nothing here.
struct SettingsWire(SeenSettings);

impl<'de> Deserialize<'de> for SettingsWire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SettingsMembers)
    }
}

struct SettingsMembers;

impl<'de> Visitor<'de> for SettingsMembers {
    type Value = SettingsWire;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an onlineMeeting")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<SettingsWire, A::Error> {
        let mut seen = SeenSettings::default();
        while let Some(name) = members.next_key::<String>()? {
            if MEETING_SETTINGS.iter().any(|setting| outermost(setting) == name) {
                // A number that no number can hold is no setting, and must not hide the others.
                let raw: &RawValue = members.next_value()?;
                note(&mut seen, &name, &serde_json::from_str(raw.get()).unwrap_or_default());
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(SettingsWire(seen))
    }
}

fn outermost(setting: &MeetingSetting) -> &'static str {
    let (holder, name) = setting.place();
    holder.unwrap_or(name)
}

/// Notes every setting in the member of this name.
fn note(seen: &mut SeenSettings, member: &str, value: &Value) {
    for setting in MEETING_SETTINGS.iter().filter(|setting| outermost(setting) == member) {
        let found = match setting.place() {
            (None, _) => Some(value),
            (Some(_), name) => value.get(name),
        };
        match found {
            Some(Value::Bool(on)) => seen.note(setting.path, SeenSetting::Switch(*on)),
            Some(Value::String(text)) => seen.note(setting.path, SeenSetting::Word(cleaned(text.clone()))),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Settings where Graph has them, with values newer than ours; nothing of what is null, missing, odd or no setting.
    #[test]
    fn only_settings_that_were_sent_are_noted() {
        let text = json!({
            "id": "m", "participants": {"attendees": [{"recordAutomatically": true}]}, "recordAutomatically": true,
            "allowedPresenters": "roleIsPresenter", "allowMeetingChat": "someFutureMode", "allowRecording": null,
            "allowTranscription": 7, "allowWhiteboard": {"x": 1}, "allowLiveShare": "a\u{0}",
            "lobbyBypassSettings": {"@odata.type": "#x", "scope": "organization", "isDialInBypassEnabled": null, "x": 1},
        });
        let sent = json!({
            "recordAutomatically": true, "allowedPresenters": "roleIsPresenter", "allowMeetingChat": "someFutureMode",
            "lobbyBypassSettings.scope": "organization", "allowLiveShare": "a\u{fffd}",
        });
        assert_eq!(serde_json::to_value(read(&text.to_string())).unwrap(), sent);
        for odd in [json!(null), json!([]), json!(true), json!({}), json!("x"), json!({"scope": {}})] {
            let text = json!({"lobbyBypassSettings": odd, "recordAutomatically": false}).to_string();
            let sent = json!({"recordAutomatically": false});
            assert_eq!(serde_json::to_value(read(&text)).unwrap(), sent, "{odd}");
        }
        let far = r#"{"allowRecording": 1e999, "recordAutomatically": false}"#;
        assert!(read(far).get("recordAutomatically").is_some() && read(far).get("allowRecording").is_none());
    }
}
