//! The digest of a join link, by which the history and the row of a booking are compared.

use sha2::{Digest, Sha256};

/// The events that tell which link a meeting has: Graph made the meeting, had it, or changed it.
pub(super) const TELL_THE_LINK: [&str; 3] = ["meeting.created", "meeting.found", "meeting.changed"];

/// The SHA-256 of a text, as 64 hexadecimal digits.
#[must_use]
pub fn sha256_hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
