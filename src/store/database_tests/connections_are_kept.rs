//! A connection whose statement has ended well is kept, with no question to Postgres in between; any other is not.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::Connection as _;
use uuid::Uuid;

use super::rows::{NOW, TestStore, attempt, booking, claimed, event, organizer, settlement, tombstone};
use crate::audit::{AuditEventFilter, EventKind, Order};
use crate::booking::ExternalId;
use crate::meeting::BookingFilter;
use crate::store::reading::{MeetingCount, Period};
use crate::store::writing::Before;
use crate::store::{LeasedBooking, Notice, ReplicaId};

/// Runs a statement, and holds that its connection is kept.
macro_rules! kept {
    ($test:ident, $ran:ident, $($name:ident($($argument:expr),* $(,)?)),* $(,)?) => {
        $(
            // What it found is of no interest here.
            let _found = $test.store.$name($($argument),*).await.unwrap();
            assert_eq!($test.store.connections.kept_of_opened(), (1, 1), stringify!($name));
            $ran.insert(stringify!($name));
        )*
    };
}

/// The methods of [`crate::store::Store`] in the files of a folder.
pub(super) fn methods_in(folder: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for (_, rest) in
            text.match_indices("pub(crate) async fn ").map(|(at, head)| text[at..].split_at(head.len()))
        {
            names.insert(rest.split(['(', '<']).next().unwrap().to_owned());
        }
    }
    names
}

#[tokio::test]
async fn every_statement_hands_its_connection_back() {
    let test = TestStore::start().await;
    let (mut ran, spare) = (BTreeSet::new(), event(EventKind::BookingCancelled));
    let (first, ours) = (booking(1), attempt(1, NOW));
    let (key, generation) = (first.key.clone(), first.generation);
    let leased = LeasedBooking { booking: first.clone(), attempt: Some(ours) };
    let abandoned = first.abandoned(NOW);
    let settlement = settlement(&leased, &abandoned, &spare);
    let (claimed, tombstone) = (claimed(), tombstone());
    kept!(
        test,
        ran,
        accept(&first, Before::Nothing, &ours, &event(EventKind::BookingAccepted)),
        declare(&leased, &leased, &spare, &spare),
        settle(&settlement),
        hand_back(&settlement),
        retry(99, &first, None, &event(EventKind::BookingRetried)),
        claim(&claimed, &event(EventKind::CallUnknown)),
        release(&[ours.id], NOW),
        begin_check(&key, generation, None, ours),
        pause("application", NOW),
        keep_cancel(None, &tombstone, ExternalId::new(Uuid::from_u128(4)), &event(EventKind::CancelKept)),
        tombstone(&tombstone.key),
        latest(&key),
        generation(&key, generation),
        online_meeting(&key, generation),
        held(&[ours.id], NOW),
        bookings(&BookingFilter::default(), None, 10),
        audit_events(&AuditEventFilter::default(), Order::Ascending, None, 10),
        has_foreign_transactions(),
        orphans(Period { from: None, before: None }, None),
        missing_guards(),
        backlog(NOW, Duration::from_mins(1)),
        meetings_made(NOW, MeetingCount { at_least: 1, at_most: 2 }),
        bookings_stored(&first.key.source_system, NOW, 9),
        pauses(NOW),
        recent_attempts(&first.wanted.spec.organizer, Some(organizer()), None, NOW),
        has_bookings_of(organizer(), &first.key.source_system),
        to_compare(None, NOW, NOW),
        publish_notices(ReplicaId::new(Uuid::from_u128(3)), &[Notice::Due]),
        ping(),
        schema_state(),
        server(),
        missing_privileges(),
        stuck(),
        replicas(),
        forget_replica(ReplicaId::new(Uuid::from_u128(3))),
    );
    all_had_their_turn(&ran);
}

fn all_had_their_turn(ran: &BTreeSet<&str>) {
    let mut all = methods_in("src/store/writing");
    all.extend(methods_in("src/store/reading"));
    // Transactions of several statements: sqlx's pool asks whether the connection came out of it.
    assert!(all.remove("examined") && all.remove("try_to_write"));
    let missing: Vec<&String> = all.iter().filter(|name| !ran.contains(name.as_str())).collect();
    assert_eq!(missing, [""; 0], "each has its turn here");
}

/// What failed, was given up half-way, or is more than a statement, leaves the connection to sqlx's pool. The next
/// statement finds a good one all the same, though there may be one only.
#[tokio::test]
async fn a_connection_whose_statement_has_not_ended_well_is_not_kept() {
    let test = TestStore::start().await;
    let connections = &test.store.connections;
    let kept = || connections.kept_of_opened().0;

    let failed = sqlx::query("select 1 / 0").execute(&mut connections.acquire().await.unwrap()).await;
    assert!(failed.is_err());
    assert_eq!(kept(), 0);
    test.store.ping().await.unwrap();
    assert_eq!(kept(), 1);

    {
        let mut connection = connections.acquire().await.unwrap();
        let given_up = sqlx::query("select pg_sleep(60)").execute(&mut connection);
        assert!(tokio::time::timeout(Duration::from_millis(20), given_up).await.is_err());
    }
    assert_eq!(kept(), 0);
    sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where query like 'select pg_sleep%'")
        .execute(&test.pool)
        .await
        .unwrap();
    test.store.ping().await.unwrap();
    assert_eq!(kept(), 1);

    {
        let mut connection = connections.acquire().await.unwrap();
        let mut transaction = connection.begin_several_statements().unwrap().begin().await.unwrap();
        sqlx::query("select 1").execute(&mut *transaction).await.unwrap();
    }
    assert_eq!(kept(), 0);
    test.store.ping().await.unwrap();
    assert_eq!(kept(), 1);
}

/// A connection with a statement that failed on it stays apart even when a later statement on it ends well.
#[tokio::test]
async fn a_later_statement_does_not_make_up_for_one_that_failed() {
    let test = TestStore::start().await;
    let mut connection = test.store.connections.acquire().await.unwrap();
    assert!(sqlx::query("select 1 / 0").fetch_optional(&mut connection).await.is_err());
    sqlx::query("select 1").execute(&mut connection).await.unwrap();
    drop(connection);
    assert_eq!(test.store.connections.kept_of_opened().0, 0);
    assert_eq!(test.store.latest(&booking(1).key).await.unwrap(), None);
}
