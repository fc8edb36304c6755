//! Bookings for this room's tests.

use serde_json::{from_value, json};
use time::macros::datetime;
use uuid::Uuid;

use super::openapi::example;
use super::state::Remedies;
use crate::access::{Caller, CallerName, Role};
use crate::booking::{BookingKey, ExternalId, Generation, SourceSystem, UserId, parse_with_id};
use crate::meeting::{
    Agreement, Booking, CreatedBy, DesiredState, Evidence, Failure, Failures, JoinWebUrl, LastError, Meeting,
    MeetingId, Observed, Progress, Seen, SeenSettings, Wanted,
};

/// What the texts for administrators are made with.
pub(super) fn remedies() -> Remedies {
    Remedies { client_id: "22222222-2222-4222-8222-222222222222".to_owned() }
}

/// A caller that may book, and see the links of what it booked.
pub(super) fn caller() -> Caller {
    Caller {
        name: CallerName::parse("front-desk").unwrap(),
        source_system: SourceSystem::parse("room-booking").unwrap(),
        roles: [Role::BookingsWrite].into_iter().collect(),
    }
}

/// The booking of the examples, provisioned.
pub(super) fn provisioned() -> Booking {
    let (booking_id, spec) = parse_with_id(example::request()).unwrap();
    let meeting = example::provisioned()["meeting"].clone();
    let text = |name: &str| meeting[name].as_str().unwrap().to_owned();
    let created_at = datetime!(2026-11-23 10:00:00 UTC);
    let settled_at = datetime!(2026-11-23 10:00:00.25 UTC);
    Booking {
        key: BookingKey { source_system: SourceSystem::parse("room-booking").unwrap(), booking_id },
        generation: Generation::FIRST,
        revision: 3,
        wanted: Wanted {
            desired_state: DesiredState::Present,
            external_id: ExternalId::new(Uuid::parse_str("4b22997d-a5f7-5483-b720-2dee50154e74").unwrap()),
            spec,
            revision: 1,
        },
        observed: Observed {
            organizer: Some(UserId::parse("1f35f2e6-9cab-44ad-8d5a-b74c14720000").unwrap()),
            creation_unknown: false,
            meeting: Some(Meeting {
                id: MeetingId::parse(&text("id")).unwrap(),
                join_web_url: JoinWebUrl::parse(&text("joinWebUrl")).unwrap(),
                chat_thread_id: Some(text("chatThreadId")),
                created_by: CreatedBy::ThisRequest,
                seen: Seen::default(),
                seen_at: settled_at,
                agreement: Agreement::At(1),
                lobby_closed: false,
                settings_before: SeenSettings::default(),
                removed: false,
            }),
        },
        progress: Progress::Settled,
        attempts: 2,
        failures: Failures::default(),
        last_error: None,
        provisioned_at: Some(settled_at),
        created_at,
        updated_at: settled_at,
    }
}

/// The same booking, parked by a failure.
pub(super) fn failed(code: Failure, status: Option<u16>, message: Option<&str>) -> Booking {
    let mut booking = provisioned();
    let graph: Evidence = from_value(json!({
        "startedAt": "2026-11-23T10:00:00Z", "durationMilliseconds": 12, "status": status, "message": message,
        "requestId": "5cf23f6b-2cf6-4a4f-9a44-0e3c2ed0f7a7",
    }))
    .unwrap();
    booking.last_error = Some(LastError { code, at: booking.updated_at, graph });
    booking.failures = Failures { count: 1, same_kind_since: Some(booking.updated_at) };
    booking.progress = Progress::Parked;
    booking.observed.meeting = None;
    booking.provisioned_at = None;
    booking.revision = 2;
    booking.attempts = 1;
    booking
}
