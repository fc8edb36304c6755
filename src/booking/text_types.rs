//! The text values of a booking, each valid once it exists.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::address::{self, ADDRESS_LENGTH_MAX, AddressFault};
use super::key::text_conversions;

/// What is wrong with a text, as a sentence about the member that held it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TextFault(pub &'static str);

/// An Entra user's object id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(Uuid);

impl UserId {
    /// The user with this object id.
    #[must_use]
    pub fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// Reads an object id in its 36-character form.
    pub fn parse(text: &str) -> Result<Self, TextFault> {
        match Uuid::try_parse(text) {
            Ok(id) if text.len() == 36 => Ok(Self(id)),
            _ => Err(TextFault("must be an object id such as 1f35f2e6-9cab-44ad-8d5a-b74c14720000")),
        }
    }

    /// The id itself.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A user principal name: one address `name@domain`, at most 256 characters. Compared without regard to case.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Upn(String);

impl Upn {
    /// Reads a user principal name, as a caller sends it.
    ///
    /// # Errors
    /// When it is not the address of one user; the fault says why.
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        address::check(text)?;
        Ok(Self(text.to_owned()))
    }

    /// Reads a user principal name that is there already, in the store or at Graph. What was accepted once stays readable,
    /// also where [`Upn::parse`] has become stricter since.
    ///
    /// # Errors
    /// When it has no name or no domain, is longer than 256 characters or holds U+0000.
    pub fn recorded(text: &str) -> Result<Self, AddressFault> {
        match text.rsplit_once('@') {
            _ if text.chars().count() > ADDRESS_LENGTH_MAX => Err(AddressFault::TooLong),
            _ if text.contains('\0') => Err(AddressFault::Control('\0')),
            Some((name, domain)) if !name.is_empty() && !domain.is_empty() => Ok(Self(text.to_owned())),
            _ => Err(AddressFault::NoAddress),
        }
    }

    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in lower case, as names are compared.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl PartialEq for Upn {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.folded() == other.folded()
    }
}

impl Eq for Upn {}

impl fmt::Display for Upn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Upn {
    type Error = AddressFault;

    fn try_from(text: String) -> Result<Self, AddressFault> {
        Self::recorded(&text)
    }
}

impl From<Upn> for String {
    fn from(upn: Upn) -> Self {
        upn.0
    }
}

/// A meeting's subject: 1–255 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject(String);

impl Subject {
    /// Longest subject, in characters.
    pub const LENGTH_MAX: usize = 255;

    /// Reads a subject.
    pub fn parse(text: &str) -> Result<Self, TextFault> {
        match text.chars().count() {
            0 => Err(TextFault("must not be empty; leave it out for a meeting without a subject")),
            n if n > Self::LENGTH_MAX => Err(TextFault("must be at most 255 characters long")),
            _ if text.contains('\0') => Err(TextFault("must not hold the character U+0000")),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The subject as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The chat thread of a Teams channel: `19:…@thread.…`, at most 512 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChatThreadId(String);

impl ChatThreadId {
    /// Longest id, in characters.
    pub const LENGTH_MAX: usize = 512;

    /// Reads a thread id.
    pub fn parse(text: &str) -> Result<Self, TextFault> {
        let printable = text.bytes().all(|b| (0x21..=0x7e).contains(&b));
        if text.len() > Self::LENGTH_MAX
            || !printable
            || !text.starts_with("19:")
            || !text.contains("@thread.")
        {
            return Err(TextFault("must be a channel's thread id such as 19:…@thread.tacv2"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// iCalendar's SEQUENCE (RFC 5545, 3.8.7.4): 0 at first, higher with each revision by the booking system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequence(u32);

impl Sequence {
    /// Highest number, as RFC 5545's INTEGER allows.
    pub const MAX: u32 = i32::MAX as u32;

    /// The sequence of this number; `None` above [`Self::MAX`].
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        (number <= Self::MAX).then_some(Self(number))
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

text_conversions!(Subject, ChatThreadId);
