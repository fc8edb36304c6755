//! When Graph may be asked: not while it asked for quiet, not more at once than it takes, not while it is away.
//!
//! One gate for each replica, through which every call to Graph goes. What Graph asked of one replica the others learn
//! from `provisioning`, which keeps it in Postgres. The gate decides nothing about bookings and waits for nothing: a call
//! that is not admitted is told until when, and is tried again. Called by `provisioning`.

mod adaptive_limit;
mod breaker;
mod circuits;
mod gate;
mod pause;
mod pauses;
mod queue;
mod quota;
mod rejection;
mod sign;
mod unavailability;

pub(crate) use gate::{CallClass, Gate, Permit};
pub(crate) use pause::{Pause, PauseScope, pause_asked};
pub(crate) use quota::{MEETINGS_PER_MONTH, NEAR, Quota, month_of, quota};
pub(crate) use rejection::{Rejected, RejectionReason};
