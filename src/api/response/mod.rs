//! What the endpoints' answers share: JSON with the right cache headers, and pages of lists.

mod json_response;
mod page_body;

pub(super) use json_response::{NOT_KEPT, json, public_json, unwritable, varied};
pub(super) use page_body::{PageBody, UnreadableBody};
