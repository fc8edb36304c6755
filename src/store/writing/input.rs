//! What statements that write take: one parameter of a composite type, whose members the SQL names. So no two values can be
//! swapped unseen.
//!
//! A composite value is sent member by member, in the order of the type's attributes. A test holds the fields of each
//! struct here to the attributes of its type: names, order and types.

use sqlx::Postgres;
use sqlx::postgres::PgTypeInfo;
use uuid::Uuid;

use crate::audit::NewAuditEvent;
use crate::clock::Timestamp;
use crate::meeting::{Attempt, Booking};
use crate::store::StoreError;

/// Declares a struct that is sent as a value of a composite type of the schema.
macro_rules! input {
    (
        $(#[$about:meta])*
        $name:ident $(<$life:lifetime>)? as $type_name:literal { $($field:ident: $kind:ty,)* }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, sqlx::Encode)]
        pub(in crate::store) struct $name $(<$life>)? {
            $(pub(in crate::store) $field: $kind,)*
        }

        impl $(<$life>)? sqlx::Type<Postgres> for $name $(<$life>)? {
            fn type_info() -> PgTypeInfo {
                PgTypeInfo::with_name($type_name)
            }
        }

        #[cfg(test)]
        impl $(<$life>)? $name $(<$life>)? {
            /// The name of the type.
            pub(in crate::store) const TYPE_NAME: &'static str = $type_name;

            /// The name and the type of each field.
            pub(in crate::store) fn attributes() -> Vec<(String, String)> {
                use sqlx::TypeInfo as _;
                let mut attributes = Vec::new();
                $(
                    let kind = <$kind as sqlx::Type<Postgres>>::type_info();
                    attributes.push((stringify!($field).to_owned(), kind.name().to_lowercase()));
                )*
                attributes
            }
        }
    };
}

input! {
    /// One generation of a booking, with the attempt that is under way.
    BookingInput<'a> as "booking_input" {
        source_system: &'a str,
        booking_id: &'a str,
        generation: i32,
        external_id: Uuid,
        revision: i32,
        status: &'a str,
        wanted: Option<String>,
        wanted_revision: i32,
        desired_state: &'a str,
        sequence: Option<i32>,
        organizer: String,
        start_at: Timestamp,
        end_at: Timestamp,
        organizer_id: Option<Uuid>,
        creation_unknown: bool,
        meeting_id: Option<&'a str>,
        join_web_url: Option<&'a str>,
        chat_thread_id: Option<&'a str>,
        created_by: Option<&'a str>,
        seen: Option<String>,
        seen_at: Option<Timestamp>,
        settings_before: Option<String>,
        agreement: Option<&'a str>,
        agreed_revision: Option<i32>,
        lobby_closed: bool,
        removed: bool,
        provisioned_at: Option<Timestamp>,
        due_at: Option<Timestamp>,
        lease_attempt_id: Option<Uuid>,
        lease_started_at: Option<Timestamp>,
        lease_until: Option<Timestamp>,
        attempts: i32,
        failures: i32,
        failing_since: Option<Timestamp>,
        last_error: Option<String>,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
}

input! {
    /// An attempt that is opened.
    AttemptInput as "attempt_input" {
        id: Uuid,
        started_at: Timestamp,
        leased_until: Timestamp,
    }
}

input! {
    /// One event. Which booking and which meeting it is about, the statement takes from the booking's row.
    EventInput<'a> as "event_input" {
        occurred_at: Timestamp,
        event_type: &'a str,
        outcome: Option<&'a str>,
        actor: String,
        payload: String,
    }
}

input! {
    /// What a declaration writes beside the booking.
    DeclarationInput<'a> as "declaration_input" {
        known_revision: i32,
        known_attempt_id: Option<Uuid>,
        event: EventInput<'a>,
        retired: EventInput<'a>,
    }
}

input! {
    /// What a settlement writes beside the booking.
    SettlementInput<'a> as "settlement_input" {
        attempt_id: Uuid,
        worked_on: i32,
        online_meeting: Option<&'a str>,
        event: EventInput<'a>,
        retired: EventInput<'a>,
        freed: EventInput<'a>,
        refuted_of_organizer: Vec<&'static str>,
        refuted_of_name: Vec<&'static str>,
    }
}

