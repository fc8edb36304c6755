//! No list reads more rows than its bounds say, with any filter, and no periodic reader reads a table: Postgres counts what was
//! read. Pages that end early lose nothing and repeat nothing.

use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};
use time::macros::datetime;
use uuid::Uuid;

use super::connections_are_kept::methods_in;
use super::rows::{TestStore, booking, organizer, put_by};
use crate::audit::{AuditEventFilter, Order};
use crate::booking::{BookingId, ExternalId, Generation, Organizer, SourceSystem, UserId};
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::meeting::{BookingFilter, Status};
use crate::store::LeasedBooking;
use crate::store::reading::{EXAMINED_MAX, FEW_MAX, MeetingCount, Period};

/// How many bookings there are; twice as many events. Many times what one read looks through.
const BOOKINGS: i64 = 25_000;
/// More than any read may read: the end of what it looks through is found, that is read, with a look-up for each row, and
/// whether there are few was asked up to three times.
const READ_MAX: i64 = 3 * EXAMINED_MAX as i64 + 3 * FEW_MAX as i64 + 100;
const LONG_AGO: Timestamp = datetime!(2001-01-01 00:00 UTC);
const FAR: Timestamp = datetime!(2099-01-01 00:00 UTC);

/// What `benches/bookings` fills ten million bookings with.
const GENERATED: &str = include_str!("../../../benches/bookings/generated_history.sql");

/// Tables of this size have few pages, and Postgres may rather read all of them than go along an index, as it would with more. So it
/// does that only where no index serves.
const LIKE_LARGE_TABLES: &str = "do $$ begin
    execute format('alter database %I set enable_seqscan = off', current_database());
end $$";

async fn filled() -> TestStore {
    let test = TestStore::start().await;
    let generate = GENERATED.replace(":bookings", &BOOKINGS.to_string());
    let analyze = ["vacuum analyze booking", "vacuum analyze audit_event"];
    let mut connection = test.pool.acquire().await.unwrap();
    for statement in [generate.as_str(), LIKE_LARGE_TABLES].into_iter().chain(analyze) {
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut *connection).await.unwrap();
    }
    // Oldest first the history is listed up to the oldest transaction that is open anywhere on the server.
    let is_listed = "select max(transaction_id::text::bigint) < pg_snapshot_xmin(pg_current_snapshot())::text::bigint from audit_event";
    while !sqlx::query_scalar::<_, bool>(is_listed).fetch_one(&mut *connection).await.unwrap() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    sqlx::query(COUNT_NOW).execute(&mut *connection).await.unwrap();
    drop(connection);
    test
}

/// Has what its connection has read counted at once; else that may be counted while something else is looked at.
const COUNT_NOW: &str = "select pg_stat_force_next_flush()";

/// How many rows and index entries were read of the two large tables.
async fn rows_read(pool: &PgPool) -> i64 {
    let count = "select (
            (select sum(seq_tup_read) from pg_stat_user_tables where relname in ('booking', 'audit_event'))
            + (select sum(idx_tup_read) from pg_stat_user_indexes where relname in ('booking', 'audit_event'))
        )::bigint";
    sqlx::query_scalar(count).fetch_one(pool).await.unwrap()
}

/// Runs a method of the store and tells what it returned and how many rows it read.
macro_rules! counted {
    ($test:ident, $run:expr) => {{
        let before = rows_read(&$test.pool).await;
        let returned = $run.await.unwrap();
        let mut connection = $test.store.connections.acquire().await.unwrap();
        sqlx::query(COUNT_NOW).execute(&mut connection).await.unwrap();
        drop(connection);
        (returned, rows_read(&$test.pool).await - before)
    }};
}

/// The parameters of a list that say which items it has, as the OpenAPI document names them.
fn documented_filters(path: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap().iter();
    let names = parameters.map(|parameter| parameter["name"].as_str().unwrap().to_owned());
    names.filter(|name| !matches!(name.as_str(), "limit" | "cursor" | "order" | "expand")).collect()
}

fn source_system(name: &str) -> SourceSystem {
    SourceSystem::parse(name).unwrap()
}

fn booking_id(text: &str) -> BookingId {
    BookingId::parse(text).unwrap()
}

/// The organizer of a third of all bookings.
const BUSY: &str = "user0@contoso.com";

