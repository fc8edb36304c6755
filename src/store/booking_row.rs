//! The row of table `booking`, and what it means.

use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::error::StoreError;
use crate::booking::{BookingId, BookingKey, ExternalId, Generation, SourceSystem, UserId};
use crate::clock::Timestamp;
use crate::meeting::{
    Agreement, Attempt, AttemptId, Booking, CreatedBy, DesiredState, Failures, JoinWebUrl, LastError,
    Meeting, MeetingId, Observed, Progress, SeenSettings, Wanted,
};

/// A booking as it is kept: how it stands, and the attempt that is under way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LeasedBooking {
    /// The booking.
    pub(crate) booking: Booking,
    /// The attempt under way.
    pub(crate) attempt: Option<Attempt>,
}

/// The row, all columns but the whole meeting as Graph sent it: it is large, and few want it.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct BookingRow {
    pub(super) source_system: String,
    pub(super) booking_id: String,
    pub(super) generation: i32,
    pub(super) external_id: Uuid,
    pub(super) revision: i32,
    pub(super) status: String,
    pub(super) wanted: String,
    pub(super) wanted_revision: i32,
    pub(super) desired_state: String,
    pub(super) organizer_id: Option<Uuid>,
    pub(super) creation_unknown: bool,
    pub(super) meeting_id: Option<String>,
    pub(super) join_web_url: Option<String>,
    pub(super) chat_thread_id: Option<String>,
    pub(super) created_by: Option<String>,
    pub(super) seen: Option<String>,
    pub(super) seen_at: Option<Timestamp>,
    pub(super) settings_before: Option<String>,
    pub(super) agreement: Option<String>,
    pub(super) agreed_revision: Option<i32>,
    pub(super) lobby_closed: bool,
    pub(super) removed: bool,
    pub(super) provisioned_at: Option<Timestamp>,
    pub(super) due_at: Option<Timestamp>,
    pub(super) lease_attempt_id: Option<Uuid>,
    pub(super) lease_started_at: Option<Timestamp>,
    pub(super) lease_until: Option<Timestamp>,
    pub(super) attempts: i32,
    pub(super) failures: i32,
    pub(super) failing_since: Option<Timestamp>,
    pub(super) last_error: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// What a query for [`BookingRow`]s selects that is put together while the program runs.
pub(super) const BOOKING_COLUMNS: &str = "source_system, booking_id, generation, external_id, revision, status, \
    wanted::text as wanted, wanted_revision, desired_state, organizer_id, creation_unknown, meeting_id, join_web_url, \
    chat_thread_id, created_by, seen::text as seen, seen_at, settings_before::text as settings_before, agreement, \
    agreed_revision, lobby_closed, removed, provisioned_at, due_at, lease_attempt_id, lease_started_at, lease_until, \
    attempts, failures, failing_since, last_error::text as last_error, created_at, updated_at";

/// A checked query for [`BookingRow`]s: `$head`, the list of columns, `$tail`, which may be put together of parts.
macro_rules! booking_rows {
    ($head:tt, $tail:tt $(+ $more:tt)* $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            $crate::store::booking_row::BookingRow,
            $head
                + r#" booking.source_system, booking.booking_id, booking.generation, booking.external_id,
                booking.revision, booking.status, booking.wanted::text as "wanted!", booking.wanted_revision,
                booking.desired_state, booking.organizer_id, booking.creation_unknown, booking.meeting_id,
                booking.join_web_url, booking.chat_thread_id, booking.created_by, booking.seen::text as seen,
                booking.seen_at, booking.settings_before::text as settings_before, booking.agreement,
                booking.agreed_revision, booking.lobby_closed, booking.removed, booking.provisioned_at,
                booking.due_at, booking.lease_attempt_id, booking.lease_started_at, booking.lease_until,
                booking.attempts, booking.failures, booking.failing_since,
                booking.last_error::text as last_error, booking.created_at, booking.updated_at "#
                + $tail $(+ $more)*
            $(, $argument)*
        )
    };
}
pub(super) use booking_rows;

impl TryFrom<BookingRow> for LeasedBooking {
    type Error = StoreError;

