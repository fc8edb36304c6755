//! The order of the messages about one booking, as iTIP means it (RFC 5546, 2.1.5): by SEQUENCE, and where that is equal by
//! DTSTAMP. Both are the booking system's own, so replicas' clocks play no part.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::parse::timestamp;
use super::text_types::{Sequence, TextFault};
use crate::clock::{Timestamp, to_micros};

/// iCalendar's DTSTAMP (RFC 5545, 3.8.7.2): when the booking system wrote a message. In UTC, cut to the microsecond, which
/// is what Postgres keeps; iCalendar itself has whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dtstamp(#[serde(with = "time::serde::rfc3339")] Timestamp);

impl Dtstamp {
    /// A time stamp of this moment.
    #[must_use]
    pub fn new(time: Timestamp) -> Self {
        Self(to_micros(time))
    }

    /// Reads a time stamp, as callers write times: RFC 3339 with an offset.
    ///
    /// # Errors
    /// When it is no such time, or lies outside the years 1900 to 9998.
    pub fn parse(text: &str) -> Result<Self, TextFault> {
        timestamp(text).map(Self::new)
    }

    /// The moment.
    #[must_use]
    pub fn time(self) -> Timestamp {
        self.0
    }
}

/// Where a message stands in the order of the messages about its booking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MessageOrder {
    /// The first key.
    pub sequence: Option<Sequence>,
    /// The second key.
    pub dtstamp: Option<Dtstamp>,
}

/// By what two messages are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderKey {
    /// By their sequences.
    Sequence,
    /// By their time stamps.
    Dtstamp,
}

/// How a message stands to the last one that counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precedence {
    /// It is older: it came late.
    Older(OrderKey),
    /// A key that both have is equal, and none tells them apart: the same message, or one of the same revision.
    Equal,
    /// It is newer.
    Newer(OrderKey),
    /// They have no key in common.
    Unordered,
}

/// A message that doesn't count, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lateness {
    /// Its own keys.
    pub sent: MessageOrder,
    /// Those of the last message that counted.
    pub stored: MessageOrder,
    /// How the two stand to each other; never newer.
    pub precedence: Precedence,
}

impl MessageOrder {
    /// How a message with these keys stands to the last one that counted. Sequences decide where both have one and they
    /// differ; else time stamps, where both have one.
    #[must_use]
    pub fn precedence_over(self, stored: Self) -> Precedence {
        let sequences = self.sequence.zip(stored.sequence).map(|(sent, stored)| sent.cmp(&stored));
        let dtstamps = self.dtstamp.zip(stored.dtstamp).map(|(sent, stored)| sent.cmp(&stored));
        match (sequences, dtstamps) {
            (Some(Ordering::Less), _) => Precedence::Older(OrderKey::Sequence),
            (Some(Ordering::Greater), _) => Precedence::Newer(OrderKey::Sequence),
            (_, Some(Ordering::Less)) => Precedence::Older(OrderKey::Dtstamp),
            (_, Some(Ordering::Greater)) => Precedence::Newer(OrderKey::Dtstamp),
            (Some(Ordering::Equal), _) | (_, Some(Ordering::Equal)) => Precedence::Equal,
            (None, None) => Precedence::Unordered,
        }
    }

    /// What is kept once a message that is not older was applied. A key that it doesn't name stays; but with a higher sequence
    /// the time stamps begin anew, for one of an older sequence says nothing of those that follow.
    #[must_use]
    pub fn renewed_by(self, sent: Self) -> Self {
        match sent.precedence_over(self) {
            Precedence::Newer(OrderKey::Sequence) => sent,
            _ => Self { sequence: sent.sequence.or(self.sequence), dtstamp: sent.dtstamp.or(self.dtstamp) },
        }
    }

