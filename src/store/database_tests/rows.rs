//! A store of a test's own, and rows in it.

use std::time::Duration;

use serde_json::json;
use sqlx::{PgConnection, PgPool};
use time::macros::datetime;
use uuid::Uuid;

use super::postgres::{TestDatabase, empty_database, fresh_database};
use crate::audit::{Actor, EventKind, EventPayload, NewAuditEvent};
use crate::booking::{
    BookingId, BookingKey, ExternalId, Generation, MessageOrder, Sequence, SourceSystem, UserId, parse,
};
use crate::clock::Timestamp;
use crate::meeting::{
    Agreement, Attempt, AttemptId, Booking, CreatedBy, DesiredState, Evidence, Failure, Failures, JoinWebUrl,
    LastError, Meeting, MeetingId, Observed, Progress, Refuted, Seen, SeenSetting, SeenSettings, Status,
    Tombstone, Wanted,
};
use crate::shares::{Refusals, Share};
use crate::store::postgres::MIGRATOR;
use crate::store::writing::input::BookingInput;
use crate::store::writing::{Claimed, Settlement};
use crate::store::{LeasedBooking, Store, StoreSettings};

/// When the rows last changed, before the statement that is tested.
pub(super) const EARLIER: Timestamp = datetime!(2026-11-23 08:00 UTC);
/// When the statement that is tested is run.
pub(super) const NOW: Timestamp = datetime!(2026-11-23 09:00 UTC);
/// The revision of what is wanted in every row.
const WANTED_REVISION: u32 = 3;

/// A store on a database of its own, and a second way to the same database for looking and for meddling.
pub(in crate::store) struct TestStore {
    pub(in crate::store) store: Store,
    pub(in crate::store) pool: PgPool,
    _database: TestDatabase,
}

impl TestStore {
    /// With the schema.
    pub(in crate::store) async fn start() -> Self {
        Self::on(fresh_database(&MIGRATOR).await)
    }

    /// Without it.
    pub(super) async fn start_empty() -> Self {
        Self::on(empty_database().await)
    }

    fn on(database: TestDatabase) -> Self {
        let settings = StoreSettings {
            url: database.url.clone(),
            connections_max: 1,
            acquire_timeout: Duration::from_secs(20),
            share: Share::of_percent(100),
            refusals: Refusals::uncounted(),
            allows_unverified_tls: false,
            limits_statements: true,
        };
        let pool = PgPool::connect_lazy(&database.url).unwrap();
        Self { store: Store::open(&settings).unwrap(), pool, _database: database }
    }

    /// Puts a row there that says exactly this.
    pub(super) async fn put(&self, leased: &LeasedBooking) {
        put_by(&mut self.pool.acquire().await.unwrap(), leased).await;
    }

    /// The row as it reads now.
    pub(super) async fn read(&self, leased: &LeasedBooking) -> LeasedBooking {
        let booking = &leased.booking;
        self.store.generation(&booking.key, booking.generation).await.unwrap().unwrap()
    }

    /// The kinds of the events of a generation, in their order. Their numbers have no gap, and the row counts them.
    pub(super) async fn history(&self, booking: &Booking) -> Vec<String> {
        let events: Vec<(i32, String)> = sqlx::query_as(
            "select number, event_type from audit_event where source_system = $1 and booking_id = $2 and generation = $3
             order by event_id",
        )
        .bind(booking.key.source_system.as_str())
        .bind(booking.key.booking_id.as_str())
        .bind(i32::try_from(booking.generation.number()).unwrap())
        .fetch_all(&self.pool)
        .await
        .unwrap();
        let counted: i32 = sqlx::query_scalar("select events from booking where external_id = $1")
            .bind(booking.wanted.external_id.uuid())
            .fetch_one(&self.pool)
            .await
            .unwrap();
        let numbers: Vec<i32> = events.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (1..=counted).collect::<Vec<_>>(), "{booking:?}");
        events.into_iter().map(|(_, kind)| kind).collect()
    }
}

/// Puts a row there on this connection.
pub(super) async fn put_by(connection: &mut PgConnection, leased: &LeasedBooking) {
    let input =
        BookingInput::of(&leased.booking, leased.attempt).unwrap().with_wanted(&leased.booking).unwrap();
    sqlx::query(
            "insert into booking
             select source_system, booking_id, generation, external_id, revision, status, wanted::json,
                 wanted_revision, desired_state, sequence, organizer, start_at, end_at, organizer_id,
                 creation_unknown, meeting_id, join_web_url, chat_thread_id, created_by, seen::json, seen_at,
                 settings_before::json,
                 agreement, agreed_revision, lobby_closed, removed,
                 case when meeting_id is not null then json '{}' end, provisioned_at, due_at, lease_attempt_id,
                 lease_started_at, lease_until, attempts, failures, failing_since, last_error::json, 0,
                 created_at, updated_at
             from (select ($1::booking_input).*) as input",
        )
        .bind(input)
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{error}: {leased:?}"));
}

/// The organizer of every row.
pub(super) fn organizer() -> UserId {
    UserId::new(Uuid::from_u128(11))
}

/// An attempt with this id whose lease ends then.
pub(super) fn attempt(id: u128, leased_until: Timestamp) -> Attempt {
    Attempt { id: AttemptId::new(Uuid::from_u128(id)), started_at: EARLIER, leased_until }
}

