//! In words: why a message about a booking doesn't count.

use time::format_description::well_known::Rfc3339;

use crate::booking::{Lateness, MessageOrder, OrderKey, Precedence};
use crate::clock::Timestamp;
use crate::meeting::{Booking, Tombstone};

/// Why a message about a booking was ignored: both messages' keys, and which of them decided.
pub(super) fn why_ignored(booking: &Booking, lateness: Lateness) -> String {
    let id = &booking.key.booking_id;
    let (stored, sent) = (named(lateness.stored), named(lateness.sent));
    match lateness.precedence {
        Precedence::Older(key) => {
            let key = match key {
                OrderKey::Sequence => "sequence",
                OrderKey::Dtstamp => "dtstamp",
            };
            format!(
                "Booking {id} has {stored}; this message has {sent}. By its {key} it is older: it came late, and was \
                 ignored."
            )
        }
        Precedence::Equal | Precedence::Newer(_) | Precedence::Unordered => format!(
            "Booking {id} was cancelled by a message with {stored}; this message has {sent}. It is not newer than the \
             cancel, so it doesn't book the meeting again: for that, send a higher sequence, or the same one with a \
             later dtstamp than the cancel's."
        ),
    }
}

/// Why a message about a booking that isn't known was ignored: a cancel of it was received before.
pub(super) fn why_not_created(tombstone: &Tombstone, lateness: Lateness) -> String {
    let id = &tombstone.key.booking_id;
    let at = rfc3339(tombstone.received_at);
    let (stored, sent) = (named(lateness.stored), named(lateness.sent));
    let why = match lateness.precedence {
        Precedence::Older(OrderKey::Sequence) => "By its sequence it is older: it came late, and was ignored",
        Precedence::Older(OrderKey::Dtstamp) => "By its dtstamp it is older: it came late, and was ignored",
        _ => "Nothing says that it is newer than the cancel, so it was ignored",
    };
    format!(
        "A cancel of booking {id} with {stored} was received at {at}, before the booking; this message has {sent}. {why}. \
         There is no meeting."
    )
}

/// The keys of a message.
fn named(order: MessageOrder) -> String {
    let sequence = order.sequence.map(|sequence| format!("sequence {}", sequence.number()));
    let dtstamp = order.dtstamp.map(|dtstamp| format!("dtstamp {}", rfc3339(dtstamp.time())));
    match (sequence, dtstamp) {
        (Some(sequence), Some(dtstamp)) => format!("{sequence} and {dtstamp}"),
        (Some(key), None) | (None, Some(key)) => key,
        (None, None) => "neither sequence nor dtstamp".to_owned(),
    }
}

fn rfc3339(time: Timestamp) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::fixture::provisioned;
    use crate::booking::{Dtstamp, Sequence};

    fn order(sequence: Option<u32>, dtstamp: Option<&str>) -> MessageOrder {
        let dtstamp = dtstamp.map(|text| Dtstamp::parse(text).unwrap());
        MessageOrder { sequence: sequence.and_then(Sequence::new), dtstamp }
    }

    /// Each says which key decided, with both values; late is only what is older.
    #[test]
    fn the_key_that_decided_is_named_with_both_values() {
        let (earlier, later) = (Some("2026-11-23T10:00:00+01:00"), Some("2026-11-23T09:00:00.5Z"));
        for (sent, stored, precedence, words) in [
            (
                order(Some(2), None),
                order(Some(3), None),
                Precedence::Older(OrderKey::Sequence),
                &["has sequence 3; this message has sequence 2. By its sequence it is older", "came late"][..],
            ),
            (
                order(Some(3), earlier),
                order(Some(3), later),
                Precedence::Older(OrderKey::Dtstamp),
                &[
                    "has sequence 3 and dtstamp 2026-11-23T09:00:00.5Z",
                    "this message has sequence 3 and dtstamp 2026-11-23T09:00:00Z",
                    "By its dtstamp it is older",
                ],
            ),
            (
                order(None, earlier),
                order(Some(3), later),
                Precedence::Older(OrderKey::Dtstamp),
                &["this message has dtstamp 2026-11-23T09:00:00Z. By its dtstamp"],
            ),
            (
                order(Some(3), None),
                order(Some(3), later),
                Precedence::Equal,
                &[
                    "was cancelled by a message with sequence 3 and dtstamp",
                    "has sequence 3. It is not newer",
                ],
            ),
        ] {
            let detail = why_ignored(&provisioned(), Lateness { sent, stored, precedence });
            for expected in words {
                assert!(detail.contains(expected), "{detail}");
            }
            assert_eq!(detail.contains("late,"), matches!(precedence, Precedence::Older(_)), "{detail}");
        }
    }

    /// A create that a cancel has overtaken is told of the cancel, when it came, and why it doesn't count.
    #[test]
    fn what_a_cancel_has_overtaken_is_told_of_it() {
        let stored = order(Some(5), None);
        let received_at = provisioned().created_at;
        let tombstone =
            Tombstone { key: provisioned().key, revision: 1, order: stored, received_at, request_id: None };
        for (sent, words) in [
            (order(Some(0), None), "this message has sequence 0. By its sequence it is older: it came late"),
            (order(Some(5), None), "this message has sequence 5. Nothing says that it is newer"),
            (
                order(None, None),
                "this message has neither sequence nor dtstamp. Nothing says that it is newer",
            ),
        ] {
            let detail = why_not_created(&tombstone, tombstone.admits(sent).unwrap_err());
            let cancel = "A cancel of booking BK-1001 with sequence 5 was received at 2026-11-23T10:00:00Z";
            assert!(detail.starts_with(cancel) && detail.contains(words), "{detail}");
        }
    }
}
