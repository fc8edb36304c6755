//! Every write that fails for a reason of Postgres's own shows in readiness, whichever it is, and one that succeeds takes that
//! back: a full disk is mostly met first by what is written beside the requests.

use uuid::Uuid;

use super::rows::{NOW, TestStore, attempt, booking, claimed, event, settlement, tombstone};
use crate::audit::EventKind;
use crate::booking::ExternalId;
use crate::store::writing::Before;
use crate::store::{LeasedBooking, StoreError};

/// Nothing can be written, also where no row would be.
const DISK_FULL: &str = "
    create function disk_full() returns trigger language plpgsql as
        $$ begin raise exception 'provoked' using errcode = '53100'; end $$;
    create trigger disk_full before insert or update or delete on booking execute function disk_full();
    create trigger disk_full before insert or update or delete on audit_event execute function disk_full();
    create trigger disk_full before insert or update or delete on tombstone execute function disk_full();
    create trigger disk_full before insert or update or delete on graph_pause execute function disk_full();
";

/// Runs writes; holds that each fails, and is noted.
macro_rules! noted {
    ($test:ident, $($name:ident($($argument:expr),* $(,)?)),* $(,)?) => {
        $(
            $test.store.writes.note(&Ok(()));
            let error = $test.store.$name($($argument),*).await.map(drop).unwrap_err();
            assert!(error.to_string().contains("53100") || error.is_postgres_away(), "{error}");
            assert!($test.store.writes_fail(), stringify!($name));
        )*
    };
}

#[tokio::test]
async fn every_write_that_fails_is_noted() {
    let test = TestStore::start().await;
    let (first, ours) = (booking(1), attempt(1, NOW));
    let (key, generation) = (first.key.clone(), first.generation);
    let leased = LeasedBooking { booking: first.clone(), attempt: Some(ours) };
    let spare = event(EventKind::BookingCancelled);
    let abandoned = first.abandoned(NOW);
    let settlement = settlement(&leased, &abandoned, &spare);
    let (claimed, tombstone) = (claimed(), tombstone());
    test.put(&leased).await;
    sqlx::raw_sql(DISK_FULL).execute(&test.pool).await.unwrap();
    noted!(
        test,
        accept(&booking(3), Before::Nothing, &ours, &event(EventKind::BookingAccepted)),
        declare(&leased, &leased, &spare, &spare),
        settle(&settlement),
        hand_back(&settlement),
        retry(99, &first, None, &event(EventKind::BookingRetried)),
        claim(&claimed, &event(EventKind::CallUnknown)),
        release(&[ours.id], NOW),
        begin_check(&key, generation, None, ours),
        pause("application", NOW),
        keep_cancel(None, &tombstone, ExternalId::new(Uuid::from_u128(4)), &event(EventKind::CancelKept)),
    );
    sqlx::raw_sql("drop function disk_full cascade").execute(&test.pool).await.unwrap();
    let paused: Result<(), StoreError> = test.store.pause("application", NOW).await;
    paused.unwrap();
    assert!(!test.store.writes_fail());
}
