//! Which message counts: each cell of the tables of docs/API.md, "Order of messages", is what is decided here.

use serde_json::json;

use super::tests::{NOW, moment, provisioned, spec};
use super::*;
use crate::booking::{Dtstamp, OrderKey, Sequence};
use crate::meeting::{CancelledAgain, Tombstone};

/// The rows of a table of the section, by its first column's head, cells trimmed.
fn table(head: &str) -> Vec<Vec<String>> {
    let guide = include_str!("../../docs/API.md");
    let section = guide.split("\n## Order of messages\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().skip_while(|line| !line.starts_with(&format!("| {head} |")));
    let rows = rows.take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    let rows: Vec<Vec<String>> = rows.map(cells).collect();
    assert!(rows.len() > 2, "no table begins with {head}");
    rows
}

/// Pairs of one key, stored and sent, for how the guide names their relation. Each is a digit, or none.
fn pairs(relation: &str) -> Vec<(Option<u32>, Option<u32>)> {
    match relation {
        "lower" | "earlier" => vec![(Some(5), Some(4)), (Some(5), Some(0))],
        "equal" => vec![(Some(5), Some(5)), (Some(0), Some(0))],
        "higher" | "later" => vec![(Some(5), Some(6)), (Some(0), Some(6))],
        "not both" => vec![(None, None), (Some(5), None), (None, Some(5)), (None, Some(0))],
        other => panic!("the guide says {other:?}"),
    }
}

fn order(sequence: Option<u32>, minute: Option<u32>) -> MessageOrder {
    let stamp = |minute| Dtstamp::parse(&format!("2026-11-23T09:0{minute}:00+01:00")).unwrap();
    MessageOrder { sequence: sequence.and_then(Sequence::new), dtstamp: minute.map(stamp) }
}

/// What the guide's words for a message mean here.
fn word(precedence: Precedence) -> &'static str {
    match precedence {
        Precedence::Older(_) => "older",
        Precedence::Equal => "equal",
        Precedence::Newer(_) => "newer",
        Precedence::Unordered => "unordered",
    }
}

/// Every pair of keys, stored and sent, with the word that the guide's grid has for it.
pub(super) fn every_pair() -> Vec<(MessageOrder, MessageOrder, String)> {
    let grid = table("`sequence` ╲ `dtstamp`");
    let mut found = Vec::new();
    for row in &grid[2..] {
        for (dtstamp, cell) in grid[0].iter().zip(row).skip(1) {
            for (stored_sequence, sent_sequence) in pairs(&row[0]) {
                for (stored_minute, sent_minute) in pairs(dtstamp) {
                    let stored = order(stored_sequence, stored_minute);
                    found.push((stored, order(sent_sequence, sent_minute), cell.clone()));
                }
            }
        }
    }
    found
}

#[test]
fn the_grid_of_the_guide_says_which_message_is_newer() {
    let pairs = every_pair();
    assert_eq!(pairs.len(), 100, "4 kinds of each key, 10 pairs");
    for (stored, sent, expected) in pairs {
        assert_eq!(word(sent.precedence_over(stored)), expected, "{stored:?} is stored, {sent:?} is sent");
    }
}

/// What a message does to a booking with these keys, in the guide's words: POST, PUT, DELETE.
fn answers(state: DesiredState, stored: MessageOrder, sent: MessageOrder) -> [String; 3] {
    let mut booking = provisioned(&json!({}), state);
    booking.wanted.spec = booking.wanted.spec.with_order(stored);
    let kept = stored.renewed_by(sent);
    let [same, other] =
        ["Review", "Other"].map(|subject| spec(&json!({"subject": subject})).with_order(sent));
    let post = |requested| match booking.repeated(requested, &NameLookups::none(), NOW) {
        Repetition::Same => {
            assert_eq!(kept, stored);
            "200"
        }
        Repetition::Renewed(next, _) => {
            assert_eq!((next.booking.wanted.spec.order(), next.next), (kept, None));
            assert_eq!(next.booking.wanted.revision, booking.wanted.revision);
            "200"
        }
        Repetition::Differs(_) => "`booking-differs`",
        Repetition::Cancelled => "`booking-cancelled`",
        Repetition::Stale(_) => "`stale-sequence`",
        Repetition::OrganizerUnresolved(_) => panic!("not asked for"),
    };
    let put = |requested| match booking.declared(requested, OrganizerChange::Refused, &moment(false)) {
        Declared::Same => "200",
        Declared::Changed(next, _) => {
            assert_eq!(next.booking.wanted.spec.order(), kept);
            "changed"
        }
        Declared::BookedAgain => "booked again",
        Declared::Stale(_) => "`stale-sequence`",
        other => panic!("no one asked for {other:?}"),
    };
    let (posted, posted_other) = (post(&same), post(&other));
    let posted = if posted == posted_other {
        posted.to_owned()
    } else {
        format!("same content: {posted}, else {posted_other}")
    };
    // The same content with other keys is a change of the keys alone.
    let put_same = put(same);
    let put_other = put(other);
    assert_eq!(put_same == "200", put_other == "changed" && kept == stored, "{stored:?} {sent:?}");
    let deleted = match booking.cancelled_now(sent, false, NOW) {
        Cancellation::Already => {
            assert_eq!(kept, stored);
            "200"
        }
        Cancellation::Renewed(next, _) => {
            assert_eq!((next.booking.wanted.spec.order(), next.next), (kept, None));
            "200"
        }
        Cancellation::Now(next) => {
            assert_eq!(next.booking.wanted.spec.order(), kept);
            "cancelled"
        }
        Cancellation::Stale(_) => "`stale-sequence`",
    };
    [posted, put_other.to_owned(), deleted.to_owned()]
}

