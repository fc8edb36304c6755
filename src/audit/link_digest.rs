//! The digest of a join link, by which the history and the row of a booking are compared.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The events that tell which link a meeting has: Graph made the meeting, had it, or changed it.
pub(super) const TELL_THE_LINK: [&str; 3] = ["meeting.created", "meeting.found", "meeting.changed"];

/// The SHA-256 of a text, as 64 hexadecimal digits.
#[must_use]
pub fn sha256_hex(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let mut digits = String::with_capacity(2 * digest.len());
    for byte in digest {
        let _written = write!(digits, "{byte:02x}");
    }
    digits
}
