//! Reads, with no side effect. Called by `api`, `server`, `command` and `provisioning`.

mod audit_event_position;
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
mod replicas;
mod stuck;
mod timeline;
mod to_compare;
mod tombstone;

pub(crate) use audit_event_position::{AuditEventPosition, EventPlace, Reached};
pub(crate) use audited_bookings::Period;
pub(crate) use list_bookings::BookingPosition;
pub(crate) use list_part::{ListPart, UnreadableRow};
pub(crate) use timeline::Timeline;
pub(crate) use to_compare::ComparePosition;
