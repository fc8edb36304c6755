//! Texts from outside, made fit to be kept.

use crate::error_chain::chain;

/// Longest message that is kept, in characters.
const MESSAGE_CHARACTERS_MAX: usize = 2_000;

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
