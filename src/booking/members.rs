//! Takes the members of a JSON object one by one and collects every fault on the way.

use std::fmt;

use serde_json::{Map, Value};

use super::member_fault::{FaultList, MemberFault, member_pointer};
use super::unknown_names::UnknownNames;

/// The members of one object that have not been read yet.
pub(super) struct Members<'a> {
    left: Map<String, Value>,
    known: Vec<&'static str>,
    pointer: String,
    faults: &'a mut FaultList<MemberFault>,
}

impl<'a> Members<'a> {
    /// Opens the object at `pointer`; anything but an object is a fault.
    pub(super) fn open(
        value: Value,
        pointer: String,
        faults: &'a mut FaultList<MemberFault>,
    ) -> Option<Self> {
        if let Value::Object(left) = value {
            Some(Self { left, known: Vec::new(), pointer, faults })
        } else {
            faults.note(|| MemberFault::at(pointer, format!("must be an object, not {}", kind(&value))));
            None
        }
    }

    /// Takes a member; `null` counts as absent.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.left.remove(name).filter(|value| !value.is_null())
    }

    /// Takes a text member and reads it.
    pub(super) fn text<T, F: fmt::Display>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, F>,
    ) -> Option<T> {
        let value = self.take(name)?;
        let Value::String(text) = &value else {
            self.fault(name, format!("must be a string, not {}", kind(&value)));
            return None;
        };
        read(text).map_err(|fault| self.fault(name, fault.to_string())).ok()
    }

    /// Takes a text member that must be there, and reads it.
    pub(super) fn required_text<T, F: fmt::Display>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, F>,
    ) -> Option<T> {
        if self.left.get(name).is_none_or(Value::is_null) {
            self.known.push(name);
            self.left.remove(name);
            self.fault(name, "is required");
            return None;
        }
        self.text(name, read)
    }

    /// Opens the object in a member.
    pub(super) fn object(&mut self, name: &'static str) -> Option<Members<'_>> {
        let value = self.take(name)?;
        let pointer = self.pointer_to(name);
        Members::open(value, pointer, self.faults)
    }

    /// Takes a list member; its items come with their pointers.
    pub(super) fn list(&mut self, name: &'static str) -> Vec<(String, Value)> {
        let at = self.pointer_to(name);
        match self.take(name) {
            None => Vec::new(),
            Some(Value::Array(items)) => {
                items.into_iter().enumerate().map(|(n, item)| (format!("{at}/{n}"), item)).collect()
            }
            Some(other) => {
                self.fault(name, format!("must be a list, not {}", kind(&other)));
                Vec::new()
            }
        }
    }

    /// Notes a fault of one member.
    pub(super) fn fault(&mut self, name: &str, detail: impl Into<String>) {
        let pointer = &self.pointer;
        self.faults.note(|| MemberFault::at(member_pointer(pointer, name), detail));
    }

    /// The list in which faults are collected.
    pub(super) fn faults(&mut self) -> &mut FaultList<MemberFault> {
        self.faults
    }

    /// Closes the object: a member that was not read is a fault, as [`UnknownNames`] tells it.
    pub(super) fn close(self) {
        let Self { left, known, pointer, faults } = self;
        let mut unknown = UnknownNames::beside(&known, "a member");
        for name in left.keys() {
            faults.note(|| MemberFault::at(member_pointer(&pointer, name), unknown.detail(name)));
        }
    }

    fn pointer_to(&self, name: &str) -> String {
        member_pointer(&self.pointer, name)
    }
}

/// What kind of JSON value this is, with its article.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
