//! `[source_system.<name>]`: what holds for the bookings of one source system.

use std::collections::BTreeMap;

use super::reader::Reader;
use crate::booking::{MeetingSettings, SourceSystem};
use crate::meeting::DriftPolicy;
use crate::setting::{TableReader, one_of};

const SECTION: &str = "source_system";
const KEYS: [&str; 2] = ["meeting_settings", "drift"];

/// What holds for the bookings of one source system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceSystemSettings {
    /// The settings of its meetings where a booking doesn't name them, written as in a booking's `settings`.
    pub meeting_settings: MeetingSettings,
    /// What is done about its meetings that drifted from their bookings.
    pub drift: DriftPolicy,
}

/// Every source system that the file has settings for. Their names fit into no environment variable.
pub(super) fn read(reader: &mut Reader) -> BTreeMap<SourceSystem, SourceSystemSettings> {
    let mut read = BTreeMap::new();
    let mut faults = reader.file_faults();
    for (name, value) in reader.tables(SECTION) {
        let place = format!("{SECTION}.{name}");
        match (SourceSystem::parse(&name), &value) {
            (Ok(name), toml::Value::Table(table)) => {
                read.insert(name, one(TableReader::new(place, table, &KEYS, &mut faults)));
            }
            (Ok(_), value) => {
                let detail =
                    format!("is of type {}; must be a table of {}", value.type_str(), KEYS.join(" and "));
                faults.note(place, detail);
            }
            (Err(fault), _) => faults.note(place, format!("is no source system's name: it {fault}")),
        }
    }
    reader.note_all(faults);
    read
}

fn one(mut table: TableReader<'_>) -> SourceSystemSettings {
    let mut settings = SourceSystemSettings::default();
    let policies = one_of(DriftPolicy::ALL.map(|policy| (policy.as_str(), policy)));
    if let Ok(Some(policy)) = table.optional("drift", &policies) {
        settings.drift = policy;
    }
    if let Some(value) = table.value("meeting_settings") {
        // What JSON does not have, a date, becomes a text or an object, and is then a fault by its place.
        let value = serde_json::to_value(value).unwrap_or_default();
        match MeetingSettings::parse(value, "") {
            Ok(meeting_settings) => settings.meeting_settings = meeting_settings,
            Err(faults) => faults.into_iter().for_each(|fault| {
                table.note(&format!("meeting_settings{}", fault.pointer.replace('/', ".")), fault.detail);
            }),
        }
    }
    settings
}
