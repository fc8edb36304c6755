//! The worker: claims and resumes what is due, woken by an alarm or at each poll interval.
//!
//! Time is its only input: a poll that finds nothing due is the good case, and the next poll is the retry of this one.
//! It decides nothing about bookings. Started by `command`.

mod claim_loop;
mod rounds;

pub(crate) use claim_loop::Worker;
pub(crate) use rounds::Rounds;
