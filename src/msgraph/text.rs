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

/// How deep an answer may nest that is kept: far above what Graph's answers need, and below what the readers of JSON in between,
/// Postgres among them, can take.
pub(super) const DEPTH_MAX: usize = 64;

/// Whether arrays and objects of a JSON text lie at most [`DEPTH_MAX`] deep one in another.
pub(super) fn nests_within_bounds(text: &str) -> bool {
    let (mut depth, mut is_in_text, mut is_escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_in_text => is_escaped = true,
            b'"' => is_in_text = !is_in_text,
            b'[' | b'{' if !is_in_text => depth += 1,
            b']' | b'}' if !is_in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return false;
        }
    }
    true
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in a text does not nest, escaped quotes included; what is closed again doesn't count any more.
    #[test]
    fn only_what_lies_one_in_another_nests() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for (text, expected) in [
            (nested(DEPTH_MAX), true),
            (nested(DEPTH_MAX + 1), false),
            ("{\"a\":[".repeat(DEPTH_MAX / 2 + 1), false),
            (format!("[{}1]", "[{}],".repeat(DEPTH_MAX * 2)), true),
            (format!(r#"{{"a":"{}"}}"#, "[".repeat(DEPTH_MAX * 2)), true),
            (format!(r#"{{"a\"":"\\\"{}"}}"#, "{".repeat(DEPTH_MAX * 2)), true),
            (format!(r#"{{"a":"\\",{}"#, "[".repeat(DEPTH_MAX)), false),
        ] {
            assert_eq!(nests_within_bounds(&text), expected, "{text}");
        }
    }
}
