//! Texts from outside, made fit to be kept.

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

/// An error with all its causes in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let own = error.to_string();
        if !text.contains(&own) {
            text.push_str(": ");
            text.push_str(&own);
        }
        cause = error.source();
    }
    clean(&text)
}
