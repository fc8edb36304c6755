//! Some statements change rows that were not read before, so what becomes of these is said twice: in SQL, and in Rust
//! (`meeting::decided_in_sql`, `Booking::retried`). Here every way in which a row can stand is put before both.

use std::time::Duration;

use uuid::Uuid;

use super::rows::{EARLIER, NOW, TestStore, attempt, booking, event, every_booking};
use crate::audit::EventKind;
use crate::meeting::{Attempt, Booking, DesiredState};
use crate::store::LeasedBooking;
use crate::store::writing::input::EventInput;
use crate::store::writing::{Claimed, ClaimedBooking};

const LEASE: Duration = Duration::from_mins(1);

fn at_rest_or_free(booking: Booking) -> LeasedBooking {
    LeasedBooking { booking, attempt: None }
}

/// What the table of rows is good for: each is stored and read as it was.
#[tokio::test]
async fn every_row_reads_as_it_was_written() {
    let test = TestStore::start().await;
    let bookings = every_booking();
    assert!(bookings.len() > 100, "{}", bookings.len());
    for booking in bookings {
        let attempt = booking.due_at().map(|_| attempt(1, NOW));
        let leased = LeasedBooking { booking, attempt };
        test.put(&leased).await;
        assert_eq!(test.read(&leased).await, leased);
    }
}

/// A claim makes of an abandoned attempt what `Booking::abandoned` says, and changes nothing else of a booking that was not leased.
#[tokio::test]
async fn a_claim_closes_an_abandoned_attempt_as_rust_does() {
    let test = TestStore::start().await;
    let due = every_booking().into_iter().filter(|booking| booking.due_at().is_some());
    let rows: Vec<LeasedBooking> = due
        .flat_map(|before| {
            let place = usize::try_from(before.wanted.external_id.uuid().as_u128()).unwrap();
            let mut abandoned = booking(10_000 + place);
            (abandoned.wanted, abandoned.observed) = (before.wanted.clone(), before.observed.clone());
            (abandoned.progress, abandoned.provisioned_at) = (before.progress, before.provisioned_at);
            abandoned.wanted.external_id = booking(10_000 + place).wanted.external_id;
            if let Some(meeting) = &mut abandoned.observed.meeting {
                meeting.id = super::rows::meeting(10_000 + place, meeting.agreement).id;
            }
            let lease_ended = attempt(abandoned.wanted.external_id.uuid().as_u128(), EARLIER + LEASE);
            [at_rest_or_free(before), LeasedBooking { booking: abandoned, attempt: Some(lease_ended) }]
        })
        .collect();
    for leased in &rows {
        test.put(leased).await;
    }
    let leased_until = NOW + LEASE;
    let attempt_ids: Vec<Uuid> = (1..=rows.len()).map(|id| Uuid::from_u128(id as u128)).collect();
    let claimed = Claimed { attempt_ids, now: NOW, leased_until, passed_over: Vec::new() };
    let found = test.store.claim(&claimed, &event(EventKind::CallUnknown)).await.unwrap();
    assert_eq!(found.len(), rows.len());
    for before in &rows {
        let ClaimedBooking { leased: after, attempt, took_over } = found
            .iter()
            .find(|claimed| claimed.leased.booking.wanted.external_id == before.booking.wanted.external_id)
            .unwrap();
        assert_eq!((attempt.started_at, attempt.leased_until), (NOW, leased_until));
        assert_eq!((after.attempt, *took_over), (Some(*attempt), before.attempt.is_some()));
        let (expected, history) = match before.attempt {
            Some(_) => (before.booking.abandoned(NOW), vec!["call.unknown".to_owned()]),
            None => (before.booking.clone(), Vec::new()),
        };
        assert_eq!(after.booking, expected, "of {before:?}");
        assert_eq!(test.read(before).await, *after);
        assert_eq!(test.history(&before.booking).await, history);
    }
}

/// `retire_older_generations` makes of an older generation what `Booking::retired` says, whether or not an attempt is under
/// way, and touches neither a cancelled one nor the one that takes its place.
#[tokio::test]
async fn older_generations_are_retired_as_in_rust() {
    let test = TestStore::start().await;
    for (place, older) in every_booking().into_iter().enumerate() {
        let attempt = older.due_at().filter(|_| place.is_multiple_of(2)).map(|_| attempt(1, NOW));
        let older = LeasedBooking { booking: older, attempt };
        let mut later = booking(10_000 + place);
        (later.key, later.generation) = (older.booking.key.clone(), older.booking.generation.next());
        let later = at_rest_or_free(later);
        test.put(&older).await;
        test.put(&later).await;
        let retired: i64 = sqlx::query_scalar("select retire_older_generations($1, $2, $3, $4)")
            .bind(later.booking.key.source_system.as_str())
            .bind(later.booking.key.booking_id.as_str())
            .bind(2)
            .bind(EventInput::of(&event(EventKind::BookingCancelled)).unwrap())
            .fetch_one(&test.pool)
            .await
            .unwrap();
        let (expected, history) = match older.booking.wanted.desired_state {
            DesiredState::Present => (older.booking.retired(NOW), vec!["booking.cancelled".to_owned()]),
            DesiredState::Cancelled => (older.booking.clone(), Vec::new()),
        };
        assert_eq!(retired, i64::try_from(history.len()).unwrap());
        let expected = LeasedBooking { booking: expected, attempt };
        assert_eq!(test.read(&older).await, expected, "of {older:?}");
        assert_eq!(test.read(&later).await, later);
        assert_eq!(test.history(&older.booking).await, history);
    }
}

/// `Store::begin_check` makes of a row what `Booking::check_requested` says, and nothing where that says nothing.
#[tokio::test]
async fn a_check_is_begun_as_in_rust() {
    let test = TestStore::start().await;
    let ours = attempt(5, NOW + LEASE);
    let ours = Attempt { started_at: NOW, ..ours };
    for before in every_booking().into_iter().map(at_rest_or_free) {
        test.put(&before).await;
        let (key, generation) = (&before.booking.key, before.booking.generation);
        let begun = test.store.begin_check(key, generation, None, ours).await.unwrap();
        let expected =
            before.booking.check_requested(NOW).map(|booking| LeasedBooking { booking, attempt: Some(ours) });
        assert_eq!(begun, expected, "of {before:?}");
        assert_eq!(test.read(&before).await, expected.unwrap_or(before));
    }
}
