//! Reads, with no side effect. Called by the doors and by `provisioning`.

mod audit_events;
mod booking;
mod bookings;
mod due;
mod examined;
mod held;
mod meetings_made;
mod pauses;
mod recent_attempts;
mod to_compare;

pub(crate) use audit_events::AuditEventPosition;
pub(crate) use bookings::BookingPosition;