input! {
    /// A cancel that is kept as a tombstone.
    TombstoneInput<'a> as "tombstone_input" {
        source_system: &'a str,
        booking_id: &'a str,
        external_id: Uuid,
        known_revision: Option<i32>,
        sequence: Option<i32>,
        dtstamp: Option<Timestamp>,
        request_id: Option<&'a str>,
        event: EventInput<'a>,
    }
}

impl<'a> BookingInput<'a> {
    /// A booking and its attempt, without what is wanted: that is large, and few statements write it.
    pub(in crate::store) fn of(booking: &'a Booking, attempt: Option<Attempt>) -> Result<Self, StoreError> {
        let (wanted, observed) = (&booking.wanted, &booking.observed);
        let meeting = observed.meeting.as_ref();
        Ok(Self {
            source_system: booking.key.source_system.as_str(),
            booking_id: booking.key.booking_id.as_str(),
            generation: int(booking.generation.number()),
            external_id: wanted.external_id.uuid(),
            revision: int(booking.revision),
            status: booking.status().as_str(),
            wanted: None,
            wanted_revision: int(wanted.revision),
            desired_state: wanted.desired_state.as_str(),
            sequence: wanted.spec.sequence.map(|sequence| int(sequence.number())),
            organizer: wanted.spec.organizer.as_text(),
            start_at: wanted.spec.start_date_time,
            end_at: wanted.spec.end_date_time,
            organizer_id: observed.organizer.map(crate::booking::UserId::uuid),
            creation_unknown: observed.creation_unknown,
            meeting_id: meeting.map(|meeting| meeting.id.as_str()),
            join_web_url: meeting.map(|meeting| meeting.join_web_url.as_str()),
            chat_thread_id: meeting.and_then(|meeting| meeting.chat_thread_id.as_deref()),
            created_by: meeting.map(|meeting| meeting.created_by.as_str()),
            seen: meeting.map(|meeting| json(&meeting.seen)).transpose()?,
            seen_at: meeting.map(|meeting| meeting.seen_at),
            settings_before: meeting
                .map(|meeting| &meeting.settings_before)
                .filter(|settings| !settings.is_empty())
                .map(json)
                .transpose()?,
            agreement: meeting.map(|meeting| meeting.agreement.as_str()),
            agreed_revision: meeting.and_then(|meeting| meeting.agreement.revision()).map(int),
            lobby_closed: meeting.is_some_and(|meeting| meeting.lobby_closed),
            removed: meeting.is_some_and(|meeting| meeting.removed),
            provisioned_at: booking.provisioned_at,
            due_at: booking.due_at(),
            lease_attempt_id: attempt.map(|attempt| attempt.id.uuid()),
            lease_started_at: attempt.map(|attempt| attempt.started_at),
            lease_until: attempt.map(|attempt| attempt.leased_until),
            attempts: int(booking.attempts),
            failures: int(booking.failures.count),
            failing_since: booking.failures.same_kind_since,
            last_error: booking.last_error.as_ref().map(json).transpose()?,
            created_at: booking.created_at,
            updated_at: booking.updated_at,
        })
    }

    /// The same with what is wanted.
    pub(in crate::store) fn with_wanted(self, booking: &Booking) -> Result<Self, StoreError> {
        Ok(Self { wanted: Some(json(&booking.wanted.spec)?), ..self })
    }
}

impl AttemptInput {
    /// An attempt that is opened.
    pub(in crate::store) fn of(attempt: Attempt) -> Self {
        Self { id: attempt.id.uuid(), started_at: attempt.started_at, leased_until: attempt.leased_until }
    }
}

impl EventInput<'_> {
    /// An event that is about to be written.
    pub(in crate::store) fn of(event: &NewAuditEvent) -> Result<Self, StoreError> {
        Ok(Self {
            occurred_at: event.occurred_at,
            event_type: event.kind.as_str(),
            outcome: event.outcome,
            actor: event.actor.to_string(),
            payload: json(&event.payload)?,
        })
    }
}

/// A number as Postgres keeps it; ours never come near the limit.
pub(in crate::store) fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A document as it is kept.
fn json<T: serde::Serialize>(document: &T) -> Result<String, StoreError> {
    serde_json::to_string(document).map_err(|error| StoreError::Refused(sqlx::Error::Encode(Box::new(error))))
}