/// Each filter of the list of bookings, with values that few or no bookings have, and with such that very many have.
fn booking_filters() -> Vec<(&'static str, BookingFilter)> {
    let statuses = |statuses: &[Status]| BookingFilter { statuses: statuses.to_vec(), ..Default::default() };
    let organizer = |text: &str| BookingFilter { organizer: Some(text.to_owned()), ..Default::default() };
    vec![
        ("status", statuses(&[Status::Failed])),
        ("status", statuses(&[Status::Cancelled])),
        ("status", statuses(&[Status::Updating])),
        ("status", statuses(&[Status::Pending, Status::Failed])),
        ("status", statuses(&[Status::Provisioned])),
        ("organizer", organizer(BUSY)),
        ("organizer", organizer("user7@contoso.com")),
        ("organizer", organizer("unknown@contoso.com")),
        ("bookingId", BookingFilter { booking_id: Some(booking_id("BK-17")), ..Default::default() }),
        (
            "externalId",
            BookingFilter { external_id: Some(ExternalId::new(Uuid::from_u128(1))), ..Default::default() },
        ),
        ("meetingId", BookingFilter { meeting_id: Some("MSo".to_owned()), ..Default::default() }),
        ("sourceSystem", BookingFilter { source_system: Some(source_system("small")), ..Default::default() }),
        ("startsFrom", BookingFilter { starts_from: Some(FAR), ..Default::default() }),
        ("startsBefore", BookingFilter { starts_before: Some(LONG_AGO), ..Default::default() }),
        ("updatedFrom", BookingFilter { updated_from: Some(FAR), ..Default::default() }),
        ("updatedFrom", BookingFilter { updated_from: Some(LONG_AGO), ..Default::default() }),
        ("updatedBefore", BookingFilter { updated_before: Some(LONG_AGO), ..Default::default() }),
        ("failingBefore", BookingFilter { failing_before: Some(FAR), ..Default::default() }),
        ("failingBefore", BookingFilter { failing_before: Some(LONG_AGO), ..Default::default() }),
    ]
}

/// The same for the list of events.
fn event_filters() -> Vec<(&'static str, AuditEventFilter)> {
    let organizer = |text: &str| AuditEventFilter { organizer: Some(text.to_owned()), ..Default::default() };
    let kind = |text: &str| AuditEventFilter { kind: Some(text.to_owned()), ..Default::default() };
    let actor = |text: &str| AuditEventFilter { actor: Some(text.to_owned()), ..Default::default() };
    let outcome = |text: &str| AuditEventFilter { outcome: Some(text.to_owned()), ..Default::default() };
    let status = |text: &str| AuditEventFilter { next_status: Some(text.to_owned()), ..Default::default() };
    vec![
        (
            "sourceSystem",
            AuditEventFilter { source_system: Some(source_system("small")), ..Default::default() },
        ),
        ("bookingId", AuditEventFilter { booking_id: Some(booking_id("BK-17")), ..Default::default() }),
        (
            "externalId",
            AuditEventFilter { external_id: Some(ExternalId::new(Uuid::from_u128(1))), ..Default::default() },
        ),
        ("meetingId", AuditEventFilter { meeting_id: Some("MSo".to_owned()), ..Default::default() }),
        ("organizer", organizer(BUSY)),
        ("organizer", organizer("user7@contoso.com")),
        ("organizer", organizer("unknown@contoso.com")),
        ("actor", actor("command:alice")),
        ("actor", actor("worker")),
        ("type", kind("meeting.drifted")),
        ("type", kind("meeting.found")),
        ("type", kind("booking.cancelled")),
        ("type", kind("meeting.created")),
        ("outcome", outcome("refused")),
        ("outcome", outcome("gone")),
        ("nextStatus", status("failed")),
        ("nextStatus", status("updating")),
        ("requestId", AuditEventFilter { request_id: Some(Uuid::from_u128(1)), ..Default::default() }),
        ("from", AuditEventFilter { from: Some(FAR), ..Default::default() }),
        ("from", AuditEventFilter { from: Some(LONG_AGO), ..Default::default() }),
        ("before", AuditEventFilter { before: Some(LONG_AGO), ..Default::default() }),
        ("before", AuditEventFilter { before: Some(FAR), ..Default::default() }),
    ]
}

