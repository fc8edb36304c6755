//! The endpoint that tells a caller who it is to this service.

pub(super) mod get_caller;