    /// Why a message with these keys doesn't count, if it is older than the last one that counted.
    #[must_use]
    pub fn lateness(self, stored: Self) -> Option<Lateness> {
        let precedence = self.precedence_over(stored);
        matches!(precedence, Precedence::Older(_)).then_some(Lateness { sent: self, stored, precedence })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys in short: a digit is a sequence, a letter a time stamp, later ones of the day.
    fn order(text: &str) -> MessageOrder {
        let sequence = text.chars().find_map(|c| c.to_digit(10)).and_then(Sequence::new);
        let hour = text.chars().find(char::is_ascii_lowercase).map(|c| u32::from(c) - u32::from('a'));
        let dtstamp = hour.map(|hour| Dtstamp::parse(&format!("2026-11-23T{hour:02}:00:00Z")).unwrap());
        MessageOrder { sequence, dtstamp }
    }

    /// Every pair of keys: what is stored, what is sent, how the message stands, and what is kept where it counts.
    #[test]
    fn messages_are_ordered_by_sequence_and_then_by_dtstamp() {
        use OrderKey::{Dtstamp as ByDtstamp, Sequence as BySequence};
        use Precedence::{Equal, Newer, Older, Unordered};
        for (stored, sent, expected, kept) in [
            ("", "", Unordered, ""),
            ("", "5", Unordered, "5"),
            ("", "b", Unordered, "b"),
            ("", "5b", Unordered, "5b"),
            ("5", "", Unordered, "5"),
            ("5", "4", Older(BySequence), ""),
            ("5", "5", Equal, "5"),
            ("5", "6", Newer(BySequence), "6"),
            ("5", "b", Unordered, "5b"),
            ("5", "4b", Older(BySequence), ""),
            ("5", "5b", Equal, "5b"),
            ("5", "6b", Newer(BySequence), "6b"),
            ("b", "", Unordered, "b"),
            ("b", "5", Unordered, "5b"),
            ("b", "a", Older(ByDtstamp), ""),
            ("b", "b", Equal, "b"),
            ("b", "c", Newer(ByDtstamp), "c"),
            ("b", "5a", Older(ByDtstamp), ""),
            ("b", "5b", Equal, "5b"),
            ("b", "5c", Newer(ByDtstamp), "5c"),
            ("5b", "", Unordered, "5b"),
            ("5b", "4", Older(BySequence), ""),
            ("5b", "5", Equal, "5b"),
            ("5b", "6", Newer(BySequence), "6"),
            ("5b", "a", Older(ByDtstamp), ""),
            ("5b", "b", Equal, "5b"),
            ("5b", "c", Newer(ByDtstamp), "5c"),
            ("5b", "4c", Older(BySequence), ""),
            ("5b", "5a", Older(ByDtstamp), ""),
            ("5b", "5b", Equal, "5b"),
            ("5b", "5c", Newer(ByDtstamp), "5c"),
            ("5b", "6a", Newer(BySequence), "6a"),
        ] {
            let (stored_order, sent_order) = (order(stored), order(sent));
            let found = sent_order.precedence_over(stored_order);
            assert_eq!(found, expected, "{stored:?} is stored, {sent:?} is sent");
            let is_older = matches!(expected, Older(_));
            assert_eq!(sent_order.lateness(stored_order).is_some(), is_older, "{stored:?}, {sent:?}");
            if !is_older {
                assert_eq!(stored_order.renewed_by(sent_order), order(kept), "{stored:?}, {sent:?}");
                // Sent again it changes nothing more.
                assert_eq!(order(kept).renewed_by(sent_order), order(kept), "{stored:?}, {sent:?}");
            }
        }
    }

    /// Stamps are told apart by the moment, to the microsecond, whatever the offset.
    #[test]
    fn stamps_are_moments_to_the_microsecond() {
        let stamp = |text| Dtstamp::parse(text).unwrap();
        assert_eq!(stamp("2026-11-23T10:00:00+01:00"), stamp("2026-11-23T09:00:00Z"));
        assert_eq!(stamp("2026-11-23T09:00:00.1234569Z"), stamp("2026-11-23T09:00:00.123456Z"));
        assert!(stamp("2026-11-23T09:00:00.000001Z") > stamp("2026-11-23T09:00:00Z"));
        let text = serde_json::to_string(&stamp("2026-11-23T10:00:00.1234569+01:00")).unwrap();
        assert_eq!(text, r#""2026-11-23T09:00:00.123456Z""#);
        for fault in ["2026-11-23T10:00:00", "20261123T090000Z", "1899-12-31T00:00:00Z", ""] {
            assert!(Dtstamp::parse(fault).is_err(), "{fault}");
        }
    }
}
