//! Reads, with no side effect. Called by `api`, `server`, `command` and `provisioning`.

mod audit_event_position;
mod audit_event_row;
mod audit_events;
mod audited_bookings;
mod booking_source;
mod bookings_stored;
mod due;
mod event_period;
mod event_place;
mod event_search;
mod event_source;
mod find_booking;
mod held;
mod list_bookings;
mod list_part;
mod meetings_made;
mod orphans;
mod pauses;
mod privileges;
mod recent_attempts;
mod replicas;
mod search_bounds;
mod sought_organizer;
mod stuck;
mod timeline;
mod to_compare;
mod tombstone;

pub(crate) use audit_event_position::{AuditEventPosition, Reached};
pub(crate) use audited_bookings::Period;
pub(crate) use event_place::EventPlace;
pub(crate) use list_bookings::BookingPosition;
pub(crate) use list_part::{ListPart, UnreadableRow};
pub(crate) use meetings_made::MeetingCount;
#[cfg(test)]
pub(super) use search_bounds::{EXAMINED_MAX, FEW_MAX};
pub(crate) use timeline::Timeline;
pub(crate) use to_compare::ComparePosition;
