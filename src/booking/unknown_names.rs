//! What is said of a name that means nothing in its place: of a member of an object, or of a parameter of a query.

use crate::suggestion::nearest;

/// The names in one object or query that mean nothing there, as they are told one after the other.
#[derive(Debug)]
pub struct UnknownNames<'a> {
    what: &'static str,
    known: &'a [&'static str],
    known_are_told: bool,
}

impl<'a> UnknownNames<'a> {
    /// Beside these known names. `what` is such a name, with its article: "a member".
    #[must_use]
    pub fn beside(known: &'a [&'static str], what: &'static str) -> Self {
        Self { what, known, known_are_told: false }
    }

    /// What is wrong with this name: with the known name that was probably meant; the first that resembles none tells which
    /// are known.
    pub fn detail(&mut self, name: &str) -> String {
        let Self { what, known, .. } = self;
        match nearest(name, known.iter().copied()) {
            Some(meant) => format!("is not {what} here; did you mean \"{meant}\"?"),
            None if known.is_empty() => format!("is not {what} here; there are none"),
            None if self.known_are_told => format!("is not {what} here"),
            None => {
                self.known_are_told = true;
                format!("is not {what} here; known are {}", known.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known names are told once; a misspelt name is told as what was meant, before and after.
    #[test]
    fn the_known_names_are_told_once() {
        let mut unknown = UnknownNames::beside(&["limit", "order"], "a parameter");
        for (name, detail) in [
            ("Limit", "is not a parameter here; did you mean \"limit\"?"),
            ("limits", "is not a parameter here; did you mean \"limit\"?"),
            ("colour", "is not a parameter here; known are limit, order"),
            ("size", "is not a parameter here"),
            ("ORDER", "is not a parameter here; did you mean \"order\"?"),
        ] {
            assert_eq!(unknown.detail(name), detail);
        }
        let mut unknown = UnknownNames::beside(&[], "a parameter");
        for name in ["limit", "order"] {
            assert_eq!(unknown.detail(name), "is not a parameter here; there are none");
        }
    }
}
