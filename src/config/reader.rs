//! Asks for the settings one by one and remembers every fault. The keys that were asked for are the known ones.

use std::collections::{BTreeMap, BTreeSet};

use super::config_fault::{ConfigFault, ConfigFaults};
use super::near::nearest;
use super::setting_rule::{SettingRule, Written};
use super::sources::{STANDARD_NAMES, SourcedValue, Sources, UnusedName, Value, normalized, variable_of};
use super::value_origin::ValueOrigin;

/// The most of a wrong value that is shown, in characters.
const SHOWN_MAX: usize = 100;

/// Reads settings out of [`Sources`].
pub(super) struct Reader {
    sources: Sources,
    origins: BTreeMap<&'static str, ValueOrigin>,
    /// Sections whose keys are names that the operator chose.
    open_sections: BTreeSet<&'static str>,
    faults: Vec<ConfigFault>,
    missing: Vec<ConfigFault>,
}

/// A value is wrong, and the fault is noted.
pub(super) struct FaultNoted;

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
        match read(given, rule) {
            Ok(value) => Ok(Some(value)),
            Err(detail) => {
                let origin = given.origin.clone();
                self.faults.push(ConfigFault::new(key, Some(origin), detail));
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

    /// Takes everything that the file says in a section whose keys are names that the operator chose.
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

    /// Notes a fault of something in such a section.
    pub(super) fn fault_in_file(&mut self, key: &str, detail: impl Into<String>) {
        self.faults.push(ConfigFault::new(key, self.sources.file.clone(), detail));
    }

    /// Notes that a setting is not there, and how to set it.
    pub(super) fn missing(&mut self, key: &str, what: &str) {
        let also = STANDARD_NAMES.iter().find(|(_, standard)| *standard == key);
        let also = also.map_or(String::new(), |(name, _)| format!(" or {name}"));
        let detail = format!(
            "is not set; it is {what}: give it in the file of --config, or as {}{also}",
            variable_of(key)
        );
        self.missing.push(ConfigFault::new(key, None, detail));
    }

    /// Notes a fault of a value that was read before.
    pub(super) fn fault(&mut self, key: &'static str, detail: impl Into<String>) {
        let origin = self.origins.get(key).cloned();
        self.faults.push(ConfigFault::new(key, origin, detail));
    }

    /// Where a setting's value came from; [`ValueOrigin::Default`] if nobody set it.
    pub(super) fn origin(&self, key: &str) -> ValueOrigin {
        self.origins.get(key).cloned().unwrap_or(ValueOrigin::Default)
    }

    /// Ends the reading: where each value came from and the names left unused, or every fault. Of the missing settings,
    /// only those of the sections and keys named are faults.
    pub(super) fn finish(mut self, needed: &[&str]) -> Result<Provenance, ConfigFaults> {
        self.find_unknown();
        let is_needed = |fault: &ConfigFault| {
            needed.iter().any(|name| *name == fault.key || *name == section_of(&fault.key))
        };
        self.faults.extend(self.missing.into_iter().filter(is_needed));
        if self.faults.is_empty() {
            return Ok(Provenance { origins: self.origins, unused: self.sources.unused });
        }
        self.faults.sort_by(|left, right| left.key.cmp(&right.key));
        Err(ConfigFaults(self.faults))
    }

    fn given(&self, key: &str) -> Option<&SourcedValue> {
        self.sources.given.get(key).filter(|given| !given.says_nothing())
    }

    /// Whatever was said and nobody asked for.
    fn find_unknown(&mut self) {
        let mut sections: BTreeSet<&str> = self.origins.keys().map(|key| section_of(key)).collect();
        sections.extend(&self.open_sections);
        for section in self.sources.sections.iter().filter(|section| !sections.contains(section.as_str())) {
            let meant = nearest(section, sections.iter().copied());
            let detail = format!("there is no section [{section}]{}", did_you_mean(meant));
            self.faults.push(ConfigFault::new(section, self.sources.file.clone(), detail));
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

    fn unknown(&self, key: &str, origin: &ValueOrigin) -> Option<ConfigFault> {
        if self.open_sections.contains(section_of(key)) && matches!(origin, ValueOrigin::Variable(_)) {
            let detail = "can be set in the file of --config alone";
            return Some(ConfigFault::new(key, Some(origin.clone()), detail));
        }
        let known = self.origins.keys().copied();
        if let (Some(normalized_name), ValueOrigin::Variable(name)) = (key.strip_prefix('?'), origin) {
            let meant = known.map(variable_of).find(|variable| normalized(variable) == normalized_name)?;
            let detail = format!("{name} sets nothing{}", did_you_mean(Some(meant.as_str())));
            return Some(ConfigFault::new("", Some(origin.clone()), detail));
        }
        let meant = nearest(key, known).map(|meant| match origin {
            ValueOrigin::Variable(_) => variable_of(meant),
            _ => meant.to_owned(),
        });
        let detail = format!("there is no such setting{}", did_you_mean(meant.as_deref()));
        Some(ConfigFault::new(key, Some(origin.clone()), detail))
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

fn did_you_mean(meant: Option<&str>) -> String {
    meant.map_or(String::new(), |meant| format!("; did you mean {meant}?"))
}

fn read<T>(given: &SourcedValue, rule: &SettingRule<T>) -> Result<T, String> {
    let text = match &given.value {
        Value::Text(text) => text.clone(),
        Value::Toml(value) => match (value, rule.written) {
            (toml::Value::String(text), Written::Text) => text.clone(),
            (toml::Value::Integer(number), Written::Number) => number.to_string(),
            (toml::Value::Float(number), Written::Number) => number.to_string(),
            (toml::Value::Boolean(flag), Written::Flag) => flag.to_string(),
            (value, written) => {
                let right = match written {
                    Written::Text => "must be text in quotes",
                    Written::Number => "must be a number, without quotes",
                    Written::Flag => "must be true or false, without quotes",
                };
                return Err(format!("is of type {}; {right}", value.type_str()));
            }
        },
    };
    (rule.read)(&text).map_err(|right| match (rule.is_secret, text.chars().count()) {
        (true, _) => format!("is not shown here; {right}"),
        (false, 0..=SHOWN_MAX) => format!("is {text:?}; {right}"),
        (false, _) => format!("is {:?}…; {right}", text.chars().take(SHOWN_MAX).collect::<String>()),
    })
}
