//! Reads one table of a TOML file, setting by setting, and notes every fault.

use toml::{Table, Value};

use super::setting_fault::FileFaults;
use super::setting_rule::{SettingRule, read_toml};
use crate::suggestion::{did_you_mean, nearest};

/// A value is wrong, and the fault is noted.
#[derive(Debug)]
pub struct FaultNoted;

/// One table of a TOML file, being read.
#[derive(Debug)]
pub struct TableReader<'a> {
    place: String,
    table: &'a Table,
    faults: &'a mut FileFaults,
}

impl<'a> TableReader<'a> {
    /// The table at this place, such as `source_system.crm`. Each member that is not known is a fault.
    pub fn new(place: String, table: &'a Table, known: &[&str], faults: &'a mut FileFaults) -> Self {
        for member in table.keys().filter(|member| !known.contains(&member.as_str())) {
            let meant = match nearest(member, known.iter().copied()) {
                Some(meant) => did_you_mean(Some(meant)),
                None => format!("; known are {}", known.join(", ")),
            };
            faults.note(format!("{place}.{member}"), format!("there is no such setting{meant}"));
        }
        Self { place, table, faults }
    }

    /// A member that may be absent.
    pub fn optional<T>(&mut self, member: &str, rule: &SettingRule<T>) -> Result<Option<T>, FaultNoted> {
        let value = self.table.get(member).map(|value| read_toml(value, rule));
        value.transpose().map_err(|detail| {
            self.note(member, detail);
            FaultNoted
        })
    }

    /// A member as it is written; `None` if it is absent.
    #[must_use]
    pub fn value(&self, member: &str) -> Option<&'a Value> {
        self.table.get(member)
    }

    /// A member that must be there, and what it is; `None` if it is wrong or missing.
    pub fn required<T>(&mut self, member: &str, what: &str, rule: &SettingRule<T>) -> Option<T> {
        let value = self.optional(member, rule).ok()?;
        self.or_missing(member, what, value)
    }

    /// A list that must be there and hold something, and what it is; `None` if anything of it is wrong.
    pub fn list<T>(&mut self, member: &str, what: &str, rule: &SettingRule<T>) -> Option<Vec<T>> {
        let value = self.value(member);
        let values = match self.or_missing(member, what, value)? {
            Value::Array(values) if !values.is_empty() => values,
            Value::Array(_) => {
                self.note(member, format!("is empty; it is {what}"));
                return None;
            }
            value => {
                self.note(member, format!("is of type {}; it is {what}", value.type_str()));
                return None;
            }
        };
        let mut read = Vec::new();
        for value in values {
            match read_toml(value, rule) {
                Ok(value) => read.push(value),
                Err(detail) => self.note(member, detail),
            }
        }
        (read.len() == values.len()).then_some(read)
    }

    /// Notes a fault of a member, or of something in it.
    pub fn note(&mut self, member: &str, detail: impl Into<String>) {
        self.faults.note(format!("{}.{member}", self.place), detail);
    }

    fn or_missing<T>(&mut self, member: &str, what: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.note(member, format!("is not set; it is {what}"));
        }
        value
    }
}
