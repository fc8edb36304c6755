//! `[source_system.<name>]`: what holds for the bookings of one source system.

use std::collections::BTreeMap;

use super::reader::Reader;
use crate::booking::{MeetingSettings, SourceSystem};
use crate::meeting::DriftPolicy;

const SECTION: &str = "source_system";
const KEYS: [&str; 2] = ["meeting_settings", "drift"];

/// What holds for the bookings of one source system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceSystemSettings {
    /// The settings of its meetings where a booking doesn't name them, written as in a booking's `settings`.
    pub meeting_settings: MeetingSettings,
    /// What is done about its meetings that have moved away from their bookings.
    pub drift: DriftPolicy,
}

/// Every source system of which the file says something. Their names fit into no environment variable.
pub(super) fn read(reader: &mut Reader) -> BTreeMap<SourceSystem, SourceSystemSettings> {
    let mut read = BTreeMap::new();
    for (name, value) in reader.tables(SECTION) {
        let key = format!("{SECTION}.{name}");
        match (SourceSystem::parse(&name), value) {
            (Ok(name), toml::Value::Table(table)) => drop(read.insert(name, one(reader, &key, table))),
            (Ok(_), value) => {
                let detail =
                    format!("is of type {}; must be a table of {}", value.type_str(), KEYS.join(" and "));
                reader.fault_in_file(&key, detail);
            }
            (Err(fault), _) => reader.fault_in_file(&key, format!("is no source system's name: it {fault}")),
        }
    }
    read
}

fn one(reader: &mut Reader, key: &str, table: toml::Table) -> SourceSystemSettings {
    let mut settings = SourceSystemSettings::default();
    for (name, value) in table {
        let key = format!("{key}.{name}");
        if !KEYS.contains(&name.as_str()) {
            reader.fault_in_file(&key, format!("there is no such setting; known are {}", KEYS.join(", ")));
            continue;
        }
        if name == "drift" {
            match DriftPolicy::ALL.into_iter().find(|policy| value.as_str() == Some(policy.as_str())) {
                Some(policy) => settings.drift = policy,
                None => reader.fault_in_file(&key, "must be \"mend\", \"report\" or \"adopt\""),
            }
            continue;
        }
        // What JSON has no word for, a date, becomes a text or an object, and is then a fault by its place.
        let value = serde_json::to_value(value).unwrap_or_default();
        match MeetingSettings::parse(value, "") {
            Ok(meeting_settings) => settings.meeting_settings = meeting_settings,
            Err(faults) => faults.into_iter().for_each(|fault| {
                reader.fault_in_file(&format!("{key}{}", fault.pointer.replace('/', ".")), fault.detail);
            }),
        }
    }
    settings
}
