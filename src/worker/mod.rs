//! Background work: resumes what is due, woken by an alarm or by a period.
//!
//! It takes no input but the time: a period that finds nothing due is the good case, and the next period is the
//! retry of this one. It decides nothing about bookings. Started by `command`.

mod claim_loop;
mod rounds;

pub(crate) use claim_loop::Worker;
pub(crate) use rounds::Rounds;