/// Every filter of both lists, by itself and in what one source system sees, in both orders, from the beginning and from the place
/// that was reached: each read is bounded. So often that Postgres has changed to generic plans, if it ever does.
#[tokio::test]
async fn no_filter_reads_more_than_its_bounds() {
    let test = filled().await;
    let tested: BTreeSet<String> = booking_filters().iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(tested, documented_filters("/v1/bookings"));
    for (name, filter) in booking_filters() {
        for seen in [None, Some(source_system("crm")), Some(source_system("small"))] {
            let mut filter = filter.clone();
            filter.source_system = filter.source_system.or(seen);
            let mut from = None;
            for turn in 0..7 {
                let (part, read) = counted!(test, test.store.bookings(&filter, from, 50));
                assert!(read <= READ_MAX, "{name}, turn {turn}: {read} rows read for {filter:?}");
                from = part.next;
            }
        }
    }
    let tested: BTreeSet<String> = event_filters().iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(tested, documented_filters("/v1/audit-events"));
    let of_booking = documented_filters("/v1/bookings/{bookingId}/audit-events");
    assert!(of_booking.is_subset(&(&tested | &BTreeSet::from(["bookingId".to_owned()]))), "{of_booking:?}");
    for (name, filter) in event_filters() {
        for seen in [None, Some(source_system("crm")), Some(source_system("small"))] {
            let mut filter = filter.clone();
            filter.source_system = filter.source_system.or(seen);
            for order in Order::ALL {
                let mut from = None;
                for turn in 0..7 {
                    let read = test.store.audit_events(&filter, order, from.as_ref(), 50);
                    let (part, read) = counted!(test, read);
                    assert!(
                        read <= READ_MAX,
                        "{name} {order:?}, turn {turn}: {read} rows read for {filter:?}"
                    );
                    from = part.next;
                }
            }
        }
    }
}

/// Runs each reader and holds that it has read so many rows at most.
macro_rules! bounded {
    ($test:ident, $ran:ident, $($name:ident($($argument:expr),* $(,)?) <= $most:expr),* $(,)?) => {
        $(
            let (_found, read) = counted!($test, $test.store.$name($($argument),*));
            assert!(read <= $most, "{}: {read} rows read", stringify!($name));
            $ran.insert(stringify!($name).to_owned());
        )*
    };
}

