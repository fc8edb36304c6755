//! Takes the parameters of a query one by one and collects every fault on the way.

use percent_encoding::percent_decode_str;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::body::ErrorBody;
use super::problem::{Problem, ProblemCode};
use crate::clock::{Timestamp, to_micros};

/// The parameters that nobody has taken yet.
#[derive(Debug)]
pub(super) struct Query {
    left: Vec<(String, String)>,
    filters: Vec<(String, String)>,
    known: Vec<&'static str>,
    faults: Vec<ErrorBody>,
}

impl Query {
    /// Reads the part of a URL behind the question mark.
    pub(super) fn read(text: &str) -> Self {
        let mut query = Self { left: Vec::new(), filters: Vec::new(), known: Vec::new(), faults: Vec::new() };
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decoded(name), decoded(value)) {
                (Some(name), Some(value)) => query.left.push((name, value)),
                (name, _) => query.faults.push(ErrorBody::of_parameter(
                    name.as_deref().unwrap_or(name_as_written(pair)),
                    "must be percent-encoded UTF-8 without the character U+0000",
                )),
            }
        }
        let filters = query.left.iter().filter(|(name, _)| !matches!(name.as_str(), "cursor" | "limit"));
        query.filters = filters.cloned().collect();
        query.filters.sort_unstable();
        query
    }

    /// All parameters as they came, in a fixed order, but the two that only say which part of a list is wanted.
    pub(super) fn filters(&self) -> &[(String, String)] {
        &self.filters
    }

    /// Takes a parameter and reads it; none, empty or twice is a fault where it is not simply absent.
    pub(super) fn word<T, F: Into<String>>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, F>,
    ) -> Option<T> {
        self.known.push(name);
        let values: Vec<_> =
            self.left.extract_if(.., |(left, _)| left == name).map(|(_, value)| value).collect();
        match values.as_slice() {
            [] => None,
            [value] if value.is_empty() => self.fault(name, "must not be empty"),
            [value] => match read(value) {
                Ok(word) => Some(word),
                Err(fault) => self.fault(name, fault),
            },
            _ => self.fault(name, "must not stand more than once"),
        }
    }

    /// Takes a text as it is.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        self.word(name, |text| Ok::<_, String>(text.to_owned()))
    }

    /// Takes one or more words, separated by commas; the parameter may also stand several times.
    pub(super) fn words<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str) -> Option<T>,
        known: &[&str],
    ) -> Vec<T> {
        let all = |text: &str| {
            let words: Option<Vec<T>> = text.split(',').map(|word| read(word.trim())).collect();
            words.ok_or_else(|| format!("must be one or more of {}, separated by commas", known.join(", ")))
        };
        self.join(name);
        self.word(name, all).unwrap_or_default()
    }

    /// Makes one list of a parameter that stands several times.
    fn join(&mut self, name: &str) {
        let values: Vec<_> =
            self.left.extract_if(.., |(left, _)| left == name).map(|(_, value)| value).collect();
        if !values.is_empty() {
            self.left.push((name.to_owned(), values.join(",")));
        }
    }

    /// Takes one word of a list.
    pub(super) fn one_of(&mut self, name: &'static str, known: &[&str]) -> Option<String> {
        self.word(name, |text| {
            let known_word = known.iter().find(|word| **word == text);
            known_word
                .map(|word| (*word).to_owned())
                .ok_or_else(|| format!("must be one of {}", known.join(", ")))
        })
    }

    /// Takes a point in time.
    pub(super) fn timestamp(&mut self, name: &'static str) -> Option<Timestamp> {
        self.word(name, |text| {
            // A "+" that was not percent-encoded has become a space; no other space can stand there.
            let time = OffsetDateTime::parse(&text.replace(' ', "+"), &Rfc3339).ok();
            let utc = time.and_then(|time| time.checked_to_offset(time::UtcOffset::UTC));
            utc.filter(|utc| (1..=9_999).contains(&utc.year()))
                .map(to_micros)
                .ok_or("must be a date and time with an offset (RFC 3339), such as 2026-12-01T08:00:00Z")
        })
    }

    /// Notes a fault of a parameter.
    pub(super) fn fault<T>(&mut self, name: &str, detail: impl Into<String>) -> Option<T> {
        self.faults.push(ErrorBody::of_parameter(name, detail));
        None
    }

    /// Closes the query: whatever nobody took is a fault, with the name that was probably meant.
    pub(super) fn close(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.left) {
            let meant = self.known.iter().find(|known| known.eq_ignore_ascii_case(&name));
            let detail = match meant {
                Some(known) => format!("is not a parameter here; did you mean \"{known}\"?"),
                None if self.known.is_empty() => "is not a parameter here; there are none".to_owned(),
                None => format!("is not a parameter here; known are {}", self.known.join(", ")),
            };
            self.faults.push(ErrorBody::of_parameter(&name, detail));
        }
        if self.faults.is_empty() {
            return Ok(());
        }
        Err(Problem::new(
            ProblemCode::InvalidRequest,
            "The query can't be read; `errors` names each parameter.",
        )
        .errors(self.faults))
    }
}

fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8().ok()?;
    // Postgres keeps no U+0000, so nothing can be found by it.
    (!text.contains('\0')).then(|| text.into_owned())
}

fn name_as_written(pair: &str) -> &str {
    pair.split_once('=').map_or(pair, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(String, String)> {
        let mut query = Query::read(text);
        query.text("organizer");
        query.timestamp("startsFrom");
        query.words("status", |word| (word == "pending").then_some(()), &["pending"]);
        query.one_of("order", &["asc", "desc"]);
        let errors = query.faults.clone();
        let closed = query.close().err();
        let mut places: Vec<_> =
            errors.into_iter().map(|error| (error.parameter.unwrap_or_default(), error.detail)).collect();
        let all = closed.map_or_else(Vec::new, |problem| {
            problem.places().into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
        });
        for name in all.into_iter().skip(places.len()) {
            places.push((name, "left".to_owned()));
        }
        places
    }

    /// One wrong parameter at a time: exactly it is named.
    #[test]
    fn each_fault_is_named_by_its_parameter() {
        for (query, names) in [
            ("", &[][..]),
            ("organizer=a%40contoso.com&startsFrom=2026-12-01T09:00:00%2B01:00&status=pending,pending", &[]),
            ("startsFrom=2026-12-01T09:00:00+01:00", &[]),
            ("startsFrom=2026-12-01", &["startsFrom"]),
            ("startsFrom=9999-12-31T23:59:59-10:00", &["startsFrom"]),
            ("status=pending&status=pending,pending", &[]),
            ("status=pending&status=done", &["status"]),
            ("status=pending&status=", &["status"]),
            ("status=done", &["status"]),
            ("status=pending,", &["status"]),
            ("order=up", &["order"]),
            ("organizer=", &["organizer"]),
            ("organizer", &["organizer"]),
            ("organizer=a&organizer=a", &["organizer"]),
            ("organizer=%FF", &["organizer"]),
            ("organizer=%00", &["organizer"]),
            ("organiser=a", &["organiser"]),
            ("startsfrom=2026-12-01T09:00:00Z", &["startsfrom"]),
            ("order=up&colour=red&status=x", &["status", "order", "colour"]),
        ] {
            let found: Vec<_> = faults(query).into_iter().map(|(name, _)| name).collect();
            assert_eq!(found, names, "{query}");
        }
    }

    /// A cursor is bound to the filters, however they are ordered, but not to the size of the page.
    #[test]
    fn filters_leave_the_page_out() {
        let one = Query::read("status=pending&limit=5&cursor=x&organizer=a");
        let other = Query::read("organizer=a&status=pending");
        assert_eq!(one.filters(), other.filters());
        assert_ne!(one.filters(), Query::read("organizer=a").filters());
    }
}
