//! Reads, with no side effect. Called by `api`, `server`, `command` and `provisioning`.

mod audit_events;
mod audited_bookings;
mod bookings_stored;
mod due;
mod find_booking;
mod held;
mod list_bookings;
mod list_part;
mod meetings_made;
mod pauses;
mod privileges;
mod recent_attempts;
mod stuck;
mod to_compare;
mod tombstone;

pub(crate) use audit_events::{AuditEventPosition, EventPlace};
pub(crate) use audited_bookings::Period;
pub(crate) use list_bookings::BookingPosition;
pub(crate) use list_part::{ListPart, UnreadableRow};
pub(crate) use to_compare::ComparePosition;
