//! Requests that wait for a booking which this replica or another one works on.
//!
//! A request that waits is woken by a notification: from this process when the booking is settled here, from another
//! replica by NOTIFY. A lost notice costs time and nothing else, because each waiting request also looks at the row from
//! time to time. It decides nothing and changes nothing. Called by `provisioning`; built by `command`.

mod listening;
mod notices;
mod registry;
mod remote_waiters;
mod wait;

pub(crate) use notices::NoticeEffects;
pub(crate) use wait::{Waiting, WaitingParts};
