//! What a success refutes is freed: `free_refuted` and the column `parked_for` say in SQL what `Booking::parked_for` and
//! `Booking::retried` say in Rust.

use std::time::Duration;

use uuid::Uuid;

use super::rows::{EARLIER, NOW, TestStore, booking, event, every_booking, organizer};
use crate::audit::EventKind;
use crate::booking::{Organizer, Upn, UserId};
use crate::meeting::{Booking, Evidence, Failure, LastError, ParkedFor, Progress, Refuted, Retried};
use crate::store::LeasedBooking;
use crate::store::writing::input::EventInput;

/// How the organizer is named by the one for whom it went well; the rows name it in another case.
const NAME: &str = "A@Contoso.com";

fn failing(code: Failure, status: Option<u16>) -> LastError {
    LastError { code, at: EARLIER, graph: Evidence { status, ..Evidence::begun(EARLIER) } }
}

/// Every way in which a row can stand, with each failure, of the organizer and of another one, by object id and by name alone.
fn rows() -> Vec<LeasedBooking> {
    let failures = [
        failing(Failure::OrganizerNotPermitted, Some(403)),
        failing(Failure::OrganizerNotFound, Some(404)),
        failing(Failure::GraphUnauthorized, None),
        failing(Failure::GraphRefused, Some(403)),
        failing(Failure::GraphRefused, Some(400)),
        failing(Failure::GraphRefused, None),
    ];
    let mut rows = Vec::new();
    for before in every_booking() {
        // What isn't parked stays as it is, whatever its last failure was.
        let failures = if before.progress == Progress::Parked { &failures[..] } else { &failures[..1] };
        for failure in failures {
            for of_organizer in [Some(organizer()), Some(UserId::new(Uuid::from_u128(12))), None] {
                let fresh = booking(rows.len());
                let mut row = Booking { key: fresh.key, ..before.clone() };
                row.wanted.external_id = fresh.wanted.external_id;
                row.last_error = Some(failure.clone());
                row.observed.organizer = of_organizer;
                if of_organizer.is_none() && rows.len().is_multiple_of(2) {
                    row.wanted.spec.organizer = Organizer::Upn(Upn::parse("b@contoso.com").unwrap());
                }
                if let Some(meeting) = &mut row.observed.meeting {
                    meeting.id = super::rows::meeting(rows.len(), meeting.agreement).id;
                }
                rows.push(LeasedBooking { booking: row, attempt: None });
            }
        }
    }
    rows
}

async fn free(test: &TestStore, refuted: Refuted) -> i64 {
    let names =
        |reasons: &[ParkedFor]| reasons.iter().map(|reason| reason.as_str().to_owned()).collect::<Vec<_>>();
    sqlx::query_scalar("select free_refuted($1, $2, $3, $4, $5)")
        .bind(organizer().uuid())
        .bind(names(refuted.of_organizer))
        .bind(NAME)
        .bind(names(refuted.of_name))
        .bind(EventInput::of(&event(EventKind::BookingFreed)).unwrap())
        .fetch_one(&test.pool)
        .await
        .unwrap()
}

async fn parked_for(test: &TestStore, booking: &Booking) -> Option<String> {
    let sql = "select parked_for from booking where external_id = $1";
    sqlx::query_scalar(sql).bind(booking.wanted.external_id.uuid()).fetch_one(&test.pool).await.unwrap()
}

