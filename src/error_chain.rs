//! An error with its causes, in one line, for a log field, a printed finding or a message that is kept.

use std::error::Error;

/// The error's text, then each cause's behind a colon. A cause whose text is there already, because an error repeated it
/// in its own, is left out.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        #[source]
        cause: Option<Box<Layer>>,
    }

    fn chain_of(texts: &[&'static str]) -> String {
        let layers = texts.iter().rev().fold(None, |cause, text| Some(Box::new(Layer { text, cause })));
        chain(layers.unwrap().as_ref())
    }

    #[test]
    fn every_cause_is_told_once() {
        for (texts, expected) in [
            (&["alone"][..], "alone"),
            (
                &["call failed", "connection reset", "os error 104"],
                "call failed: connection reset: os error 104",
            ),
            (&["call failed: no route", "no route", "os error 113"], "call failed: no route: os error 113"),
            (&["a: b: c", "b", "c"], "a: b: c"),
        ] {
            assert_eq!(chain_of(texts), expected);
        }
    }
}