/// What runs time and again, or is asked for, without being a list: it reads what it is about, and not the table.
#[tokio::test]
async fn no_periodic_reader_reads_a_table() {
    let test = filled().await;
    let mut connection = test.pool.acquire().await.unwrap();
    let (unsettled, organizers): (i64, i64) = sqlx::query_as(
        "select count(*) filter (where due_at is not null or status = 'failed'), count(distinct organizer_id) from booking",
    )
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    sqlx::query(COUNT_NOW).execute(&mut *connection).await.unwrap();
    drop(connection);
    let key = booking(1).key;
    let busy = UserId::new(md5_id(&test.pool, "person0").await);
    let name = Organizer::parse(BUSY).unwrap();
    let count = MeetingCount { at_least: 1_600, at_most: 2_000 };
    let (small, now) = (source_system("unknown"), SystemClock.now());
    let period = Period { from: Some(LONG_AGO), before: None };
    let mut ran = BTreeSet::from(["bookings".to_owned(), "audit_events".to_owned()]);
    bounded!(
        test,
        ran,
        backlog(now, std::time::Duration::from_mins(10)) <= 3 * unsettled,
        stuck() <= 2 * unsettled,
        held(&[], now) <= unsettled,
        to_compare(None, LONG_AGO, LONG_AGO) <= READ_MAX,
        to_compare(None, FAR, now) <= READ_MAX,
        meetings_made(now - std::time::Duration::from_hours(2), count) <= 6 * organizers + 2_400,
        pauses(now) <= 0,
        recent_attempts(&name, Some(busy), None, LONG_AGO) <= READ_MAX,
        recent_attempts(&name, Some(busy), Some(&small), LONG_AGO) <= READ_MAX,
        has_bookings_of(busy, &small) <= READ_MAX,
        has_bookings_of(organizer(), &small) <= 1,
        orphans(period, None) <= READ_MAX,
        examined(period, None, 100) <= 800,
        bookings_stored(&source_system("crm"), LONG_AGO, 1_000) <= 1_001,
        replicas() <= 0,
        has_foreign_transactions() <= 1,
        latest(&key) <= 1,
        generation(&key, Generation::FIRST) <= 1,
        online_meeting(&key, Generation::FIRST) <= 1,
        tombstone(&key) <= 0,
        missing_guards() <= 0,
        missing_privileges() <= 0,
        try_to_write() <= 0,
    );
    assert_eq!(ran, methods_in(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/reading")));
    let (_condition, read) = counted!(test, test.store.ping());
    assert!(read <= 1, "readiness: {read} rows read");
    let claimed = crate::store::writing::Claimed {
        attempt_ids: (1..=50).map(Uuid::from_u128).collect(),
        now,
        leased_until: FAR,
        passed_over: Vec::new(),
    };
    let abandoned = super::rows::event(crate::audit::EventKind::CallUnknown);
    let (_claimed, read) = counted!(test, test.store.claim(&claimed, &abandoned));
    assert!(read <= 4 * unsettled, "a claim: {read} rows read");
}

async fn md5_id(pool: &PgPool, text: &str) -> Uuid {
    sqlx::query_scalar("select md5($1)::uuid").bind(text).fetch_one(pool).await.unwrap()
}

/// Follows a list to its end, while a booking with an event arrives between any two pages.
macro_rules! followed {
    ($test:ident, $arrived:ident, $page:expr, $id:expr) => {{
        let (mut found, mut from, mut empty_pages) = (Vec::new(), None, 0);
        loop {
            let part = $page(from).await.unwrap();
            empty_pages += usize::from(part.items.is_empty());
            assert_eq!(part.unreadable, []);
            found.extend(part.items.iter().map($id));
            if !part.has_more {
                break;
            }
            from = part.next;
            arrive(&$test.pool, &mut $arrived).await;
        }
        (found, empty_pages)
    }};
}

/// One more booking with an event, which no search below is for.
async fn arrive(pool: &PgPool, arrived: &mut usize) {
    *arrived += 1;
    let mut connection = pool.acquire().await.unwrap();
    let mut booking = booking(1_000_000 + *arrived);
    booking.created_at = SystemClock.now();
    put_by(&mut connection, &LeasedBooking { booking, attempt: None }).await;
    sqlx::query(
        "insert into audit_event (occurred_at, event_type, source_system, booking_id, generation, number, external_id, actor,
             payload)
         values (now(), 'booking.accepted', 'crm', 'BK-LATER', 1, $1, gen_random_uuid(), 'test', '{}')",
    )
    .bind(i32::try_from(*arrived).unwrap())
    .execute(&mut *connection)
    .await
    .unwrap();
}

/// What is rare stands many pages apart: following finds each once, in the list's order, past pages that have nothing.
#[tokio::test]
async fn pages_that_end_early_lose_and_repeat_nothing() {
    let test = filled().await;
    let mut arrived = 0;
    sqlx::query("update booking set start_at = '2098-01-01', end_at = '2098-01-01' where booking_id in ('BK-3', 'BK-9', 'BK-20000')")
        .execute(&test.pool)
        .await
        .unwrap();
    let filter = BookingFilter { starts_from: Some(datetime!(2097-01-01 00:00 UTC)), ..Default::default() };
    for limit in [1, 2, 200] {
        let page = |from| test.store.bookings(&filter, from, limit);
        let (found, empty) = followed!(test, arrived, page, |booking: &crate::meeting::Booking| booking
            .key
            .booking_id
            .to_string());
        assert_eq!(found, ["BK-20000", "BK-9", "BK-3"], "limit {limit}");
        assert!(empty >= 2, "{empty} empty pages");
    }
    let refused = "select event_id from audit_event where outcome = 'refused' order by 1";
    let expected: Vec<i64> = sqlx::query_scalar(refused).fetch_all(&test.pool).await.unwrap();
    assert!(expected.len() >= 3, "{expected:?}");
    let filter = AuditEventFilter { outcome: Some("refused".to_owned()), ..Default::default() };
    for (order, limit) in
        [(Order::Ascending, 1), (Order::Ascending, 200), (Order::Descending, 1), (Order::Descending, 200)]
    {
        let page = |from: Option<crate::store::reading::AuditEventPosition>| {
            let (store, filter) = (&test.store, &filter);
            async move { store.audit_events(filter, order, from.as_ref(), limit).await }
        };
        let (mut found, empty) =
            followed!(test, arrived, page, |event: &crate::audit::AuditEvent| event.event_id);
        if order == Order::Descending {
            found.reverse();
        }
        assert_eq!(found, expected, "{order:?} by {limit}");
        assert!(empty >= 2, "{order:?}: {empty} empty pages");
    }
}
