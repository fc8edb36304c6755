//! Reads the settings one by one and notes every fault. The keys that were read are the known ones.

use std::collections::{BTreeMap, BTreeSet};

use super::config_faults::ConfigFaults;
use super::sources::{STANDARD_NAMES, SourcedValue, Sources, UnusedName, Value, normalized, variable_of};
use crate::setting::{
    FaultNoted, FileFaults, SettingFault, SettingRule, ValueOrigin, read_toml, read_variable,
};
use crate::suggestion::{did_you_mean, nearest};

/// Reads settings out of [`Sources`].
pub(super) struct Reader {
    sources: Sources,
    origins: BTreeMap<&'static str, ValueOrigin>,
    /// Sections whose keys are names that the operator chose.
    open_sections: BTreeSet<&'static str>,
    faults: Vec<SettingFault>,
    missing: Vec<SettingFault>,
}

impl Reader {
    pub(super) fn new(mut sources: Sources) -> Self {
        let faults = std::mem::take(&mut sources.faults);
        Self {
            sources,
            origins: BTreeMap::new(),
            open_sections: BTreeSet::new(),
            faults,
            missing: Vec::new(),
        }
    }

    /// A setting that may be absent.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        rule: &SettingRule<T>,
    ) -> Result<Option<T>, FaultNoted> {
        let origin = self.given(key).map_or(ValueOrigin::Default, |given| given.origin.clone());
        self.origins.insert(key, origin);
        let Some(given) = self.given(key) else { return Ok(None) };
        let read = match &given.value {
            Value::Text(text) => read_variable(text, rule),
            Value::Toml(value) => read_toml(value, rule),
        };
        match read {
            Ok(value) => Ok(Some(value)),
            Err(detail) => {
                let origin = given.origin.clone();
                self.faults.push(SettingFault::new(key, Some(origin), detail));
                Err(FaultNoted)
            }
        }
    }

    /// A setting with a default; `None` if it is wrong.
    pub(super) fn or_default<T>(
        &mut self,
        key: &'static str,
        default: T,
        rule: &SettingRule<T>,
    ) -> Option<T> {
        self.optional(key, rule).ok().map(|value| value.unwrap_or(default))
    }

    /// A setting that must be there; `None` if it is wrong or missing.
    pub(super) fn required<T>(&mut self, key: &'static str, what: &str, rule: &SettingRule<T>) -> Option<T> {
        let value = self.optional(key, rule).ok()?;
        if value.is_none() {
            self.missing(key, what);
        }
        value
    }

    /// Takes everything that the file holds in a section whose keys are names that the operator chose.
    pub(super) fn tables(&mut self, section: &'static str) -> Vec<(String, toml::Value)> {
        self.open_sections.insert(section);
        let in_section = self.sources.given.extract_if(.., |key, given| {
            matches!(given.value, Value::Toml(_)) && section_of(key) == section && key != section
        });
        let named = in_section.filter_map(|(key, given)| match given.value {
            Value::Toml(value) => Some((key.get(section.len() + 1..)?.to_owned(), value)),
            Value::Text(_) => None,
        });
        named.collect()
    }

    /// Takes a list of blocks `[[key]]` of the file, none where there are none; `None` if it is something else.
    pub(super) fn blocks(&mut self, key: &'static str) -> Option<Vec<toml::Value>> {
        let given = self.sources.given.get(key).filter(|given| !given.is_empty());
        let origin = given.map_or(ValueOrigin::Default, |given| given.origin.clone());
        self.origins.insert(key, origin);
        let detail = match given.map(|given| &given.value) {
            None => return Some(Vec::new()),
            Some(Value::Toml(toml::Value::Array(blocks))) => return Some(blocks.clone()),
            Some(Value::Toml(_)) => format!("must be blocks [[{key}]]"),
            Some(Value::Text(_)) => "can be set in the file of --config alone".to_owned(),
        };
        self.fault(key, detail);
        None
    }

    /// No faults yet of the settings file; what is found goes to [`Self::note_all`].
    pub(super) fn file_faults(&self) -> FileFaults {
        FileFaults::of(self.sources.file.clone())
    }

    /// Notes faults of the settings file.
    pub(super) fn note_all(&mut self, faults: FileFaults) {
        self.faults.extend(faults.into_found());
    }

    /// Notes that a setting is not there, and how to set it.
    pub(super) fn missing(&mut self, key: &str, what: &str) {
        let also = STANDARD_NAMES.iter().find(|(_, standard)| *standard == key);
        let also = also.map_or(String::new(), |(name, _)| format!(" or {name}"));
        let detail = format!(
            "is not set; it is {what}: give it in the file of --config, or as {}{also}",
            variable_of(key)
        );
        self.missing.push(SettingFault::new(key, None, detail));
    }

    /// Notes a fault of a value that was read before.
    pub(super) fn fault(&mut self, key: &'static str, detail: impl Into<String>) {
        let origin = self.origins.get(key).cloned();
        self.faults.push(SettingFault::new(key, origin, detail));
    }

    /// Where a setting's value came from; [`ValueOrigin::Default`] if it was not set.
    pub(super) fn origin(&self, key: &str) -> ValueOrigin {
        self.origins.get(key).cloned().unwrap_or(ValueOrigin::Default)
    }

    /// Ends the reading: where each value came from and the names left unused, or every fault. Of the missing settings,
    /// only those of the sections and keys named are faults.
    pub(super) fn finish(mut self, needed: &[&str]) -> Result<Provenance, ConfigFaults> {
        self.find_unknown();
        let sources = &self.sources;
        let is_needed = |fault: &SettingFault| {
            needed.iter().any(|name| *name == fault.key || *name == section_of(&fault.key))
                && !sources.may_hold_unread(&fault.key)
        };
        self.faults.extend(self.missing.into_iter().filter(is_needed));
        if self.faults.is_empty() {
            return Ok(Provenance { origins: self.origins, unused: self.sources.unused });
        }
        self.faults.sort_by(|left, right| left.key.cmp(&right.key));
        // What is compared with another setting was read twice.
        let mut told = Vec::new();
        self.faults.retain(|fault| {
            let is_new = !told.contains(fault);
            told.push(fault.clone());
            is_new
        });
        Err(ConfigFaults(self.faults))
    }

    fn given(&self, key: &str) -> Option<&SourcedValue> {
        self.sources.given.get(key).filter(|given| !given.is_empty())
    }

    /// Notes every section and key that is set and is no setting.
    fn find_unknown(&mut self) {
        let mut sections: BTreeSet<&str> = self.origins.keys().map(|key| section_of(key)).collect();
        sections.extend(&self.open_sections);
        for section in self.sources.sections.iter().filter(|section| !sections.contains(section.as_str())) {
            let meant = nearest(section, sections.iter().copied());
            let detail = format!("there is no section [{section}]{}", did_you_mean(meant));
            self.faults.push(SettingFault::new(section, self.sources.file.clone(), detail));
        }
        for (key, given) in &self.sources.given {
            let known = self.origins.contains_key(key.as_str());
            let in_unknown_section =
                self.sources.sections.contains(section_of(key)) && !sections.contains(section_of(key));
            if known || (in_unknown_section && matches!(given.origin, ValueOrigin::File(_))) {
                continue;
            }
            self.faults.extend(self.unknown(key, &given.origin));
        }
    }

    fn unknown(&self, key: &str, origin: &ValueOrigin) -> Option<SettingFault> {
        if self.open_sections.contains(section_of(key)) && matches!(origin, ValueOrigin::Variable(_)) {
            let detail = "can be set in the file of --config alone";
            return Some(SettingFault::new(key, Some(origin.clone()), detail));
        }
        let known = self.origins.keys().copied();
        if let (Some(normalized_name), ValueOrigin::Variable(name)) = (key.strip_prefix('?'), origin) {
            let meant = known.map(variable_of).find(|variable| normalized(variable) == normalized_name)?;
            let detail = format!("{name} sets nothing{}", did_you_mean(Some(meant.as_str())));
            return Some(SettingFault::new("", Some(origin.clone()), detail));
        }
        let meant = nearest(key, known).map(|meant| match origin {
            ValueOrigin::Variable(_) => variable_of(meant),
            _ => meant.to_owned(),
        });
        let detail = format!("there is no such setting{}", did_you_mean(meant.as_deref()));
        Some(SettingFault::new(key, Some(origin.clone()), detail))
    }
}

/// Where the values came from.
pub(super) struct Provenance {
    pub(super) origins: BTreeMap<&'static str, ValueOrigin>,
    pub(super) unused: Vec<UnusedName>,
}

fn section_of(key: &str) -> &str {
    key.split('.').next().unwrap_or(key)
}
