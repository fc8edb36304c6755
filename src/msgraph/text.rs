//! Texts from outside, made fit to be kept.

use crate::error_chain::chain;

/// Longest message that is kept, in characters.
const MESSAGE_CHARACTERS_MAX: usize = 2_000;

/// UTF-8's byte order mark, which some of Graph's answers begin with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An answer without a byte order mark before it: JSON has none (RFC 8259, 8.1), and a reader may ignore it.
pub(super) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)
}

/// The text without U+0000, which Postgres keeps in no text, and not longer than a message may be.
pub(super) fn clean(text: &str) -> String {
    text.chars()
        .take(MESSAGE_CHARACTERS_MAX)
        .map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

/// The whole text without U+0000.
pub(super) fn cleaned(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// An error with its causes, fit to be kept.
pub(super) fn cleaned_chain(error: &dyn std::error::Error) -> String {
    clean(&chain(error))
}