/// Settles the attempt of a leased booking, which becomes `next`.
pub(super) fn settlement<'a>(
    leased: &LeasedBooking,
    next: &'a Booking,
    event: &'a NewAuditEvent,
) -> Settlement<'a> {
    Settlement {
        attempt: leased.attempt.unwrap().id,
        worked_on: leased.booking.revision,
        booking: next,
        next_attempt: None,
        online_meeting: None,
        is_adopted: false,
        event,
        retired: event,
        freed: event,
        refuted: Refuted::NOTHING,
    }
}

/// Claims one booking, whatever is due.
pub(super) fn claimed() -> Claimed {
    Claimed { attempt_ids: vec![Uuid::from_u128(2)], now: NOW, leased_until: NOW, passed_over: Vec::new() }
}

/// A cancel of a booking that was never stored.
pub(super) fn tombstone() -> Tombstone {
    Tombstone {
        key: booking(2).key,
        revision: 1,
        order: MessageOrder { sequence: Sequence::new(1), dtstamp: None },
        received_at: NOW,
        request_id: None,
    }
}

/// An event for a statement that is tested.
pub(super) fn event(kind: EventKind) -> NewAuditEvent {
    let outcome = None;
    NewAuditEvent { occurred_at: NOW, kind, outcome, actor: Actor::Worker, payload: EventPayload::default() }
}

/// Every way in which a row can stand: each desired state, with each kind of agreement or without a meeting, provisioned or
/// not, with a creation of unknown outcome or none, due, at rest or parked. Each is a booking of its own.
pub(super) fn every_booking() -> Vec<Booking> {
    use Agreement::{At, CheckRequested, Differs, UnderWay, Unknown};
    let agreements = [
        None,
        Some(At(WANTED_REVISION)),
        Some(At(WANTED_REVISION - 1)),
        Some(Differs),
        Some(CheckRequested(WANTED_REVISION)),
        Some(CheckRequested(WANTED_REVISION - 1)),
        Some(UnderWay(WANTED_REVISION)),
        Some(UnderWay(WANTED_REVISION - 1)),
        Some(Unknown),
    ];
    let progresses = [Progress::Due(EARLIER), Progress::Settled, Progress::Parked];
    let mut found = Vec::new();
    for desired_state in [DesiredState::Present, DesiredState::Cancelled] {
        for agreement in agreements {
            for provisioned_at in [None, Some(EARLIER)] {
                for creation_unknown in [false, true] {
                    for progress in progresses {
                        let mut booking = booking(found.len());
                        booking.wanted.desired_state = desired_state;
                        booking.observed.meeting = agreement.map(|agreement| meeting(found.len(), agreement));
                        booking.observed.creation_unknown = creation_unknown;
                        booking.provisioned_at = provisioned_at;
                        booking.progress = progress;
                        if can_be(&booking) {
                            found.push(booking);
                        }
                    }
                }
            }
        }
    }
    found
}

/// Whether a booking can stand like this: only what has a meeting was ever provisioned, and only what was provisioned is
/// provisioned now, or has its meeting checked.
fn can_be(booking: &Booking) -> bool {
    let Some(meeting) = &booking.observed.meeting else {
        return booking.provisioned_at.is_none() && booking.status() != Status::Provisioned;
    };
    let is_checked = matches!(meeting.agreement, Agreement::CheckRequested(_) | Agreement::UnderWay(_));
    booking.provisioned_at.is_some() || !(is_checked || booking.status() == Status::Provisioned)
}

/// A booking whose call for its organizer was refused last, the `number`th of a test.
pub(super) fn booking(number: usize) -> Booking {
    let body = json!({"organizer": "a@contoso.com", "startDateTime": "2026-12-01T09:00:00.1234567Z"});
    let graph = Evidence::begun(EARLIER);
    Booking {
        key: BookingKey {
            source_system: SourceSystem::parse("crm").unwrap(),
            booking_id: BookingId::parse(&format!("BK-{number}")).unwrap(),
        },
        generation: Generation::FIRST,
        revision: 9,
        wanted: Wanted {
            desired_state: DesiredState::Present,
            external_id: ExternalId::new(Uuid::from_u128(1_000 + number as u128)),
            spec: parse(body).unwrap().1,
            revision: WANTED_REVISION,
        },
        observed: Observed { organizer: Some(organizer()), ..Observed::default() },
        progress: Progress::Due(EARLIER),
        attempts: 7,
        failures: Failures { count: 2, same_kind_since: Some(EARLIER) },
        last_error: Some(LastError { code: Failure::OrganizerNotPermitted, at: EARLIER, graph }),
        provisioned_at: None,
        created_at: EARLIER,
        updated_at: EARLIER,
    }
}

fn settings() -> SeenSettings {
    let mut settings = SeenSettings::default();
    settings.note("recordAutomatically", SeenSetting::Switch(false));
    settings
}

/// A meeting, the `number`th of a test.
pub(super) fn meeting(number: usize, agreement: Agreement) -> Meeting {
    Meeting {
        id: MeetingId::parse(&format!("meeting {number}")).unwrap(),
        join_web_url: JoinWebUrl::parse(&format!("https://teams.example/{number}")).unwrap(),
        chat_thread_id: (number.is_multiple_of(2)).then(|| format!("chat {number}")),
        created_by: if number.is_multiple_of(3) { CreatedBy::Existing } else { CreatedBy::ThisRequest },
        seen: Seen { subject: Some(format!("subject {number}")), ..Seen::default() },
        seen_at: EARLIER,
        settings_before: if number.is_multiple_of(2) { SeenSettings::default() } else { settings() },
        agreement,
        lobby_closed: number.is_multiple_of(5),
        removed: number.is_multiple_of(7),
    }
}
