//! The name of a booking.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::text_types::TextFault;

/// The calling booking system, as its credential names it: 1–64 of `a-z`, `0-9`, `.`, `_`, `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceSystem(String);

impl SourceSystem {
    /// Longest name, in characters.
    pub const LENGTH_MAX: usize = 64;

    /// Reads a source system's name.
    pub fn parse(text: &str) -> Result<Self, TextFault> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        if text.is_empty() || text.len() > Self::LENGTH_MAX || !text.chars().all(allowed) {
            return Err(TextFault("must be 1 to 64 characters of a-z, 0-9, '.', '_' and '-'"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A booking's name in its own system: 1–255 printable ASCII characters (0x20–0x7E), no space at either end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BookingId(String);

impl BookingId {
    /// Longest id, in characters.
    pub const LENGTH_MAX: usize = 255;

    /// Reads a booking id.
    pub fn parse(text: &str) -> Result<Self, TextFault> {
        if text.is_empty() || text.len() > Self::LENGTH_MAX {
            return Err(TextFault("must be 1 to 255 characters long"));
        }
        if !text.bytes().all(|b| (0x20..=0x7e).contains(&b)) {
            return Err(TextFault("may hold printable ASCII characters (0x20 to 0x7E) only"));
        }
        if text.starts_with(' ') || text.ends_with(' ') {
            return Err(TextFault("must not begin or end with a space"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Reads the id of a booking that is to be made. The path segments `.` and `..` are none: clients and proxies take them
    /// out of a path, however they are encoded (RFC 3986, 5.2.4; WHATWG URL, 4.4), so the booking could be made, but not be
    /// read, changed or cancelled.
    ///
    /// # Errors
    /// When the id can't be kept, or not be used in a path; the fault says why.
    pub fn parse_new(text: &str) -> Result<Self, TextFault> {
        match text {
            "." | ".." => Err(TextFault("must not be \".\" or \"..\": neither can stand in a path")),
            _ => Self::parse(text),
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which booking is meant: the source system and its own id for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BookingKey {
    /// Whose booking.
    pub source_system: SourceSystem,
    /// Its id there.
    pub booking_id: BookingId,
}

impl fmt::Display for BookingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.source_system.0, self.booking_id.0)
    }
}

/// The generation of a booking: 1 at first, one more each time it is booked again or moves to another organizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Generation(NonZeroU32);

impl Generation {
    /// The first generation.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// The generation of this number; `None` for 0.
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Its number, from 1.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0.get()
    }
}

macro_rules! text_conversions {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = TextFault;
            fn try_from(text: String) -> Result<Self, TextFault> {
                Self::parse(&text)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    )+};
}
pub(super) use text_conversions;
text_conversions!(SourceSystem, BookingId);
