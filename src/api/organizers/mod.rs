//! The endpoint that checks an organizer before its first booking.
//!
//! The checks themselves are decided in `meeting` and made by `provisioning`; here they become an answer.

pub(super) mod get_organizer_readiness;
mod readiness_body;

#[cfg(test)]
pub(super) use readiness_body::ReadinessBody;
