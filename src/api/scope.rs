//! Whose bookings a caller sees.

use super::query::Query;
use crate::access::Caller;
use crate::booking::{BookingId, BookingKey, SourceSystem};

/// Whose bookings a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// Those of every source system.
    Everything,
    /// Those of one.
    Of(SourceSystem),
    /// None: another source system's were asked for, which for this caller don't exist.
    Nothing,
}

impl Scope {
    /// Whose bookings this caller sees, of those that the parameter `sourceSystem` asks for.
    pub(super) fn to(caller: &Caller, query: &mut Query) -> Self {
        let asked = query.word("sourceSystem", |text| SourceSystem::parse(text).map_err(|fault| fault.0));
        match asked {
            Some(asked) if caller.sees_all_source_systems() || asked == caller.source_system => {
                Self::Of(asked)
            }
            Some(_) => Self::Nothing,
            None if caller.sees_all_source_systems() => Self::Everything,
            None => Self::Of(caller.source_system.clone()),
        }
    }

    /// The one source system, if there is one.
    pub(super) fn source_system(&self) -> Option<SourceSystem> {
        match self {
            Self::Of(source_system) => Some(source_system.clone()),
            Self::Everything | Self::Nothing => None,
        }
    }

    /// What cursors are bound to.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Everything => "*",
            Self::Of(source_system) => source_system.as_str(),
            Self::Nothing => "",
        }
    }

    /// The booking of this id that is meant: of the source system that was asked for, else of the caller's own.
    pub(super) fn key(self, caller: &Caller, booking_id: BookingId) -> Option<BookingKey> {
        let source_system = match self {
            Self::Everything => caller.source_system.clone(),
            Self::Of(source_system) => source_system,
            Self::Nothing => return None,
        };
        Some(BookingKey { source_system, booking_id })
    }
}