/// The column says for each row what Rust says; what is refuted is freed, by object id and by name, and nothing else is.
#[tokio::test]
async fn what_a_success_refutes_is_freed_as_in_rust() {
    use ParkedFor::{Forbidden, NotFound, NotPermitted, Unauthorized};
    for (of_organizer, of_name) in [
        (&[NotPermitted, NotFound, Forbidden, Unauthorized][..], &[][..]),
        (&[NotFound], &[NotFound, Forbidden, Unauthorized]),
    ] {
        let (test, refuted) = (TestStore::start().await, Refuted { of_organizer, of_name });
        let is_freed = |booking: &Booking| {
            let is_named = booking.wanted.spec.organizer.as_text().eq_ignore_ascii_case(NAME);
            let reasons = match booking.observed.organizer {
                Some(id) if id == organizer() => of_organizer,
                None if is_named => of_name,
                _ => &[],
            };
            booking.parked_for(false).is_some_and(|reason| reasons.contains(&reason))
        };
        let rows = rows();
        for leased in &rows {
            test.put(leased).await;
            let expected = leased.booking.parked_for(false).map(ParkedFor::as_str);
            assert_eq!(parked_for(&test, &leased.booking).await.as_deref(), expected, "of {leased:?}");
        }
        let to_free = rows.iter().filter(|leased| is_freed(&leased.booking)).count();
        assert!(to_free > 0 && to_free < 500, "{to_free}");
        assert_eq!(free(&test, refuted).await, i64::try_from(to_free).unwrap());
        assert_eq!(free(&test, refuted).await, 0);
        for before in &rows {
            let (expected, history) = if is_freed(&before.booking) {
                let Retried::Now(retried) = before.booking.retried(false, NOW) else { panic!("{before:?}") };
                (retried.booking, vec!["booking.freed".to_owned()])
            } else {
                (before.booking.clone(), Vec::new())
            };
            let next = is_freed(&before.booking).then(|| expected.status().as_str());
            assert_eq!(next_status(&test, &before.booking).await.as_deref(), next);
            let expected = LeasedBooking { booking: expected, attempt: None };
            assert_eq!(test.read(before).await, expected, "of {before:?}");
            assert_eq!(test.history(&before.booking).await, history);
        }
    }
}

/// The status that its event of being freed says.
async fn next_status(test: &TestStore, booking: &Booking) -> Option<String> {
    sqlx::query_scalar(
        "select payload->'next'->>'status' from audit_event where external_id = $1 and payload->'next'->>'dueAt' = $2",
    )
    .bind(booking.wanted.external_id.uuid())
    .bind("2026-11-23T09:00:00.000000Z")
    .fetch_optional(&test.pool)
    .await
    .unwrap()
}

/// What is forbidden again after it was freed is forbidden for a reason of its own, and isn't asked for with each success; a
/// policy that is missing again is another matter. Of more than 500 the longest parked come first.
#[tokio::test]
async fn a_success_frees_a_bounded_number_and_no_one_for_ever() {
    use ParkedFor::{Forbidden, NotPermitted};
    let (test, refuted) =
        (TestStore::start().await, Refuted { of_organizer: &[Forbidden, NotPermitted], of_name: &[] });
    for (number, failure) in [
        (1, failing(Failure::GraphRefused, Some(403))),
        (2, failing(Failure::OrganizerNotPermitted, Some(403))),
    ] {
        let progress = Progress::Parked;
        let booking = Booking { progress, last_error: Some(failure), ..booking(number) };
        test.put(&LeasedBooking { booking, attempt: None }).await;
    }
    let park = "update booking set status = 'failed', due_at = null";
    for expected in [2, 1, 1] {
        assert_eq!(free(&test, refuted).await, expected);
        sqlx::query(park).execute(&test.pool).await.unwrap();
    }
    for number in 10..612 {
        let updated_at = NOW - Duration::from_secs(number as u64);
        let booking = Booking { progress: Progress::Parked, updated_at, ..booking(number) };
        test.put(&LeasedBooking { booking, attempt: None }).await;
    }
    assert_eq!(free(&test, refuted).await, 500);
    let left: Vec<Uuid> =
        sqlx::query_scalar("select external_id from booking where status = 'failed' order by updated_at")
            .fetch_all(&test.pool)
            .await
            .unwrap();
    assert!(left.contains(&booking(10).wanted.external_id.uuid()), "the latest are left");
    assert_eq!(free(&test, refuted).await, 103);
}
