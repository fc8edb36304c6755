use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::booking::SourceSystem;

const NOW: Timestamp = datetime!(2026-11-23 08:00 UTC);

fn class(organizer: u128, source_system: &str) -> CallClass {
    CallClass {
        organizer: Some(UserId::new(Uuid::from_u128(organizer))),
        name: None,
        source_system: SourceSystem::parse(source_system).unwrap(),
        failed_before: false,
    }
}

fn queue<T>() -> Queue<T> {
    Queue::with(Share::of_percent(80))
}

fn circuits() -> Circuits {
    Circuits::with(64)
}

fn limits(circuits: &Circuits, all: usize, seconds: u64) -> Limits<'_> {
    Limits { all, circuits, now: NOW + Duration::from_secs(seconds) }
}

/// One organizer gets half, one source system its share, and the rest is there for others.
#[test]
fn no_class_takes_all_permits() {
    let (mut queue, circuits) = (queue::<()>(), circuits());
    let sent = |queue: &mut Queue<()>, organizer: u128, system: &str| {
        (0..20).filter(|_| queue.start(&class(organizer, system), limits(&circuits, 16, 0))).count()
    };
    assert_eq!(sent(&mut queue, 1, "crm"), 8);
    assert_eq!(sent(&mut queue, 2, "crm"), 4);
    assert_eq!(sent(&mut queue, 3, "crm"), 0);
    assert_eq!(sent(&mut queue, 3, "rooms"), 3);
    assert_eq!(sent(&mut queue, 4, "desk"), 1);
    assert_eq!(queue.under_way(), 16);
    queue.finish(&class(1, "crm"));
    assert_eq!(sent(&mut queue, 2, "crm"), 0, "others hold four, so its share is nine of twelve");
}

/// A throttled organizer has one call at a time, until one succeeds; one that never has another success is forgotten.
#[test]
fn who_was_throttled_comes_back_one_by_one() {
    let (mut queue, circuits) = (queue::<()>(), circuits());
    let (one, now) = (UserId::new(Uuid::from_u128(1)), limits(&circuits, 16, 0));
    queue.limit_to_one(one, NOW, NOW);
    assert!(queue.start(&class(1, "crm"), now));
    assert!(!queue.start(&class(1, "crm"), now));
    assert!(queue.start(&class(2, "crm"), now));
    assert!(queue.start(&class(1, "crm"), limits(&circuits, 16, RECOVERY.as_secs())));
    queue.finish(&class(1, "crm"));
    queue.finish(&class(1, "crm"));
    queue.succeeded(&class(1, "crm"));
    assert!(queue.start(&class(1, "crm"), now) && queue.start(&class(1, "crm"), now));
    for number in 0..5_000 {
        let now = NOW + RECOVERY * number;
        queue.limit_to_one(UserId::new(Uuid::from_u128(number.into())), now, now);
    }
    assert!(queue.recovering.len() <= 2, "those of long ago are forgotten");
}

/// With a limit of one the calls take turns.
#[test]
fn one_at_a_time_is_possible() {
    let (mut queue, circuits) = (queue::<()>(), circuits());
    let one = limits(&circuits, 1, 0);
    assert!(queue.start(&class(1, "crm"), one));
    assert!(!queue.start(&class(2, "rooms"), one));
    queue.finish(&class(1, "crm"));
    assert!(queue.start(&class(2, "rooms"), one));
}

/// First come, first served, but whose share is used up lets others by; and one system's line doesn't grow for ever.
#[test]
fn the_line_is_served_in_order_of_those_who_may() {
    let (mut queue, circuits) = (queue::<usize>(), circuits());
    let two = limits(&circuits, 2, 0);
    assert!(queue.start(&class(1, "crm"), two));
    for n in 0..QUEUED_MAX {
        assert_eq!(queue.wait(class(1, "crm"), n), Ok(()));
    }
    assert_eq!(queue.wait(class(9, "crm"), 9_999), Err(9_999), "the line is full");
    assert_eq!(queue.wait(class(2, "rooms"), 7_000), Ok(()));
    assert_eq!(queue.next(two).map(|(_, n)| n), Some(7_000), "both shares of crm are used up");
    assert!(queue.next(two).is_none());
    queue.finish(&class(1, "crm"));
    assert_eq!(queue.next(two).map(|(_, n)| n), Some(0));
    queue.reject_waiting(|class| class.source_system.as_str() == "crm");
    queue.finish(&class(1, "crm"));
    assert!(queue.next(two).is_none());
}
