//! `[source_system.<name>]`: what holds for the bookings of one source system.

use std::collections::BTreeMap;

use super::caller_limits::CallerLimits;
use super::reader::Reader;
use crate::booking::{MeetingSettings, OrganizerPattern, Reach, SourceSystem};
use crate::meeting::DriftPolicy;
use crate::setting::{SettingRule, TableReader, flag, one_of};

const SECTION: &str = "source_system";
const KEYS: [&str; 8] = [
    "organizers",
    "channels",
    "meeting_settings",
    "fixed_settings",
    "drift",
    CallerLimits::KEYS[0],
    CallerLimits::KEYS[1],
    CallerLimits::KEYS[2],
];

/// What holds for the bookings of one source system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceSystemSettings {
    /// What it may ask for.
    pub reach: Reach,
    /// The settings of its meetings where a booking doesn't name them, written as in a booking's `settings`.
    pub meeting_settings: MeetingSettings,
    /// What is done about its meetings that drifted from their bookings.
    pub drift: DriftPolicy,
    /// How much it may ask for.
    pub limits: CallerLimits,
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
                    format!("is of type {}; must be a table of {}", value.type_str(), KEYS.join(", "));
                faults.note(place, detail);
            }
            (Err(fault), _) => faults.note(place, format!("is no source system's name: it {fault}")),
        }
    }
    reader.note_all(faults);
    read
}

fn one(mut table: TableReader<'_>) -> SourceSystemSettings {
    let policies = one_of(DriftPolicy::ALL.map(|policy| (policy.as_str(), policy)));
    let drift = table.optional("drift", &policies).ok().flatten().unwrap_or_default();
    let fixed_settings = meeting_settings(&mut table, "fixed_settings");
    let meeting_settings = meeting_settings(&mut table, "meeting_settings");
    for (path, _) in meeting_settings.iter().filter(|(path, _)| fixed_settings.names(path)) {
        let detail = "is fixed in fixed_settings: leave it out here, for no booking gets it";
        table.note(&format!("meeting_settings.{path}"), detail);
    }
    let channels = table.optional("channels", &flag()).ok().flatten().unwrap_or_default();
    let reach = Reach { organizers: organizers(&mut table), channels, fixed_settings };
    SourceSystemSettings { reach, meeting_settings, drift, limits: CallerLimits::of(&mut table) }
}

fn organizers(table: &mut TableReader<'_>) -> Vec<OrganizerPattern> {
    if table.value("organizers").is_none() {
        return Vec::new();
    }
    let rule = SettingRule::text(|text| OrganizerPattern::parse(text).map_err(|fault| fault.to_string()));
    let what =
        "a list of those on whose behalf it may act: object ids, user principal names, domains, or \"*\"";
    table.list("organizers", what, &rule).unwrap_or_default()
}

fn meeting_settings(table: &mut TableReader<'_>, member: &str) -> MeetingSettings {
    let Some(value) = table.value(member) else { return MeetingSettings::default() };
    // What JSON does not have, a date, becomes a text or an object, and is then a fault by its place.
    let value = serde_json::to_value(value).unwrap_or_default();
    MeetingSettings::parse(value, "").unwrap_or_else(|faults| {
        for fault in faults {
            table.note(&format!("{member}{}", fault.pointer.replace('/', ".")), fault.detail);
        }
        MeetingSettings::default()
    })
}
