//! Which source systems' bookings a caller sees.

use super::query::Query;
use crate::access::Caller;
use crate::booking::{BookingId, BookingKey, SourceSystem};

/// Which source systems' bookings a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every source system's.
    Everything,
    /// One source system's.
    Of(SourceSystem),
    /// None: the parameter names another source system, which for this caller doesn't exist.
    Nothing,
}

impl Scope {
    /// What this caller sees of what the parameter `sourceSystem` asks for.
    pub(crate) fn to(caller: &Caller, query: &mut Query) -> Self {
        let asked = query.value("sourceSystem", |text| SourceSystem::parse(text).map_err(|fault| fault.0));
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
    pub(crate) fn source_system(&self) -> Option<SourceSystem> {
        match self {
            Self::Of(source_system) => Some(source_system.clone()),
            Self::Everything | Self::Nothing => None,
        }
    }

    /// What cursors are bound to.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Everything => "*",
            Self::Of(source_system) => source_system.as_str(),
            Self::Nothing => "",
        }
    }

    /// The booking of this id: of the source system that was asked for, else of the caller's own.
    pub(crate) fn key(self, caller: &Caller, booking_id: BookingId) -> Option<BookingKey> {
        let source_system = match self {
            Self::Everything => caller.source_system.clone(),
            Self::Of(source_system) => source_system,
            Self::Nothing => return None,
        };
        Some(BookingKey { source_system, booking_id })
    }
}
