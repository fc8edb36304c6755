//! Takes the parameters of a query one by one and collects every fault on the way.

use percent_encoding::percent_decode_str;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::api::problems::{ErrorBody, Problem, ProblemCode};
use crate::booking::{BookingId, Dtstamp, ExternalId, FaultList, Generation, UnknownNames};
use crate::clock::{Timestamp, to_micros};

/// A parameter as the caller wrote it, decoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct QueryParameter {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// The parameters that the endpoint has not taken yet, and the faults of those that it has.
#[derive(Debug)]
pub(crate) struct Query {
    left: Vec<QueryParameter>,
    filters: Vec<QueryParameter>,
    known: Vec<&'static str>,
    faults: FaultList<ErrorBody>,
    /// How long the query is.
    sent_bytes: usize,
}

impl Query {
    /// Reads the part of a URL behind the question mark.
    pub(crate) fn read(text: &str) -> Self {
        let mut query = Self {
            left: Vec::new(),
            filters: Vec::new(),
            known: Vec::new(),
            faults: FaultList::default(),
            sent_bytes: text.len(),
        };
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decoded(name), decoded(value)) {
                (Some(name), Some(value)) => query.left.push(QueryParameter { name, value }),
                (name, _) => query.faults.note(|| {
                    ErrorBody::of_parameter(
                        name.as_deref().unwrap_or(name_as_written(pair)),
                        "must be percent-encoded UTF-8 without the character U+0000",
                    )
                }),
            }
        }
        let filters =
            query.left.iter().filter(|left| !matches!(left.name.as_str(), "cursor" | "limit" | "expand"));
        query.filters = filters.cloned().collect();
        query.filters.sort_unstable();
        query
    }

    /// All parameters in a fixed order, without those that only say which part of a list is asked for, and how much of each
    /// item.
    pub(crate) fn filters(&self) -> &[QueryParameter] {
        &self.filters
    }

    /// Takes a parameter and reads it. It may be absent; empty, unreadable or twice is a fault.
    pub(crate) fn value<T, F: Into<String>>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, F>,
    ) -> Option<T> {
        self.known.push(name);
        match self.extract(name).as_slice() {
            [] => None,
            [value] if value.is_empty() => self.fault(name, "must not be empty"),
            [value] => match read(value) {
                Ok(value) => Some(value),
                Err(fault) => self.fault(name, fault),
            },
            _ => self.fault(name, "must not appear more than once"),
        }
    }

    /// Takes a text as it is.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.value(name, |text| Ok::<_, String>(text.to_owned()))
    }

    /// Takes one or more of the known words, separated by commas; the parameter may also appear several times.
    pub(crate) fn words<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str) -> Option<T>,
        known: &[&str],
    ) -> Vec<T> {
        let all = |text: &str| {
            let words: Option<Vec<T>> = text.split(',').map(|word| read(word.trim())).collect();
            words.ok_or_else(|| format!("must be one or more of {}, separated by commas", known.join(", ")))
        };
        let values = self.extract(name);
        if !values.is_empty() {
            self.left.push(QueryParameter { name: name.to_owned(), value: values.join(",") });
        }
        self.value(name, all).unwrap_or_default()
    }

    /// Removes every appearance of a parameter.
    fn extract(&mut self, name: &str) -> Vec<String> {
        self.left.extract_if(.., |left| left.name == name).map(|taken| taken.value).collect()
    }

    /// Takes one of the known words.
    pub(crate) fn one_of(&mut self, name: &'static str, known: &[&str]) -> Option<String> {
        self.value(name, |text| {
            let known_word = known.iter().find(|word| **word == text);
            known_word
                .map(|word| (*word).to_owned())
                .ok_or_else(|| format!("must be one of {}", known.join(", ")))
        })
    }

    /// Takes a point in time.
    pub(crate) fn timestamp(&mut self, name: &'static str) -> Option<Timestamp> {
        self.value(name, |text| {
            let time = OffsetDateTime::parse(&with_plus(text), &Rfc3339).ok();
            let utc = time.and_then(|time| time.checked_to_offset(time::UtcOffset::UTC));
            utc.filter(|utc| (1..=9_999).contains(&utc.year()))
                .map(to_micros)
                .ok_or("must be a date and time with an offset (RFC 3339), such as 2026-12-01T08:00:00Z")
        })
    }

    /// Takes the time stamp of a message.
    pub(crate) fn dtstamp(&mut self) -> Option<Dtstamp> {
        self.value("dtstamp", |text| Dtstamp::parse(&with_plus(text)).map_err(|fault| fault.0))
    }

    /// Takes a whole number; `detail` says which ones are possible.
    pub(crate) fn number<T>(
        &mut self,
        name: &'static str,
        detail: &'static str,
        read: impl FnOnce(u32) -> Option<T>,
    ) -> Option<T> {
        self.value(name, |text| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten().and_then(read).ok_or(detail)
        })
    }

    /// Takes the generation of a booking.
    pub(crate) fn generation(&mut self) -> Option<Generation> {
        self.number("generation", "must be a whole number from 1", Generation::new)
    }

    /// Takes the id of a booking.
    pub(crate) fn booking_id(&mut self) -> Option<BookingId> {
        self.value("bookingId", |text| BookingId::parse(text).map_err(|fault| fault.0))
    }

    /// Takes the external id of a meeting.
    pub(crate) fn external_id(&mut self) -> Option<ExternalId> {
        self.uuid("externalId").map(ExternalId::new)
    }

    /// Takes a UUID, in its usual form and in any letter case.
    pub(crate) fn uuid(&mut self, name: &'static str) -> Option<Uuid> {
        self.value(name, |text| {
            let id = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
            id.ok_or("must be a UUID such as 4b22997d-a5f7-5483-b720-2dee50154e74")
        })
    }

    fn fault<T>(&mut self, name: &str, detail: impl Into<String>) -> Option<T> {
        self.faults.note(|| ErrorBody::of_parameter(name, detail));
        None
    }

    /// Ends the reading: a parameter that the endpoint did not take is a fault, as [`UnknownNames`] tells it.
    ///
    /// # Errors
    /// One problem with all faults.
    pub(crate) fn close(self) -> Result<(), Problem> {
        let Self { left, known, mut faults, sent_bytes, .. } = self;
        let mut unknown = UnknownNames::beside(&known, "a parameter");
        for QueryParameter { name, .. } in left {
            faults.note(|| ErrorBody::of_parameter(&name, unknown.detail(&name)));
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(Problem::new(
            ProblemCode::InvalidRequest,
            "The query can't be read; `errors` names each parameter.",
        )
        .errors(faults.into_vec(), sent_bytes))
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

/// A time as it was written: a "+" that was not percent-encoded has become a space, and no other space can stand there.
fn with_plus(text: &str) -> String {
    text.replace(' ', "+")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let mut query = Query::read(text);
        query.text("organizer");
        query.timestamp("startsFrom");
        query.words("status", |word| (word == "pending").then_some(()), &["pending"]);
        query.one_of("order", &["asc", "desc"]);
        query.dtstamp();
        let problem = query.close().err();
        problem.map_or_else(Vec::new, |problem| problem.places().into_iter().map(str::to_owned).collect())
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
            ("dtstamp=2026-11-23T10:00:00+01:00", &[]),
            ("dtstamp=2026-11-23T10:00:00", &["dtstamp"]),
            ("dtstamp=", &["dtstamp"]),
            ("organizer=", &["organizer"]),
            ("organizer", &["organizer"]),
            ("organizer=a&organizer=a", &["organizer"]),
            ("organizer=%FF", &["organizer"]),
            ("organizer=%00", &["organizer"]),
            ("organiser=a", &["organiser"]),
            ("startsfrom=2026-12-01T09:00:00Z", &["startsfrom"]),
            ("order=up&colour=red&status=x", &["status", "order", "colour"]),
        ] {
            assert_eq!(faults(query), names, "{query}");
        }
    }

    /// A cursor is bound to the filters, however they are ordered, but not to the size of the page and its items.
    #[test]
    fn filters_leave_the_page_out() {
        let one = Query::read("status=pending&limit=5&cursor=x&organizer=a&expand=attendees");
        let other = Query::read("organizer=a&status=pending");
        assert_eq!(one.filters(), other.filters());
        assert_ne!(one.filters(), Query::read("organizer=a").filters());
    }
}