    fn try_from(row: BookingRow) -> Result<Self, StoreError> {
        let bad = |column: &'static str, detail: &dyn std::fmt::Display| StoreError::BadRow {
            table: "booking",
            column,
            id: format!("({}, {}, {})", row.source_system, row.booking_id, row.generation),
            detail: detail.to_string(),
        };
        let key = BookingKey {
            source_system: SourceSystem::parse(&row.source_system).map_err(|e| bad("source_system", &e))?,
            booking_id: BookingId::parse(&row.booking_id).map_err(|e| bad("booking_id", &e))?,
        };
        let generation = number(row.generation)
            .and_then(Generation::new)
            .ok_or_else(|| bad("generation", &row.generation))?;
        let wanted = Wanted {
            desired_state: DesiredState::parse(&row.desired_state)
                .ok_or_else(|| bad("desired_state", &row.desired_state))?,
            external_id: ExternalId::new(row.external_id),
            spec: document(&row.wanted).map_err(|e| bad("wanted", &e))?,
            revision: number(row.wanted_revision)
                .ok_or_else(|| bad("wanted_revision", &row.wanted_revision))?,
        };
        let progress = match (row.due_at, row.status.as_str()) {
            (Some(due_at), _) => Progress::Due(due_at),
            (None, "failed") => Progress::Parked,
            (None, _) => Progress::Settled,
        };
        let last_error: Option<LastError> =
            row.last_error.as_deref().map(document).transpose().map_err(|e| bad("last_error", &e))?;
        let observed = Observed {
            organizer: row.organizer_id.map(UserId::new),
            creation_unknown: row.creation_unknown,
            meeting: meeting(&row).map_err(|(column, detail)| bad(column, &detail))?,
        };
        let booking = Booking {
            key,
            generation,
            revision: number(row.revision).ok_or_else(|| bad("revision", &row.revision))?,
            wanted,
            observed,
            progress,
            attempts: number(row.attempts).ok_or_else(|| bad("attempts", &row.attempts))?,
            failures: Failures {
                count: number(row.failures).ok_or_else(|| bad("failures", &row.failures))?,
                same_kind_since: row.failing_since,
            },
            last_error,
            provisioned_at: row.provisioned_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        };
        if booking.status().as_str() != row.status {
            return Err(bad(
                "status",
                &format!("is {}, the rest of the row says {}", row.status, booking.status().as_str()),
            ));
        }
        Ok(Self { booking, attempt: attempt(&row) })
    }
}

/// The attempt that a row names.
pub(super) fn attempt(row: &BookingRow) -> Option<Attempt> {
    Some(Attempt {
        id: AttemptId::new(row.lease_attempt_id?),
        started_at: row.lease_started_at?,
        leased_until: row.lease_until?,
    })
}

fn meeting(row: &BookingRow) -> Result<Option<Meeting>, (&'static str, String)> {
    let (Some(id), Some(url), Some(by), Some(seen), Some(seen_at)) =
        (&row.meeting_id, &row.join_web_url, &row.created_by, &row.seen, row.seen_at)
    else {
        return Ok(None);
    };
    Ok(Some(Meeting {
        id: MeetingId::parse(id).map_err(|e| ("meeting_id", e.to_string()))?,
        join_web_url: JoinWebUrl::parse(url).map_err(|e| ("join_web_url", e.to_string()))?,
        chat_thread_id: row.chat_thread_id.clone(),
        created_by: CreatedBy::parse(by).ok_or_else(|| ("created_by", by.clone()))?,
        seen: document(seen).map_err(|e| ("seen", e.to_string()))?,
        seen_at,
        settings_before: row
            .settings_before
            .as_deref()
            .map_or_else(|| Ok(SeenSettings::default()), document)
            .map_err(|e| ("settings_before", e.to_string()))?,
        agreement: agreement(row)?,
        lobby_closed: row.lobby_closed,
        removed: row.removed,
    }))
}

fn agreement(row: &BookingRow) -> Result<Agreement, (&'static str, String)> {
    let name = row.agreement.as_deref().unwrap_or_default();
    let revision = row
        .agreed_revision
        .map(|revision| number(revision).ok_or_else(|| ("agreed_revision", revision.to_string())))
        .transpose()?;
    Agreement::parse(name, revision).ok_or_else(|| ("agreement", format!("{name} at {revision:?}")))
}

fn document<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text)
}

fn number(number: i32) -> Option<u32> {
    u32::try_from(number).ok()
}