/// What a message does about a booking that was cancelled before it came.
fn answers_of_tombstone(stored: MessageOrder, sent: MessageOrder) -> [String; 3] {
    let key = provisioned(&json!({}), DesiredState::Present).key;
    let tombstone = Tombstone { key, revision: 1, order: stored, received_at: NOW, request_id: None };
    let kept = stored.renewed_by(sent);
    let created = match tombstone.admits(sent) {
        Ok(order) => {
            assert_eq!(order, kept);
            // So a repetition is none of the older messages.
            assert_eq!(sent.lateness(order), None);
            "created"
        }
        Err(lateness) => {
            assert_eq!((lateness.sent, lateness.stored), (sent, stored));
            "`stale-sequence`"
        }
    };
    let deleted = match tombstone.cancelled_again(sent) {
        CancelledAgain::Already => {
            assert_eq!(kept, stored);
            "200"
        }
        CancelledAgain::Renewed(order) => {
            assert_eq!(order, kept);
            "200"
        }
        CancelledAgain::Stale(_) => "`stale-sequence`",
    };
    [created, created, deleted].map(str::to_owned)
}

#[test]
fn each_call_does_what_the_guides_table_says() {
    let mut checked = 0;
    for row in &table("booking")[2..] {
        let state = match row[0].as_str() {
            "live" => Some(DesiredState::Present),
            "cancelled" => Some(DesiredState::Cancelled),
            "cancelled before it came" => None,
            other => panic!("the guide has a row for {other:?}"),
        };
        let pairs = every_pair();
        for (stored, sent, _) in pairs.iter().filter(|(.., word)| *word == row[1]) {
            let found = match state {
                Some(state) => answers(state, *stored, *sent),
                // A cancel without keys is not kept.
                None if *stored == MessageOrder::default() => continue,
                None => answers_of_tombstone(*stored, *sent),
            };
            assert_eq!(found[..], row[2..], "{row:?}: {stored:?}, {sent:?}");
            checked += 1;
        }
    }
    assert_eq!(checked, 300 - 9, "every pair of all states; with 9 nothing was kept");
}

/// What only renews the keys changes nothing else: an attempt that is due stays due, a failed booking stays failed.
#[test]
fn a_repeated_create_renews_the_keys_alone() {
    let mut parked = provisioned(&json!({"dtstamp": "2026-11-23T09:00:00Z"}), DesiredState::Present);
    parked.progress = Progress::Parked;
    let repeated = spec(&json!({"dtstamp": "2026-11-23T10:00:00+00:30", "sequence": 1}));
    let Repetition::Renewed(renewed, keys) = parked.repeated(&repeated, &NameLookups::none(), NOW) else {
        panic!("not renewed")
    };
    assert_eq!(keys.iter().map(|key| key.field).collect::<Vec<_>>(), ["sequence", "dtstamp"]);
    let mut expected = parked.clone();
    expected.wanted.spec = repeated;
    expected.revision += 1;
    assert_eq!(renewed.booking, expected);
}

/// A message is told by which key it is late.
#[test]
fn what_is_late_says_by_which_key() {
    let booking =
        provisioned(&json!({"sequence": 3, "dtstamp": "2026-11-23T09:00:00Z"}), DesiredState::Present);
    for (sent, key) in [
        (json!({"sequence": 2, "dtstamp": "2026-11-23T10:00:00Z"}), OrderKey::Sequence),
        (json!({"sequence": 3, "dtstamp": "2026-11-23T09:59:59+01:00"}), OrderKey::Dtstamp),
        (json!({"dtstamp": "2026-11-23T08:59:59Z"}), OrderKey::Dtstamp),
    ] {
        let sent = spec(&sent);
        let expected = Lateness {
            sent: sent.order(),
            stored: booking.wanted.spec.order(),
            precedence: Precedence::Older(key),
        };
        assert_eq!(booking.repeated(&sent, &NameLookups::none(), NOW), Repetition::Stale(expected));
        assert_eq!(booking.cancelled_now(sent.order(), false, NOW), Cancellation::Stale(expected));
        let declared = booking.declared(sent, OrganizerChange::Refused, &moment(false));
        assert_eq!(declared, Declared::Stale(expected));
    }
}
