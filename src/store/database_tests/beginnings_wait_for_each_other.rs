//! A create and a cancel of the same booking, both under way: whichever has the lock commits, and the other sees it. Each is
//! held half-way here, and goes on only once Postgres says that the other waits.

use std::time::Duration;

use sqlx::{PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::rows::{NOW, TestStore, attempt, booking, event, put_by};
use crate::audit::EventKind;
use crate::booking::{ExternalId, MessageOrder, Sequence};
use crate::meeting::{Booking, Tombstone};
use crate::store::LeasedBooking;
use crate::store::writing::input::{EventInput, TombstoneInput};
use crate::store::writing::{Accepted, Before, Changed};

fn cancel_of(booking: &Booking, sequence: u32) -> Tombstone {
    Tombstone {
        key: booking.key.clone(),
        revision: 1,
        order: MessageOrder { sequence: Sequence::new(sequence), dtstamp: None },
        received_at: NOW,
        request_id: Some("request".to_owned()),
    }
}

async fn keep(test: &TestStore, known: Option<u32>, tombstone: &Tombstone) -> Changed {
    let external_id = ExternalId::new(Uuid::from_u128(4));
    let event = event(EventKind::CancelKept);
    test.store.keep_cancel(known, tombstone, external_id, &event).await.unwrap()
}

/// Lets a transaction go on once another one waits for the lock that it holds.
async fn commit_once_waited_for(pool: &PgPool, under_way: Transaction<'_, Postgres>) {
    let waited_for = async {
        loop {
            let waits: bool = sqlx::query_scalar(
                "select exists (
                        select from pg_locks join pg_database on pg_database.oid = database
                        where locktype = 'advisory' and not granted and datname = current_database()
                    )",
            )
            .fetch_one(pool)
            .await
            .unwrap();
            if waits {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waited_for).await.expect("the other one doesn't wait");
    under_way.commit().await.unwrap();
}

#[tokio::test]
async fn a_create_waits_for_a_cancel_under_way_and_sees_it() {
    let test = TestStore::start().await;
    let first = booking(1);
    let cancel = cancel_of(&first, 5);
    let kept = event(EventKind::CancelKept);
    let mut under_way = test.pool.begin().await.unwrap();
    let stored: bool = sqlx::query_scalar("select keep_cancel($1)")
        .bind(TombstoneInput {
            source_system: cancel.key.source_system.as_str(),
            booking_id: cancel.key.booking_id.as_str(),
            external_id: Uuid::from_u128(4),
            known_revision: None,
            sequence: Some(5),
            dtstamp: None,
            request_id: cancel.request_id.as_deref(),
            event: EventInput::of(&kept).unwrap(),
        })
        .fetch_one(&mut *under_way)
        .await
        .unwrap();
    assert!(stored);
    let (ours, accepted) = (attempt(1, NOW), event(EventKind::BookingAccepted));
    let accept = test.store.accept(&first, Before::Nothing, &ours, &accepted);
    let (found, ()) = tokio::join!(accept, commit_once_waited_for(&test.pool, under_way));
    let Accepted::CancelledBefore(found) = found.unwrap() else { panic!("it did not see the cancel") };
    assert_eq!(found, cancel);
    assert_eq!(test.store.latest(&first.key).await.unwrap(), None);
    // A message that is newer begins the booking, while the tombstone is the one that it was compared with.
    for (before, expected) in [(2, false), (1, true)] {
        let accept = test.store.accept(&first, Before::Tombstone(before), &ours, &accepted).await.unwrap();
        assert_eq!(matches!(accept, Accepted::New), expected, "{before}");
    }
    assert_eq!(test.history(&first).await, ["booking.accepted"]);
}

#[tokio::test]
async fn a_cancel_waits_for_a_create_under_way_and_sees_it() {
    let test = TestStore::start().await;
    let first = booking(1);
    let mut under_way = test.pool.begin().await.unwrap();
    let may_begin: bool = sqlx::query_scalar("select tombstone_is_as_known($1, $2, null)")
        .bind(first.key.source_system.as_str())
        .bind(first.key.booking_id.as_str())
        .fetch_one(&mut *under_way)
        .await
        .unwrap();
    assert!(may_begin);
    put_by(&mut under_way, &LeasedBooking { booking: first.clone(), attempt: None }).await;
    let cancel = cancel_of(&first, 5);
    let (kept, ()) = tokio::join!(keep(&test, None, &cancel), commit_once_waited_for(&test.pool, under_way));
    assert_eq!(kept, Changed::Overtaken);
    assert_eq!(test.store.tombstone(&first.key).await.unwrap(), None);
}

/// A tombstone is renewed while it is as it was read, and each cancel that is kept has its event; one that is repeated because
/// its answer was lost is stored once.
#[tokio::test]
async fn a_tombstone_is_renewed_as_it_was_read() {
    let test = TestStore::start().await;
    let first = booking(1);
    let (one, two) = (cancel_of(&first, 5), Tombstone { revision: 2, ..cancel_of(&first, 7) });
    for (known, tombstone, expected, events) in [
        (Some(1), &one, Changed::Overtaken, 0),
        (None, &one, Changed::Stored, 1),
        (None, &one, Changed::Stored, 1),
        (None, &cancel_of(&first, 6), Changed::Overtaken, 1),
        (Some(1), &two, Changed::Stored, 2),
        (Some(1), &two, Changed::Stored, 2),
        (Some(1), &one, Changed::Overtaken, 2),
    ] {
        assert_eq!(keep(&test, known, tombstone).await, expected, "{known:?} {tombstone:?}");
        let numbers: Vec<i32> = sqlx::query_scalar(
            "select number from audit_event where generation = 0 and event_type = 'cancel.kept' order by event_id",
        )
        .fetch_all(&test.pool)
        .await
        .unwrap();
        assert_eq!(numbers, (1..=events).collect::<Vec<_>>());
    }
    assert_eq!(test.store.tombstone(&first.key).await.unwrap(), Some(two));
}
